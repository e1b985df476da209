import { type Hold, protectionHold } from '../model/approval.ts';
import type { Change, ChangeReason, Plan } from '../model/change.ts';
import type { DesiredPublication, DesiredState } from '../model/desired-state.ts';
import type { UnreadVersion } from '../model/observation.ts';
import { type Action, type PublicationKey, type PublicationNames, pickNames } from '../model/publication.ts';
import { nothingRecorded, type RecordedPublication, type RecordedState } from '../model/recorded-state.ts';
import { allTargets } from './targets.ts';

/** Returns whether a change may be made now: it is neither held nor deferred. */
export function isActionable({ held, deferred }: Pick<Change, 'held' | 'deferred'>): boolean {
  return held === null && deferred === null;
}

/** Returns when the first deferral by time ends, in milliseconds since 1970; `null` if there is none. */
export function nextDueAtMs({ changes }: Pick<Plan, 'changes'>): number | null {
  const dueTimesMs = changes.flatMap(({ held, deferred }) => (held || deferred?.untilMs == null ? [] : [deferred.untilMs]));
  return dueTimesMs.length === 0 ? null : dueTimesMs.reduce((first, ms) => Math.min(first, ms));
}

/**
 * Returns the change that one publication needs, or `null`. The one rule of edict:
 *
 * | file says       | recorded         | answer                                               |
 * |-----------------|------------------|------------------------------------------------------|
 * | online, offline | outcome unknown  | what the file says once more, `unknown`              |
 * | online          | nothing          | online, `new`                                        |
 * | online          | offline          | online, `state`; held if found at first contact      |
 * | online          | never read       | online, `new`; held: it may have been online before  |
 * | online          | online           | online, `revision` if the file names another one     |
 * | online, pinned  | another version  | online, `version`                                    |
 * | offline         | online           | offline, `state`; held if found at first contact     |
 * | offline         | nothing, offline | none: edict takes down only what it recorded online  |
 * | nothing         | outcome unknown  | `prune: true`: offline, `unknown`; else none         |
 * | nothing         | online           | `prune: true`: offline, `prune`; else none           |
 * | nothing         | nothing, offline | none                                                 |
 *
 * A change made outside edict is drift: with `drift: correct` the file's state is restored with that reason, unless the drift
 * is flapping; with `drift: report` it is left in place. A new revision is a person's request and takes precedence. A pinned
 * version is switched to, which makes no new version; a new revision takes effect once the pin is removed. A publication that
 * was put online outside edict, against the file, is not taken down when it is removed from the file. An attempt with
 * unknown outcome on a publication that was removed from the file counts as online, because it may be.
 */
export function diffPublication(
  declared: DesiredPublication | undefined,
  recorded: RecordedPublication | undefined,
  desired: DesiredState,
): Change | null {
  if (declared === undefined) {
    if (recorded === undefined || !desired.prune) return null;
    if (recorded.unknownAttempt !== null) return buildChange(recorded, { action: 'offline', reason: 'unknown', recorded, desired });
    const isExternal = recorded.drift !== null && recorded.drift.from !== 'online';
    return recorded.state === 'online' && !isExternal
      ? buildChange(recorded, { action: 'offline', reason: 'prune', recorded, desired })
      : null;
  }
  if (recorded?.unknownAttempt) return buildChange(declared, { action: declared.state, reason: 'unknown', recorded, desired });
  const from = recorded?.state ?? null;
  const isRevised = isRevisedSince(declared, recorded);
  if (recorded && declared.state === 'online' && wasFoundOffline(recorded))
    return buildChange(declared, { action: 'online', reason: from === null ? 'new' : 'state', recorded, desired });
  if (recorded && declared.state === 'offline' && wasFoundOnline(recorded))
    return buildChange(declared, { action: 'offline', reason: 'state', recorded, desired });
  if (recorded?.drift && isOutOfSync(declared, recorded) && !(isRevised && from !== null)) {
    const isCorrected = declared.driftPolicy === 'correct' && recorded.drift.backoffUntilMs === null;
    return isCorrected ? buildChange(declared, { action: declared.state, reason: 'drift', recorded, desired }) : null;
  }
  if (declared.state === 'offline')
    return from === 'online' ? buildChange(declared, { action: 'offline', reason: 'state', recorded, desired }) : null;
  if (from === null) return buildChange(declared, { action: 'online', reason: 'new', recorded, desired });
  if (from === 'offline') return buildChange(declared, { action: 'online', reason: 'state', recorded, desired });
  if (isRevised) return buildChange(declared, { action: 'online', reason: 'revision', recorded, desired });
  if (recorded && isOutOfSync(declared, recorded)) return buildChange(declared, { action: 'online', reason: 'version', recorded, desired });
  const isEdited = desired.republish === 'edited' && declared.version === null && recorded !== undefined && isOutdated(recorded);
  return isEdited ? buildChange(declared, { action: 'online', reason: 'edited', recorded, desired }) : null;
}

