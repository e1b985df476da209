import { protectionHold } from '../model/approval.ts';
import type { Change, ChangeReason, Plan } from '../model/change.ts';
import type {
  Action,
  DesiredPublication,
  DesiredState,
  PublicationNames,
  RecordedPublication,
  RecordedState,
} from '../model/publication.ts';
import { allTargets } from './targets.ts';

/** Returns whether a plan makes this change now: it is not held, and it does not wait. */
export function isActionable({ held, deferred }: Pick<Change, 'held' | 'deferred'>): boolean {
  return held === null && deferred === null;
}

/** Returns when the first change is due that waits for the clock; `null` if none does. */
export function nextDueAtMs({ changes }: Pick<Plan, 'changes'>): number | null {
  const dueMs = changes.flatMap(({ held, deferred }) => (held || deferred?.untilMs == null ? [] : [deferred.untilMs]));
  return dueMs.length === 0 ? null : dueMs.reduce((first, ms) => Math.min(first, ms));
}

/**
 * Returns the change that one publication needs, or `null`. The one rule of edict:
 *
 * | file says       | recorded         | answer                                               |
 * |-----------------|------------------|------------------------------------------------------|
 * | online, offline | unresolved       | what the file says once more, `unresolved`           |
 * | online          | nothing          | online, `new`                                        |
 * | online          | offline          | online, `state`                                      |
 * | online          | online           | online, `revision` if the file names another one     |
 * | online, pinned  | another version  | online, `version`                                    |
 * | offline         | online           | offline, `state`                                     |
 * | offline         | nothing, offline | none: edict takes down only what it knows to be up   |
 * | nothing         | unresolved       | `removed: offline`: offline, `unresolved`; else none |
 * | nothing         | online           | `removed: offline`: offline, `removed`; else none    |
 * | nothing         | nothing, offline | none                                                 |
 *
 * What somebody else has made is a drift: with `drift: correct` the file's state is brought back with that reason, unless
 * the same drift was corrected too often; with `drift: report` it is left. A new revision is asked for by a person and goes before.
 * A pinned version is switched to, which makes no new one; a revision waits until the pin is gone.
 * What somebody else has put online against the file is not taken down when the file forgets it.
 * An unresolved attempt on a publication that has left the file counts as online, since it may be.
 */
export function diffPublication(
  wanted: DesiredPublication | undefined,
  recorded: RecordedPublication | undefined,
  desired: DesiredState,
): Change | null {
  if (wanted === undefined) {
    if (recorded === undefined || desired.prune === 'keep') return null;
    if (recorded.unknownAttempt !== null) return buildChange(recorded, 'offline', 'unresolved', recorded, desired);
    const isOthers = recorded.drift !== null && recorded.drift.from !== 'online';
    return recorded.state === 'online' && !isOthers ? buildChange(recorded, 'offline', 'removed', recorded, desired) : null;
  }
  if (recorded?.unknownAttempt) return buildChange(wanted, wanted.state, 'unresolved', recorded, desired);
  const from = recorded?.state ?? null;
  const isRevised =
    wanted.state === 'online' && wanted.version === null && wanted.revision !== null && wanted.revision !== recorded?.revision;
  if (recorded?.drift && isOutOfSync(wanted, recorded) && !(isRevised && from !== null)) {
    const isCorrected = wanted.driftPolicy === 'correct' && recorded.drift.backoffUntilMs === null;
    return isCorrected ? buildChange(wanted, wanted.state, 'drift', recorded, desired) : null;
  }
  if (wanted.state === 'offline') return from === 'online' ? buildChange(wanted, 'offline', 'state', recorded, desired) : null;
  if (from === null) return buildChange(wanted, 'online', 'new', recorded, desired);
  if (from === 'offline') return buildChange(wanted, 'online', 'state', recorded, desired);
  if (isRevised) return buildChange(wanted, 'online', 'revision', recorded, desired);
  if (recorded && isOutOfSync(wanted, recorded)) return buildChange(wanted, 'online', 'version', recorded, desired);
  const isEdited = desired.republish === 'edited' && wanted.version === null && recorded !== undefined && isOutdated(recorded);
  return isEdited ? buildChange(wanted, 'online', 'edited', recorded, desired) : null;
}

