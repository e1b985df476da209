import type { Attempt } from '../model/attempt.ts';
import type { DesiredState } from '../model/desired-state.ts';
import type { ListedVersion } from '../model/observation.ts';
import { type PublicationKey, type PublicationNames, type PublicationState, publicationKey } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';
import { diffPublication } from './diff.ts';

type Keyed = PublicationNames & { readonly key: PublicationKey };

/** One publication that can be restored, with its earlier state and version. */
export interface Restoration extends Keyed {
  /** The attempt that is undone; the last one, if a reconciliation made several. */
  readonly attemptId: number;
  /** When it ended, in milliseconds since 1970. */
  readonly finishedAtMs: number;
  readonly state: PublicationState;
  /** The version to pin; `null`: none, because it goes offline or a new version is published. */
  readonly version: string | null;
  /**
   * Why going online publishes today's draft as a new version: the earlier version no longer exists (`gone`) or is `unknown`.
   * `null` if it does not.
   */
  readonly newVersionCause: 'deleted' | 'unknown' | null;
  /** Whether nothing was recorded before although the gateway has older versions: it may have been online without edict. */
  readonly mayHaveBeenOnline: boolean;
}

/** One publication that is not restored, and why. */
export interface NotRestored extends Keyed {
  readonly attemptId: number;
  readonly cause: /** Nothing was recorded before, so there is no state to restore. */
    | { readonly kind: 'unrecorded' }
    /** An attempt on it has an unknown outcome. */
    | { readonly kind: 'unknownOutcome'; readonly attemptId: number }
    /** Another attempt has changed it since. `atMs`: milliseconds since 1970. */
    | { readonly kind: 'laterAttempt'; readonly attemptId: number; readonly atMs: number }
    /** It was changed outside edict since. */
    | { readonly kind: 'externalChange' }
    /** The version that was effective before is unknown or no longer exists. */
    | { readonly kind: 'unknownVersion' }
    | { readonly kind: 'versionDeleted'; readonly version: string }
    /** The gateway's list of its versions could not be read. */
    | { readonly kind: 'unreadable'; readonly message: string }
    /** It already has its earlier state. */
    | { readonly kind: 'unchanged' };
}

/** The publications that attempts have changed: those that can be restored, and those that cannot. */
export interface UndoResult {
  readonly restorations: readonly Restoration[];
  readonly notRestored: readonly NotRestored[];
}

/**
 * Returns the states and versions from before `attempts`, oldest first: for each publication, the inverse of all its
 * successful attempts. A publication that has changed since is not restored: `later` holds the successful attempts after the
 * first of them. A pure function.
 */
export function computeUndo(attempts: readonly Attempt[], later: readonly Attempt[], recorded: RecordedState): UndoResult {
  const restorations: Restoration[] = [];
  const notRestored: NotRestored[] = [];
  const ownIds = new Set(attempts.map(({ id }) => id));
  const newest = new Map(later.filter(({ id }) => !ownIds.has(id)).map((attempt) => [keyOf(attempt), attempt]));
  for (const [key, all] of Map.groupBy(attempts, keyOf)) {
    const succeeded = all.filter(({ outcome }) => outcome === 'succeeded');
    const [first, last] = [succeeded[0], succeeded.at(-1)];
    const current = recorded.get(key);
    const unknown =
      current?.unknownAttempt && all.some(({ id }) => id === current.unknownAttempt?.attemptId) ? current.unknownAttempt : null;
    if (!first || !last) {
      if (unknown)
        notRestored.push({
          ...namesOf(key, all[0] ?? current),
          attemptId: unknown.attemptId,
          cause: { kind: 'unknownOutcome', attemptId: unknown.attemptId },
        });
      continue;
    }
    const laterAttempt = newest.get(key);
    const outcome = laterAttempt && laterAttempt.id > last.id ? changedLater(laterAttempt) : priorStateOf(first, last, current);
    const names = { ...namesOf(key, last), attemptId: last.id };
    if ('kind' in outcome) notRestored.push({ ...names, cause: outcome });
    else restorations.push({ ...names, finishedAtMs: last.finishedAtMs ?? last.startedAtMs, ...outcome });
  }
  return { restorations, notRestored };
}

function changedLater({ id, startedAtMs }: Attempt): NotRestored['cause'] {
  return { kind: 'laterAttempt', attemptId: id, atMs: startedAtMs };
}

/**
 * Returns the inverse of the attempts from the one with `priorState` to `last`:
 *
 * | done    | before                    | restored                                           |
 * |---------|---------------------------|----------------------------------------------------|
 * | online  | nothing, offline          | offline                                            |
 * | online  | online, another version   | online with that version                           |
 * | online  | online, version not known | none                                               |
 * | offline | online                    | online with that version; a new one if not known   |
 */
