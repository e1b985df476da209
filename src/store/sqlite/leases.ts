import { bindQuery, type Database, type Statement } from '../database.ts';
import type { AcquiredLease } from '../interface.ts';
import type { SqlRow } from '../rows.ts';

/** The leases of gateways, by row ID. */
export interface Leases {
  /**
   * Acquires a gateway's lease at `atMs`, milliseconds since 1970. Rejects with an EdictError `LEASE_HELD` while another process holds it,
   * or, with `canRebalance`, if the gateway is assigned to a process with fewer gateways.
   */
  acquire(gatewayId: number, atMs: number, canRebalance: boolean): Promise<AcquiredLease>;
  /** Returns the fence of a lease that was acquired and not released; `null` if there is none. */
  fenceOf(gatewayId: number): number | null;
  /** Writes under the lease. Rejects with an EdictError `LEASE_HELD` if this process does not hold it. */
  write(gatewayId: number, statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]>;
  /** Releases a lease at `atMs`, if this process still holds it. If the write fails, the lease is not renewed either and expires. */
  release(gatewayId: number, atMs: number): Promise<void>;
  /** Releases all leases. */
  close(): Promise<void>;
}

/** The leases of a store with a single writer, which holds every lease it asks for. */
export class LocalLeases implements Leases {
  readonly #database: Database;
  readonly #fences = new Map<number, number>();

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

  async close(): Promise<void> {}
}

const neverAborted = new AbortController().signal;