/** Returns whether the recorded state, or the version that is effective, is not the one that the file asks for. */
export function isOutOfSync(wanted: DesiredPublication, recorded: RecordedPublication): boolean {
  if (wanted.state !== recorded.state) return true;
  return wanted.state === 'online' && wanted.version !== null && wanted.version !== recorded.versionId;
}

/** An edit that follows a publication this closely, in milliseconds, may be one act with it: the service's lists have whole seconds. */
export const editToleranceMs = 2000;

/** Returns whether the API was edited since it was published, so that its callers do not reach the newest draft. */
export function isOutdated({
  state,
  publishedAtMs,
  editedAtMs,
}: Pick<RecordedPublication, 'state' | 'publishedAtMs' | 'editedAtMs'>): boolean {
  return state === 'online' && publishedAtMs !== null && editedAtMs !== null && editedAtMs > publishedAtMs + editToleranceMs;
}

function buildChange(
  of: DesiredPublication | RecordedPublication,
  action: Action,
  reason: ChangeReason,
  recorded: RecordedPublication | undefined,
  desired: DesiredState,
): Change {
  const wanted = 'source' in of ? of : null;
  const { key, api, apiId, environment, environmentId } = of;
  const proposed = {
    key,
    api,
    apiId,
    environment,
    environmentId,
    action,
    reason,
    from: recorded?.state ?? null,
    to: action,
    revision: wanted?.revision ?? null,
    remark: wanted?.remark ?? null,
    version: action === 'online' ? (wanted?.version ?? null) : null,
    drift: reason === 'drift' ? (recorded?.drift ?? null) : null,
    source: wanted?.source ?? null,
  };
  return { ...proposed, held: protectionHold(proposed, desired), deferred: null, approval: null };
}

/**
 * Returns the plan that leads from `recorded` to `desired`, sorted by the names of API and environment. A pure function:
 * the same inputs give the same plan on every machine.
 */
export function diffStates(desired: DesiredState, recorded: RecordedState): Plan {
  const changes: Change[] = [];
  const drifted: RecordedPublication[] = [];
  const stale: RecordedPublication[] = [];
  for (const [key, wanted] of desired.publications) {
    const was = recorded.get(key);
    const needed = diffPublication(wanted, was, desired);
    if (needed) changes.push(needed);
    else if (was?.drift && isOutOfSync(wanted, was)) drifted.push(was);
    else if (was && isOutdated(was) && wanted.version === null) stale.push(was);
  }
  const inFile = changes.length;
  for (const [key, was] of recorded) {
    if (desired.publications.has(key)) continue;
    const needed = diffPublication(undefined, was, desired);
    if (needed) changes.push(needed);
  }
  const { endpoint, project, instance } = desired.gateway;
  return {
    gateway: { endpoint, project, instance },
    targets: allTargets.patterns,
    changes: changes.sort(compareNames),
    unchanged: desired.publications.size - inFile - drifted.length,
    excluded: 0,
    savedPlanDiff: null,
    fileHeld: null,
    suspension: null,
    approval: null,
    drifted: drifted.sort(compareNames),
    outdated: stale.sort(compareNames),
  };
}

function compareNames(a: PublicationNames, b: PublicationNames): number {
  return (
    compareCodeUnits(a.api, b.api) ||
    compareCodeUnits(a.environment, b.environment) ||
    compareCodeUnits(a.apiId, b.apiId) ||
    compareCodeUnits(a.environmentId, b.environmentId)
  );
}

/** Orders by code unit, so that the order does not depend on a machine's locale. */
function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
