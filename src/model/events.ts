import type { Change, Plan } from './change.ts';
import type { ProbeTarget } from './deferral.ts';
import type { InvalidFileError } from './errors.ts';
import type { DriftNotice } from './observation.ts';
import type { Outcome } from './outcome.ts';
import type { RequestPause } from './ports.ts';
import type { DesiredState, RecordedState } from './publication.ts';

/** Everything that happens in the engine, and to what tells of it, past tense. The engine emits; log, progress and other listeners tell. */
export type EdictEvent =
  | { readonly type: 'file:loaded'; readonly desired: DesiredState }
  | { readonly type: 'file:invalid'; readonly error: InvalidFileError }
  | { readonly type: 'file:unreadable'; readonly message: string }
  /** The daemon has found this file in a folder that it looks after. */
  | { readonly type: 'file:added' }
  /** It has not found it there any more, and leaves its gateway as it is. */
  | { readonly type: 'file:removed' }
  /** The daemon gives this file up, and goes on with the others. */
  | { readonly type: 'file:failed'; readonly message: string; readonly hint: string | null }
  | { readonly type: 'reconcile:started'; readonly reconcileId: string; readonly cause: TriggerCause }
  | {
      readonly type: 'plan:computed';
      readonly reconcileId: string;
      readonly cause: TriggerCause;
      readonly plan: Plan;
      /** What it was made from, besides the newest desired state. */
      readonly recorded: RecordedState;
    }
  | { readonly type: 'attempt:started'; readonly reconcileId: string; readonly attemptId: number; readonly change: Change }
  | {
      readonly type: 'attempt:finished';
      readonly reconcileId: string;
      readonly attemptId: number;
      readonly change: Change;
      readonly outcome: Outcome;
      readonly durationMs: number;
    }
  | {
      readonly type: 'retry:scheduled';
      readonly reconcileId: string;
      readonly change: Change;
      readonly afterMs: number;
      /** Why now would be too early or in vain. */
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
  | { readonly type: 'gateway:observed'; readonly reconcileId: string; readonly listedApiCount: number; readonly changedCount: number }
  | { readonly type: 'gateway:observe_failed'; readonly reconcileId: string; readonly reason: string }
  | { readonly type: 'publication:drift'; readonly reconcileId: string; readonly notice: DriftNotice }
  | { readonly type: 'requests:paused'; readonly reason: RequestPause['reason']; readonly message: string }
  | { readonly type: 'requests:resumed' }
  /** The identity service has given a token, which is in use from now on. */
  | { readonly type: 'token:issued' }
  | { readonly type: 'rate:changed'; readonly calls: number; readonly perMs: number; readonly limit: number }
  | {
      readonly type: 'probe:answered';
      readonly target: ProbeTarget;
      readonly isExpected: boolean;
      readonly message: string;
      /** When it is asked again, in milliseconds from now; `null`: not by itself. */
      readonly afterMs: number | null;
    }
  | { readonly type: 'reconcile:finished'; readonly reconcileId: string; readonly summary: ReconcileSummary }
  /** Another edict has the gateway's lease; this one stands by. `reason` says who. */
  | { readonly type: 'lease:standby'; readonly reason: string }
  /** This edict has the gateway's lease after it had stood by, or had lost it. */
  | { readonly type: 'lease:acquired' }
  /** The gateway's lease is not this edict's any more, or is given back (`isShared`) for one that has fewer: no request leaves. */
  | { readonly type: 'lease:lost'; readonly isRebalanced: boolean }
  | { readonly type: 'store:waiting'; readonly message: string }
  /** Attempts that began before then were deleted. */
  | { readonly type: 'history:pruned'; readonly attemptCount: number; readonly beforeMs: number }
  | { readonly type: 'store:error'; readonly reconcileId: string; readonly message: string }
  /** A notification was not delivered to the webhook at host `to`. `dropped`: how many are not retried, 0 if it will be. */
  | { readonly type: 'webhook:failed'; readonly to: string; readonly reason: string; readonly droppedCount: number }
  /** Traces do not leave: told once, and again after some have. `to` is empty where the settings are why. */
  | { readonly type: 'trace:failed'; readonly to: string; readonly reason: string }
  | { readonly type: 'daemon:stopped'; readonly signal: string; readonly unsentCount: number };

/** What woke a pass. */
export type TriggerCause = 'start' | 'file' | 'resync' | 'signal' | 'retry' | 'approval' | 'request' | 'due' | 'order';

/** What a pass did. `failed` counts changes whose last attempt did not succeed. */
export interface ReconcileSummary {
  readonly online: number;
  readonly offline: number;
  readonly unchanged: number;
  readonly held: number;
  /** What is made later, without anybody's agreement. */
  readonly deferred: number;
  readonly failed: number;
  readonly durationMs: number;
}

export type Emit = (event: EdictEvent) => void;
