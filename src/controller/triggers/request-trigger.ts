import type { Clock } from '../../model/clock.ts';
import type { GatewayIdentity } from '../../model/gateway.ts';
import type { StoreReader } from '../../store/interface.ts';

/** Polling interval for reconcile requests, in milliseconds. */
const pollIntervalMs = 1000;

export interface RequestTriggerDeps {
  readonly store: Pick<StoreReader, 'reconcileRequest'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  /** Called when a poll finds a new request; a store error counts as none. */
  readonly trigger: (cause: 'suspension' | 'requested') => void;
}

/**
 * Polls the store for requests to reconcile now, possibly written by another process: `edict wait --reconcile`, `suspend`, `resume` and
 * `POST /resync` write them.
 */
export class RequestTrigger {
  readonly #deps: RequestTriggerDeps;
  #gateway: GatewayIdentity | null = null;
  /** The last request; `undefined` before the first poll, because startup reconciles anyway. */
  #lastSeen: string | null | undefined;

  constructor(deps: RequestTriggerDeps) {
    this.#deps = deps;
  }

  /** Polls for requests for this gateway only from now on. */
  setGateway({ endpoint, project, instance }: GatewayIdentity): void {
    const isFirst = this.#gateway === null;
    const previous = this.#gateway;
    if (previous && previous.endpoint === endpoint && previous.project === project && previous.instance === instance) return;
    this.#gateway = { endpoint, project, instance };
    this.#lastSeen = undefined;
    if (isFirst) void this.#poll();
  }

  async #poll(): Promise<void> {
    const { clock, signal, trigger } = this.#deps;
    while (!signal.aborted) {
      const newest = await this.#readNewest();
      const isNew = this.#lastSeen !== undefined && newest !== undefined && newest !== this.#lastSeen;
      if (newest !== undefined) this.#lastSeen = newest;
      if (isNew && !signal.aborted) {
        // The request may be about a suspension, which must not wait until the file has been loaded: its file system may hang.
        trigger('suspension');
        trigger('requested');
      }
      await clock.sleep(pollIntervalMs, signal);
    }
  }

  /** Returns the last request for the gateway; `undefined` if the store cannot be read or the gateway has changed meanwhile. */
  async #readNewest(): Promise<string | null | undefined> {
    const gateway = this.#gateway;
    if (!gateway) return undefined;
    const newest = await this.#deps.store.reconcileRequest(gateway).catch(() => undefined);
    return gateway === this.#gateway ? newest : undefined;
  }
}
