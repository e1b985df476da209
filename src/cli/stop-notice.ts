import type { Emit } from '../model/events.ts';

/** Knows what an interrupted command waits for before it ends. */
export interface StopNotice {
  /** Follows the events of one file. */
  readonly emit: Emit;
  /** Returns how many calls are in flight, and how long they may take at most, in milliseconds. */
  pending(): { readonly inFlight: number; readonly atMostMs: number };
}

/** Returns a notice that follows the attempts in its events. */
export function openStopNotice(): StopNotice {
  const inFlight = new Set<number>();
  let timeoutMs = 0;
  return {
    emit: (event) => {
      if (event.type === 'file:loaded') timeoutMs = Math.max(timeoutMs, event.desired.gateway.timeoutMs);
      if (event.type === 'attempt:started') inFlight.add(event.attemptId);
      if (event.type === 'attempt:finished') inFlight.delete(event.attemptId);
    },
    pending: () => ({ inFlight: inFlight.size, atMostMs: inFlight.size === 0 ? 0 : timeoutMs }),
  };
}
