import type { GatewayReader } from '../../gateway/interface.ts';
import { maxTimerMs } from '../../model/clock.ts';
import type { DesiredPublication, DesiredState } from '../../model/desired-state.ts';
import { ObservationFailedError } from '../../model/errors.ts';
import { listPageSize, type RateLimit } from '../../model/gateway.ts';
import { type NameResolution, nameResolver } from '../../model/name-ref.ts';
import {
  type DriftNotice,
  type LastObservation,
  maxListedUnmanaged,
  type Observation,
  type ObservedApi,
  type UnmanagedPublication,
} from '../../model/observation.ts';
import { type PublicationKey, pickNames, publicationKey } from '../../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../../model/recorded-state.ts';
import { applyObservation, type ObservationInput } from '../../plan/drift.ts';
import { formatDurationMs } from '../../render/format.ts';
import {
  type ConfirmDeps,
  confirmObservation,
  countListed,
  listFailed,
  type ObservationFailed,
  observationFailed,
  readFailed,
  readPinnedVersions,
} from './confirmation.ts';
import { type EarlierDeps, readEarlierPublications, unknownBefore } from './earlier-publications.ts';

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

export interface ObserveDeps extends ConfirmDeps, EarlierDeps {
  readonly gateway: GatewayReader;
  /** Whether the gateway is an emulated one, where nothing was published before; default: it is not. */
  readonly isEmulated?: boolean;
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
  const lookups = Math.min(new Set([...desired.publications.values()].map(({ apiId }) => apiId)).size, deps.maxLookups ?? Infinity);
  const { signal, timeLimitMs = observationTimeLimitMs(desired.gateway.limit, lookups) } = deps;
  const timeout = AbortSignal.timeout(timeLimitMs);
  const observation = await observeWithin(desired, { ...deps, signal: AbortSignal.any([signal, timeout]) });
  const isTimedOut = observation.kind === 'failed' && timeout.aborted && !signal.aborted;
  return isTimedOut ? observationFailed(`it was not read within ${formatDurationMs(timeLimitMs)}`) : observation;
}

/** The time limit of an observation, in milliseconds, in addition to the time that the rate limit needs. */
const baseTimeLimitMs = 5 * 60_000;

/** The most requests that reading a gateway takes: 200 pages of the longest list, two of them again, and the single reads. */
const maxReads = 500;

/** How long the answer to each look at the versions of an API may take, in milliseconds. */
const lookupTimeMs = 1000;

/**
 * Returns how long reading a whole gateway, with the versions of `lookups` APIs, may take, in whole milliseconds: a pipeline must not wait for a
 * gateway that answers ever more slowly.
 */
export function observationTimeLimitMs({ calls, perMs }: Pick<RateLimit, 'calls' | 'perMs'>, lookups = 0): number {
  return Math.min(maxTimerMs, baseTimeLimitMs + Math.ceil(((maxReads + lookups) * perMs) / calls) + lookups * lookupTimeMs);
}

