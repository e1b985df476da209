import type { AcquiredLease } from '../../model/ports.ts';
import { bindQuery, type Database, type Statement } from '../database.ts';
import type { SqlRow } from '../rows.ts';

/** Who may work on which gateway, by its row id. */
export interface Leases {
  /**
   * Takes a gateway's lease at `atMs`, milliseconds since 1970. Rejects with an EdictError `LEASE_HELD` while another edict has it, or
   * if this one `shares` and is to leave it to one that has fewer.
   */
  acquire(gatewayId: number, atMs: number, shares: boolean): Promise<AcquiredLease>;
  /** Returns the fence of a lease that was taken and not given back; `null` without one. */
  fenceOf(gatewayId: number): number | null;
  /** Writes what only the lease's holder may write. Rejects with an EdictError `LEASE_HELD` if that is not this edict. */
  write(gatewayId: number, steps: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]>;
  /** Gives a lease back at `atMs`, if it is this edict's still. Where that fails it is held no more either, and ends by itself. */
  release(gatewayId: number, atMs: number): Promise<void>;
  /** Gives everything back and ends. */
  close(): Promise<void>;
}

/** The leases of a store that one edict alone has open for writing: they are all its own. */
export class LocalLeases implements Leases {
  readonly #database: Database;
  readonly #fences = new Map<number, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  async acquire(gatewayId: number, atMs: number): Promise<AcquiredLease> {
    const { readGateway, enterGateway } = this.#database.queries;
    const [row] = await this.#database.read(bindQuery(readGateway, { gateway: gatewayId }));
    await this.#database.write([bindQuery(enterGateway, { gateway: gatewayId })]);
    const fence = Number(row?.['fence']) + 1;
    this.#fences.set(gatewayId, fence);
    const leftAtMs = row?.['left_at_ms'];
    const idleMs = leftAtMs === null ? 0 : Math.max(0, atMs - Number(leftAtMs));
    return { idleMs, lease: { fence, signal: neverAborted, isHeld: () => true } };
  }

  fenceOf(gatewayId: number): number | null {
    return this.#fences.get(gatewayId) ?? null;
  }

  write(_gatewayId: number, steps: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    return this.#database.write(steps);
  }

  async release(gatewayId: number, atMs: number): Promise<void> {
    if (!this.#fences.delete(gatewayId)) return;
    await this.#database.write([bindQuery(this.#database.queries.leaveGateway, { gateway: gatewayId, atMs })]);
  }

  async close(): Promise<void> {}
}

const neverAborted = new AbortController().signal;
