import { setImmediate, setTimeout } from 'node:timers/promises';
import type { AppContext } from '../model/app-context.ts';
import { type Clock, maxTimerMs } from '../model/clock.ts';
import type { Env } from '../model/env.ts';
import type { Emit, EventBus } from '../model/events.ts';
import type { Settings } from '../model/settings.ts';

/** Returns the context of one command. `over` replaces single parts, such as the signal that ends it, or the clock in a test. */
export function createAppContext(settings: Settings, env: Env, over: Partial<Omit<AppContext, 'settings' | 'env'>> = {}): AppContext {
  return { settings, env, clock: systemClock, random: Math.random, events: createEventBus(), signal: neverAborted, ...over };
}

/** Returns a bus without subscribers. It calls them in the order in which they subscribed; an error that one throws reaches the emitter. */
export function createEventBus(): EventBus {
  const subscribers = new Set<Emit>();
  return {
    emit: (event) => {
      for (const subscriber of subscribers) subscriber(event);
    },
    subscribe: (subscriber) => {
      subscribers.add(subscriber);
      return { [Symbol.dispose]: () => void subscribers.delete(subscriber) };
    },
  };
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    const endAtMs = performance.now() + ms;
    let leftMs = ms;
    do {
      await setTimeout(Math.min(maxTimerMs, leftMs), undefined, { signal }).catch(() => undefined);
      // A timer counts whole milliseconds and may fire up to one early; waiting for another whole one would be too long.
      for (leftMs = endAtMs - performance.now(); leftMs > 0 && leftMs < 1; leftMs = endAtMs - performance.now()) await setImmediate();
    } while (leftMs > 0 && !signal.aborted);
  },
};

const neverAborted = new AbortController().signal;
