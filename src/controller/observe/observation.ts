import { matchesName } from '../../model/name-ref.ts';
import type { DriftNotice, Observation, ObservedApi } from '../../model/observation.ts';
import type { Clock, GatewayReader, StoreReader } from '../../model/ports.ts';
import type { DesiredState, PublicationKey, RecordedPublication, RecordedState } from '../../model/publication.ts';
import { applyObservation } from '../../plan/drift.ts';

/** A list that lost a larger share of its APIs since the last one is not believed at once. */
const maxPlausibleLoss = 0.2;

/** Of what is doubtful in a list, so much is asked for one by one. */
const maxSingleReads = 20;

/** A record from further ahead than this was written by a clock that has been set back since. */
const maxClockSkewMs = 3_600_000;

/** What a look at the gateway came to. */
export type GatewayObservation =
  /** `recorded` is what the record must be now, `updates` what of it has changed, `listed` how many APIs there are. */
  | {
      readonly kind: 'observed';
      readonly recorded: RecordedState;
      readonly updates: readonly RecordedPublication[];
      readonly notices: readonly DriftNotice[];
      readonly listed: number;
    }
  | ObservationFailed;

/** The gateway could not be asked, or its answer is not believed. */
export interface ObservationFailed {
  readonly kind: 'blind';
  readonly reason: string;
  /** How many APIs there were in a list that is believed if the next one is no longer; `null` in all other cases. */
  readonly listed: number | null;
}

export interface ObserveDeps {
  readonly gateway: GatewayReader;
  readonly record: StoreReader;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
}

/**
 * Asks the gateway what is really published, in as few reads as there are pages, and returns the record as it must be then.
 * Writes nothing. What edict has changed itself since shortly before the look is left as it is: a list may lag. What would
 * follow from a wrong list and do harm is asked for once more, one by one.
 */
export async function observeGateway(desired: DesiredState, deps: ObserveDeps): Promise<GatewayObservation> {
  const { gateway, record, clock, signal } = deps;
  const beganAtMs = clock.now();
  const read = await gateway.listApis(signal);
  if (read.kind !== 'read') return observationFailed(`${read.failure.code} ${read.failure.message}`);
  const isSettled = ({ recordedAtMs, unknownAttempt }: RecordedPublication): boolean =>
    unknownAttempt !== null ||
    recordedAtMs <= beganAtMs - desired.gateway.propagationDelayMs ||
    recordedAtMs > clock.now() + maxClockSkewMs;
  const closer = await confirmObservation(read.value, desired, await record.readRecordedState(desired.gateway), isSettled, deps);
  if (closer.kind === 'blind') return closer;
  // Read once more, since edict may have changed something meanwhile; nothing is waited for from here to the write.
  const recorded = await record.readRecordedState(desired.gateway);
  const isOpen = (key: PublicationKey): boolean => {
    const was = recorded.get(key);
    return !closer.unconfirmed.has(key) && (was === undefined || isSettled(was));
  };
  const settled = new Map([...recorded].filter(([key]) => isOpen(key)));
  const observable = { ...desired, publications: new Map([...desired.publications].filter(([key]) => isOpen(key))) };
  const { updates, notices } = applyObservation(observable, settled, closer.observation, clock.now());
  const gone = deletedApiNotices(observable, recorded, closer.deletedApiIds, read.value);
  const told = new Set(gone.map(({ key }) => key));
  const result = new Map(recorded);
  for (const next of updates) result.set(next.key, next);
  return {
    kind: 'observed',
    recorded: result,
    updates,
    notices: [...gone, ...notices.filter(({ key }) => !told.has(key))],
    listed: read.value.size,
  };
}

function observationFailed(reason: string, listed: number | null = null): ObservationFailed {
  return { kind: 'blind', reason, listed };
}

interface ConfirmedObservation {
  readonly kind: 'closer';
  readonly observation: Observation;
  /** What nobody can tell of this time. */
  readonly unconfirmed: ReadonlySet<PublicationKey>;
  /** The IDs of APIs that are no longer there. */
  readonly deletedApiIds: ReadonlySet<string>;
}

async function confirmObservation(
  observation: Observation,
  desired: DesiredState,
  recorded: RecordedState,
  isSettled: (recorded: RecordedPublication) => boolean,
  deps: ObserveDeps,
): Promise<ConfirmedObservation | ObservationFailed> {
  const settled = [...recorded.values()].filter((was) => !was.unknownAttempt && isSettled(was));
  const omitted = await confirmOmitted(observation, desired, recorded, deps);
  const doubt = omitted instanceof Set ? await confirmUnpublished(observation, settled, deps) : omitted;
  if (doubt) return doubt;
  const deletedApiIds = omitted instanceof Set ? omitted : new Set<string>();
  const withGone = new Map(observation);
  for (const apiId of deletedApiIds)
    withGone.set(apiId, { apiId, name: '', groupId: '', group: '', editedAtMs: null, publications: new Map() });
  const pinned = await readPinnedVersions(withGone, desired, recorded, deps);
  return pinned.kind === 'blind' ? pinned : { ...pinned, deletedApiIds };
}

