import type { GatewayReader } from '../../gateway/interface.ts';
import type { Clock } from '../../model/clock.ts';
import type { DesiredPublication } from '../../model/desired-state.ts';
import type { ListedCounts, ListedVersion, Observation, ObservedApi, Unobserved, UnreadVersion } from '../../model/observation.ts';
import type { Failure, ReadFailure, ReadResult } from '../../model/outcome.ts';
import type { PublicationKey } from '../../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../../model/recorded-state.ts';
import { isSameDrift, type ObservationInput } from '../../plan/drift.ts';
import type { StoreReader } from '../../store/interface.ts';

/*
 * Whether a list of the gateway may be believed.
 */

/** The largest share of APIs or publications that a list may lose since the last one; a larger loss must be confirmed by the next list. */
const maxPlausibleLoss = 0.2;

/** The most entries of a list that are confirmed by single reads, per check. */
const maxSingleReads = 20;

/** The most pinned publications whose effective version is read, because no list shows it. The next observation reads the rest. */
const maxVersionReads = 200;

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
  /** The action for a person, if no retry helps; `null` if one may. */
  readonly hint: string | null;
}

/** Dependencies for confirming a list. */
export interface ConfirmDeps {
  readonly gateway: GatewayReader;
  readonly record: StoreReader;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
}

/** Returns an observation that failed for `reason`. */
export function observationFailed(reason: string, listed: ListedCounts | null = null): ObservationFailed {
  return { kind: 'failed', reason, listed, isRefused: false, unauthorized: null, hint: null };
}

/** Returns an observation that failed because of a read. */
export function readFailed({ kind, failure }: ReadFailure): ObservationFailed {
  return {
    ...observationFailed(`${failure.code} ${failure.message}`),
    unauthorized: kind === 'unauthorized' ? failure : null,
    hint: kind === 'unauthorized' || kind === 'rejected' ? failure.hint : null,
  };
}

/** Returns an observation that failed because a list could not be read. */
export function listFailed(read: ReadFailure): ObservationFailed {
  const isRefused = read.kind === 'rejected' && (read.failure.status === 403 || read.failure.status === 401);
  return { ...readFailed(read), isRefused };
}

/** Returns why the gateway was not observed, and the remedy. `what`: the resources that the failed list would have had. */
export function unobservedBecause(
  { reason, isRefused, unauthorized }: ObservationFailed,
  what: 'APIs' | 'environments' = 'APIs',
): Unobserved {
  if (isRefused) return { reason, remedy: `grant the permission to list the ${what} of the instance` };
  return { reason, remedy: unauthorized ? 'renew the credentials' : 'it is looked at again automatically', isRetried: true };
}

interface ConfirmedObservation {
  readonly kind: 'closer';
  readonly observation: Observation;
  /** Publications whose recorded state could not be confirmed this time. */
  readonly unconfirmed: ReadonlySet<PublicationKey>;
  /** Pinned publications of which nobody knows which version is effective. */
  readonly unreadVersions: readonly UnreadVersion[];
  /** The IDs of APIs that were deleted. */
  readonly deletedApiIds: ReadonlySet<string>;
}

