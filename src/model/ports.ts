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

/** Time as a dependency. */
export interface Clock {
  /** Milliseconds since 1970, for people and the record. It jumps when somebody sets the machine's clock. */
  now(): number;
  /** Milliseconds that have passed since some instant; it never jumps, and so measures all waiting. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds, or as soon as `signal` is aborted. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What came of a read: its value, or why there is none. */
export type ReadResult<T> = { readonly kind: 'read'; readonly value: T } | ReadFailure;
export interface ReadFailure {
  readonly kind: FailureKind;
  readonly failure: Failure;
}

/**
 * Resolves when one more request may leave, to what is to be told how it ended. Asked before every request: also the second
 * one of an attempt, a read, and a call to the identity service.
 */
export type AcquireRequestSlot = (signal: AbortSignal) => Promise<(end: RequestResult) => void>;

/** How a request ended, as far as the requests after it are concerned. */
export interface RequestResult {
  /** `unsent`: nothing left. `lost`: there was no answer. `throttled`: the answer asks for fewer requests. */
  readonly kind: 'unsent' | 'answered' | 'throttled' | 'lost';
  /** How long the answer asks to be left alone, in milliseconds; `null` if it does not say. */
  readonly retryAfterMs: number | null;
  /** What the answer says is allowed; `null` if it does not say. */
  readonly rateLimit: RateLimit | null;
}

/** So many requests in a window of so many milliseconds. */
export interface RateLimit {
  readonly calls: number;
  readonly perMs: number;
}

/** An environment as the gateway lists it. */
export interface ListedEnvironment {
  readonly id: string;
  readonly name: string;
}

/** The gateway as a dry run sees it: there is nothing here that could change it. */
export interface GatewayReader {
  readonly identity: GatewayIdentity;
  /** Returns everything that the gateway lists, page by page. Never rejects either. */
  listApis(signal: AbortSignal): Promise<ReadResult<Observation>>;
  /** Returns one API, asked for by itself; `null` if there is none. Never rejects either. */
  getApi(apiId: string, signal: AbortSignal): Promise<ReadResult<ObservedApi | null>>;
  /** Returns the environments that there are. Never rejects either. */
  listEnvironments(signal: AbortSignal): Promise<ReadResult<readonly ListedEnvironment[]>>;
  /** Returns the versions of an API in an environment. Never rejects for an answer of the gateway or a broken connection. */
  listVersions(of: Pick<PublicationNames, 'apiId' | 'environmentId'>, signal: AbortSignal): Promise<ReadResult<readonly ListedVersion[]>>;
  /** Ends kept-alive connections. */
  close(): Promise<void>;
}

/** The gateway as `apply` sees it. */
export interface Gateway extends GatewayReader {
  /**
   * Makes the one call for `change`. Never rejects for an answer of the gateway or a broken connection: those are outcomes.
   * `signal` ends the waiting for the call's turn; a call that has left is let finish.
   */
  send(change: Change, how: SendOptions, signal: AbortSignal): Promise<Outcome>;
  /**
   * Makes one call for `changes`, which share environment, action and remark and ask for no version. Resolves to what came
   * of each, in their order; never rejects like `send`.
   */
  sendBatch(changes: readonly Change[], how: SendBatchOptions, signal: AbortSignal): Promise<SendBatchResult>;
  /** Returns whether, after an outcome `refused`, the credentials are others now. */
  hasNewCredentials(): boolean;
  /** Lets refused credentials be tried once more: a person asks for it. */
  retryCredentials(): void;
}

export interface SendOptions {
  /** What goes into the call's remark so that its version is known again; `null`: nothing. */
  readonly marker: string | null;
  /** Asked at the moment before the request leaves; if not, the outcome is `dropped`. */
  readonly isStillDesired: () => boolean;
}

export interface SendBatchOptions {
  /** As for one change: all remarks are the same. */
  readonly marker: string | null;
  /** Asked of each change at the moment before the request leaves; what is not wanted is left out of it. */
  readonly isStillDesired: (change: Change) => boolean;
}

export interface SendBatchResult {
  readonly outcomes: readonly Outcome[];
  /** Whether all of it ended in the same failure: one change alone may be why. */
  readonly isSameFailure: boolean;
}

/** Asks an API at its own address. Never rejects: that nothing answers is an answer too. `signal` ends the waiting for one. */
export type Probe = (
  target: Pick<ProbeTarget, 'url' | 'expectedStatus' | 'timeoutMs'>,
  signal: AbortSignal,
) => Promise<Pick<ProbeResult, 'isExpected' | 'message'>>;

/** An attempt as the history shows it. Times are milliseconds since 1970. */
export interface Attempt extends PublicationNames {
  readonly id: number;
  /** Joins the attempts of one pass. */
  readonly reconcileId: string;
  readonly action: Action;
  readonly reason: ChangeReason;
  readonly revision: string | null;
  /** The person's own text, without the marker. */
  readonly remark: string | null;
  /** What the call's remark carries so that its version is known again; `null`: nothing. */
  readonly marker: string | null;
  /** The kept version that it asks for; `null`: it asks for a new one, or for none. */
  readonly requestedVersionId: string | null;
  readonly startedAtMs: number;
  /** `null` while the attempt has no known outcome. */
  readonly finishedAtMs: number | null;
  /** `null` while the attempt is in flight, or was when its process ended. */
  readonly outcome: Outcome['kind'] | null;
  readonly code: string | null;
  readonly status: number | null;
  readonly message: string | null;
  readonly requestId: string | null;
  readonly versionId: string | null;
  readonly publishId: string | null;
  /** The commit of the file that asked for it; `null` if that is not known, or was not committed. */
  readonly commitId: string | null;
  /** Who has agreed to it, and why; `null` if it needed no agreement. */
  readonly approval: { readonly by: string; readonly reason: string } | null;
  /** What was recorded when it began; `null` if that is not known, since an older edict made it. */
  readonly priorState: PriorState | null;
}

/** One attempt, every attempt of the passes whose ID begins so, or those of the last pass that changed something. */
export type AttemptSelector = { readonly attempt: number } | { readonly reconcile: string } | 'last';

export interface HistoryFilter {
  /** Names or IDs of APIs; without them all. */
  readonly apis?: readonly string[];
  /** Names or IDs of environments; without them all. */
  readonly environments?: readonly string[];
  /** At most so many attempts, newest first. */
  readonly limit: number;
}

/** What is written of an attempt before its request leaves. */
export interface NewAttempt {
  readonly reconcileId: string;
  readonly marker: string | null;
  /** The commit of the file that asks for it; `null` if it is not known, or not committed. */
  readonly commitId: string | null;
  readonly startedAtMs: number;
}

/** How a process is getting on with its gateway. */
export interface ControllerStatus {
  readonly updatedAtMs: number;
  readonly pid: number;
  /** The requests in a window of `perMs` that edict allows itself now: the file's limit, or less while the gateway asks for it. */
  readonly calls: number;
  readonly perMs: number;
  /** Why no call is made at present; `null` if calls are made. */
  readonly paused: RequestPause | null;
  /** Probes that were not answered as expected, some of them if they are many; left out: none. */
  readonly failedProbes?: readonly ProbeResult[];
}

/**
 * Why no call is made: the gateway asked for a `pause`, it cannot be reached (`outage`), or it does not take the
 * `credentials`.
 */
export interface RequestPause {
  readonly reason: 'pause' | 'outage' | 'credentials';
  readonly message: string;
  readonly sinceMs: number;
}

/** What a command that only looks may ask of the store. */
export interface StoreReader {
  /** Returns the record of every publication of the gateway. */
  readRecordedState(gateway: GatewayIdentity): Promise<RecordedState>;
  /** Returns attempts on the gateway, newest first. */
  history(gateway: GatewayIdentity, filter: HistoryFilter): Promise<Attempt[]>;
  /** Returns how the process that works on the gateway is getting on, as it last said; `null` if none does. */
  status(gateway: GatewayIdentity): Promise<ControllerStatus | null>;
  /** Returns the `wantedDigest` of what was acted on so far, the latest last. */
  appliedDigests(gateway: GatewayIdentity): Promise<readonly string[]>;
  /** Returns which edict works on the gateway now, in words such as `host, pid 12`; `null` if none does, as far as can be told from here. */
  leaseHolder(gateway: GatewayIdentity): Promise<string | null>;
  /** Returns a text that is another one after each time that somebody asked its holder for a pass; `null`: nobody ever has. */
  reconcileRequest(gateway: GatewayIdentity): Promise<string | null>;
  /** Returns how many APIs the gateway listed when it was last believed; `null` if it was never asked. */
  listedApiCount(gateway: GatewayIdentity): Promise<number | null>;
  /** Returns the newest attempt of each publication of the gateway. */
  lastAttempts(gateway: GatewayIdentity): Promise<ReadonlyMap<PublicationKey, Attempt>>;
  /** Returns the attempts that a person names, oldest first; those of several passes if the begin of an ID fits several. */
  findAttempts(gateway: GatewayIdentity, which: AttemptSelector): Promise<readonly Attempt[]>;
  /** Returns the attempts after `attemptId` that succeeded, oldest first. */
  succeededAfter(gateway: GatewayIdentity, attemptId: number): Promise<readonly Attempt[]>;
  /** Returns what is known of the files before and of approvals that have not expired at `nowMs`. */
  previousState(gateway: GatewayIdentity, nowMs: number): Promise<PreviousState>;
  /** Returns every approval, newest first. */
  approvals(gateway: GatewayIdentity): Promise<readonly Approval[]>;
  /** Returns the IDs that names of the file were found to mean. */
  resolvedNames(gateway: GatewayIdentity): Promise<ReadonlyMap<NameKey, string>>;
  close(): Promise<void>;
}

/** The right to call one gateway: one edict has it at a time. */
export interface Lease {
  /** Greater than that of whoever had it before; every attempt records it. */
  readonly fence: number;
  /** Aborted when it is not this edict's any more, or, with the reason `shared`, must be given back for one that has fewer. */
  readonly signal: AbortSignal;
  /** Returns whether a request may leave now: no other edict can have the lease yet. */
  isHeld(): boolean;
}

/** What `Store.enter` resolves to. */
export interface AcquiredLease {
  readonly lease: Lease;
  /** How long nobody can have called the gateway, in milliseconds: 0 if the one before was killed, so that it may have called until just now. */
  readonly idleMs: number;
}

/** The record, and what it takes to write it: what is about a gateway's work is written under its lease alone. */
export interface Store extends StoreReader {
  /**
   * Takes the lease of the gateway, and notes that what an earlier edict left without an outcome is over at `atMs`. Rejects with
   * an EdictError `LEASE_HELD` while another edict has it, or if this one `shares` and is to leave it to one that has fewer.
   */
  acquire(gateway: GatewayIdentity, atMs: number, shares?: boolean): Promise<AcquiredLease>;
  /** Notes a person's word that no call is to be made for the time being; `null` takes it back. */
  saveSuspension(gateway: GatewayIdentity, suspension: Suspension | null): Promise<void>;
  /** Notes that this process calls the gateway no more, and gives the lease back. */
  release(gateway: GatewayIdentity, atMs: number): Promise<void>;
  /** Writes what a look at the gateway has changed in the record, and how many APIs it listed. */
  saveObservation(gateway: GatewayIdentity, updates: readonly RecordedPublication[], listed: number): Promise<void>;
  /** Notes what a file declares that is acted on, each with its `home`, its `wantedDigest`, and by whose approval if it was suspicious. */
  saveDeclared(
    gateway: GatewayIdentity,
    homes: ReadonlyMap<PublicationKey, string>,
    acted: string,
    approvalId: number | null,
  ): Promise<void>;
  /** Deletes the recorded state of a publication; its attempts stay in the history. */
  deleteRecord(gateway: GatewayIdentity, key: PublicationKey, atMs: number): Promise<void>;
  /** Deletes a few attempts that began before `beforeMs` and that nothing rests on; resolves to how many, 0 if there are none left. */
  pruneHistory(gateway: GatewayIdentity, beforeMs: number): Promise<number>;
  /** Makes `names` all that is remembered of names and their IDs. */
  saveNames(gateway: GatewayIdentity, names: ReadonlyMap<NameKey, string>): Promise<void>;
  /** Notes how this process is getting on, for `condition`. */
  saveStatus(gateway: GatewayIdentity, condition: ControllerStatus): Promise<void>;
  /** Returns the record of one publication, as it is now. */
  readPublication(gateway: GatewayIdentity, key: PublicationKey): Promise<RecordedPublication | undefined>;
  /** Resolves to the attempt's id once "outcome unknown" is durable. Only then may the request leave. */
  beginAttempt(gateway: GatewayIdentity, change: Change, attempt: NewAttempt): Promise<number>;
  /**
   * Resolves once the outcome and the publication's next record (`undefined`: none) are durable. An attempt that was settled
   * as `unknown` may be settled once more; what its answer said then stays in the history.
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

/** Where the desired state comes from. */
export interface DesiredSource {
  /** Reads the whole file. Throws an InvalidFileError if it breaks its format, an EdictError `FILE_NOT_FOUND` if it is not there. */
  load(): Promise<DesiredState>;
  /** Calls `hint` whenever the file may have changed: late, doubled or for nothing, but never with data. */
  watch(hint: () => void): Promise<{ close(): Promise<void> }>;
}