async function observeWithin(desired: DesiredState, deps: ObserveDeps): Promise<GatewayObservation> {
  const { gateway, record, clock, signal, steadyMs = Number.POSITIVE_INFINITY } = deps;
  const { propagationDelayMs } = desired.gateway;
  const startedAtMs = clock.now();
  const read = await gateway.listApis(signal);
  if (read.kind !== 'read') return listFailed(read);
  const isSettled = ({ changedAtMs, unknownAttempt }: RecordedPublication): boolean =>
    unknownAttempt !== null ||
    changedAtMs === null ||
    changedAtMs <= startedAtMs - propagationDelayMs ||
    // Before the clock was set back: nothing but the time since then tells how old it is.
    (changedAtMs > clock.now() + maxClockSkewMs && steadyMs >= propagationDelayMs);
  const previous = await record.lastObservation(desired.gateway);
  const lookedBefore = lookedUpBefore(previous);
  const isFirst = lookedBefore !== null;
  const confirmed = await confirmObservation(
    { observation: read.value, desired, recorded: await record.readRecordedState(desired.gateway), isFirst },
    isSettled,
    deps,
  );
  if (confirmed.kind === 'failed') return confirmed;
  const looked = await lookUpEarlier({ desired, observation: confirmed.observation, lookedBefore }, confirmed.deletedApiIds, deps);
  if (looked.kind === 'failed') return looked;
  // Read again, because edict may have changed something meanwhile. The result of an attempt that begins after this is not overwritten.
  const newestAttemptId = await record.newestAttemptId(desired.gateway);
  const recorded = await record.readRecordedState(desired.gateway);
  const isObservable = (key: PublicationKey): boolean => {
    const recordedPublication = recorded.get(key);
    return !confirmed.unconfirmed.has(key) && (recordedPublication === undefined || isSettled(recordedPublication));
  };
  const { declared } = await record.previousState(desired.gateway, startedAtMs);
  const settled = new Map([...recorded].filter(([key]) => isObservable(key)));
  const observable = { ...desired, publications: new Map([...desired.publications].filter(([key]) => isObservable(key))) };
  const { updates, notices } = applyObservation(
    {
      ...{ desired: observable, recorded: settled, observation: looked.observation, isFirst },
      isApplied: (key) => declared.has(key),
      unreadBefore: new Map(previous?.unreadVersions.map(({ key, version }) => [key, version])),
    },
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
    notices: [...deleted, ...notices.filter(({ key }) => !deletedKeys.has(key)), ...looked.notices],
    listed: {
      ...countListed(read.value),
      observedAtMs: startedAtMs,
      unmanaged: listUnmanaged(desired, read.value),
      missingApiIds: [...confirmed.deletedApiIds],
      unreadVersions: confirmed.unreadVersions,
      lookedUp: looked.lookedUp,
    },
    apiCount: read.value.size,
    isComplete: true,
    newestAttemptId,
  };
}

/**
 * Returns what first contact has looked up until now; `null` if it is over. It begins when there is no record of what was online: the gateway
 * was never observed, or a recorded state was deleted since.
 */
function lookedUpBefore(previous: LastObservation | null): LastObservation['lookedUp'] {
  return (previous?.observedAtMs ?? 0) <= 0 ? new Set() : (previous?.lookedUp ?? null);
}

interface Lookup {
  readonly kind: 'looked';
  readonly observation: Observation;
  readonly notices: readonly DriftNotice[];
  readonly lookedUp: LastObservation['lookedUp'];
}

