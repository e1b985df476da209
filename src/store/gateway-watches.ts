import type { GatewayChange } from './interface.ts';

/** What the store has of a gateway that other processes may write, and whether its lease may be acquired. */
export interface GatewaySignals {
  /** Changes with each request to reconcile; `null` if there never was one. */
  readonly request: string | null;
  /** 0 if there is no approval. */
  readonly newestApprovalId: number;
  /** Changes when another process applies another file. */
  readonly applied: string | null;
  /** Whether this process may acquire the lease now. */
  readonly isAvailable: boolean;
}

interface Watch {
  readonly onChange: (change: GatewayChange) => void;
  last: GatewaySignals | null;
}

/** Those who watch gateways in this process. They receive what differs from the signals before; the first signals only say whether a lease is free. */
export class GatewayWatches {
  readonly #watches = new Map<number, Set<Watch>>();

  /** The row IDs of the watched gateways. */
  get gatewayIds(): readonly number[] {
    return [...this.#watches.keys()];
  }

  /** Adds a watch. `onEnd` is called when the last watch of the gateway has ended. */
  add(gatewayId: number, onChange: Watch['onChange'], onEnd: () => void = () => {}): Disposable {
    const watches = this.#watches.get(gatewayId) ?? new Set();
    const watch: Watch = { onChange, last: null };
    this.#watches.set(gatewayId, watches.add(watch));
    return {
      [Symbol.dispose]: () => {
        if (!watches.delete(watch) || watches.size > 0) return;
        this.#watches.delete(gatewayId);
        onEnd();
      },
    };
  }

  /** Tells those who watch the gateway what has changed. */
  update(gatewayId: number, signals: GatewaySignals): void {
    for (const watch of this.#watches.get(gatewayId) ?? []) {
      const { last } = watch;
      watch.last = signals;
      if (last !== null && signals.request !== last.request) watch.onChange('requested');
      if (last !== null && signals.newestApprovalId > last.newestApprovalId) watch.onChange('approved');
      if (last !== null && signals.applied !== last.applied) watch.onChange('applied');
      if (signals.isAvailable) watch.onChange('available');
    }
  }

  /** Tells all that they may try to acquire the lease, though nobody knows whether it is free. */
  offerAll(): void {
    for (const watches of this.#watches.values()) for (const { onChange } of watches) onChange('available');
  }
}
