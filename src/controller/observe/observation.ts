import type { GatewayReader } from '../../gateway/interface.ts';
import { type Clock, maxTimerMs } from '../../model/clock.ts';
import type { DesiredPublication, DesiredState } from '../../model/desired-state.ts';
import { exitCodes, ObservationFailedError } from '../../model/errors.ts';
import { listPageSize, type RateLimit } from '../../model/gateway.ts';
import { matchesName } from '../../model/name-ref.ts';
import {
  type DriftNotice,
  type LastObservation,
  type ListedCounts,
  maxListedUnmanaged,
  type Observation,
  type ObservedApi,
  type UnmanagedPublication,
  type Unobserved,
} from '../../model/observation.ts';
import type { Failure, ReadFailure } from '../../model/outcome.ts';
import { type PublicationKey, pickNames, publicationKey } from '../../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../../model/recorded-state.ts';
import { applyObservation, isSameDrift, type ObservationInput } from '../../plan/drift.ts';
import { formatDurationMs } from '../../render/format.ts';
import type { StoreReader } from '../../store/interface.ts';

/** The largest share of APIs or publications that a list may lose since the last one; a larger loss must be confirmed by the next list. */
const maxPlausibleLoss = 0.2;

/** The most entries of a list that are confirmed by single reads, per check. */
const maxSingleReads = 20;

/**
 * Recorded state that is further in the future was written before the clock was set back. Between machines that call the service, clocks
 * differ by less: it rejects signatures beyond this.
 */
const maxClockSkewMs = 15 * 60_000;

/** The result of observing the gateway. */
export type GatewayObservation =
  /** `recorded`: the new recorded state; `updates`: the part of it that changed. */
  | {
      readonly kind: 'observed';
      readonly recorded: RecordedState;
      readonly updates: readonly RecordedPublication[];
      readonly notices: readonly DriftNotice[];
      /** The last complete list. */
      readonly listed: LastObservation;
      /** How many APIs were read. */
      readonly apiCount: number;
      /** Whether the whole list was read. */
      readonly isComplete: boolean;
      /** The newest attempt when the recorded state was read. */
      readonly newestAttemptId: number;
    }
  | ObservationFailed;

/** The gateway could not be read, or its list is not plausible. */
export interface ObservationFailed {
  readonly kind: 'failed';
  readonly reason: string;
  /** The counts of an implausibly short list, which the next list confirms if it has no more; `null` for any other failure. */
  readonly listed: ListedCounts | null;
  /** Whether the gateway refuses to be listed, which no retry remedies. */
  readonly isRefused: boolean;
  /** The failure with which the gateway rejected the credentials; `null` if it did not. */
  readonly unauthorized: Failure | null;
}

export interface ObserveDeps {
  readonly gateway: GatewayReader;
  readonly record: StoreReader;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
  /** How long the wall clock is known not to have been set, in milliseconds; default: for ever. */
  readonly steadyMs?: number;
  /** How long it may take, in milliseconds; default: `observationTimeLimitMs`. */
  readonly timeLimitMs?: number;
}

/**
 * Lists what is really published, one request a page, and returns the recorded state updated accordingly. Writes nothing.
 * Publications that edict changed within the propagation delay before the observation are not updated, because a list may lag.
 * Entries that would cause harm if the list were wrong are confirmed by single reads.
 */
export async function observeGateway(desired: DesiredState, deps: ObserveDeps): Promise<GatewayObservation> {
  const { signal, timeLimitMs = observationTimeLimitMs(desired.gateway.limit) } = deps;
  const timeout = AbortSignal.timeout(timeLimitMs);
  const observation = await observeWithin(desired, { ...deps, signal: AbortSignal.any([signal, timeout]) });
  const isTimedOut = observation.kind === 'failed' && timeout.aborted && !signal.aborted;
  return isTimedOut ? observationFailed(`it was not read within ${formatDurationMs(timeLimitMs)}`) : observation;
}

/** The time limit of an observation, in milliseconds, in addition to the time that the rate limit needs. */
const baseTimeLimitMs = 5 * 60_000;