/** Reads whether what would be published as new was published before, with notices of what was not read. */
async function lookUpEarlier(
  {
    desired,
    observation,
    lookedBefore,
  }: Pick<ObservationInput, 'desired' | 'observation'> & { readonly lookedBefore: LastObservation['lookedUp'] },
  deletedApiIds: ReadonlySet<string>,
  deps: ObserveDeps,
): Promise<Lookup | ObservationFailed> {
  if (deps.isEmulated) return { kind: 'looked', observation, notices: [], lookedUp: null };
  const recorded = await deps.record.readRecordedState(desired.gateway);
  const ofAll = unknownBefore({ observation, desired, recorded, lookedUp: lookedBefore });
  const unknown = ofAll.filter(({ apiId }) => !deletedApiIds.has(apiId));
  if (unknown.length === 0) return { kind: 'looked', observation, notices: [], lookedUp: lookedBefore };
  const looked = await readEarlierPublications(unknown, { observation, concurrency: desired.gateway.limit.concurrency }, deps);
  if ('kind' in looked) return looked;
  const unread = unknown.filter(({ key, apiId }) => looked.get(apiId)?.earlier === undefined && !recorded.has(key));
  const notices = unread.map((publication): DriftNotice => {
    const nothing = { previousState: null, previousSinceMs: null, untilMs: null, replacementId: null } as const;
    return { key: publication.key, ...pickNames(publication), kind: 'unread', currentState: 'offline', ...nothing };
  });
  // What a preview leaves out counts as well: whoever makes the calls reads it before them.
  const never = unknown.filter(({ apiId, environmentId }) => (looked.get(apiId)?.earlier?.get(environmentId)?.kind ?? 'never') === 'never');
  const lookedUp = lookedBefore && new Set([...lookedBefore, ...never.map(({ key }) => key)]);
  return { kind: 'looked', observation: looked, notices, lookedUp };
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
  const missingApiIds: string[] = [];
  for (const apiId of apiIds) {
    const read = await gateway.getApi(apiId, signal);
    // The list may be allowed where this read is not.
    if (read.kind === 'rejected') return observeGateway(desired, deps);
    if (read.kind !== 'read') return readFailed(read);
    if (read.value) observation.set(apiId, read.value);
    else missingApiIds.push(apiId);
  }
  const newestAttemptId = await record.newestAttemptId(desired.gateway);
  const recorded = await record.readRecordedState(desired.gateway);
  const publications = new Map(unseen.flatMap((publication) => (recorded.has(publication.key) ? [] : [[publication.key, publication]])));
  const lookedBefore = lookedUpBefore(listed);
  const input = { desired: { ...desired, publications }, recorded: new Map(), observation, isFirst: lookedBefore !== null };
  const pinned = await readPinnedVersions(input, deps);
  if (pinned.kind === 'failed') return pinned;
  const looked = await lookUpEarlier({ ...input, observation: pinned.observation, lookedBefore }, new Set(), deps);
  if (looked.kind === 'failed') return looked;
  const { updates, notices } = applyObservation({ ...input, observation: looked.observation }, clock.now());
  const result = new Map(recorded);
  for (const next of updates) result.set(next.key, next);
  const unreadVersions = [...listed.unreadVersions.filter(({ key }) => !publications.has(key)), ...pinned.unreadVersions];
  return {
    ...{ kind: 'observed', recorded: result, updates, notices: [...notices, ...looked.notices] },
    listed: {
      ...listed,
      unreadVersions,
      lookedUp: looked.lookedUp,
      missingApiIds: [...new Set([...listed.missingApiIds.filter((id) => !observation.has(id)), ...missingApiIds])],
    },
    ...{ apiCount: observation.size, isComplete: false, newestAttemptId },
  };
}

/**
 * Returns the error for a plan that needs an observation which failed. `isOnlyRequested`: only `--refresh` asked for it; otherwise the plan
 * needs it at first contact, or the file asks for it.
 */
export function planObservationError(
  { reason, hint }: ObservationFailed,
  { isOnlyRequested }: { readonly isOnlyRequested: boolean },
): ObservationFailedError {
  const message = `the gateway cannot be observed: ${reason}`;
  if (hint !== null) return new ObservationFailedError(message, { hint });
  const remedy = isOnlyRequested
    ? 'without --refresh the plan starts from the record alone'
    : 'with --no-refresh what may be online already is held for approval';
  return new ObservationFailedError(message, { hint: `nothing was sent; ${remedy}` });
}

/** Returns notices of declared APIs that were deleted, with the ID of a replacement that has the name used in the file. */
function deletedApiNotices({ desired, recorded, observation: listed }: ObservationInput, deleted: ReadonlySet<string>): DriftNotice[] {
  const affected = deleted.size === 0 ? [] : [...desired.publications.values()].filter(({ apiId }) => deleted.has(apiId));
  if (affected.length === 0) return [];
  const resolve = nameResolver([...listed.values()].map(({ apiId: id, name, groupId, group }) => ({ id, name, groupId, group })));
  return affected.map((declared) => {
    const { key, nameRef } = declared;
    const recordedPublication = recorded.get(key);
    const previousCount = { previousState: recordedPublication?.state ?? null, previousSinceMs: recordedPublication?.recordedAtMs ?? null };
    return {
      key,
      ...pickNames(declared),
      kind: 'apiDeleted',
      ...previousCount,
      currentState: 'offline',
      untilMs: null,
      replacementId: nameRef && firstId(resolve(nameRef)),
    };
  });
}

function firstId(resolution: NameResolution): string | null {
  return resolution.kind === 'one' ? resolution.id : resolution.kind === 'several' ? (resolution.candidates[0]?.id ?? null) : null;
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