/** Returns whether the file names another revision than the recorded one. */
function isRevisedSince({ state, version, revision }: DesiredPublication, recorded: RecordedPublication | undefined): boolean {
  return state === 'online' && version === null && revision !== null && revision !== recorded?.revision;
}

/** Returns whether a publication that the file declares online was, or may have been, online before the gateway was first observed. */
function wasFoundOffline({ state, drift }: RecordedPublication): boolean {
  return state !== 'online' && drift?.from === 'unknown';
}

/** Returns whether a publication that the file declares offline was online when the gateway was first observed. */
function wasFoundOnline({ state, drift }: RecordedPublication): boolean {
  return state === 'online' && drift?.from === 'unknown';
}

/** Returns whether the recorded state or effective version differs from the one in the file. */
export function isOutOfSync(declared: DesiredPublication, recorded: RecordedPublication): boolean {
  if (declared.state !== (recorded.state ?? 'offline')) return true;
  return declared.state === 'online' && declared.version !== null && declared.version !== recorded.versionId;
}

/** Returns whether a publication is pinned and online, and nobody knows with which version. */
export function isVersionUnknown(declared: DesiredPublication, { state, versionId }: RecordedPublication): boolean {
  return declared.state === 'online' && declared.version !== null && state === 'online' && versionId === null;
}

/** An edit within this time after a publication may be part of it, in milliseconds: the service's lists have whole seconds. */
export const editToleranceMs = 2000;

/** Returns whether the API was edited after it was published, so that callers do not reach the newest draft. */
export function isOutdated({
  state,
  publishedAtMs,
  editedAtMs,
}: Pick<RecordedPublication, 'state' | 'publishedAtMs' | 'editedAtMs'>): boolean {
  return state === 'online' && publishedAtMs !== null && editedAtMs !== null && editedAtMs > publishedAtMs + editToleranceMs;
}

interface NeededChange {
  readonly action: Action;
  readonly reason: ChangeReason;
  readonly recorded: RecordedPublication | undefined;
  readonly desired: DesiredState;
}

function buildChange(publication: DesiredPublication | RecordedPublication, { action, reason, recorded, desired }: NeededChange): Change {
  const declared = 'source' in publication ? publication : null;
  const { key, api, apiId, environment, environmentId } = publication;
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
    revision: declared?.revision ?? null,
    remark: declared?.remark ?? null,
    version: action === 'online' ? (declared?.version ?? null) : null,
    drift: reason === 'drift' ? (recorded?.drift ?? null) : null,
    source: declared?.source ?? null,
  };
  return {
    ...proposed,
    held:
      protectionHold(proposed, desired) ??
      unreviewedEditHold(proposed, recorded, desired) ??
      foundOnlineHold(proposed.action, recorded) ??
      foundOfflineHold(declared, recorded),
    deferred: null,
    approval: null,
  };
}

/** A change that nobody requested must not put an edit online in a protected environment. */
function unreviewedEditHold(
  { action, reason, version, environmentId }: Pick<Change, 'action' | 'reason' | 'version' | 'environmentId'>,
  recorded: RecordedPublication | undefined,
  desired: DesiredState,
): Hold | null {
  const isAutomatic = action === 'online' && version === null && (reason === 'edited' || reason === 'drift');
  const environment = desired.environments.get(environmentId);
  if (!isAutomatic || !environment?.isProtected || (recorded && isKnownUnedited(recorded))) return null;
  return {
    rule: 'protected',
    message: `environment ${environment.name} is protected, and the API may have been edited since it was published there`,
    hint: 'check at the gateway what would go online',
  };
}

