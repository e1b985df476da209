import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhenResult } from 'cockatiel';
import type { RequestResult } from '../../model/ports.ts';

/** So many requests in a row without an answer are an outage of the gateway, and no longer the bad luck of one publication. */
const failureThreshold = 5;

/** Tells an outage of the gateway from the bad luck of single requests. */
export class CircuitBreaker {
  // When to probe is the caller's to say: cockatiel measures its own waiting by the wall clock, which can jump.
  readonly #policy = circuitBreaker(
    handleWhenResult((end) => (end as RequestResult).kind === 'lost'),
    { halfOpenAfter: Number.NEGATIVE_INFINITY, breaker: new ConsecutiveBreaker(failureThreshold) },
  );

  /** Calls `onOpen` when an outage begins and `onClosed` when the gateway has answered again. */
  constructor({ onOpen, onClosed }: { readonly onOpen: () => void; readonly onClosed: () => void }) {
    let isOpen = false;
    this.#policy.onStateChange((state) => {
      if (state === CircuitState.Open && !isOpen) onOpen();
      if (state === CircuitState.Closed && isOpen) onClosed();
      if (state !== CircuitState.HalfOpen) isOpen = state === CircuitState.Open;
    });
  }

  /** Learns from how a request ended; any answer ends an outage. */
  report(end: RequestResult): void {
    void this.#policy.execute(() => end);
  }
}
