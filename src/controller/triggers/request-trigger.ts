import type { Clock, StoreReader } from '../../model/ports.ts';
import type { GatewayIdentity } from '../../model/publication.ts';

/** How often it is looked whether a pass is asked for, in milliseconds. */
const pollIntervalMs = 1000;

export interface RequestTriggerDeps {
  readonly store: Pick<StoreReader, 'reconcileRequest'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  /** Called for each look that finds a new request; a store that cannot be read shows none. */
  readonly onRequest: () => void;
}

/** Polls the store for requests to reconcile now, which `edict wait --reconcile` and `POST /resync` write, also of another process. */
export class RequestTrigger {
  readonly #deps: RequestTriggerDeps;
  #gateway: GatewayIdentity | null = null;
  /** The last request; `undefined` before the first look, since the start makes a pass by itself. */
  #lastSeen: string | null | undefined;

  constructor(deps: RequestTriggerDeps) {
    this.#deps = deps;
  }

  /** Looks for requests for this gateway from now on, and for no other. */
  setGateway({ endpoint, project, instance }: GatewayIdentity): void {
    const isFirst = this.#gateway === null;
    const before = this.#gateway;
    if (before && before.endpoint === endpoint && before.project === project && before.instance === instance) return;
    this.#gateway = { endpoint, project, instance };
    this.#lastSeen = undefined;
    if (isFirst) void this.#poll();
  }

  async #poll(): Promise<void> {
    const { clock, signal, onRequest } = this.#deps;
    while (!signal.aborted) {
      const newest = await this.#readNewest();
      const isNew = this.#lastSeen !== undefined && newest !== undefined && newest !== this.#lastSeen;
      if (newest !== undefined) this.#lastSeen = newest;
      if (isNew && !signal.aborted) onRequest();
      await clock.sleep(pollIntervalMs, signal);
    }
  }

  /** Returns the last request for the gateway; `undefined` if that cannot be told, or is of another gateway by now. */
  async #readNewest(): Promise<string | null | undefined> {
    const gateway = this.#gateway;
    if (!gateway) return undefined;
    const newest = await this.#deps.store.reconcileRequest(gateway).catch(() => undefined);
    return gateway === this.#gateway ? newest : undefined;
  }
}