/** Tells of APIs that are no longer there, and whether another one has the name by which the file calls them. */
function deletedApiNotices(desired: DesiredState, recorded: RecordedState, gone: ReadonlySet<string>, listed: Observation): DriftNotice[] {
  const wanted = gone.size === 0 ? [] : [...desired.publications.values()].filter(({ apiId }) => gone.has(apiId));
  return wanted.map(({ key, api, apiId, environment, environmentId, nameRef }) => {
    const heir = nameRef && [...listed.values()].find((one) => matchesName({ ...one, id: one.apiId }, nameRef));
    const was = recorded.get(key);
    const before = { previousState: was?.state ?? null, previousSinceMs: was?.recordedAtMs ?? null };
    return {
      key,
      api,
      apiId,
      environment,
      environmentId,
      kind: 'gone',
      ...before,
      currentState: 'offline',
      untilMs: null,
      replacementId: heir?.apiId ?? null,
    };
  });
}

/** What the list leaves out and a closer look still finds speaks against all of it. Resolves to the IDs of what is really gone. */
async function confirmOmitted(
  observation: Observation,
  desired: DesiredState,
  recorded: RecordedState,
  { gateway, record, signal }: ObserveDeps,
): Promise<ObservationFailed | Set<string>> {
  const ours = new Set([...desired.publications.values(), ...recorded.values()].map(({ apiId }) => apiId));
  const omitted = [...ours].filter((apiId) => !observation.has(apiId)).sort();
  const gone = new Set<string>();
  for (const apiId of sample(omitted)) {
    const read = await gateway.getApi(apiId, signal);
    if (read.kind === 'read' && read.value)
      return observationFailed(`the list leaves out API ${apiId}, which is there when it is asked for by itself`);
    if (read.kind === 'read') gone.add(apiId);
    // What edict may not ask for says nothing of the list.
    if (read.kind !== 'read' && read.kind !== 'stalled') return observationFailed(`${read.failure.code} ${read.failure.message}`);
  }
  const before = await record.listedApiCount(desired.gateway);
  const isShort = before !== null && observation.size < before * (1 - maxPlausibleLoss);
  if (!isShort || omitted.length <= maxSingleReads) return gone;
  const reason = `the list holds ${observation.size} APIs and held ${before} the last time; it is believed if the next one is no longer`;
  return observationFailed(reason, observation.size);
}

/** What edict has put online and the list shows as published no more may be there all the same; to publish it again would do harm. */
async function confirmUnpublished(
  observation: Observation,
  settled: readonly RecordedPublication[],
  { gateway, signal }: ObserveDeps,
): Promise<ObservationFailed | null> {
  const isLost = ({ apiId, environmentId, state }: RecordedPublication): boolean =>
    state === 'online' && observation.get(apiId)?.publications.has(environmentId) === false;
  for (const lost of sample(settled.filter(isLost))) {
    const read = await gateway.listVersions(lost, signal);
    if (read.kind === 'stalled') continue;
    if (read.kind !== 'read') return observationFailed(`${read.failure.code} ${read.failure.message}`);
    if (read.value.some(({ isEffective }) => isEffective)) {
      return observationFailed(
        `the list does not show API ${lost.apiId} in environment ${lost.environmentId}, and the list of its versions does`,
      );
    }
  }
  return null;
}

/** A list of APIs does not say which version is in effect: it is asked for where the file pins one and it is not known. */
async function readPinnedVersions(
  observation: Observation,
  desired: DesiredState,
  recorded: RecordedState,
  { gateway, signal }: ObserveDeps,
): Promise<Omit<ConfirmedObservation, 'deletedApiIds'> | ObservationFailed> {
  const result = new Map(observation);
  const unconfirmed = new Set<PublicationKey>();
  let asked = 0;
  for (const pinned of desired.publications.values()) {
    const { key, apiId, environmentId, version, state } = pinned;
    const api = result.get(apiId);
    const published = api?.publications.get(environmentId);
    const was = recorded.get(key);
    const isKnown = was?.state === 'online' && was.versionId !== null && [was.publishId, null].includes(published?.publishId ?? null);
    if (!api || !published || version === null || state === 'offline' || isKnown || was?.unknownAttempt) continue;
    asked += 1;
    const read = asked > maxSingleReads ? null : await gateway.listVersions(pinned, signal);
    if (read && read.kind !== 'read' && read.kind !== 'stalled') return observationFailed(`${read.failure.code} ${read.failure.message}`);
    const effective = read?.kind === 'read' ? read.value.find(({ isEffective }) => isEffective) : undefined;
    if (effective) result.set(apiId, withVersion(api, environmentId, effective.versionId));
    else if (read?.kind !== 'stalled') unconfirmed.add(key);
  }
  return { kind: 'closer', observation: result, unconfirmed };
}

function withVersion(api: ObservedApi, environmentId: string, versionId: string): ObservedApi {
  const published = api.publications.get(environmentId);
  return published ? { ...api, publications: new Map(api.publications).set(environmentId, { ...published, versionId }) } : api;
}

/** Returns at most `askedForSingly` of `all`, from beginning to end. */
function sample<T>(all: readonly T[]): T[] {
  const step = Math.max(1, all.length / maxSingleReads);
  return all.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}
