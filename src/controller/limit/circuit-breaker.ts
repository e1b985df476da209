import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhenResult } from 'cockatiel';
import type { RequestResult } from '../../gateway/interface.ts';

/** Consecutive requests without an answer that count as an outage of the gateway, not as failures of single requests. */
const failureThreshold = 5;

/** Distinguishes an outage of the gateway from failures of single requests. */
export class CircuitBreaker {
  // The caller decides when to probe: cockatiel measures its delay by the wall clock, which can jump.
  readonly #policy = circuitBreaker(
    handleWhenResult((result) => (result as RequestResult).kind === 'lost'),
    { halfOpenAfter: Number.NEGATIVE_INFINITY, breaker: new ConsecutiveBreaker(failureThreshold) },
  );

  /** Calls `onOpen` when an outage begins and `onClosed` when the gateway answers again. */
  constructor({ onOpen, onClosed }: { readonly onOpen: () => void; readonly onClosed: () => void }) {
    let isOpen = false;
    this.#policy.onStateChange((state) => {
      if (state === CircuitState.Open && !isOpen) onOpen();
      if (state === CircuitState.Closed && isOpen) onClosed();
      if (state !== CircuitState.HalfOpen) isOpen = state === CircuitState.Open;
    });
  }

  /** Records the result of a request; any answer ends an outage. */
  report(result: RequestResult): void {
    void this.#policy.execute(() => result);
  }
}
