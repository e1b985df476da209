import type { Approval, PreviousState } from '../model/approval.ts';
import type { Attempt, AttemptSelector, HistoryFilter, NewAttempt } from '../model/attempt.ts';
import type { Change } from '../model/change.ts';
import type { ControllerStatus } from '../model/controller-status.ts';
import type { Suspension } from '../model/desired-state.ts';
import type { GatewayAddress, GatewayIdentity, GatewayMove } from '../model/gateway.ts';
import type { NameKey } from '../model/name-ref.ts';
import type { LastObservation, Unobserved } from '../model/observation.ts';
import type { Outcome } from '../model/outcome.ts';
import type { PublicationKey } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';

// The interfaces between the store and the controller. This file has no code, so that neither folder loads the other.

/** Read-only access to the store, for commands that change nothing. */
export interface StoreReader {
  /** Returns the recorded state of the gateway's publications. */
  readRecordedState(gateway: GatewayIdentity): Promise<RecordedState>;
  /** Returns attempts on the gateway, newest first, read page by page. Rejects with the reason of `signal` when it is aborted in between. */
  history(gateway: GatewayIdentity, filter: HistoryFilter, signal?: AbortSignal): Promise<Attempt[]>;
  /** Returns the last status that the process working on the gateway wrote; `null` if none works on it. */
  status(gateway: GatewayIdentity): Promise<ControllerStatus | null>;
  /** Returns the `desiredDigest` of each desired state that was applied, the latest last. */
  appliedDigests(gateway: GatewayIdentity): Promise<readonly string[]>;
  /** Returns the holder of the gateway's lease, such as `host, pid 12`; `null` if there is none, as far as this host can tell. */
  leaseHolder(gateway: GatewayIdentity): Promise<string | null>;
  /** Returns a token that changes with each reconcile request to the lease holder; `null` if there never was a request. */
  reconcileRequest(gateway: GatewayIdentity): Promise<string | null>;
  /** Returns the last list of the gateway; `null` if it was never listed. */
  lastObservation(gateway: GatewayIdentity): Promise<LastObservation | null>;
  /** Resolves to why the gateway could not be observed after its last observation; `null` if no observation failed since. */
  unobserved(gateway: GatewayIdentity): Promise<Unobserved | null>;
  /** Returns the ID of the newest attempt on the gateway; 0 if there is none. */
  newestAttemptId(gateway: GatewayIdentity): Promise<number>;
  /** Returns the newest attempt of each publication of the gateway. */
  lastAttempts(gateway: GatewayIdentity): Promise<ReadonlyMap<PublicationKey, Attempt>>;
  /** Returns the selected attempts, oldest first. They come from several reconciliations if an ID prefix is ambiguous. */
  findAttempts(gateway: GatewayIdentity, selector: AttemptSelector): Promise<readonly Attempt[]>;
  /** Returns the attempts after `attemptId` that succeeded, oldest first. */
  succeededAfter(gateway: GatewayIdentity, attemptId: number): Promise<readonly Attempt[]>;
  /** Returns the last move to the gateway; `null` if there is none, or it is of another file that names the gateway with another identity service. */
  gatewayMove(gateway: GatewayIdentity & Partial<GatewayAddress>): Promise<GatewayMove | null>;
  /** Returns what the store knows of earlier files, and the approvals that have not expired at `nowMs`. */
  previousState(gateway: GatewayIdentity & Partial<GatewayAddress>, nowMs: number): Promise<PreviousState>;
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

/**
 * What has happened to a gateway in the store: `requested`: somebody asks to reconcile now, perhaps because calls were suspended or resumed;
 * `approved`: there is a new approval; `applied`: another process has applied another file; `available`: no process holds the lease and this
 * one may acquire it. The last is repeated every second as long as it holds.
 */
export type GatewayChange = 'requested' | 'approved' | 'applied' | 'available';

/** A watched gateway. Disposing it ends the watch. */
export interface GatewayWatch extends Disposable {
  /** Whether another process or file holds the lease, so that nothing is to be done before `available`. */
  readonly isWaiting: boolean;
  /** Leaves the gateway to other processes until the next `acquire`. */
  withdraw(): void;
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

/** A file that is being applied. */
export interface AppliedFile {
  /** The declared publications, each with the included file that declares it. */
  readonly sourceFiles: ReadonlyMap<PublicationKey, string>;
  /** The revisions of adopted publications that no file had declared before; default: none. */
  readonly adoptedRevisions?: ReadonlyMap<PublicationKey, string | null>;
  /** See `desiredDigest`. */
  readonly digest: string;
  /** The approval that released the file if it was held. */
  readonly approvalId: number | null;
  /** Whether first contact has looked up all that is new in it, so that it is over; default: no. */
  readonly endsFirstContact?: boolean;
}

/** An attempt that has begun. */
export interface BegunAttempt {
  readonly attemptId: number;
  /** The publication's recorded state right before it; `undefined`: none. No observation changes it until the attempt is finished. */
  readonly recorded: RecordedPublication | undefined;
}

/** The end of an attempt. */
export interface FinishedAttempt {
  readonly key: PublicationKey;
  readonly attemptId: number;
  readonly outcome: Outcome;
  /** The publication's next recorded state; `undefined`: none. */
  readonly next: RecordedPublication | undefined;
  readonly atMs: number;
}

/** The result of an observation, as it is saved. */
export interface SavedObservation {
  readonly updates: readonly RecordedPublication[];
  readonly listed: LastObservation;
  /**
   * The newest attempt when the recorded state was read for the observation. Updates of publications that have a newer attempt are dropped,
   * because the result of that attempt is more recent.
   */
  readonly newestAttemptId: number;
}

/** The result of `Store.pruneHistory`. */
export interface PrunedBatch {
  /** How many attempts were deleted. */
  readonly count: number;
  /** The ID of the last attempt in the batch, after which to continue; `null`: there are no older attempts after it. */
  readonly lastId: number | null;
}

/** The store with its writes. Data about work on a gateway is written only while its lease is held. */
export interface Store extends StoreReader {
  /**
   * Acquires the gateway's lease and marks attempts without an outcome of earlier processes as ended at `atMs`. Rejects with
   * an EdictError `LEASE_HELD` while another process holds it, or if this process `shares` leases and must leave it to one
   * that holds fewer.
   */
  acquire(gateway: GatewayIdentity, atMs: number, shares?: boolean): Promise<AcquiredLease>;
  /**
   * Calls `onChange` with what happens to the gateway after the promise has resolved, within a second, and in PostgreSQL mostly at once. Its own
   * writes may count too. A process that shares gateways must watch those that it acquires.
   */
  watch(gateway: GatewayIdentity, onChange: (change: GatewayChange) => void): Promise<GatewayWatch>;
  /** Saves a suspension set with a command; `null` removes it. */
  saveSuspension(gateway: GatewayIdentity, suspension: Suspension | null): Promise<void>;
  /** Records that this process has stopped calling the gateway, and releases the lease. */
  release(gateway: GatewayIdentity, atMs: number): Promise<void>;
  /**
   * Saves the changes that an observation made to the recorded state, and what it listed. A list that is not believed has
   * `observedAtMs: null`, which keeps the time of the last one that was.
   */
  saveObservation(gateway: GatewayIdentity, observation: SavedObservation): Promise<void>;
  /** Saves why the gateway could not be observed, until the next `saveObservation`. */
  saveUnobserved(gateway: GatewayIdentity, unobserved: Unobserved | null): Promise<void>;
  /** Saves that a followed file named the gateway `from` before; `null`: that it is new. */
  saveMove(gateway: GatewayIdentity, from: GatewayAddress | null): Promise<void>;
  /** Ends the last move to this gateway: a person has released it with the approval `approvalId`, or there was none after all (`null`). */
  endMove(gateway: GatewayIdentity, approvalId: number | null): Promise<void>;
  /** Saves that credentials may be sent to an address: a file was applied there, or the operator has named it. */
  acceptAddress(address: GatewayAddress): Promise<void>;
  /** Whether `acceptAddress` was called for this address; for `null`, for any. */
  isAcceptedAddress(address: GatewayAddress | null): Promise<boolean>;
  /** Saves the declared publications of a file that is being applied. */
  saveDeclared(gateway: GatewayIdentity, file: AppliedFile): Promise<void>;
  /**
   * Deletes the recorded state of a publication; its attempts stay in the history. The last observation counts as old from now on, because the
   * record lacks what it saw.
   */
  deleteRecord(gateway: GatewayIdentity, key: PublicationKey, atMs: number): Promise<void>;
  /**
   * Deletes, of a batch of attempts after the one with the ID `afterId`, those that started before `beforeMs`. The newest ones of each
   * publication that the store knows are kept, and those whose outcome is unknown.
   */
  pruneHistory(gateway: GatewayIdentity, batch: { readonly beforeMs: number; readonly afterId: number }): Promise<PrunedBatch>;
  /** Deletes the approvals that expired before `beforeMs` and that no attempt in the history used. */
  pruneApprovals(gateway: GatewayIdentity, beforeMs: number): Promise<void>;
  /**
   * Deletes a batch of publications that are offline since before `beforeMs` and that the last applied file does not declare.
   * Resolves to how many were deleted; 0 if none are left.
   */
  pruneRecordedState(gateway: GatewayIdentity, beforeMs: number): Promise<number>;
  /** Replaces all saved name resolutions by `names`. */
  saveNames(gateway: GatewayIdentity, names: ReadonlyMap<NameKey, string>): Promise<void>;
  /** Saves the status of this process, which `status` returns. */
  saveStatus(gateway: GatewayIdentity, status: ControllerStatus): Promise<void>;
  /** Returns the current recorded state of one publication. */
  readPublication(gateway: GatewayIdentity, key: PublicationKey): Promise<RecordedPublication | undefined>;
  /** Resolves once "outcome unknown" is durable. The request may be sent only after that. */
  beginAttempt(gateway: GatewayIdentity, change: Change, attempt: NewAttempt): Promise<BegunAttempt>;
  /**
   * Resolves once the outcome and the publication's next recorded state (`undefined`: none) are durable. An attempt that ended
   * as `unknown` may be finished a second time; the details of its response then stay in the history.
   */
  finishAttempt(gateway: GatewayIdentity, attempt: FinishedAttempt): Promise<void>;
}
