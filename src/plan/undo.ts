import type { ListedVersion } from '../model/observation.ts';
import type { Attempt } from '../model/ports.ts';
import {
  type DesiredState,
  type PublicationKey,
  type PublicationNames,
  type PublicationState,
  publicationKey,
  type RecordedPublication,
  type RecordedState,
} from '../model/publication.ts';
import { diffPublication } from './diff.ts';

type Keyed = PublicationNames & { readonly key: PublicationKey };

/** One publication, and the state and version from before that it can get again. */
export interface Restoration extends Keyed {
  /** The attempt whose work is undone; the last one, if a pass made several. */
  readonly attemptId: number;
  /** When it was over, in milliseconds since 1970. */
  readonly finishedAtMs: number;
  readonly state: PublicationState;
  /** The version that is to be pinned; `null`: none, since it goes offline or a new version is made. */
  readonly version: string | null;
  /** Why going online makes a new version, of today's draft: the one from before is no longer kept, or is not known. `null` if it does not. */
  readonly newVersionCause: 'gone' | 'unknown' | null;
  /** Whether nothing was recorded before although the gateway keeps older versions: it may have been online without edict. */
  readonly mayHaveBeenOnline: boolean;
}

/** One publication that is not restored, and why. */
export interface NotRestored extends Keyed {
  readonly attemptId: number;
  readonly cause: /** An older edict made the attempt, and nothing is known of what was before. */
    | { readonly kind: 'unrecorded' }
    /** An attempt on it has no known outcome. */
    | { readonly kind: 'unresolved'; readonly attemptId: number }
    /** Another attempt has moved it since. `atMs`: milliseconds since 1970. */
    | { readonly kind: 'later'; readonly attemptId: number; readonly atMs: number }
    /** Somebody else has moved it since. */
    | { readonly kind: 'outside' }
    /** The version that was effective before is not known, or no longer kept. */
    | { readonly kind: 'unknown version' }
    | { readonly kind: 'gone'; readonly version: string }
    /** The gateway does not tell its versions. */
    | { readonly kind: 'unread'; readonly message: string }
    /** It is as it was before. */
    | { readonly kind: 'same' };
}

/** The publications that attempts have changed: those whose state from before can be restored, and the others. */
export interface UndoResult {
  readonly restorations: readonly Restoration[];
  readonly notRestored: readonly NotRestored[];
}

/**
 * Returns the states and versions from before `attempts`, oldest first: for each publication the inverse of all its attempts that
 * succeeded. A publication that has moved since is not restored: `later` holds the successful attempts after the first of them. A pure function.
 */
export function computeUndo(attempts: readonly Attempt[], later: readonly Attempt[], recorded: RecordedState): UndoResult {
  const restorations: Restoration[] = [];
  const notRestored: NotRestored[] = [];
  const own = new Set(attempts.map(({ id }) => id));
  const newest = new Map(later.filter(({ id }) => !own.has(id)).map((attempt) => [keyOf(attempt), attempt]));
  for (const [key, all] of Map.groupBy(attempts, keyOf)) {
    const done = all.filter(({ outcome }) => outcome === 'succeeded');
    const [first, last] = [done[0], done.at(-1)];
    const was = recorded.get(key);
    const open = was?.unknownAttempt && all.some(({ id }) => id === was.unknownAttempt?.attemptId) ? was.unknownAttempt : null;
    if (!first || !last) {
      if (open)
        notRestored.push({
          ...namesOf(key, all[0] ?? was),
          attemptId: open.attemptId,
          cause: { kind: 'unresolved', attemptId: open.attemptId },
        });
      continue;
    }
    const after = newest.get(key);
    const found = after && after.id > last.id ? changedLater(after) : priorStateOf(first, last, was);
    const of = { ...namesOf(key, last), attemptId: last.id };
    if ('kind' in found) notRestored.push({ ...of, cause: found });
    else restorations.push({ ...of, finishedAtMs: last.finishedAtMs ?? last.startedAtMs, ...found });
  }
  return { restorations, notRestored };
}

function changedLater({ id, startedAtMs }: Attempt): NotRestored['cause'] {
  return { kind: 'later', attemptId: id, atMs: startedAtMs };
}

