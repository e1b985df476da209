import type { components } from '../../generated/edict-api.d.ts';
import type { Change, Plan } from '../model/change.ts';
import type { ControllerStatus } from '../model/controller-status.ts';
import type { Suspension } from '../model/desired-state.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import type { Unobserved } from '../model/observation.ts';
import type { RecordedPublication } from '../model/recorded-state.ts';
import { type AttemptSummary, computeStatusCell, publicationKeys, type StatusCell, type StatusInput } from '../plan/status.ts';
import { summarizePlan } from '../plan/summary.ts';
import { isTargeted, type Targets } from '../plan/targets.ts';
import { formatTimestamp } from './format.ts';
import { formatMissingApi, noticeForDrift, noticeForOutdated } from './notices.ts';
import { fileHoldJson, lastCheckedJson, suspensionJson } from './plan-json.ts';
import { formatStatusCell } from './status-text.ts';

type Schemas = components['schemas'];

/** Everything that the status of a file shows. */
export interface StatusView {
  readonly input: StatusInput;
  readonly plan: Plan;
  readonly targets: Targets;
  /** The last status of the process that works on the gateway, also if it was killed; `null` if there is none. */
  readonly controllerStatus: ControllerStatus | null;
  /** The holder of the gateway's lease; `null` if there is none, as far as this host can tell. */
  readonly leaseHolder: string | null;
  /** Whether all unmanaged publications are listed; default: the first ones. */
  readonly listsUnmanaged?: boolean;
  /** Why the gateway could not be observed after its last observation; `null` if no observation failed since. */
  readonly unobserved: Unobserved | null;
  /** The command that approves what is held; `null` if nothing is. */
  readonly approveCommand: string | null;
}

/** The recorded state of a gateway whose file is invalid. */
export interface RecordedStatusView extends Pick<StatusView, 'controllerStatus' | 'leaseHolder'> {
  readonly isEmulated: boolean;
  readonly gateway: GatewayIdentity;
  readonly cells: readonly StatusCell[];
  readonly suspension: Suspension | null;
}

/** Returns the status of every targeted publication, those of the file first. */
export function targetedStatusCells({ input, targets }: Pick<StatusView, 'input' | 'targets'>): StatusCell[] {
  const cells = [...publicationKeys(input)].map((key) => computeStatusCell(key, input));
  return cells.filter((cell) => cell !== null && isTargeted(targets, cell)) as StatusCell[];
}

/** Returns the short JSON form of a publication's status. */
export function statusCellJson(cell: StatusCell): Schemas['Cell'] {
  const { api, apiId, environmentId, status, desired, recorded } = cell;
  return {
    ...{ api, apiId, environmentId, status, message: formatStatusCell(cell) },
    ...{ desired: desired?.state ?? null, recorded: recorded?.state ?? null },
    observed: (recorded && observedJson(recorded)?.state) ?? null,
  };
}

/** Returns the JSON form of the recorded state of a gateway whose file is invalid: that of a status, without what follows from the file. */
export function recordedStatusJson({ isEmulated, gateway, cells, suspension, controllerStatus, leaseHolder }: RecordedStatusView) {
  const { endpoint, project, instance } = gateway;
  return {
    gateway: { endpoint, project, instance },
    emulated: isEmulated,
    targets: null,
    summary: null,
    fileHeld: null,
    suspension: suspension && suspensionJson(suspension),
    approveCommand: null,
    daemon: daemonJson(controllerStatus, leaseHolder),
    publications: cells.map(publicationJson),
  };
}

/** Returns the JSON form of the process that works on a gateway, or did last; `null` if none has. */
export function daemonJson(controllerStatus: ControllerStatus | null, leaseHolder: string | null) {
  return controllerStatus && { ...controllerStatusJson(controllerStatus), running: leaseHolder !== null, holder: leaseHolder };
}

/** Returns the JSON form of a status. */
export function statusJson(status: StatusView) {
  const { input, plan, controllerStatus, leaseHolder, unobserved, approveCommand } = status;
  const { endpoint, project, instance } = input.desired.gateway;
  return {
    format: 1,
    gateway: { endpoint, project, instance },
    emulated: plan.isEmulated ?? false,
    targets: plan.targets,
    summary: summarizePlan(plan, input),
    lastChecked: lastCheckedJson(plan),
    fileHeld: plan.fileHeld && fileHoldJson(plan.fileHeld),
    suspension: plan.suspension && suspensionJson(plan.suspension),
    unobserved: unobserved && { reason: unobserved.reason, remedy: unobserved.remedy },
    approveCommand,
    daemon: daemonJson(controllerStatus, leaseHolder),
    publications: targetedStatusCells(status).map(publicationJson),
  };
}

/** Returns the JSON form of a publication's status, which spec/edict-api.openapi.yaml describes. */
export function publicationJson(cell: StatusCell): Schemas['Publication'] {
  const { api, apiId, environment, environmentId, desired, recorded, change, lastAttempt, status } = cell;
  return {
    ...{ api, apiId, environment, environmentId, status, message: formatStatusCell(cell) },
    desired: desired && { state: desired.state, revision: desired.revision, source: desired.source },
    recorded: recorded && recordedJson(recorded),
    observed: recorded && observedJson(recorded),
    next: change && nextChangeJson(change),
    notice: noticeJson(cell),
    lastAttempt: lastAttempt && lastAttemptJson(lastAttempt),
  };
}

function recordedJson({ state, revision, versionId, recordedAtMs, unknownAttempt }: RecordedPublication) {
  return { state, revision, versionId, recordedAt: toIso(recordedAtMs), outcomeUnknown: unknownAttempt !== null };
}

/** Returns `null` for a state that comes from edict's own call and was not observed since. */
function observedJson({ state, publishedAtMs, editedAtMs, drift }: RecordedPublication) {
  if (state === null || (publishedAtMs === null && drift === null)) return null;
  return {
    state,
    publishedAt: toIsoOrNull(publishedAtMs),
    editedAt: toIsoOrNull(editedAtMs),
    driftDetectedAt: toIsoOrNull(drift?.detectedAtMs ?? null),
  };
}

function nextChangeJson({ action, reason, held, deferred }: Change) {
  return {
    ...{ action, reason, held: held && `${held.rule}: ${held.message}` },
    deferred: deferred && {
      rule: deferred.rule,
      message: deferred.message,
      until: deferred.untilMs === null ? null : formatTimestamp(deferred.untilMs),
    },
  };
}

function noticeJson({ api, apiId, status, recorded, isApiMissing, replacementId }: StatusCell) {
  if (status === 'drifted' && isApiMissing && !recorded?.drift)
    return { kind: 'drift' as const, message: formatMissingApi({ api, apiId, replacementId }, recorded) };
  if (!recorded || (status !== 'drifted' && status !== 'outdated')) return null;
  const { kind, message } = status === 'drifted' ? noticeForDrift(recorded, isApiMissing, replacementId) : noticeForOutdated(recorded);
  return { kind, message };
}

function lastAttemptJson({ id, action, outcome, code, message, startedAtMs }: AttemptSummary) {
  return { attempt: id, action, outcome, code, message, startedAt: toIso(startedAtMs) };
}

function toIsoOrNull(ms: number | null): string | null {
  return ms === null ? null : toIso(ms);
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Returns the JSON form of a process's status. */
export function controllerStatusJson({ pid, updatedAtMs, calls, perMs, paused }: ControllerStatus) {
  return {
    pid,
    updatedAt: toIso(updatedAtMs),
    rate: { calls, perMs },
    paused: paused && { reason: paused.reason, message: paused.message, since: toIso(paused.sinceMs) },
  };
}