function priorStateOf(
  { priorState }: Attempt,
  last: Attempt,
  current: RecordedPublication | undefined,
): NotRestored['cause'] | Pick<Restoration, 'state' | 'version' | 'newVersionCause' | 'mayHaveBeenOnline'> {
  const { state, versionId } = priorState;
  const mayHaveBeenOnline = state === null;
  if (current?.unknownAttempt) return { kind: 'unknownOutcome', attemptId: current.unknownAttempt.attemptId };
  const expectedVersion = last.versionId ?? last.requestedVersionId;
  const isUnchanged =
    current?.state === last.action && (last.action === 'offline' || isPossiblySameVersion(current.versionId, expectedVersion));
  if (!isUnchanged || current.drift) return { kind: 'externalChange' };
  if (last.action === 'offline') {
    if (state === null) return { kind: 'unrecorded' };
    if (state === 'offline') return { kind: 'unchanged' };
    return { state, version: versionId, newVersionCause: versionId === null ? 'unknown' : null, mayHaveBeenOnline };
  }
  if (state !== 'online') return { state: 'offline', version: null, newVersionCause: null, mayHaveBeenOnline };
  if (versionId === null) return { kind: 'unknownVersion' };
  return versionId === current.versionId ? { kind: 'unchanged' } : { state, version: versionId, newVersionCause: null, mayHaveBeenOnline };
}

/** An unknown version may be the same one. */
function isPossiblySameVersion(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other;
}

/** The versions of each publication at the gateway, in any order; a string: why they could not be read. */
export type VersionsByPublication = ReadonlyMap<PublicationKey, readonly ListedVersion[] | string>;

/** Returns whether the gateway's versions match the publication's recorded state. */
export function matchesRecorded(recorded: RecordedPublication | undefined, versions: readonly ListedVersion[]): boolean {
  const effective = versions.find(({ isEffective }) => isEffective);
  if (recorded?.state !== 'online') return effective === undefined;
  return effective !== undefined && isPossiblySameVersion(recorded.versionId, effective.versionId);
}

/**
 * Returns what can be restored with the gateway's `versions`. A publication whose versions do not match its recorded state was
 * changed outside edict. A version that no longer exists cannot be restored; a publication that is offline goes online as a
 * new version instead. A pure function.
 */
export function filterRestorable(
  { restorations, notRestored }: UndoResult,
  recorded: RecordedState,
  versions: VersionsByPublication,
): UndoResult {
  const restorable: Restoration[] = [];
  const rejected: NotRestored[] = [...notRestored];
  for (const restoration of restorations) {
    const current = recorded.get(restoration.key);
    const listed = versions.get(restoration.key) ?? [];
    const reject = (cause: NotRestored['cause']) =>
      rejected.push({ ...namesOf(restoration.key, restoration), attemptId: restoration.attemptId, cause });
    if (typeof listed === 'string') {
      reject({ kind: 'unreadable', message: listed });
      continue;
    }
    const isKept = listed.some(({ versionId }) => versionId === restoration.version);
    if (!matchesRecorded(current, listed)) reject({ kind: 'externalChange' });
    else if (restoration.state === 'offline') {
      const keepsOlder = listed.some((version) => !version.isEffective && isPublishedBefore(version.publishedAtMs, restoration));
      restorable.push({ ...restoration, mayHaveBeenOnline: restoration.mayHaveBeenOnline && keepsOlder });
    } else if (isKept || restoration.version === null) restorable.push(restoration);
    else if (current?.state === 'offline') restorable.push({ ...restoration, version: null, newVersionCause: 'deleted' });
    else reject({ kind: 'versionDeleted', version: restoration.version });
  }
  return { restorations: restorable, notRestored: rejected };
}

function isPublishedBefore(publishedAtMs: number | null, { finishedAtMs }: Restoration): boolean {
  return publishedAtMs === null || publishedAtMs < finishedAtMs;
}

/** Returns those of `restored` that the file does not declare yet, so that it must be edited. A pure function. */
export function filterMissingFromFile(
  desired: DesiredState,
  recorded: RecordedState,
  restored: readonly Restoration[],
): readonly Restoration[] {
  return restored.filter(({ key, state, version }) => {
    const declared = desired.publications.get(key);
    // With `prune: true`, the next apply takes down publications that are not in the file.
    if (!declared) return state === 'online' || diffPublication(undefined, recorded.get(key), desired)?.action !== 'offline';
    return declared.state !== state || (state === 'online' && declared.version !== version);
  });
}

function keyOf({ apiId, environmentId }: PublicationNames): PublicationKey {
  return publicationKey(apiId, environmentId);
}

function namesOf(key: PublicationKey, publication: PublicationNames | undefined): Keyed {
  if (!publication) throw new TypeError(`nothing is known of ${key}`);
  const { api, apiId, environment, environmentId } = publication;
  return { key, api, apiId, environment, environmentId };
}