function isKnownUnedited({ publishedAtMs, editedAtMs }: RecordedPublication): boolean {
  return publishedAtMs !== null && editedAtMs !== null && editedAtMs <= publishedAtMs + editToleranceMs;
}

/** A first file may declare offline what others rely on, so a person decides. */
function foundOnlineHold(action: Action, recorded: RecordedPublication | undefined): Hold | null {
  if (action !== 'offline' || recorded === undefined || !wasFoundOnline(recorded)) return null;
  return {
    rule: 'first-contact',
    message: 'the file declares it offline, and it was online when the gateway was first observed',
    hint: 'declare online what is in use, or approve if nobody uses it',
  };
}

/**
 * A record that was lost is no reason to bring back what somebody has taken offline, so a person decides. A new revision is such a decision;
 * an API whose versions could not be read has none.
 */
function foundOfflineHold(declared: DesiredPublication | null, recorded: RecordedPublication | undefined): Hold | null {
  if (declared?.state !== 'online' || recorded === undefined || recorded.unknownAttempt || !wasFoundOffline(recorded)) return null;
  if (recorded.state === null)
    return {
      rule: 'first-contact',
      message: 'nobody knows whether it was online before: edict may not list the versions of its API',
      hint: 'grant the permission to list the versions of the API and observe with --refresh, or approve if it shall go online',
    };
  if (isRevisedSince(declared, recorded)) return null;
  const { publishedAtMs } = recorded;
  const last = publishedAtMs === null ? '' : ` (last published ${toIsoSeconds(publishedAtMs)})`;
  return {
    rule: 'first-contact',
    message: `it was online before${last}: somebody took it offline, or the record was lost`,
    hint: 'declare it offline, or approve if it shall be online again',
  };
}

