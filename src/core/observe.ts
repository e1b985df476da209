import type {
  DesiredPublication,
  DesiredState,
  Drift,
  PublicationKey,
  PublicationNames,
  RecordedPublication,
  RecordedState,
  State,
} from './publication.ts';

/** One API as the gateway lists it. Times are milliseconds since 1970, to the second. */
export interface ObservedApi {
  readonly apiId: string;
  readonly name: string;
  /** The group it belongs to; empty if the gateway does not say. */
  readonly groupId: string;
  readonly group: string;
  /** When its draft was last edited; `null` if the gateway does not say. */
  readonly editedAtMs: number | null;
  /** Where it is published, by the environment's ID. */
  readonly publications: ReadonlyMap<string, ObservedPublication>;
}

export interface ObservedPublication {
  /** Changes with every publish and switch, whoever makes it; `null` if the gateway does not say. */
  readonly publishId: string | null;
  readonly publishedAtMs: number | null;
}

/** What the gateway itself answered, by the API's ID. An API that is not in it says nothing. */
export type Observation = ReadonlyMap<string, ObservedApi>;

/** Something that was seen at the gateway and that a person may want to know. */
export interface Note extends PublicationNames {
  readonly key: PublicationKey;
  /**
   * `adopted`: it is as the file says, without edict. `outside`: somebody else published or switched it. `drift`: somebody else
   * brought it to the state that the file does not want. `fight`: the same drift was corrected again and again.
   */
  readonly kind: 'adopted' | 'outside' | 'drift' | 'fight';
  /** The recorded state before, and since when; `null` if there was none. */
  readonly was: State | null;
  readonly wasSinceMs: number | null;
  readonly now: State;
  /** Until when a fight is left alone; `null` for all else. */
  readonly untilMs: number | null;
}

/** The record after a look at the gateway. */
export interface Observed {
  readonly recorded: RecordedState;
  /** What of it has changed and is to be written. */
  readonly updates: readonly RecordedPublication[];
  readonly notes: readonly Note[];
}

/** A drift that comes back within this time after its correction is the same one. */
const sameDriftMs = 3_600_000;
/** So many corrections of the same drift are a fight with somebody else. */
const fightAfter = 3;
const firstTruceMs = 60_000;
const longestTruceMs = 3_600_000;

/**
 * Returns the record as it must be after `observation`: what the gateway shows goes before what edict last did. A pure
 * function. An attempt without a known outcome is left to be resolved; what is neither wanted nor recorded is not edict's.
 */
export function observe(desired: DesiredState, recorded: RecordedState, observation: Observation, nowMs: number): Observed {
  const result = new Map(recorded);
  const updates: RecordedPublication[] = [];
  const notes: Note[] = [];
  for (const key of new Set([...desired.publications.keys(), ...recorded.keys()])) {
    const wanted = desired.publications.get(key);
    const was = recorded.get(key);
    const of = wanted ?? was;
    const api = of && observation.get(of.apiId);
    if (!of || !api || was?.unresolved) continue;
    const seen = look(wanted, was, api, of, nowMs);
    if (seen?.note) notes.push(seen.note);
    if (!seen || isSame(seen.next, was)) continue;
    result.set(key, seen.next);
    updates.push(seen.next);
  }
  return { recorded: result, updates, notes };
}

interface Seen {
  readonly next: RecordedPublication;
  readonly note: Note | null;
}

function look(
  wanted: DesiredPublication | undefined,
  was: RecordedPublication | undefined,
  api: ObservedApi,
  of: PublicationNames & { readonly key: PublicationKey },
  nowMs: number,
): Seen | null {
  const { key, apiId, environmentId } = of;
  const names = { key, api: of.api, apiId, environment: of.environment, environmentId };
  const before = { was: was?.state ?? null, wasSinceMs: was?.recordedAtMs ?? null, untilMs: null };
  const published = api.publications.get(environmentId);
  if (!published) {
    if (!was) return null;
    if (was.state !== 'online') return { next: { ...was, editedAtMs: api.editedAtMs }, note: null };
    const drift = wanted?.state === 'online' ? driftOf(was, 'online', nowMs) : null;
    const next = { ...was, state: 'offline', versionId: null, publishId: null, publishedAtMs: null, recordedAtMs: nowMs, drift } as const;
    return { next, note: noteOf({ ...names, ...before, now: 'offline' }, drift) };
  }
  const { publishId, publishedAtMs } = published;
  const seen = { publishId, publishedAtMs, editedAtMs: api.editedAtMs };
  const online = { ...names, ...before, now: 'online' } as const;
  if (was?.state === 'online') {
    if (was.publishId === null || publishId === null || was.publishId === publishId) return { next: { ...was, ...seen }, note: null };
    return { next: { ...was, ...seen, versionId: null, recordedAtMs: nowMs }, note: { ...online, kind: 'outside' } };
  }
  if (wanted === undefined) return null;
  const base = { revision: null, corrections: 0, correctedAtMs: null, ...was, ...names, ...seen, versionId: null, unresolved: null };
  if (wanted.state === 'online') {
    const next = { ...base, state: 'online', revision: wanted.revision, recordedAtMs: nowMs, drift: null } as const;
    return { next, note: { ...online, kind: 'adopted' } };
  }
  const drift = driftOf(was, was?.state ?? null, nowMs);
  return { next: { ...base, state: 'online', recordedAtMs: nowMs, drift }, note: noteOf(online, drift) };
}

function noteOf(seen: Omit<Note, 'kind'>, drift: Drift | null): Note {
  if (drift === null) return { ...seen, kind: 'outside' };
  return drift.truceUntilMs === null ? { ...seen, kind: 'drift' } : { ...seen, kind: 'fight', untilMs: drift.truceUntilMs };
}

function driftOf(was: RecordedPublication | undefined, from: Drift['from'], nowMs: number): Drift {
  const { corrections = 0, correctedAtMs = null } = was ?? {};
  const isAgain = correctedAtMs !== null && nowMs - correctedAtMs < sameDriftMs;
  const truceMs = Math.min(longestTruceMs, firstTruceMs * 2 ** (corrections - fightAfter));
  const untilMs = isAgain && corrections >= fightAfter ? correctedAtMs + truceMs : null;
  return { from, seenAtMs: was?.drift?.seenAtMs ?? nowMs, truceUntilMs: untilMs !== null && untilMs > nowMs ? untilMs : null };
}

function isSame(one: RecordedPublication, other: RecordedPublication | undefined): boolean {
  return other !== undefined && JSON.stringify(one) === JSON.stringify(other);
}