/** The most requests that reading a gateway takes: 200 pages of the longest list, two of them again, and the single reads. */
const maxReads = 500;

/**
 * Returns how long reading a whole gateway may take, in whole milliseconds: a pipeline must not wait for a gateway that answers ever more
 * slowly.
 */
export function observationTimeLimitMs({ calls, perMs }: Pick<RateLimit, 'calls' | 'perMs'>): number {
  return Math.min(maxTimerMs, baseTimeLimitMs + Math.ceil((maxReads * perMs) / calls));
}

async function observeWithin(desired: DesiredState, deps: ObserveDeps): Promise<GatewayObservation> {
  const { gateway, record, clock, signal, steadyMs = Number.POSITIVE_INFINITY } = deps;
  const { propagationDelayMs } = desired.gateway;
  const startedAtMs = clock.now();
  const read = await gateway.listApis(signal);
  if (read.kind !== 'read') {
    const isRefused = read.kind === 'rejected' && (read.failure.status === 403 || read.failure.status === 401);
    return { ...readFailed(read), isRefused };
  }
  const isSettled = ({ recordedAtMs, unknownAttempt }: RecordedPublication): boolean =>
    unknownAttempt !== null ||
    recordedAtMs <= startedAtMs - propagationDelayMs ||
    // Before the clock was set back: nothing but the time since then tells how old it is.
    (recordedAtMs > clock.now() + maxClockSkewMs && steadyMs >= propagationDelayMs);
  const isFirst = ((await record.lastObservation(desired.gateway))?.observedAtMs ?? null) === null;
  const confirmed = await confirmObservation(
    { observation: read.value, desired, recorded: await record.readRecordedState(desired.gateway), isFirst },
    isSettled,
    deps,
  );
  if (confirmed.kind === 'failed') return confirmed;
  // Read again, because edict may have changed something meanwhile. The result of an attempt that begins after this is not overwritten.
  const newestAttemptId = await record.newestAttemptId(desired.gateway);
  const recorded = await record.readRecordedState(desired.gateway);
  const isObservable = (key: PublicationKey): boolean => {
    const recordedPublication = recorded.get(key);
    return !confirmed.unconfirmed.has(key) && (recordedPublication === undefined || isSettled(recordedPublication));
  };
  const settled = new Map([...recorded].filter(([key]) => isObservable(key)));
  const observable = { ...desired, publications: new Map([...desired.publications].filter(([key]) => isObservable(key))) };
  const { updates, notices } = applyObservation(
    { desired: observable, recorded: settled, observation: confirmed.observation, isFirst },
    startedAtMs,
  );
  const deleted = deletedApiNotices({ desired: observable, recorded, observation: read.value, isFirst }, confirmed.deletedApiIds);
  const deletedKeys = new Set(deleted.map(({ key }) => key));
  const result = new Map(recorded);
  for (const next of updates) result.set(next.key, next);
  return {
    kind: 'observed',
    recorded: result,
    updates,
    notices: [...deleted, ...notices.filter(({ key }) => !deletedKeys.has(key))],
    listed: {
      ...countListed(read.value),
      observedAtMs: startedAtMs,
      unmanaged: listUnmanaged(desired, read.value),
      missingApiIds: [...confirmed.deletedApiIds],
    },
    apiCount: read.value.size,
    isComplete: true,
    newestAttemptId,
  };
}

/**
 * Looks whether `unseen` publications of a gateway that was observed before are online: reads their APIs one by one if that takes fewer
 * requests than the list of all APIs, or else observes the whole gateway. Writes nothing.
 */
