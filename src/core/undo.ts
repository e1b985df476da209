import { decide } from './plan.ts';
import type { Attempt } from './ports.ts';
import {
  type DesiredPublication,
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

/** The way back of one publication. */
export interface WayBack extends Keyed {
  /** The attempt whose work is undone; the last one, if a pass made several. */
  readonly attempt: number;
  /** When it was over, in milliseconds since 1970. */
  readonly madeAtMs: number;
  readonly to: State;
  /** The revision that was recorded before. */
  readonly revision: string | null;
  /** The kept version that is made effective again; `null`: none is, or a new one is made. */
  readonly version: string | null;
  /** Why going online makes a new version, of today's draft: the one from before is no longer kept, or is not known. `null` if it does not. */
  readonly asNew: 'gone' | 'unknown' | null;
  /** Whether nothing was recorded before although the gateway keeps older versions: it may have been online without edict. */
  readonly mayHaveBeenOnline: boolean;
}

/** What is left as it is, and why. */
export interface LeftAlone extends Keyed {
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

/** What can be undone as far as attempts and record tell, and what is left alone. */
export interface Undoable {
  readonly ways: readonly WayBack[];
  readonly left: readonly LeftAlone[];
}

/**
 * Returns how what `attempts`, oldest first, have done can be undone: by the inverse of all that succeeded on a publication
 * together. What has moved since is left alone: `later` holds the attempts after the first of them that succeeded. A pure function.
 */
export function undoable(attempts: readonly Attempt[], later: readonly Attempt[], recorded: RecordedState): Undoable {
  const ways: WayBack[] = [];
  const left: LeftAlone[] = [];
  const own = new Set(attempts.map(({ id }) => id));
  const newest = new Map(later.filter(({ id }) => !own.has(id)).map((attempt) => [keyOf(attempt), attempt]));
  for (const [key, all] of Map.groupBy(attempts, keyOf)) {
    const done = all.filter(({ outcome }) => outcome === 'succeeded');
    const [first, last] = [done[0], done.at(-1)];
    const was = recorded.get(key);
    const open = was?.unresolved && all.some(({ id }) => id === was.unresolved?.attemptId) ? was.unresolved : null;
    if (!first || !last) {
      if (open)
        left.push({ ...namesOf(key, all[0] ?? was), attempt: open.attemptId, why: { kind: 'unresolved', attempt: open.attemptId } });
      continue;
    }
    const after = newest.get(key);
    const found = after && after.id > last.id ? laterThan(after) : wayBack(first, last, was);
    const of = { ...namesOf(key, last), attempt: last.id };
    if ('kind' in found) left.push({ ...of, why: found });
    else ways.push({ ...of, madeAtMs: last.settledAtMs ?? last.beganAtMs, asNew: null, ...found });
  }
  return { ways, left };
}

function laterThan({ id, beganAtMs }: Attempt): LeftAlone['why'] {
  return { kind: 'later', attempt: id, atMs: beganAtMs };
}

/**
 * Returns what the inverse of `first` to `last` leads to:
 *
 * | done    | before                    | way back                                                  |
 * |---------|---------------------------|-----------------------------------------------------------|
 * | online  | nothing, offline          | offline                                                   |
 * | online  | online, another version   | a switch to that version                                  |
 * | online  | online, version not known | none                                                      |
 * | offline | online                    | a switch to the version before; a new one if not known    |
 */
function wayBack(
  { before }: Attempt,
  last: Attempt,
  was: RecordedPublication | undefined,
): LeftAlone['why'] | Pick<WayBack, 'to' | 'revision' | 'version' | 'mayHaveBeenOnline'> {
  const mayHaveBeenOnline = before?.state === null;
  if (was?.unresolved) return { kind: 'unresolved', attempt: was.unresolved.attemptId };
  const made = last.versionId ?? last.askedVersionId;
  const isAsMade = was?.state === last.action && (last.action === 'offline' || isSameVersion(was.versionId, made));
  if (!isAsMade || was.drift) return { kind: 'outside' };
  if (!before) return { kind: 'unrecorded' };
  const { state, revision, versionId } = before;
  if (last.action === 'offline') {
    if (state === null) return { kind: 'unrecorded' };
    return state === 'offline' ? { kind: 'same' } : { to: 'online', revision, version: versionId, mayHaveBeenOnline };
  }
  if (state !== 'online') return { to: 'offline', revision, version: null, mayHaveBeenOnline };
  if (versionId === null) return { kind: 'unknown version' };
  return versionId === was.versionId ? { kind: 'same' } : { to: 'online', revision, version: versionId, mayHaveBeenOnline };
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
 * Returns which ways back are open at a gateway that keeps `versions`. What it shows otherwise than it is recorded has moved. A
 * version that is no longer kept cannot be brought back; what went offline with it comes back as a new one. A pure function.
 */
export function openWays({ ways, left }: Undoable, recorded: RecordedState, versions: KeptVersions): Undoable {
  const open: WayBack[] = [];
  const closed: LeftAlone[] = [...left];
  for (const way of ways) {
    const was = recorded.get(way.key);
    const kept = versions.get(way.key) ?? [];
    if (typeof kept === 'string') {
      closed.push({ ...namesOf(way.key, way), attempt: way.attempt, why: { kind: 'unread', message: kept } });
      continue;
    }
    const isKept = kept.some(({ versionId }) => versionId === way.version);
    const close = (why: LeftAlone['why']) => closed.push({ ...namesOf(way.key, way), attempt: way.attempt, why });
    if (!isAsRecorded(was, kept)) close({ kind: 'outside' });
    else if (way.to === 'offline')
      open.push({
        ...way,
        mayHaveBeenOnline: way.mayHaveBeenOnline && kept.some((one) => !one.isEffective && isOlder(one.publishedAtMs, way)),
      });
    else if (isKept) open.push(way);
    else if (was?.state === 'offline') open.push({ ...way, version: null, asNew: way.version === null ? 'unknown' : 'gone' });
    else close({ kind: 'gone', version: way.version ?? '' });
  }
  return { ways: open, left: closed };
}

function isOlder(publishedAtMs: number | null, { madeAtMs }: WayBack): boolean {
  return publishedAtMs === null || publishedAtMs < madeAtMs;
}

/** Returns the desired state of the file with the publications of `ways` as they were before. */
export function desiredBefore(desired: DesiredState, ways: readonly WayBack[]): DesiredState {
  const publications = new Map(desired.publications);
  for (const way of ways) publications.set(way.key, wantedBefore(way, desired.publications.get(way.key)));
  return { ...desired, observeEveryMs: null, undoes: new Set(ways.map(({ key }) => key)), publications };
}

function wantedBefore(way: WayBack, inFile: DesiredPublication | undefined): DesiredPublication {
  const outside = { remark: null, calledBy: null, home: '', source: { file: '', line: 0, column: 0 } };
  return {
    ...outside,
    ...namesOf(way.key, inFile ?? way),
    ...(inFile && { remark: inFile.remark, calledBy: inFile.calledBy, home: inFile.home, source: inFile.source }),
    state: way.to,
    revision: way.asNew === null ? way.revision : (inFile?.revision ?? way.revision),
    version: way.version,
    drift: 'correct',
  };
}

/** Returns the ways back after which the file would have something else: it is to be changed, or they do not last. */
export function againstFile(desired: DesiredState, recorded: RecordedState, ways: readonly WayBack[]): readonly WayBack[] {
  const before = desiredBefore(desired, ways);
  return ways.filter(({ key, to, version }) => {
    const was = recorded.get(key);
    const revision = before.publications.get(key)?.revision ?? null;
    const after = was && { ...was, state: to, revision, versionId: version, editedAtMs: null, unresolved: null, drift: null };
    return decide(desired.publications.get(key), after, desired) !== null;
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
