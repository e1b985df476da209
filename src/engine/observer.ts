import { isNamed } from '../core/names.ts';
import type { Note, Observation, ObservedApi } from '../core/observe.ts';
import { observe } from '../core/observe.ts';
import type { Clock, GatewayReader, RecordReader } from '../core/ports.ts';
import type { DesiredState, PublicationKey, RecordedPublication, RecordedState } from '../core/publication.ts';

/** A list that lost a larger share of its APIs since the last one is not believed at once. */
const believedLoss = 0.2;

/** Of what is doubtful in a list, so much is asked for one by one. */
const askedForSingly = 20;

/** A record from further ahead than this was written by a clock that has been set back since. */
const aheadMs = 3_600_000;

/** What a look at the gateway came to. */
export type Look =
  /** `recorded` is what the record must be now, `updates` what of it has changed, `listed` how many APIs there are. */
  | {
      readonly kind: 'observed';
      readonly recorded: RecordedState;
      readonly updates: readonly RecordedPublication[];
      readonly notes: readonly Note[];
      readonly listed: number;
    }
  | Blind;

/** The gateway could not be asked, or its answer is not believed. */
export interface Blind {
  readonly kind: 'blind';
  readonly reason: string;
  /** How many APIs there were in a list that is believed if the next one is no longer; `null` in all other cases. */
  readonly listed: number | null;
}

export interface LookDeps {
  readonly gateway: GatewayReader;
  readonly record: RecordReader;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
}

/**
 * Asks the gateway what is really published, in as few reads as there are pages, and returns the record as it must be then.
 * Writes nothing. What edict has changed itself since shortly before the look is left as it is: a list may lag. What would
 * follow from a wrong list and do harm is asked for once more, one by one.
 */
export async function look(desired: DesiredState, deps: LookDeps): Promise<Look> {
  const { gateway, record, clock, signal } = deps;
  const beganAtMs = clock.now();
  const read = await gateway.apis(signal);
  if (read.kind !== 'read') return blind(`${read.failure.code} ${read.failure.message}`);
  const isSettled = ({ recordedAtMs, unresolved }: RecordedPublication): boolean =>
    unresolved !== null || recordedAtMs <= beganAtMs - desired.gateway.lagMs || recordedAtMs > clock.now() + aheadMs;
  const closer = await lookCloser(read.value, desired, await record.readAll(desired.gateway), isSettled, deps);
  if (closer.kind === 'blind') return closer;
  // Read once more, since edict may have changed something meanwhile; nothing is waited for from here to the write.
  const recorded = await record.readAll(desired.gateway);
  const isOpen = (key: PublicationKey): boolean => {
    const was = recorded.get(key);
    return !closer.unasked.has(key) && (was === undefined || isSettled(was));
  };
  const settled = new Map([...recorded].filter(([key]) => isOpen(key)));
  const observable = { ...desired, publications: new Map([...desired.publications].filter(([key]) => isOpen(key))) };
  const { updates, notes } = observe(observable, settled, closer.observation, clock.now());
  const gone = goneNotes(observable, recorded, closer.gone, read.value);
  const told = new Set(gone.map(({ key }) => key));
  const result = new Map(recorded);
  for (const next of updates) result.set(next.key, next);
  return {
    kind: 'observed',
    recorded: result,
    updates,
    notes: [...gone, ...notes.filter(({ key }) => !told.has(key))],
    listed: read.value.size,
  };
}

function blind(reason: string, listed: number | null = null): Blind {
  return { kind: 'blind', reason, listed };
}

interface CloserLook {
  readonly kind: 'closer';
  readonly observation: Observation;
  /** What nobody can tell of this time. */
  readonly unasked: ReadonlySet<PublicationKey>;
  /** The IDs of APIs that are no longer there. */
  readonly gone: ReadonlySet<string>;
}

async function lookCloser(
  observation: Observation,
  desired: DesiredState,
  recorded: RecordedState,
  isSettled: (recorded: RecordedPublication) => boolean,
  deps: LookDeps,
): Promise<CloserLook | Blind> {
  const settled = [...recorded.values()].filter((was) => !was.unresolved && isSettled(was));
  const omitted = await doubtOmitted(observation, desired, recorded, deps);
  const doubt = omitted instanceof Set ? await doubtLost(observation, settled, deps) : omitted;
  if (doubt) return doubt;
  const gone = omitted instanceof Set ? omitted : new Set<string>();
  const withGone = new Map(observation);
  for (const apiId of gone) withGone.set(apiId, { apiId, name: '', groupId: '', group: '', editedAtMs: null, publications: new Map() });
  const pinned = await pinnedVersions(withGone, desired, recorded, deps);
  return pinned.kind === 'blind' ? pinned : { ...pinned, gone };
}