export async function observeUnseen(
  desired: DesiredState,
  unseen: readonly DesiredPublication[],
  deps: ObserveDeps,
): Promise<GatewayObservation> {
  const { gateway, record, clock, signal } = deps;
  const listed = await record.lastObservation(desired.gateway);
  const apiIds = [...new Set(unseen.map(({ apiId }) => apiId))].sort();
  if (listed === null || apiIds.length >= listed.apis / listPageSize) return observeGateway(desired, deps);
  const observation = new Map<string, ObservedApi>();
  for (const apiId of apiIds) {
    const read = await gateway.getApi(apiId, signal);
    // The list may be allowed where this read is not.
    if (read.kind === 'rejected') return observeGateway(desired, deps);
    if (read.kind !== 'read') return readFailed(read);
    if (read.value) observation.set(apiId, read.value);
  }
  const newestAttemptId = await record.newestAttemptId(desired.gateway);
  const recorded = await record.readRecordedState(desired.gateway);
  const publications = new Map(unseen.flatMap((publication) => (recorded.has(publication.key) ? [] : [[publication.key, publication]])));
  const input = { desired: { ...desired, publications }, recorded: new Map(), observation, isFirst: false };
  const { updates, notices } = applyObservation(input, clock.now());
  const result = new Map(recorded);
  for (const next of updates) result.set(next.key, next);
  return { kind: 'observed', recorded: result, updates, notices, listed, apiCount: observation.size, isComplete: false, newestAttemptId };
}

/** Returns why the gateway was not observed, and what a person can do about it. */
export function unobservedBecause({ reason, isRefused, unauthorized }: ObservationFailed): Unobserved {
  if (isRefused) return { reason, remedy: 'grant the permission to list the APIs of the instance' };
  return { reason, remedy: unauthorized ? 'renew the credentials' : 'wait until the gateway can be read' };
}

/**
 * Returns the error for a plan that needs an observation which failed. `isRequested`: by `--refresh`; otherwise by the file. `makesCalls`:
 * whether the command would make calls next, which all fail with rejected credentials, as its exit code says.
 */
export function planObservationError(
  { reason, unauthorized }: ObservationFailed,
  { isRequested, makesCalls }: { readonly isRequested: boolean; readonly makesCalls: boolean },
): ObservationFailedError {
  const message = `the gateway cannot be observed: ${reason}`;
  if (unauthorized) {
    const exitCode = makesCalls ? exitCodes.callsFailed : exitCodes.error;
    return new ObservationFailedError(message, { exitCode, ...(unauthorized.hint !== null && { hint: unauthorized.hint }) });
  }
  const remedy = isRequested
    ? 'without --refresh the plan starts from the record alone'
    : 'with --no-refresh what may be online already is held for approval';
  return new ObservationFailedError(message, { hint: `nothing was sent; ${remedy}` });
}

function observationFailed(reason: string, listed: ListedCounts | null = null): ObservationFailed {
  return { kind: 'failed', reason, listed, isRefused: false, unauthorized: null };
}

function readFailed({ kind, failure }: ReadFailure): ObservationFailed {
  return { ...observationFailed(`${failure.code} ${failure.message}`), unauthorized: kind === 'unauthorized' ? failure : null };
}

interface ConfirmedObservation {
  readonly kind: 'closer';
  readonly observation: Observation;
  /** Publications whose state could not be confirmed this time. */
  readonly unconfirmed: ReadonlySet<PublicationKey>;
  /** The IDs of APIs that were deleted. */
  readonly deletedApiIds: ReadonlySet<string>;
}

async function confirmObservation(
  input: ObservationInput,
  isSettled: (recorded: RecordedPublication) => boolean,
  deps: ObserveDeps,
): Promise<ConfirmedObservation | ObservationFailed> {
  const { observation, recorded } = input;
  const settled = [...recorded.values()].filter(
    (recordedPublication) => !recordedPublication.unknownAttempt && isSettled(recordedPublication),
  );
  const previous = await deps.record.lastObservation(input.desired.gateway);
  const omitted = await confirmOmitted(input, previous, deps);
  const failed = omitted instanceof Set ? await confirmUnpublished(input, { settled, previous }, deps) : omitted;
  if (failed) return failed;
  const deletedApiIds = omitted instanceof Set ? omitted : new Set<string>();
  const withDeleted = new Map(observation);
  for (const apiId of deletedApiIds)
    withDeleted.set(apiId, { apiId, name: '', groupId: '', group: '', editedAtMs: null, publications: new Map() });
  const pinned = await readPinnedVersions({ ...input, observation: withDeleted }, deps);
  return pinned.kind === 'failed' ? pinned : { ...pinned, deletedApiIds };
}

