import type { components } from '../../generated/edict-api.d.ts';
import type { Change, Plan } from '../model/change.ts';
import type { ControllerStatus } from '../model/ports.ts';
import type { RecordedPublication } from '../model/publication.ts';
import { type AttemptSummary, computeStatusCell, publicationKeys, type StatusCell, type StatusInput } from '../plan/status.ts';
import { isTargeted, type Targets } from '../plan/targets.ts';
import { formatTimestamp } from './format.ts';
import { noticeForDrift, noticeForOutdated } from './notices.ts';
import { planSummaryJson, suspensionJson } from './plan-json.ts';
import { formatStatusCell } from './status-text.ts';

type Schemas = components['schemas'];

/** What there is to say of a file and its record. */
export interface StatusView {
  readonly input: StatusInput;
  readonly plan: Plan;
  readonly targets: Targets;
  /** How the process that works on the gateway is getting on, or was when it was killed; `null` if none does. */
  readonly controllerStatus: ControllerStatus | null;
  /** Which edict works on the gateway; `null` if none does, as far as can be told from here. */
  readonly leaseHolder: string | null;
  /** The command that releases what is held; `null` if nothing is. */
  readonly approveCommand: string | null;
}

/** Returns every publication that is targeted, those of the file first. */
export function targetedStatusCells({ input, targets }: Pick<StatusView, 'input' | 'targets'>): StatusCell[] {
  const cells = [...publicationKeys(input)].map((key) => computeStatusCell(key, input));
  return cells.filter((cell) => cell !== null && isTargeted(targets, cell)) as StatusCell[];
}

/** Returns a publication at a glance, as other programs read it. */
export function statusCellJson(cell: StatusCell): Schemas['Cell'] {
  const { api, apiId, environmentId, status, desired, recorded } = cell;
  return {
    ...{ api, apiId, environmentId, standing: status, message: formatStatusCell(cell) },
    ...{ desired: desired?.state ?? null, recorded: recorded?.state ?? null },
    observed: (recorded && observedJson(recorded)?.state) ?? null,
  };
}

/** Returns a status as other programs read it. */
export function statusJson(status: StatusView) {
  const { input, plan, controllerStatus, leaseHolder, approveCommand } = status;
  const { endpoint, project, instance } = input.desired.gateway;
  return {
    format: 1,
    gateway: { endpoint, project, instance },
    targets: plan.targets,
    summary: planSummaryJson(plan),
    suspicion: plan.fileHeld && { rule: plan.fileHeld.rule, message: plan.fileHeld.message, hint: plan.fileHeld.hint },
    suspension: plan.suspension && suspensionJson(plan.suspension),
    release: approveCommand,
    daemon: controllerStatus && { ...controllerStatusJson(controllerStatus), isAlive: leaseHolder !== null, holder: leaseHolder },
    publications: targetedStatusCells(status).map(publicationJson),
  };
}

/** Returns a publication as other programs read it: what spec/edict-api.openapi.yaml describes. */
export function publicationJson(cell: StatusCell): Schemas['Publication'] {
  const { api, apiId, environment, environmentId, desired, recorded, change, lastAttempt, status } = cell;
  return {
    ...{ api, apiId, environment, environmentId, standing: status, message: formatStatusCell(cell) },
    desired: desired && { state: desired.state, revision: desired.revision, source: desired.source },
    recorded: recorded && recordedJson(recorded),
    observed: recorded && observedJson(recorded),
    next: change && nextChangeJson(change),
    seen: noticeJson(cell),
    lastAttempt: lastAttempt && lastAttemptJson(lastAttempt),
  };
}

function recordedJson({ state, revision, versionId, recordedAtMs, unknownAttempt }: RecordedPublication) {
  return { state, revision, versionId, recordedAt: toIso(recordedAtMs), unresolved: unknownAttempt !== null };
}

/** What edict has done itself since the last look was not seen yet. */
function observedJson({ state, publishedAtMs, editedAtMs, drift }: RecordedPublication) {
  if (state === null || (publishedAtMs === null && drift === null)) return null;
  return {
    state,
    publishedAt: toIsoOrNull(publishedAtMs),
    editedAt: toIsoOrNull(editedAtMs),
    driftSeenAt: toIsoOrNull(drift?.detectedAtMs ?? null),
  };
}

function nextChangeJson({ action, reason, held, deferred }: Change) {
  return {
    ...{ action, reason, held: held && `${held.rule}: ${held.message}` },
    waits: deferred && {
      rule: deferred.rule,
      message: deferred.message,
      until: deferred.untilMs === null ? null : formatTimestamp(deferred.untilMs),
    },
  };
}

function noticeJson({ status, recorded }: StatusCell) {
  if (!recorded || (status !== 'drifted' && status !== 'stale')) return null;
  const { kind, message } = status === 'drifted' ? noticeForDrift(recorded) : noticeForOutdated(recorded);
  return { kind, message };
}

function lastAttemptJson({ id, action, outcome, code, message, startedAtMs }: AttemptSummary) {
  return { attempt: id, action, outcome, code, message, began: toIso(startedAtMs) };
}

function toIsoOrNull(ms: number | null): string | null {
  return ms === null ? null : toIso(ms);
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Returns how it is getting on as other programs read it. */
export function controllerStatusJson({ pid, updatedAtMs, calls, perMs, paused }: ControllerStatus) {
  return {
    pid,
    asOf: iso(updatedAtMs),
    rate: { calls, perMs },
    stopped: paused && { why: paused.reason, message: paused.message, since: iso(paused.sinceMs) },
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
