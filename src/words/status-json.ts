import type { components } from '../../generated/edict-api.d.ts';
import { type Cell, cellOf, keysOf, type LastAttempt, type Matrix } from '../core/matrix.ts';
import type { Change, Plan } from '../core/plan.ts';
import type { Condition } from '../core/ports.ts';
import type { RecordedPublication } from '../core/publication.ts';
import { isTargeted, type Targets } from '../core/targets.ts';
import { cellInWords } from './cell-words.ts';
import { conditionJson } from './condition-json.ts';
import { momentInWords } from './phrases.ts';
import { summaryJson, suspensionJson } from './plan-json.ts';
import { driftSeen, staleSeen } from './seen.ts';

type Schemas = components['schemas'];

/** What there is to say of a file and its record. */
export interface Status {
  readonly matrix: Matrix;
  readonly plan: Plan;
  readonly targets: Targets;
  /** How the process that works on the gateway is getting on, or was when it was killed; `null` if none does. */
  readonly condition: Condition | null;
  /** Which edict works on the gateway; `null` if none does, as far as can be told from here. */
  readonly holder: string | null;
  /** The command that releases what is held; `null` if nothing is. */
  readonly release: string | null;
}

/** Returns every publication that is targeted, those of the file first. */
export function cellsOf({ matrix, targets }: Pick<Status, 'matrix' | 'targets'>): Cell[] {
  const cells = [...keysOf(matrix)].map((key) => cellOf(key, matrix));
  return cells.filter((cell) => cell !== null && isTargeted(targets, cell)) as Cell[];
}

/** Returns a publication at a glance, as other programs read it. */
export function cellJson(cell: Cell): Schemas['Cell'] {
  const { api, apiId, environmentId, standing, desired, recorded } = cell;
  return {
    ...{ api, apiId, environmentId, standing, message: cellInWords(cell) },
    ...{ desired: desired?.state ?? null, recorded: recorded?.state ?? null },
    observed: (recorded && observedJson(recorded)?.state) ?? null,
  };
}

/** Returns a status as other programs read it. */
export function statusJson(status: Status) {
  const { matrix, plan, condition, holder, release } = status;
  const { endpoint, project, instance } = matrix.desired.gateway;
  return {
    format: 1,
    gateway: { endpoint, project, instance },
    targets: plan.targets,
    summary: summaryJson(plan),
    suspicion: plan.suspicion && { rule: plan.suspicion.rule, message: plan.suspicion.message, hint: plan.suspicion.hint },
    suspension: plan.suspension && suspensionJson(plan.suspension),
    release,
    daemon: condition && { ...conditionJson(condition), isAlive: holder !== null, holder },
    publications: cellsOf(status).map(publicationJson),
  };
}

/** Returns a publication as other programs read it: what spec/edict-api.openapi.yaml describes. */
export function publicationJson(cell: Cell): Schemas['Publication'] {
  const { api, apiId, environment, environmentId, desired, recorded, change, last, standing } = cell;
  return {
    ...{ api, apiId, environment, environmentId, standing, message: cellInWords(cell) },
    desired: desired && { state: desired.state, revision: desired.revision, source: desired.source },
    recorded: recorded && recordedJson(recorded),
    observed: recorded && observedJson(recorded),
    next: change && nextJson(change),
    seen: seenJson(cell),
    lastAttempt: last && lastJson(last),
  };
}

function recordedJson({ state, revision, versionId, recordedAtMs, unresolved }: RecordedPublication) {
  return { state, revision, versionId, recordedAt: iso(recordedAtMs), unresolved: unresolved !== null };
}

/** What edict has done itself since the last look was not seen yet. */
function observedJson({ state, publishedAtMs, editedAtMs, drift }: RecordedPublication) {
  if (state === null || (publishedAtMs === null && drift === null)) return null;
  return { state, publishedAt: isoOrNull(publishedAtMs), editedAt: isoOrNull(editedAtMs), driftSeenAt: isoOrNull(drift?.seenAtMs ?? null) };
}

function nextJson({ action, reason, held, waits }: Change) {
  return {
    ...{ action, reason, held: held && `${held.rule}: ${held.message}` },
    waits: waits && { rule: waits.rule, message: waits.message, until: waits.untilMs === null ? null : momentInWords(waits.untilMs) },
  };
}

function seenJson({ standing, recorded }: Cell) {
  if (!recorded || (standing !== 'drifted' && standing !== 'stale')) return null;
  const { kind, message } = standing === 'drifted' ? driftSeen(recorded) : staleSeen(recorded);
  return { kind, message };
}

function lastJson({ id, action, outcome, code, message, beganAtMs }: LastAttempt) {
  return { attempt: id, action, outcome, code, message, began: iso(beganAtMs) };
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