/** Returns notices of declared APIs that were deleted, with the ID of a replacement that has the name used in the file. */
function deletedApiNotices({ desired, recorded, observation: listed }: ObservationInput, deleted: ReadonlySet<string>): DriftNotice[] {
  const affected = deleted.size === 0 ? [] : [...desired.publications.values()].filter(({ apiId }) => deleted.has(apiId));
  return affected.map((declared) => {
    const { key, nameRef } = declared;
    const replacement = nameRef && [...listed.values()].find((one) => matchesName({ ...one, id: one.apiId }, nameRef));
    const recordedPublication = recorded.get(key);
    const previousCount = { previousState: recordedPublication?.state ?? null, previousSinceMs: recordedPublication?.recordedAtMs ?? null };
    return {
      key,
      ...pickNames(declared),
      kind: 'apiDeleted',
      ...previousCount,
      currentState: 'offline',
      untilMs: null,
      replacementId: replacement?.apiId ?? null,
    };
  });
}

/** Rejects the whole list if an API that it omits still exists. Otherwise resolves to the IDs of the APIs that were deleted. */
async function confirmOmitted(
  { observation, desired, recorded }: ObservationInput,
  previous: ListedCounts | null,
  { gateway, signal }: ObserveDeps,
): Promise<ObservationFailed | Set<string>> {
  const ours = new Set([...desired.publications.values(), ...recorded.values()].map(({ apiId }) => apiId));
  const omitted = [...ours].filter((apiId) => !observation.has(apiId)).sort();
  const deleted = new Set<string>();
  for (const apiId of sample(omitted)) {
    const read = await gateway.getApi(apiId, signal);
    if (read.kind === 'read' && read.value)
      return observationFailed(`the list omits API ${apiId}, although the gateway returns it when requested by ID`);
    if (read.kind === 'read') deleted.add(apiId);
    // A rejected single read, such as a missing permission, is no evidence against the list.
    if (read.kind !== 'read' && read.kind !== 'rejected') return readFailed(read);
  }
  const isShort = previous !== null && observation.size < previous.apis * (1 - maxPlausibleLoss);
  if (!isShort || omitted.length <= maxSingleReads) return deleted;
  const reason = `the list holds ${observation.size} APIs and held ${previous.apis} the last time; it is accepted if the next one holds no more`;
  return observationFailed(reason, countListed(observation));
}

/**
 * Confirms that publications recorded as online, and at first contact those that the file wants online, are offline if the list does not
 * show them: publishing them again would do harm. Many at once must be missing from the next list too, and a list that misses what edict
 * has just published again, while it corrects many, is rejected.
 */
async function confirmUnpublished(
  { observation, desired, recorded }: ObservationInput,
  { settled, previous }: { readonly settled: readonly RecordedPublication[]; readonly previous: ListedCounts | null },
  { gateway, signal, clock }: ObserveDeps,
): Promise<ObservationFailed | null> {
  const missing = settled.filter(({ apiId, environmentId }) => observation.get(apiId)?.publications.has(environmentId) === false);
  const allLost = missing.filter(({ state }) => state === 'online');
  const isNew = ({ key, apiId, environmentId, state }: DesiredPublication): boolean =>
    state === 'online' && !recorded.has(key) && observation.get(apiId)?.publications.has(environmentId) === false;
  const allNew = previous === null ? [...desired.publications.values()].filter(isNew) : [];
  for (const lost of [...sample(allLost), ...sample(allNew)]) {
    const read = await gateway.listVersions(lost, signal);
    if (read.kind === 'rejected') continue;
    if (read.kind !== 'read') return readFailed(read);
    if (read.value.some(({ isEffective }) => isEffective)) {
      return observationFailed(
        `the list does not show API ${lost.apiId} in environment ${lost.environmentId}, and the list of its versions does`,
      );
    }
  }
  const listed = countListed(observation);
  const nowMs = clock.now();
  const correctedCount = allLost.filter(({ lastCorrectedAtMs }) => isSameDrift(lastCorrectedAtMs, nowMs)).length;
  const isBeingCorrected = ({ key, state, drift }: RecordedPublication): boolean =>
    state === 'offline' && drift !== null && desired.publications.get(key)?.driftPolicy === 'correct';
  if (correctedCount > 0 && correctedCount + missing.filter(isBeingCorrected).length > maxSingleReads) {
    const reason = `the list does not show ${correctedCount} of the publications whose drift edict has corrected within the last hour`;
    return observationFailed(reason, listed);
  }
  if (allLost.length <= maxSingleReads) return null;
  const before = previous?.publications ?? settled.filter(({ state }) => state === 'online').length;
  if (listed.publications >= before * (1 - maxPlausibleLoss)) return null;
  const reason = `the list shows ${listed.publications} publications and showed ${before} the last time; it is accepted if the next one shows no more`;
  return observationFailed(reason, listed);
}

