import type { InvalidFileError } from './errors.ts';
import type { Note } from './observe.ts';
import type { Outcome } from './outcome.ts';
import type { Change, Plan } from './plan.ts';
import type { Stopped } from './ports.ts';
import type { DesiredState, RecordedState } from './publication.ts';
import type { ProbeTarget } from './wait.ts';

/** Everything that happens in the engine, and to what tells of it, past tense. The engine emits; log, progress and other listeners tell. */
export type EngineEvent =
  | { readonly type: 'file:accepted'; readonly desired: DesiredState }
  | { readonly type: 'file:rejected'; readonly error: InvalidFileError }
  | { readonly type: 'file:missed'; readonly message: string }
  /** The daemon has found this file in a folder that it looks after. */
  | { readonly type: 'file:added' }
  /** It has not found it there any more, and leaves its gateway as it is. */
  | { readonly type: 'file:removed' }
  /** The daemon gives this file up, and goes on with the others. */
  | { readonly type: 'file:failed'; readonly message: string; readonly hint: string | null }
  | { readonly type: 'pass:started'; readonly passId: string; readonly cause: PassCause }
  | {
      readonly type: 'plan:made';
      readonly passId: string;
      readonly cause: PassCause;
      readonly plan: Plan;
      /** What it was made from, besides the newest desired state. */
      readonly recorded: RecordedState;
    }
  | { readonly type: 'attempt:begun'; readonly passId: string; readonly attemptId: number; readonly change: Change }
  | {
      readonly type: 'attempt:settled';
      readonly passId: string;
      readonly attemptId: number;
      readonly change: Change;
      readonly outcome: Outcome;
      readonly tookMs: number;
    }
  | {
      readonly type: 'retry:scheduled';
      readonly passId: string;
      readonly change: Change;
      readonly afterMs: number;
      /** Why now would be too early or in vain. */
      readonly reason: string;
    }
  | {
      readonly type: 'attempt:resolved';
      readonly passId: string;
      readonly attemptId: number;
      readonly change: Change;
      readonly outcome: Outcome;
    }
  | {
      readonly type: 'attempt:untold';
      readonly passId: string;
      readonly attemptId: number;
      readonly change: Change;
      readonly reason: string;
      readonly isRepeated: boolean;
    }
  | { readonly type: 'gateway:seen'; readonly passId: string; readonly listed: number; readonly changed: number }
  | { readonly type: 'gateway:unseen'; readonly passId: string; readonly reason: string }
  | { readonly type: 'publication:noted'; readonly passId: string; readonly note: Note }
  | { readonly type: 'calls:stopped'; readonly why: Stopped['why']; readonly message: string }
  | { readonly type: 'calls:resumed' }
  /** The identity service has given a token, which is in use from now on. */
  | { readonly type: 'token:taken' }
  | { readonly type: 'rate:changed'; readonly calls: number; readonly perMs: number; readonly limit: number }
  | {
      readonly type: 'probe:answered';
      readonly target: ProbeTarget;
      readonly isExpected: boolean;
      readonly said: string;
      /** When it is asked again, in milliseconds from now; `null`: not by itself. */
      readonly afterMs: number | null;
    }
  | { readonly type: 'pass:finished'; readonly passId: string; readonly summary: PassSummary }
  /** Another edict has the gateway's lease; this one stands by. `reason` says who. */
  | { readonly type: 'lease:waited'; readonly reason: string }
  /** This edict has the gateway's lease after it had stood by, or had lost it. */
  | { readonly type: 'lease:taken' }
  /** The gateway's lease is not this edict's any more, or is given back (`isShared`) for one that has fewer: no request leaves. */
  | { readonly type: 'lease:ended'; readonly isShared: boolean }
  | { readonly type: 'store:waited'; readonly message: string }
  /** Attempts that began before then were deleted. */
  | { readonly type: 'history:pruned'; readonly attempts: number; readonly beforeMs: number }
  | { readonly type: 'store:failed'; readonly passId: string; readonly message: string }
  /** A notification was not delivered to the webhook at host `to`. `dropped`: how many are not retried, 0 if it will be. */
  | { readonly type: 'notify:failed'; readonly to: string; readonly reason: string; readonly dropped: number }
  /** Traces do not leave: told once, and again after some have. `to` is empty where the settings are why. */
  | { readonly type: 'trace:failed'; readonly to: string; readonly reason: string }
  | { readonly type: 'daemon:stopped'; readonly signal: string; readonly left: number };

/** What woke a pass. */
export type PassCause = 'start' | 'file' | 'resync' | 'signal' | 'retry' | 'approval' | 'request' | 'due' | 'order';

/** What a pass did. `failed` counts changes whose last attempt did not succeed. */
export interface PassSummary {
  readonly online: number;
  readonly offline: number;
  readonly unchanged: number;
  readonly held: number;
  /** What is made later, without anybody's agreement. */
  readonly waiting: number;
  readonly failed: number;
  readonly tookMs: number;
}

export type Emit = (event: EngineEvent) => void;
