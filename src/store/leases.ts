import type { Entered } from '../core/ports.ts';
import { type Database, type Step, step } from './database.ts';
import type { Row } from './rows.ts';

/** Who may work on which gateway, by its row id. */
export interface Leases {
  /**
   * Takes a gateway's lease at `atMs`, milliseconds since 1970. Rejects with an EdictError `GATEWAY_HELD` while another edict has it, or
   * if this one `shares` and is to leave it to one that has fewer.
   */
  take(gatewayId: number, atMs: number, shares: boolean): Promise<Entered>;
  /** Returns the fence of a lease that was taken and not given back; `null` without one. */
  fenceOf(gatewayId: number): number | null;
  /** Writes what only the lease's holder may write. Rejects with an EdictError `GATEWAY_HELD` if that is not this edict. */
  write(gatewayId: number, steps: readonly Step[]): Promise<readonly (readonly Row[])[]>;
  /** Gives a lease back at `atMs`, if it is this edict's still. Where that fails it is held no more either, and ends by itself. */
  give(gatewayId: number, atMs: number): Promise<void>;
  /** Gives everything back and ends. */
  close(): Promise<void>;
}

/** The leases of a store that one edict alone has open for writing: they are all its own. */
export class OwnLeases implements Leases {
  readonly #database: Database;
  readonly #fences = new Map<number, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  async take(gatewayId: number, atMs: number): Promise<Entered> {
    const { readGateway, enterGateway } = this.#database.queries;
    const [row] = await this.#database.read(step(readGateway, { gateway: gatewayId }));
    await this.#database.write([step(enterGateway, { gateway: gatewayId })]);
    const fence = Number(row?.['fence']) + 1;
    this.#fences.set(gatewayId, fence);
    const leftAtMs = row?.['left_at_ms'];
    const silentMs = leftAtMs === null ? 0 : Math.max(0, atMs - Number(leftAtMs));
    return { silentMs, lease: { fence, ending: never, isHeld: () => true } };
  }

  fenceOf(gatewayId: number): number | null {
    return this.#fences.get(gatewayId) ?? null;
  }

  write(_gatewayId: number, steps: readonly Step[]): Promise<readonly (readonly Row[])[]> {
    return this.#database.write(steps);
  }

  async give(gatewayId: number, atMs: number): Promise<void> {
    if (!this.#fences.delete(gatewayId)) return;
    await this.#database.write([step(this.#database.queries.leaveGateway, { gateway: gatewayId, atMs })]);
  }

  async close(): Promise<void> {}
}

const never = new AbortController().signal;
