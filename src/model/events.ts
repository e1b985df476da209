import type { Change, Plan, PlanHolds, ProbeTarget } from './change.ts';
import type { RequestPause } from './controller-status.ts';
import type { DesiredState } from './desired-state.ts';
import type { InvalidFileError } from './errors.ts';
import type { DriftNotice } from './observation.ts';
import type { Outcome } from './outcome.ts';
import type { RecordedState } from './recorded-state.ts';

/**
 * Everything that happens in the controller and around it, in the past tense. The controller only emits events; log, metrics
 * and progress output subscribe to them.
 */
export type EdictEvent =
  | { readonly type: 'file:loaded'; readonly desired: DesiredState }
  | { readonly type: 'file:invalid'; readonly error: InvalidFileError }
  | { readonly type: 'file:unreadable'; readonly message: string }
  /** Nobody has approved the gateway that the file names now, at which its names would be looked up. The last valid file stays in force. */
  | { readonly type: 'file:held'; readonly holds: PlanHolds; readonly message: string }
  /** The daemon found this file in a watched folder. */
  | { readonly type: 'file:added' }
  /** The file was deleted from its folder. Its gateway is left as it is. */
  | { readonly type: 'file:removed' }
  /** The daemon stops serving this file and continues with the others. */
  | { readonly type: 'file:failed'; readonly message: string; readonly hint: string | null }
  /** So many files of the followed folders are not served: there are more than `maxCount`. */
  | { readonly type: 'files:skipped'; readonly skippedCount: number; readonly maxCount: number }
  /** The installed Git is too old to be used: no commits are recorded. */
  | { readonly type: 'git:unsupported'; readonly version: string }
  | { readonly type: 'reconcile:started'; readonly reconcileId: string; readonly cause: TriggerCause }
  | {
      readonly type: 'plan:computed';
      readonly reconcileId: string;
      readonly cause: TriggerCause;
      readonly plan: Plan;
      /** The recorded state that the plan was computed from, together with the newest desired state. */
      readonly recorded: RecordedState;
    }
  /** A reconciliation failed unexpectedly and is run again. */
  | { readonly type: 'reconcile:failed'; readonly message: string; readonly hint: string | null }
  | { readonly type: 'attempt:started'; readonly reconcileId: string; readonly attemptId: number; readonly change: Change }
  | {
      readonly type: 'attempt:finished';
      readonly reconcileId: string;
      readonly attemptId: number;
      readonly change: Change;
      readonly outcome: Outcome;
      /** Whether the outcome is in the store; otherwise it has the attempt without an outcome. */
      readonly isRecorded: boolean;
      readonly durationMs: number;
    }
  | {
      readonly type: 'retry:scheduled';
      readonly reconcileId: string;
      readonly change: Change;
      readonly afterMs: number;
      /** Why the change is not retried immediately. */
      readonly reason: string;
    }
  | {
      readonly type: 'attempt:recovered';
      readonly reconcileId: string;
      readonly attemptId: number;
      readonly change: Change;
      readonly outcome: Outcome;
    }
  | {
      readonly type: 'attempt:unknown';
      readonly reconcileId: string;
      readonly attemptId: number;
      readonly change: Change;
      readonly reason: string;
      readonly isRetried: boolean;
    }
  /** The store at `store` has no record of the gateway, which is therefore observed before anything is planned. */
  | { readonly type: 'gateway:unrecorded'; readonly store: string }
  /** A page of a list was read: `readCount` of `totalCount` entries by now. */
  | { readonly type: 'gateway:page_read'; readonly readCount: number; readonly totalCount: number }
  | {
      readonly type: 'gateway:observed';
      readonly reconcileId: string;
      readonly listedApiCount: number;
      /** Publications whose recorded state was updated, and how many of them were adopted. */
      readonly changedCount: number;
      readonly adoptedCount: number;
    }
  | { readonly type: 'gateway:observe_failed'; readonly reconcileId: string; readonly reason: string }
  | { readonly type: 'publication:drift'; readonly reconcileId: string; readonly notice: DriftNotice }
  | { readonly type: 'requests:paused'; readonly reason: RequestPause['reason']; readonly message: string }
  | { readonly type: 'requests:resumed' }
  /** The identity service issued a token, which is used from now on. */
  | { readonly type: 'token:issued' }
  | { readonly type: 'rate:changed'; readonly calls: number; readonly perMs: number; readonly limit: number }
  | {
      readonly type: 'probe:answered';
      readonly target: ProbeTarget;
      readonly isExpected: boolean;
      readonly message: string;
      /** Time until the next probe, in milliseconds; `null`: it is not repeated automatically. */
      readonly afterMs: number | null;
    }
  | { readonly type: 'reconcile:finished'; readonly reconcileId: string; readonly summary: ReconcileSummary }
  /** Another edict process holds the gateway's lease; this one stands by. `reason` names the holder. */
  | { readonly type: 'lease:standby'; readonly reason: string }
  /** This process acquired the gateway's lease after standing by or losing it. */
  | { readonly type: 'lease:acquired' }
  /**
   * This process lost the gateway's lease, or gave it up (`isRebalanced`) to a process that holds fewer. No more requests are
   * sent.
   */
  | { readonly type: 'lease:lost'; readonly isRebalanced: boolean }
  /** The store is on another machine, and the address says not to verify its server. */
  | { readonly type: 'store:unverified'; readonly sslmode: string }
  | { readonly type: 'store:waiting'; readonly message: string }
  /** Attempts that started before `beforeMs` were deleted. */
  | { readonly type: 'history:pruned'; readonly attemptCount: number; readonly beforeMs: number }
  | { readonly type: 'store:error'; readonly reconcileId: string; readonly message: string }
  /** A notification was not delivered to the webhook at host `to`. `droppedCount`: how many are not retried; 0 if this one is. */
  | { readonly type: 'webhook:failed'; readonly to: string; readonly reason: string; readonly droppedCount: number }
  /** Exporting traces fails. Emitted once, and again after an export has succeeded. `to` is empty if the settings are the cause. */
  | { readonly type: 'trace:failed'; readonly to: string; readonly reason: string }
  /** The page and the HTTP API can be reached from other machines, and reading needs no token. */
  | { readonly type: 'server:exposed'; readonly url: string }
  /** A wrong token was sent: the `count`-th of this address, which must wait `waitMs` milliseconds before the next one is compared. */
  | { readonly type: 'token:refused'; readonly address: string; readonly count: number; readonly waitMs: number }
  | { readonly type: 'daemon:stopped'; readonly signal: string; readonly unsentCount: number };