/** Returns what is published and not declared. Environments that the file does not declare have no name in the list of APIs, only an ID. */
function listUnmanaged({ publications, environments }: DesiredState, observation: Observation): UnmanagedPublication[] {
  const names = new Map([...environments.values()].map(({ id, name }) => [id, name]));
  const unmanaged: UnmanagedPublication[] = [];
  for (const { apiId, name, publications: published } of observation.values()) {
    for (const environmentId of published.keys()) {
      const key = publicationKey(apiId, environmentId);
      if (publications.has(key)) continue;
      unmanaged.push({ key, api: name, apiId, environment: names.get(environmentId) ?? environmentId, environmentId });
      if (unmanaged.length === maxListedUnmanaged) return unmanaged;
    }
  }
  return unmanaged;
}

function countListed(observation: Observation): ListedCounts {
  let publications = 0;
  for (const api of observation.values()) publications += api.publications.size;
  return { apis: observation.size, publications };
}

/** Reads the effective version of pinned publications where it is not known, because the list of APIs does not contain it. */
async function readPinnedVersions(
  { observation, desired, recorded }: ObservationInput,
  { gateway, signal }: ObserveDeps,
): Promise<Omit<ConfirmedObservation, 'deletedApiIds'> | ObservationFailed> {
  const result = new Map(observation);
  const unconfirmed = new Set<PublicationKey>();
  let readCount = 0;
  for (const pinned of desired.publications.values()) {
    const { key, apiId, environmentId, version, state } = pinned;
    const api = result.get(apiId);
    const published = api?.publications.get(environmentId);
    const recordedPublication = recorded.get(key);
    const isKnown =
      recordedPublication?.state === 'online' &&
      recordedPublication.versionId !== null &&
      [recordedPublication.publishId, null].includes(published?.publishId ?? null);
    if (!api || !published || version === null || state === 'offline' || isKnown || recordedPublication?.unknownAttempt) continue;
    readCount += 1;
    const read = readCount > maxSingleReads ? null : await gateway.listVersions(pinned, signal);
    if (read && read.kind !== 'read' && read.kind !== 'rejected') return readFailed(read);
    const effective = read?.kind === 'read' ? read.value.find(({ isEffective }) => isEffective) : undefined;
    if (effective) result.set(apiId, withVersion(api, environmentId, effective.versionId));
    else if (read?.kind !== 'rejected') unconfirmed.add(key);
  }
  return { kind: 'closer', observation: result, unconfirmed };
}

function withVersion(api: ObservedApi, environmentId: string, versionId: string): ObservedApi {
  const published = api.publications.get(environmentId);
  return published ? { ...api, publications: new Map(api.publications).set(environmentId, { ...published, versionId }) } : api;
}

/** Returns at most `maxSingleReads` of `all`, evenly spread. */
function sample<T>(all: readonly T[]): T[] {
  const step = Math.max(1, all.length / maxSingleReads);
  return all.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}
