import type { Change } from '../../../src/model/change.ts';
import type { EdictEvent } from '../../../src/model/events.ts';
import type { Action, PublicationKey } from '../../../src/model/publication.ts';
import type { SimulatedFile, SimulationOptions } from '../options.ts';

/** The effect of a change at the gateway. */
export interface Effect {
  readonly atMs: number;
  readonly key: PublicationKey;
  readonly action: Action;
  /** The state before. */
  readonly wasOnline: boolean;
  /** Whether edict made the call, or somebody else. */
  readonly by: 'edict' | 'other';
}

/** The sender of requests: one process with its lease. */
export interface Sender {
  readonly replica: number;
  readonly isAlive: () => boolean;
  /** Whether the process believes that it holds the lease. */
  readonly isLeaseHeld: () => boolean;
  /** Whether it holds the lease according to the database. */
  readonly isOwner: () => boolean;
}

/** The data that a check may read, and the function by which it reports a violation. */
export interface CheckContext {
  readonly options: SimulationOptions;
  readonly nowMs: () => number;
  readonly fail: (message: string) => void;
}

/** Watches one invariant. Every method is optional and is called when something has happened. */
export interface Check {
  /** A request leaves its process, with these changes; none for a read. */
  left?(sender: Sender, changes: readonly Change[]): void;
  /** The request has arrived at the gateway. */
  arrived?(sender: Sender, changes: readonly Change[]): void;
  /** The gateway made a change for `change`. */
  effected?(effect: Effect, change: Change): void;
  /** The sender knows how its request ended. */
  settled?(sender: Sender, changes: readonly Change[]): void;
  /** A file was saved. `isHalf`: only its first half is there for a moment. */
  saved?(file: SimulatedFile, isHalf: boolean): void;
  /** A process has not heard of the file that was saved last, and may never read it. */
  unnoticed?(): void;
  /** The store began or ceased to fail. */
  disturbed?(isFailing: boolean): void;
  suspended?(isSuspended: boolean): void;
  /** Somebody else changed a publication at the gateway. */
  changedOutside?(effect: Effect): void;
  died?(replica: number): void;
  event?(replica: number, event: EdictEvent): void;
}
