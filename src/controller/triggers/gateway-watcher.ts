import type { GatewayIdentity } from '../../model/gateway.ts';
import type { GatewayChange, GatewayWatch, Store } from '../../store/interface.ts';

export interface GatewayWatcherDeps {
  readonly store: Pick<Store, 'watch'>;
  readonly trigger: (cause: 'suspension' | 'requested' | 'approval' | 'resync') => void;
  /** Called while the gateway's lease may be acquired. */
  readonly onAvailable: () => void;
}

/**
 * Turns what other processes write to the store about the file's gateway into triggers: `suspend`, `resume`, `approve`, `wait --reconcile` and the
 * page write requests and approvals, and a replica that stops leaves its leases.
 */
export class GatewayWatcher implements Disposable {
  readonly #deps: GatewayWatcherDeps;
  #gateway: GatewayIdentity | null = null;
  #watch: GatewayWatch | null = null;
  /** Whether another process has applied another file since the last `follow`. */
  #isOutdated = false;

  constructor(deps: GatewayWatcherDeps) {
    this.#deps = deps;
  }

  /** Whether another process holds the lease, and nothing is to be done before it becomes available. */
  get isWaiting(): boolean {
    return this.#watch !== null && !this.#isOutdated && this.#watch.isWaiting;
  }

  /**
   * Follows this gateway only from now on. Call it before the store is read for a plan, so that nothing is written unnoticed in between. Calls must
   * not overlap. Rejects with an EdictError `STORE_*`.
   */
  async follow({ endpoint, project, instance }: GatewayIdentity): Promise<void> {
    this.#isOutdated = false;
    const current = this.#gateway;
    if (this.#watch && current?.endpoint === endpoint && current.project === project && current.instance === instance) return;
    this[Symbol.dispose]();
    const gateway = { endpoint, project, instance };
    this.#gateway = gateway;
    const watch = await this.#deps.store.watch(gateway, (change) => this.#onChange(gateway, change));
    // It was disposed meanwhile.
    if (this.#gateway !== gateway) watch[Symbol.dispose]();
    else this.#watch = watch;
  }

  /** Leaves the gateway to other processes until its lease is acquired again. */
  withdraw(): void {
    this.#watch?.withdraw();
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = null;
    this.#gateway = null;
  }

  #onChange(gateway: GatewayIdentity, change: GatewayChange): void {
    const { trigger, onAvailable } = this.#deps;
    if (gateway !== this.#gateway) return;
    if (change === 'available') onAvailable();
    else if (change === 'approved') trigger('approval');
    else if (change === 'applied') {
      // The file here may have become the older one.
      this.#isOutdated = true;
      trigger('resync');
    } else {
      // The request may be about a suspension, which must not wait until the file has been loaded: its file system may hang.
      trigger('suspension');
      trigger('requested');
    }
  }
}
