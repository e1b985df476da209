// The interfaces by which the folders beside each other meet: clock, gateway, store and source. An adapter implements them;
// `app` joins the two sides.

import type { Approval, PreviousState } from './approval.ts';
import type { Change, ChangeReason } from './change.ts';
import type { ProbeResult, ProbeTarget } from './deferral.ts';
import type { NameKey } from './name-ref.ts';
import type { ListedVersion, Observation, ObservedApi } from './observation.ts';
import type { Failure, FailureKind, Outcome } from './outcome.ts';
import type {
  Action,
  DesiredState,
  GatewayIdentity,
  PriorState,
  PublicationKey,
  PublicationNames,
  RecordedPublication,
  RecordedState,
  Suspension,
} from './publication.ts';

/** Time as a dependency, so that tests control it. */
export interface Clock {
  /** Milliseconds since 1970, for display and storage. Jumps when the system clock is set. */
  now(): number;
  /** Milliseconds since an arbitrary instant. Never jumps, so it measures every delay. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds, or as soon as `signal` is aborted. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The result of a read: its value, or why it failed. */
export type ReadResult<T> = { readonly kind: 'read'; readonly value: T } | ReadFailure;
export interface ReadFailure {
  readonly kind: FailureKind;
  readonly failure: Failure;
}

/**
 * Resolves when one more request may be sent, to a callback that must receive the request's result. Required before every
 * request: also the second request of an attempt, a read, and a call to the identity service.
 */
export type AcquireRequestSlot = (signal: AbortSignal) => Promise<(end: RequestResult) => void>;

/** The result of a request, as far as it affects the requests after it. */
export interface RequestResult {
  /** `unsent`: it was not sent. `lost`: there was no response. `throttled`: the response asks for fewer requests. */
  readonly kind: 'unsent' | 'answered' | 'throttled' | 'lost';
  /** The response's Retry-After, in milliseconds; `null` if it has none. */
  readonly retryAfterMs: number | null;
  /** The rate limit that the response reports; `null` if it reports none. */
  readonly rateLimit: RateLimit | null;
}

/** At most `calls` requests in any window of `perMs` milliseconds. */
export interface RateLimit {
  readonly calls: number;
  readonly perMs: number;
}

/** An environment as the gateway lists it. */
export interface ListedEnvironment {
  readonly id: string;
  readonly name: string;
}

/** Read-only access to the gateway, for dry runs. No method changes anything. */
export interface GatewayReader {
  readonly identity: GatewayIdentity;
  /** Returns every API that the gateway lists, page by page. Never rejects; failures are results. */
  listApis(signal: AbortSignal): Promise<ReadResult<Observation>>;
  /** Returns one API by its ID; `null` if it does not exist. Never rejects; failures are results. */
  getApi(apiId: string, signal: AbortSignal): Promise<ReadResult<ObservedApi | null>>;
  /** Returns the gateway's environments. Never rejects; failures are results. */
  listEnvironments(signal: AbortSignal): Promise<ReadResult<readonly ListedEnvironment[]>>;
  /** Returns the versions of an API in an environment. Never rejects for a response of the gateway or a broken connection. */
  listVersions(
    publication: Pick<PublicationNames, 'apiId' | 'environmentId'>,
    signal: AbortSignal,
  ): Promise<ReadResult<readonly ListedVersion[]>>;
  /** Closes kept-alive connections. */
  close(): Promise<void>;
}

/** The gateway with the calls that change it. */
export interface Gateway extends GatewayReader {
  /**
   * Makes the one call for `change`. Never rejects for a response of the gateway or a broken connection: those are outcomes.
   * `signal` cancels waiting for the rate limiter; a call that was sent is allowed to finish.
   */
  send(change: Change, options: SendOptions, signal: AbortSignal): Promise<Outcome>;
  /**
   * Makes one call for `changes`, which share environment, action and remark and switch to no version. Resolves to one outcome
   * for each, in their order; like `send`, never rejects.
   */
  sendBatch(changes: readonly Change[], options: SendBatchOptions, signal: AbortSignal): Promise<SendBatchResult>;
  /** Returns whether the credentials have changed since the outcome `unauthorized`. */
  hasNewCredentials(): boolean;
  /** Allows rejected credentials to be tried once more, at a user's request. */
  retryCredentials(): void;
}

export interface SendOptions {
  /** The marker in the call's remark that identifies its version; `null`: none. */
  readonly marker: string | null;
  /** Called immediately before the request is sent; if it returns false, the outcome is `superseded`. */
  readonly isStillDesired: () => boolean;
}

export interface SendBatchOptions {
  /** As for one change: all share the same remark. */
  readonly marker: string | null;
  /** Called for each change immediately before the request is sent; a change that is no longer desired is left out of it. */
  readonly isStillDesired: (change: Change) => boolean;
}

export interface SendBatchResult {
  readonly outcomes: readonly Outcome[];
  /** Whether all changes failed in the same way. A single change may be the cause. */
  readonly isSameFailure: boolean;
}

/** Probes an API at its own URL. Never rejects: no response is a result too. `signal` cancels waiting for a response. */
export type Probe = (
  target: Pick<ProbeTarget, 'url' | 'expectedStatus' | 'timeoutMs'>,
  signal: AbortSignal,
) => Promise<Pick<ProbeResult, 'isExpected' | 'message'>>;

/** An attempt in the history. Times are milliseconds since 1970. */
export interface Attempt extends PublicationNames {
  readonly id: number;
  /** Joins the attempts of one reconciliation. */
  readonly reconcileId: string;
  readonly action: Action;
  readonly reason: ChangeReason;
  readonly revision: string | null;
  /** The user's text, without the marker. */
  readonly remark: string | null;
  /** The marker in the call's remark that identifies its version; `null`: none. */
  readonly marker: string | null;
  /** The existing version that it switches to; `null`: it publishes a new one, or takes the API offline. */
  readonly requestedVersionId: string | null;
  readonly startedAtMs: number;
  /** `null` while the attempt has no known outcome. */
  readonly finishedAtMs: number | null;
  /** `null` while the attempt is in flight, or if its process ended during it. */
  readonly outcome: Outcome['kind'] | null;
  readonly code: string | null;
  readonly status: number | null;
  readonly message: string | null;
  readonly requestId: string | null;
  readonly versionId: string | null;
  readonly publishId: string | null;
  /** The commit of the file that declared it; `null` if unknown or not committed. */
  readonly commitId: string | null;
  /** Who approved it, and why; `null` if it needed no approval. */
  readonly approval: { readonly by: string; readonly reason: string } | null;
  /** The recorded state when it started. */
  readonly priorState: PriorState;
}

/**
 * Selects one attempt, all attempts of the reconciliations whose ID has this prefix, or those of the last reconciliation that
 * changed something.
 */
export type AttemptSelector = { readonly attempt: number } | { readonly reconcile: string } | 'last';

export interface HistoryFilter {
  /** Names or IDs of APIs; omitted: all. */
  readonly apis?: readonly string[];
  /** Names or IDs of environments; omitted: all. */
  readonly environments?: readonly string[];
  /** Maximum number of attempts, newest first. */
  readonly limit: number;
}

/** The fields of an attempt that are written before its request is sent. */
export interface NewAttempt {
  readonly reconcileId: string;
  readonly marker: string | null;
  /** The commit of the file that declares it; `null` if unknown or not committed. */
  readonly commitId: string | null;
  readonly startedAtMs: number;
}

/** The status of the process that works on a gateway. */
export interface ControllerStatus {
  readonly updatedAtMs: number;
  readonly pid: number;
  /** The current rate limit, in requests per `perMs`: the file's limit, or less while the gateway throttles. */
  readonly calls: number;
  readonly perMs: number;
  /** Why requests are paused; `null` if they are not. */
  readonly paused: RequestPause | null;
  /** Failed probes, truncated if there are many; omitted if there are none. */
  readonly failedProbes?: readonly ProbeResult[];
}

/** Why requests are paused: the gateway asked for a `pause`, cannot be reached (`outage`), or rejects the `credentials`. */
export interface RequestPause {
  readonly reason: 'pause' | 'outage' | 'credentials';
  readonly message: string;
  readonly sinceMs: number;
}

/** Read-only access to the store, for commands that change nothing. */
export interface StoreReader {
  /** Returns the recorded state of the gateway's publications. */
  readRecordedState(gateway: GatewayIdentity): Promise<RecordedState>;
  /** Returns attempts on the gateway, newest first. */
  history(gateway: GatewayIdentity, filter: HistoryFilter): Promise<Attempt[]>;
  /** Returns the last status that the process working on the gateway wrote; `null` if none works on it. */
  status(gateway: GatewayIdentity): Promise<ControllerStatus | null>;
  /** Returns the `desiredDigest` of each desired state that was applied, the latest last. */
  appliedDigests(gateway: GatewayIdentity): Promise<readonly string[]>;
  /** Returns the holder of the gateway's lease, such as `host, pid 12`; `null` if there is none, as far as this host can tell. */
  leaseHolder(gateway: GatewayIdentity): Promise<string | null>;
  /** Returns a token that changes with each reconcile request to the lease holder; `null` if there never was a request. */
  reconcileRequest(gateway: GatewayIdentity): Promise<string | null>;
  /** Returns how many APIs the last accepted observation listed; `null` if the gateway was never observed. */
  listedApiCount(gateway: GatewayIdentity): Promise<number | null>;
  /** Returns the newest attempt of each publication of the gateway. */
  lastAttempts(gateway: GatewayIdentity): Promise<ReadonlyMap<PublicationKey, Attempt>>;
  /** Returns the selected attempts, oldest first. They come from several reconciliations if an ID prefix is ambiguous. */
  findAttempts(gateway: GatewayIdentity, selector: AttemptSelector): Promise<readonly Attempt[]>;
  /** Returns the attempts after `attemptId` that succeeded, oldest first. */
  succeededAfter(gateway: GatewayIdentity, attemptId: number): Promise<readonly Attempt[]>;
  /** Returns what the store knows of earlier files, and the approvals that have not expired at `nowMs`. */
  previousState(gateway: GatewayIdentity, nowMs: number): Promise<PreviousState>;
  /** Returns every approval, newest first. */
  approvals(gateway: GatewayIdentity): Promise<readonly Approval[]>;
  /** Returns the IDs to which names in the file were resolved. */
  resolvedNames(gateway: GatewayIdentity): Promise<ReadonlyMap<NameKey, string>>;
  close(): Promise<void>;
}

/** The exclusive right to call one gateway. One edict process holds it at a time. */
export interface Lease {
  /** Grows with each owner. Every attempt records it. */
  readonly fence: number;
  /** Aborted when the lease is lost, or, with the reason `shared`, must be given up to a process that holds fewer. */
  readonly signal: AbortSignal;
  /** Returns whether a request may be sent now: no other process can hold the lease yet. */
  isHeld(): boolean;
}

/** The result of `Store.acquire`. */
export interface AcquiredLease {
  readonly lease: Lease;
  /**
   * How long the gateway has certainly received no call from edict, in milliseconds; 0 if the previous owner was killed, since
   * it may have sent a call until just now.
   */
  readonly idleMs: number;
}

/** The store with its writes. Data about work on a gateway is written only while its lease is held. */
export interface Store extends StoreReader {
  /**
   * Acquires the gateway's lease and marks attempts without an outcome of earlier processes as ended at `atMs`. Rejects with
   * an EdictError `LEASE_HELD` while another process holds it, or if this process `shares` leases and must leave it to one
   * that holds fewer.
   */
  acquire(gateway: GatewayIdentity, atMs: number, shares?: boolean): Promise<AcquiredLease>;
  /** Saves a suspension set with a command; `null` removes it. */
  saveSuspension(gateway: GatewayIdentity, suspension: Suspension | null): Promise<void>;
  /** Records that this process has stopped calling the gateway, and releases the lease. */
  release(gateway: GatewayIdentity, atMs: number): Promise<void>;
  /** Saves the changes that an observation made to the recorded state, and how many APIs it listed. */
  saveObservation(gateway: GatewayIdentity, updates: readonly RecordedPublication[], listedApiCount: number): Promise<void>;
  /**
   * Saves the declared publications of a file that is being applied, each with its `sourceFile`, its `desiredDigest`, and the
   * approval that released the file if it was held.
   */
  saveDeclared(
    gateway: GatewayIdentity,
    sourceFiles: ReadonlyMap<PublicationKey, string>,
    digest: string,
    approvalId: number | null,
  ): Promise<void>;
  /** Deletes the recorded state of a publication; its attempts stay in the history. */
  deleteRecord(gateway: GatewayIdentity, key: PublicationKey, atMs: number): Promise<void>;
  /**
   * Deletes a batch of attempts that started before `beforeMs` and that nothing refers to. Resolves to how many were deleted;
   * 0 if none are left.
   */
  pruneHistory(gateway: GatewayIdentity, beforeMs: number): Promise<number>;
  /** Replaces all saved name resolutions by `names`. */
  saveNames(gateway: GatewayIdentity, names: ReadonlyMap<NameKey, string>): Promise<void>;
  /** Saves the status of this process, which `status` returns. */
  saveStatus(gateway: GatewayIdentity, status: ControllerStatus): Promise<void>;
  /** Returns the current recorded state of one publication. */
  readPublication(gateway: GatewayIdentity, key: PublicationKey): Promise<RecordedPublication | undefined>;
  /** Resolves to the attempt's ID once "outcome unknown" is durable. The request may be sent only after that. */
  beginAttempt(gateway: GatewayIdentity, change: Change, attempt: NewAttempt): Promise<number>;
  /**
   * Resolves once the outcome and the publication's next recorded state (`undefined`: none) are durable. An attempt that ended
   * as `unknown` may be finished a second time; the details of its response then stay in the history.
   */
  finishAttempt(
    gateway: GatewayIdentity,
    key: PublicationKey,
    attemptId: number,
    outcome: Outcome,
    next: RecordedPublication | undefined,
    atMs: number,
  ): Promise<void>;
}

/** The source of the desired state. */
export interface DesiredSource {
  /**
   * Reads the whole file. Throws an InvalidFileError if it is not valid, an EdictError `FILE_NOT_FOUND` if it does not exist. `signal`
   * ends requests to the gateway that resolve names; the result of an abandoned load is of no use.
   */
  load(signal: AbortSignal): Promise<DesiredState>;
  /** Calls `hint` whenever the file may have changed. Calls may be late, duplicate or spurious, and never carry data. */
  watch(hint: () => void): Promise<{ close(): Promise<void> }>;
}
