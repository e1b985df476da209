import { decide } from './plan.ts';
import type { Attempt } from './ports.ts';
import {
  type DesiredState,
  type PublicationKey,
  type PublicationNames,
  publicationKey,
  type RecordedPublication,
  type RecordedState,
  type State,
} from './publication.ts';
import type { ListedVersion } from './resolve.ts';

type Keyed = PublicationNames & { readonly key: PublicationKey };

/** One publication, and the state and version from before that it can get again. */
export interface Restoration extends Keyed {
  /** The attempt whose work is undone; the last one, if a pass made several. */
  readonly attempt: number;
  /** When it was over, in milliseconds since 1970. */
  readonly madeAtMs: number;
  readonly state: State;
  /** The version that is to be pinned; `null`: none, since it goes offline or a new version is made. */
  readonly version: string | null;
  /** Why going online makes a new version, of today's draft: the one from before is no longer kept, or is not known. `null` if it does not. */
  readonly asNew: 'gone' | 'unknown' | null;
  /** Whether nothing was recorded before although the gateway keeps older versions: it may have been online without edict. */
  readonly mayHaveBeenOnline: boolean;
}

/** One publication that is not restored, and why. */
export interface NotRestored extends Keyed {
  readonly attempt: number;
  readonly why: /** An older edict made the attempt, and nothing is known of what was before. */
    | { readonly kind: 'unrecorded' }
    /** An attempt on it has no known outcome. */
    | { readonly kind: 'unresolved'; readonly attempt: number }
    /** Another attempt has moved it since. `atMs`: milliseconds since 1970. */
    | { readonly kind: 'later'; readonly attempt: number; readonly atMs: number }
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
export interface Undoable {
  readonly restored: readonly Restoration[];
  readonly notRestored: readonly NotRestored[];
}

/**
 * Returns the states and versions from before `attempts`, oldest first: for each publication the inverse of all its attempts that
 * succeeded. A publication that has moved since is not restored: `later` holds the successful attempts after the first of them. A pure function.
 */
export function undoable(attempts: readonly Attempt[], later: readonly Attempt[], recorded: RecordedState): Undoable {
  const restored: Restoration[] = [];
  const notRestored: NotRestored[] = [];
  const own = new Set(attempts.map(({ id }) => id));
  const newest = new Map(later.filter(({ id }) => !own.has(id)).map((attempt) => [keyOf(attempt), attempt]));
  for (const [key, all] of Map.groupBy(attempts, keyOf)) {
    const done = all.filter(({ outcome }) => outcome === 'succeeded');
    const [first, last] = [done[0], done.at(-1)];
    const was = recorded.get(key);
    const open = was?.unresolved && all.some(({ id }) => id === was.unresolved?.attemptId) ? was.unresolved : null;
    if (!first || !last) {
      if (open)
        notRestored.push({ ...namesOf(key, all[0] ?? was), attempt: open.attemptId, why: { kind: 'unresolved', attempt: open.attemptId } });
      continue;
    }
    const after = newest.get(key);
    const found = after && after.id > last.id ? laterThan(after) : stateBefore(first, last, was);
    const of = { ...namesOf(key, last), attempt: last.id };
    if ('kind' in found) notRestored.push({ ...of, why: found });
    else restored.push({ ...of, madeAtMs: last.settledAtMs ?? last.beganAtMs, ...found });
  }
  return { restored, notRestored };
}

function laterThan({ id, beganAtMs }: Attempt): NotRestored['why'] {
  return { kind: 'later', attempt: id, atMs: beganAtMs };
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
function stateBefore(
  { before }: Attempt,
  last: Attempt,
  was: RecordedPublication | undefined,
): NotRestored['why'] | Pick<Restoration, 'state' | 'version' | 'asNew' | 'mayHaveBeenOnline'> {
  const mayHaveBeenOnline = before?.state === null;
  if (was?.unresolved) return { kind: 'unresolved', attempt: was.unresolved.attemptId };
  const made = last.versionId ?? last.askedVersionId;
  const isAsMade = was?.state === last.action && (last.action === 'offline' || isSameVersion(was.versionId, made));
  if (!isAsMade || was.drift) return { kind: 'outside' };
  if (!before) return { kind: 'unrecorded' };
  const { state, versionId } = before;
  if (last.action === 'offline') {
    if (state === null) return { kind: 'unrecorded' };
    if (state === 'offline') return { kind: 'same' };
    return { state, version: versionId, asNew: versionId === null ? 'unknown' : null, mayHaveBeenOnline };
  }
  if (state !== 'online') return { state: 'offline', version: null, asNew: null, mayHaveBeenOnline };
  if (versionId === null) return { kind: 'unknown version' };
  return versionId === was.versionId ? { kind: 'same' } : { state, version: versionId, asNew: null, mayHaveBeenOnline };
}

/** What is not known cannot be said to be another one. */
function isSameVersion(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other;
}

/** The versions that the gateway keeps of each publication, in any order; a text: why it does not tell them. */
export type KeptVersions = ReadonlyMap<PublicationKey, readonly ListedVersion[] | string>;

/** Returns whether the gateway shows the publication as the record says that it is. */
export function isAsRecorded(recorded: RecordedPublication | undefined, versions: readonly ListedVersion[]): boolean {
  const effective = versions.find(({ isEffective }) => isEffective);
  if (recorded?.state !== 'online') return effective === undefined;
  return effective !== undefined && isSameVersion(recorded.versionId, effective.versionId);
}

/**
 * Returns what can be restored at a gateway that keeps `versions`. A publication that the gateway shows otherwise than it is recorded
 * has moved. A version that is no longer kept cannot be restored; an offline publication comes back as a new one. A pure function.
 */
export function restorable({ restored, notRestored }: Undoable, recorded: RecordedState, versions: KeptVersions): Undoable {
  const open: Restoration[] = [];
  const closed: NotRestored[] = [...notRestored];
  for (const one of restored) {
    const was = recorded.get(one.key);
    const kept = versions.get(one.key) ?? [];
    const close = (why: NotRestored['why']) => closed.push({ ...namesOf(one.key, one), attempt: one.attempt, why });
    if (typeof kept === 'string') {
      close({ kind: 'unread', message: kept });
      continue;
    }
    const isKept = kept.some(({ versionId }) => versionId === one.version);
    if (!isAsRecorded(was, kept)) close({ kind: 'outside' });
    else if (one.state === 'offline') {
      const keepsOlder = kept.some((version) => !version.isEffective && isOlder(version.publishedAtMs, one));
      open.push({ ...one, mayHaveBeenOnline: one.mayHaveBeenOnline && keepsOlder });
    } else if (isKept || one.version === null) open.push(one);
    else if (was?.state === 'offline') open.push({ ...one, version: null, asNew: 'gone' });
    else close({ kind: 'gone', version: one.version });
  }
  return { restored: open, notRestored: closed };
}

function isOlder(publishedAtMs: number | null, { madeAtMs }: Restoration): boolean {
  return publishedAtMs === null || publishedAtMs < madeAtMs;
}

/** Returns those of `restored` that the file does not ask for already, so that it must be changed. A pure function. */
export function missingFromFile(desired: DesiredState, recorded: RecordedState, restored: readonly Restoration[]): readonly Restoration[] {
  return restored.filter(({ key, state, version }) => {
    const wanted = desired.publications.get(key);
    // With `removed: offline` the next apply takes down what is not in the file.
    if (!wanted) return state === 'online' || decide(undefined, recorded.get(key), desired)?.action !== 'offline';
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
