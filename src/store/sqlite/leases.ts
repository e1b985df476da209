import { bindQuery, type Database, type Statement } from '../database.ts';
import { type GatewaySignals, GatewayWatches } from '../gateway-watches.ts';
import type { AcquiredLease, GatewayChange, GatewayWatch } from '../interface.ts';
import type { SqlRow } from '../rows.ts';

/** The leases of gateways, by row ID. */
export interface Leases {
  /**
   * Acquires a gateway's lease at `atMs`, milliseconds since 1970. Rejects with an EdictError `LEASE_HELD` while another process holds it,
   * or, with `canRebalance`, if the gateway is assigned to a process with fewer gateways. From then on the gateway counts as wanted by this
   * process until it is released or withdrawn, or nobody watches it any more.
   */
  acquire(gatewayId: number, atMs: number, canRebalance: boolean): Promise<AcquiredLease>;
  /** See `Store.watch`. */
  watch(gatewayId: number, onChange: (change: GatewayChange) => void): Promise<GatewayWatch>;
  /** Returns the fence of a lease that was acquired and not released; `null` if there is none. */
  fenceOf(gatewayId: number): number | null;
  /** Writes under the lease. Rejects with an EdictError `LEASE_HELD` if this process does not hold it. */
  write(gatewayId: number, statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]>;
  /** Releases a lease at `atMs`, if this process still holds it. If the write fails, the lease is not renewed either and expires. */
  release(gatewayId: number, atMs: number): Promise<void>;
  /** Releases all leases. */
  close(): Promise<void>;
}

/** How often the file is checked for commits of other processes, in milliseconds. */
const pollIntervalMs = 1000;

/** The leases of a store with a single writer, which holds every lease it asks for. */
export class LocalLeases implements Leases {
  readonly #database: Database;
  readonly #fences = new Map<number, number>();
  readonly #watches = new GatewayWatches();
  #timer: NodeJS.Timeout | null = null;
  #isPolling = false;

  constructor(database: Database) {
    this.#database = database;
  }

  async acquire(gatewayId: number, atMs: number): Promise<AcquiredLease> {
    const { readGateway, acquireGateway } = this.#database.queries;
    const [row] = await this.#database.read(bindQuery(readGateway, { gateway: gatewayId }));
    await this.#database.write([bindQuery(acquireGateway, { gateway: gatewayId })]);
    const fence = Number(row?.['fence']) + 1;
    this.#fences.set(gatewayId, fence);
    const leftAtMs = row?.['released_at_ms'];
    const idleMs = leftAtMs === null ? 0 : Math.max(0, atMs - Number(leftAtMs));
    return { idleMs, lease: { fence, signal: neverAborted, isHeld: () => true } };
  }

  async watch(gatewayId: number, onChange: (change: GatewayChange) => void): Promise<GatewayWatch> {
    const watch = this.#watches.add(gatewayId, onChange);
    await this.#readSignals(gatewayId);
    this.#timer ??= setInterval(() => void this.#poll(), pollIntervalMs).unref();
    const isWaiting = (): boolean => this.#fences.has(gatewayId);
    return {
      get isWaiting() {
        return isWaiting();
      },
      withdraw: () => {},
      [Symbol.dispose]: () => watch[Symbol.dispose](),
    };
  }

  fenceOf(gatewayId: number): number | null {
    return this.#fences.get(gatewayId) ?? null;
  }

  write(_gatewayId: number, statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    return this.#database.write(statements);
  }

  async release(gatewayId: number, atMs: number): Promise<void> {
    if (!this.#fences.delete(gatewayId)) return;
    await this.#database.write([bindQuery(this.#database.queries.releaseGateway, { gateway: gatewayId, atMs })]);
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
  }

  async #poll(): Promise<void> {
    if (this.#isPolling) return;
    this.#isPolling = true;
    try {
      for (const gatewayId of this.#watches.gatewayIds) await this.#readSignals(gatewayId);
    } catch {
      // The next poll reads again, and whoever works with the store reports that it fails.
    }
    this.#isPolling = false;
  }

  async #readSignals(gatewayId: number): Promise<void> {
    const [row] = await this.#database.read(bindQuery(this.#database.queries.signals, { gateway: gatewayId }));
    this.#watches.update(gatewayId, { ...toGatewaySignals(row), isAvailable: !this.#fences.has(gatewayId) });
  }
}

/** Maps a row of the query `signals`. Nobody else applies a file to a store with one writer. */
export function toGatewaySignals(row: SqlRow | undefined): Omit<GatewaySignals, 'isAvailable'> {
  const request = row?.['request'];
  return { request: request == null ? null : String(request), newestApprovalId: Number(row?.['newest_approval_id'] ?? 0), applied: null };
}

const neverAborted = new AbortController().signal;