/** Confirms whatever would cause harm if the list were wrong, one by one. Returns the list with what the single reads showed, or why it is not believed. */
export async function confirmObservation(
  input: ObservationInput,
  isSettled: (recorded: RecordedPublication) => boolean,
  deps: ConfirmDeps,
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

/**
 * Rejects the whole list if an API that it omits still exists. Otherwise resolves to the IDs of the APIs that were deleted: all that it omits
 * if every one of the sample is gone, or else those of the sample.
 */
async function confirmOmitted(
  { observation, desired, recorded }: ObservationInput,
  previous: ListedCounts | null,
  { gateway, signal }: ConfirmDeps,
): Promise<ObservationFailed | Set<string>> {
  const ours = new Set([...desired.publications.values(), ...recorded.values()].map(({ apiId }) => apiId));
  const omitted = [...ours].filter((apiId) => !observation.has(apiId)).sort();
  const deleted = new Set<string>();
  const sampled = sample(omitted);
  for (const apiId of sampled) {
    const read = await gateway.getApi(apiId, signal);
    if (read.kind === 'read' && read.value)
      return observationFailed(`the list omits API ${apiId}, although the gateway returns it when requested by ID`);
    if (read.kind === 'read') deleted.add(apiId);
    // It would be published, and may be online already.
    const isNew = (publication: DesiredPublication): boolean => publication.apiId === apiId && wouldBeNew(publication, recorded);
    if (read.kind === 'rejected' && [...desired.publications.values()].some(isNew)) return { ...readFailed(read), isRefused: true };
    // A rejected single read, such as a missing permission, is no other evidence against the list.
    if (read.kind !== 'read' && read.kind !== 'rejected') return readFailed(read);
  }
  const isShort = previous !== null && observation.size < previous.apis * (1 - maxPlausibleLoss);
  if (!isShort || omitted.length <= maxSingleReads) return deleted.size === sampled.length ? new Set(omitted) : deleted;
  const reason = `the list holds ${observation.size} APIs and held ${previous.apis} the last time; it is accepted if the next one holds no more`;
  return observationFailed(reason, countListed(observation));
}

/**
 * Confirms that publications recorded as online are offline if the list does not show them: publishing them again would do harm. Many at once must be missing from the next list too, and a list that misses what edict
 * has just published again, while it corrects many, is rejected.
 */
async function confirmUnpublished(
  { observation, desired }: ObservationInput,
  { settled, previous }: { readonly settled: readonly RecordedPublication[]; readonly previous: ListedCounts | null },
  { gateway, signal, clock }: ConfirmDeps,
): Promise<ObservationFailed | null> {
  const missing = settled.filter(({ apiId, environmentId }) => observation.get(apiId)?.publications.has(environmentId) === false);
  const allLost = missing.filter(({ state }) => state === 'online');
  for (const lost of sample(allLost)) {
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

/** Returns whether a publication is published for the first time unless it is found online. */
function wouldBeNew({ key, state }: DesiredPublication, recorded: RecordedState): boolean {
  return state === 'online' && !recorded.has(key);
}

/** Returns how much a list shows. */
export function countListed(observation: Observation): ListedCounts {
  let publications = 0;
  for (const api of observation.values()) publications += api.publications.size;
  return { apis: observation.size, publications };
}

/**
 * Reads the effective version of pinned publications where it is not known, because the list of APIs does not contain it. A version that cannot
 * be read is no drift: a publication that is recorded with a version keeps it if the read may succeed the next time.
 */
export async function readPinnedVersions(
  { observation, desired, recorded }: Pick<ObservationInput, 'observation' | 'desired' | 'recorded'>,
  { gateway, signal }: Pick<ConfirmDeps, 'gateway' | 'signal'>,
): Promise<Omit<ConfirmedObservation, 'deletedApiIds'> | ObservationFailed> {
  const result = new Map(observation);
  const unconfirmed = new Set<PublicationKey>();
  const unreadVersions: UnreadVersion[] = [];
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
    const read = readCount > maxVersionReads ? null : await gateway.listVersions(pinned, signal);
    if (read && read.kind !== 'read' && read.kind !== 'rejected') return readFailed(read);
    const effective = read?.kind === 'read' ? read.value.find(({ isEffective }) => isEffective) : undefined;
    if (effective) {
      result.set(apiId, withVersion(api, environmentId, effective.versionId));
      continue;
    }
    unreadVersions.push({ key, version, ...unreadBecause(read) });
    if (read?.kind !== 'rejected' && recordedPublication?.state === 'online' && recordedPublication.versionId !== null)
      unconfirmed.add(key);
  }
  return { kind: 'closer', observation: result, unconfirmed, unreadVersions };
}

/** Returns why the effective version of a publication is not known. `read`: the answer, which names none; `null`: nobody has asked. */
function unreadBecause(read: ReadResult<readonly ListedVersion[]> | null): Unobserved {
  if (read?.kind === 'rejected')
    return {
      reason: `${read.failure.code} ${read.failure.message}`,
      remedy: 'grant the permission to list the versions of the API',
    };
  const reason = read === null ? `only ${maxVersionReads} versions are read at a time` : 'the gateway lists none as effective';
  return { reason, remedy: 'observe the gateway again with --refresh' };
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
