import type { Clock, RecordReader } from '../core/ports.ts';
import type { GatewayIdentity } from '../core/publication.ts';

/** How often it is looked whether a pass is asked for, in milliseconds. */
const lookEveryMs = 1000;

export interface RequestWatchDeps {
  readonly store: Pick<RecordReader, 'passAsked'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  /** Called for each look that finds a new request; a store that cannot be read shows none. */
  readonly onRequest: () => void;
}

/** Polls the store for requests to reconcile now, which `edict wait --reconcile` and `POST /resync` write, also of another process. */
export class RequestWatch {
  readonly #deps: RequestWatchDeps;
  #gateway: GatewayIdentity | null = null;
  /** The last request; `undefined` before the first look, since the start makes a pass by itself. */
  #known: string | null | undefined;

  constructor(deps: RequestWatchDeps) {
    this.#deps = deps;
  }

  /** Looks for requests for this gateway from now on, and for no other. */
  follow({ endpoint, project, instance }: GatewayIdentity): void {
    const isFirst = this.#gateway === null;
    const before = this.#gateway;
    if (before && before.endpoint === endpoint && before.project === project && before.instance === instance) return;
    this.#gateway = { endpoint, project, instance };
    this.#known = undefined;
    if (isFirst) void this.#watch();
  }

  async #watch(): Promise<void> {
    const { clock, signal, onRequest } = this.#deps;
    while (!signal.aborted) {
      const newest = await this.#newest();
      const isNew = this.#known !== undefined && newest !== undefined && newest !== this.#known;
      if (newest !== undefined) this.#known = newest;
      if (isNew && !signal.aborted) onRequest();
      await clock.sleep(lookEveryMs, signal);
    }
  }

  /** Returns the last request for the gateway; `undefined` if that cannot be told, or is of another gateway by now. */
  async #newest(): Promise<string | null | undefined> {
    const gateway = this.#gateway;
    if (!gateway) return undefined;
    const newest = await this.#deps.store.passAsked(gateway).catch(() => undefined);
    return gateway === this.#gateway ? newest : undefined;
  }
}