/**
 * Returns what the inverse of `first` to `last` leads to:
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
  was: RecordedPublication | undefined,
): NotRestored['cause'] | Pick<Restoration, 'state' | 'version' | 'newVersionCause' | 'mayHaveBeenOnline'> {
  const mayHaveBeenOnline = priorState?.state === null;
  if (was?.unknownAttempt) return { kind: 'unresolved', attemptId: was.unknownAttempt.attemptId };
  const made = last.versionId ?? last.requestedVersionId;
  const isAsMade = was?.state === last.action && (last.action === 'offline' || isPossiblySameVersion(was.versionId, made));
  if (!isAsMade || was.drift) return { kind: 'outside' };
  if (!priorState) return { kind: 'unrecorded' };
  const { state, versionId } = priorState;
  if (last.action === 'offline') {
    if (state === null) return { kind: 'unrecorded' };
    if (state === 'offline') return { kind: 'same' };
    return { state, version: versionId, newVersionCause: versionId === null ? 'unknown' : null, mayHaveBeenOnline };
  }
  if (state !== 'online') return { state: 'offline', version: null, newVersionCause: null, mayHaveBeenOnline };
  if (versionId === null) return { kind: 'unknown version' };
  return versionId === was.versionId ? { kind: 'same' } : { state, version: versionId, newVersionCause: null, mayHaveBeenOnline };
}

/** What is not known cannot be said to be another one. */
function isPossiblySameVersion(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other;
}

/** The versions that the gateway keeps of each publication, in any order; a text: why it does not tell them. */
export type VersionsByPublication = ReadonlyMap<PublicationKey, readonly ListedVersion[] | string>;

/** Returns whether the gateway shows the publication as the record says that it is. */
export function matchesRecorded(recorded: RecordedPublication | undefined, versions: readonly ListedVersion[]): boolean {
  const effective = versions.find(({ isEffective }) => isEffective);
  if (recorded?.state !== 'online') return effective === undefined;
  return effective !== undefined && isPossiblySameVersion(recorded.versionId, effective.versionId);
}

/**
 * Returns what can be restored at a gateway that keeps `versions`. A publication that the gateway shows otherwise than it is recorded
 * has moved. A version that is no longer kept cannot be restored; an offline publication comes back as a new one. A pure function.
 */
export function filterRestorable(
  { restorations, notRestored }: UndoResult,
  recorded: RecordedState,
  versions: VersionsByPublication,
): UndoResult {
  const open: Restoration[] = [];
  const closed: NotRestored[] = [...notRestored];
  for (const one of restorations) {
    const was = recorded.get(one.key);
    const kept = versions.get(one.key) ?? [];
    const close = (cause: NotRestored['cause']) => closed.push({ ...namesOf(one.key, one), attemptId: one.attemptId, cause });
    if (typeof kept === 'string') {
      close({ kind: 'unread', message: kept });
      continue;
    }
    const isKept = kept.some(({ versionId }) => versionId === one.version);
    if (!matchesRecorded(was, kept)) close({ kind: 'outside' });
    else if (one.state === 'offline') {
      const keepsOlder = kept.some((version) => !version.isEffective && isPublishedBefore(version.publishedAtMs, one));
      open.push({ ...one, mayHaveBeenOnline: one.mayHaveBeenOnline && keepsOlder });
    } else if (isKept || one.version === null) open.push(one);
    else if (was?.state === 'offline') open.push({ ...one, version: null, newVersionCause: 'gone' });
    else close({ kind: 'gone', version: one.version });
  }
  return { restorations: open, notRestored: closed };
}

function isPublishedBefore(publishedAtMs: number | null, { finishedAtMs }: Restoration): boolean {
  return publishedAtMs === null || publishedAtMs < finishedAtMs;
}

/** Returns those of `restored` that the file does not ask for already, so that it must be changed. A pure function. */
export function filterMissingFromFile(
  desired: DesiredState,
  recorded: RecordedState,
  restored: readonly Restoration[],
): readonly Restoration[] {
  return restored.filter(({ key, state, version }) => {
    const wanted = desired.publications.get(key);
    // With `removed: offline` the next apply takes down what is not in the file.
    if (!wanted) return state === 'online' || diffPublication(undefined, recorded.get(key), desired)?.action !== 'offline';
    return wanted.state !== state || (state === 'online' && wanted.version !== version);
  });
}

function keyOf({ apiId, environmentId }: PublicationNames): PublicationKey {
  return publicationKey(apiId, environmentId);
}

function namesOf(key: PublicationKey, of: PublicationNames | undefined): Keyed {
  if (!of) throw new TypeError(`nothing is known of ${key}`);
  const { api, apiId, environment, environmentId } = of;
  return { key, api, apiId, environment, environmentId };
}