function toIsoSeconds(ms: number): string {
  // biome-ignore lint/style/noRestrictedGlobals: it formats a time that it is given, and reads no clock.
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Facts besides the desired and the recorded state. */
export interface DiffContext {
  /** Whether the gateway's lists may not show the last change of a publication yet; default: they do. */
  readonly isSettling?: (recorded: RecordedPublication) => boolean;
  /** The IDs of declared APIs that the gateway does not list; default: none. */
  readonly missingApiIds?: readonly string[];
  /** When the gateway listed none of those, in milliseconds since 1970; default: 0. */
  readonly observedAtMs?: number;
  /** The pinned publications whose effective version could not be read; default: none. */
  readonly unreadVersions?: readonly UnreadVersion[];
  /** Returns whether the last applied file declared a publication; default: it declared what is in this one, and nothing else. */
  readonly wasDeclared?: (key: PublicationKey) => boolean;
}

/**
 * Returns the plan that takes `recorded` to `desired`, sorted by the names of API and environment. A pure function: the same
 * inputs give the same plan on every machine. A publication of an API that the gateway does not have is drifted, and no change: every call for
 * it would be rejected. Only what an applied file has declared is pruned: another one may be recorded because a file that is held,
 * and was never applied, declared it when the gateway was observed.
 */
export function diffStates(
  desired: DesiredState,
  recorded: RecordedState,
  { isSettling = () => false, missingApiIds = [], observedAtMs = 0, unreadVersions = [], wasDeclared }: DiffContext = {},
): Plan {
  const changes: Change[] = [];
  const drifted: RecordedPublication[] = [];
  const outdated: RecordedPublication[] = [];
  const settling: RecordedPublication[] = [];
  const unmanaged: RecordedPublication[] = [];
  const missing = new Set(missingApiIds);
  const unread = new Map(unreadVersions.map((one) => [one.key, one]));
  let inBoth = 0;
  for (const [key, declared] of desired.publications) {
    const known = recorded.get(key);
    if (known) inBoth += 1;
    const previous = assumeRevision(known, declared, wasDeclared);
    const unreadVersion = unread.get(key)?.version === declared.version ? unread.get(key) : undefined;
    const needed = holdUnread(diffPublication(declared, previous, desired), { declared, previous, unreadVersion });
    if (needed && missing.has(needed.apiId) && needed.action === 'online' && needed.reason !== 'unknown')
      drifted.push(withoutApi(declared, previous, observedAtMs));
    else if (needed) changes.push(needed);
    else if (previous?.drift && isOutOfSync(declared, previous)) drifted.push(previous);
    else if (previous && (isSettling(previous) || unreadVersion)) settling.push(previous);
    else if (previous && isOutdated(previous) && declared.version === null) outdated.push(previous);
  }
  const inFile = changes.length;
  for (const [key, previous] of inBoth < recorded.size ? recorded : []) {
    // An API that is gone takes what was published with it.
    if (desired.publications.has(key) || (missing.has(previous.apiId) && previous.unknownAttempt === null)) continue;
    const needed = previous.wasDeclared || wasDeclared?.(key) ? diffPublication(undefined, previous, desired) : null;
    if (needed) changes.push(needed);
    else if (previous.state === 'online' || previous.unknownAttempt !== null) unmanaged.push(previous);
  }
  const { endpoint, project, instance } = desired.gateway;
  return {
    gateway: { endpoint, project, instance },
    targets: allTargets.patterns,
    changes: changes.sort(compareNames),
    unchanged: desired.publications.size - inFile - drifted.length - settling.length,
    excluded: 0,
    savedPlanDiff: null,
    fileHeld: null,
    suspension: null,
    approval: null,
    drifted: drifted.sort(compareNames),
    settling,
    unmanaged: unmanaged.sort(compareNames),
    newlyUnmanaged: [],
    lastChecked: { atMs: null, isCurrent: false },
    missingApiIds,
    outdated: outdated.sort(compareNames),
  };
}

/** Returns the drift of a publication that cannot go online because its API does not exist. */
function withoutApi(
  { key, ...declared }: DesiredPublication,
  previous: RecordedPublication | undefined,
  observedAtMs: number,
): RecordedPublication {
  if (previous?.drift) return previous;
  const { state: from = null, recordedAtMs: fromSinceMs = null } = previous ?? {};
  const known = previous ?? { ...nothingRecorded, key, ...pickNames(declared), recordedAtMs: observedAtMs };
  return { ...known, drift: { from, fromSinceMs, detectedAtMs: observedAtMs, backoffUntilMs: null } };
}

/** Holds the switch to a pinned version that may be effective already: what nobody could see is no reason to change it. */
function holdUnread(
  change: Change | null,
  {
    declared,
    previous,
    unreadVersion,
  }: {
    readonly declared: DesiredPublication;
    readonly previous: RecordedPublication | undefined;
    readonly unreadVersion: UnreadVersion | undefined;
  },
): Change | null {
  if (change?.reason !== 'version' || !unreadVersion || !previous || !isVersionUnknown(declared, previous)) return change;
  const { reason, remedy, version } = unreadVersion;
  const message = `its effective version could not be read: ${reason}`;
  return {
    ...change,
    held: change.held ?? { rule: 'unobserved', message, hint: `${remedy}, or approve the switch to version ${version}` },
  };
}

/**
 * Returns whether a publication was adopted and no earlier file has declared it, so that its revision is an assumption unless the last applied
 * file declares it.
 */
export function isRevisionAssumed({ state, changedAtMs, wasDeclared }: RecordedPublication): boolean {
  return state === 'online' && changedAtMs === null && !wasDeclared;
}

/** An adopted publication is taken to have the revision of the first file that is applied, not that of one that was only held. */
function assumeRevision(
  recorded: RecordedPublication | undefined,
  { key, revision, version }: DesiredPublication,
  wasDeclared: DiffContext['wasDeclared'],
): RecordedPublication | undefined {
  if (!recorded || version !== null || recorded.revision === revision) return recorded;
  return isRevisionAssumed(recorded) && wasDeclared?.(key) === false ? { ...recorded, revision } : recorded;
}

/** Compares by the names of API and environment, then by their IDs. */
export function compareNames(a: PublicationNames, b: PublicationNames): number {
  return (
    compareCodeUnits(a.api, b.api) ||
    compareCodeUnits(a.environment, b.environment) ||
    compareCodeUnits(a.apiId, b.apiId) ||
    compareCodeUnits(a.environmentId, b.environmentId)
  );
}

/** Compares by code unit, so that the order does not depend on the machine's locale. */
function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