/** Tells of APIs that are no longer there, and whether another one has the name by which the file calls them. */
function goneNotes(desired: DesiredState, recorded: RecordedState, gone: ReadonlySet<string>, listed: Observation): Note[] {
  const wanted = gone.size === 0 ? [] : [...desired.publications.values()].filter(({ apiId }) => gone.has(apiId));
  return wanted.map(({ key, api, apiId, environment, environmentId, calledBy }) => {
    const heir = calledBy && [...listed.values()].find((one) => isNamed({ ...one, id: one.apiId }, calledBy));
    const was = recorded.get(key);
    const before = { was: was?.state ?? null, wasSinceMs: was?.recordedAtMs ?? null };
    return {
      key,
      api,
      apiId,
      environment,
      environmentId,
      kind: 'gone',
      ...before,
      now: 'offline',
      untilMs: null,
      heirId: heir?.apiId ?? null,
    };
  });
}

/** What the list leaves out and a closer look still finds speaks against all of it. Resolves to the IDs of what is really gone. */
async function doubtOmitted(
  observation: Observation,
  desired: DesiredState,
  recorded: RecordedState,
  { gateway, record, signal }: LookDeps,
): Promise<Blind | Set<string>> {
  const ours = new Set([...desired.publications.values(), ...recorded.values()].map(({ apiId }) => apiId));
  const omitted = [...ours].filter((apiId) => !observation.has(apiId)).sort();
  const gone = new Set<string>();
  for (const apiId of sample(omitted)) {
    const read = await gateway.api(apiId, signal);
    if (read.kind === 'read' && read.value) return blind(`the list leaves out API ${apiId}, which is there when it is asked for by itself`);
    if (read.kind === 'read') gone.add(apiId);
    // What edict may not ask for says nothing of the list.
    if (read.kind !== 'read' && read.kind !== 'stalled') return blind(`${read.failure.code} ${read.failure.message}`);
  }
  const before = await record.listedApis(desired.gateway);
  const isShort = before !== null && observation.size < before * (1 - believedLoss);
  if (!isShort || omitted.length <= askedForSingly) return gone;
  const reason = `the list holds ${observation.size} APIs and held ${before} the last time; it is believed if the next one is no longer`;
  return blind(reason, observation.size);
}

/** What edict has put online and the list shows as published no more may be there all the same; to publish it again would do harm. */
async function doubtLost(
  observation: Observation,
  settled: readonly RecordedPublication[],
  { gateway, signal }: LookDeps,
): Promise<Blind | null> {
  const isLost = ({ apiId, environmentId, state }: RecordedPublication): boolean =>
    state === 'online' && observation.get(apiId)?.publications.has(environmentId) === false;
  for (const lost of sample(settled.filter(isLost))) {
    const read = await gateway.versions(lost, signal);
    if (read.kind === 'stalled') continue;
    if (read.kind !== 'read') return blind(`${read.failure.code} ${read.failure.message}`);
    if (read.value.some(({ isEffective }) => isEffective)) {
      return blind(`the list does not show API ${lost.apiId} in environment ${lost.environmentId}, and the list of its versions does`);
    }
  }
  return null;
}

/** A list of APIs does not say which version is in effect: it is asked for where the file pins one and it is not known. */
async function pinnedVersions(
  observation: Observation,
  desired: DesiredState,
  recorded: RecordedState,
  { gateway, signal }: LookDeps,
): Promise<Omit<CloserLook, 'gone'> | Blind> {
  const result = new Map(observation);
  const unasked = new Set<PublicationKey>();
  let asked = 0;
  for (const pinned of desired.publications.values()) {
    const { key, apiId, environmentId, version, state } = pinned;
    const api = result.get(apiId);
    const published = api?.publications.get(environmentId);
    const was = recorded.get(key);
    const isKnown = was?.state === 'online' && was.versionId !== null && [was.publishId, null].includes(published?.publishId ?? null);
    if (!api || !published || version === null || state === 'offline' || isKnown || was?.unresolved) continue;
    asked += 1;
    const read = asked > askedForSingly ? null : await gateway.versions(pinned, signal);
    if (read && read.kind !== 'read' && read.kind !== 'stalled') return blind(`${read.failure.code} ${read.failure.message}`);
    const effective = read?.kind === 'read' ? read.value.find(({ isEffective }) => isEffective) : undefined;
    if (effective) result.set(apiId, withVersion(api, environmentId, effective.versionId));
    else if (read?.kind !== 'stalled') unasked.add(key);
  }
  return { kind: 'closer', observation: result, unasked };
}

function withVersion(api: ObservedApi, environmentId: string, versionId: string): ObservedApi {
  const published = api.publications.get(environmentId);
  return published ? { ...api, publications: new Map(api.publications).set(environmentId, { ...published, versionId }) } : api;
}

/** Returns at most `askedForSingly` of `all`, from beginning to end. */
function sample<T>(all: readonly T[]): T[] {
  const step = Math.max(1, all.length / askedForSingly);
  return all.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}