/** The cause of a reconciliation. */
export type TriggerCause =
  | 'startup'
  | 'file'
  | 'resync'
  | 'signal'
  | 'retry'
  | 'approval'
  | 'suspension'
  | 'requested'
  /** An observation of the gateway has ended. */
  | 'observed'
  /** A freeze, an approval or a soak time has ended. */
  | 'timer'
  /** A change is done that others were deferred for. */
  | 'rollout';

/**
 * The result of a reconciliation. Every declared publication, and every other one that is changed, is counted in exactly one of the counts but
 * `unmanaged` and `failedProbes`.
 */
export interface ReconcileSummary {
  /** Changes that were made. */
  readonly online: number;
  readonly offline: number;
  /** Publications that matched the file and were not changed. */
  readonly unchanged: number;
  /** Those that were changed too recently, by an earlier reconciliation, to be judged. */
  readonly settling: number;
  readonly held: number;
  /** Changes that are made later without an approval. */
  readonly deferred: number;
  /** Changes whose last attempt did not succeed. */
  readonly failed: number;
  /** Publications with an attempt of unknown outcome. */
  readonly unknown: number;
  /** Publications that were changed outside edict and are left in place. */
  readonly drifted: number;
  /** Changes that were not sent, because edict was stopped. */
  readonly unsent: number;
  /** Publications that are online at the gateway and not in the file. */
  readonly unmanaged: number;
  readonly failedProbes: number;
  readonly durationMs: number;
}

export type Emit = (event: EdictEvent) => void;

/** Carries every event to log, metrics, status cache, traces, notifications and progress output. */
export interface EventBus {
  readonly emit: Emit;
  /** Calls `subscriber` with every later event until the result is disposed. */
  subscribe(subscriber: Emit): Disposable;
}
