import { DatabaseSync } from 'node:sqlite';
import { sqlite } from '../../generated/store-queries.js';
import type { NewApproval } from '../../src/model/approval.ts';
import type { Suspension } from '../../src/model/desired-state.ts';
import { LeaseHeldError, StoreUnavailableError } from '../../src/model/errors.ts';
import type { GatewayIdentity } from '../../src/model/gateway.ts';
import { bindQuery, type Database, type Statement } from '../../src/store/database.ts';
import { GatewayWatches } from '../../src/store/gateway-watches.ts';
import type { AcquiredLease, GatewayChange, GatewayWatch } from '../../src/store/interface.ts';
import { RecordStore } from '../../src/store/record-store.ts';
import type { SqlRow } from '../../src/store/rows.ts';
import { SqliteDatabase } from '../../src/store/sqlite/database.ts';
import { type Leases, toGatewaySignals } from '../../src/store/sqlite/leases.ts';
import { createSqliteSchema } from '../../src/store/sqlite/schema.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How long a lease is held after its last renewal, in milliseconds. */
export const leaseMs = 4000;

/** The share of a lease before its end in which no request is started. */
const safetyShare = 1 / 8;

/** A lease as the database knows it. Times are on the database's own clock. */
interface LeaseRow {
  fence: number;
  holder: string | null;
  heldUntilMs: number;
  releasedAtMs: number | null;
}

/** The disk that all processes share: what is in it survives them. */
export class SimulatedDisk implements Disposable {
  readonly #sqlite = new DatabaseSync(':memory:');
  readonly database: Database;
  readonly leases = new Map<number, LeaseRow>();
  /** Whether reads and writes fail. */
  isFailing = false;
  /** Whether the connection that renews leases is broken. */
  isRenewalFailing = false;
  #requests = 0;

  constructor() {
    createSqliteSchema(this.#sqlite);
    this.database = new SqliteDatabase(this.#sqlite, 'simulated');
  }

  leaseOf(gatewayId: number): LeaseRow {
    const row = this.leases.get(gatewayId) ?? { fence: 0, holder: null, heldUntilMs: 0, releasedAtMs: 0 };
    this.leases.set(gatewayId, row);
    return row;
  }

  /** Whether this process has the lease of the one gateway, as the database knows it. */
  isHeldBy(holder: string): boolean {
    return [...this.leases.values()].some((row) => row.holder === holder && row.heldUntilMs >= performance.now());
  }

  /** Suspends or resumes as a command in another process does. */
  async suspend(gateway: GatewayIdentity, suspension: Suspension | null): Promise<void> {
    const { insertGateway, suspend } = sqlite;
    const { endpoint, project, instance } = gateway;
    await this.database.write([bindQuery(insertGateway, { endpoint, project, instance })]);
    const [row] = await this.database.read(bindQuery(sqlite.findGateway, { endpoint, project, instance }));
    const params = { gateway: Number(row?.['id']), suspension: suspension && JSON.stringify(suspension) };
    await this.database.write([bindQuery(suspend, params)]);
    await this.requestReconcile(gateway);
  }

  async requestReconcile(gateway: GatewayIdentity): Promise<void> {
    const { endpoint, project, instance } = gateway;
    const { insertGateway, request } = sqlite;
    this.#requests += 1;
    await this.database.write([
      bindQuery(insertGateway, { endpoint, project, instance }),
      bindQuery(request, { endpoint, project, instance, request: String(this.#requests) }),
    ]);
  }

  async approve(gateway: GatewayIdentity, { digest, by, reason, approvedAtMs, expiresAtMs, scope }: NewApproval): Promise<void> {
    const { endpoint, project, instance } = gateway;
    const params = { endpoint, project, instance, digest, by, reason, atMs: approvedAtMs, expiresAtMs, scope: JSON.stringify(scope) };
    await this.database.write([bindQuery(sqlite.insertApproval, params)]);
  }

  [Symbol.dispose](): void {
    this.#sqlite.close();
  }
}

/** One process's connection to the disk. `onWrite` may end the process before or after a write. */
export interface DiskUser {
  readonly holder: string;
  readonly isAlive: () => boolean;
  readonly onWrite: (moment: 'write' | 'written') => void;
}

export interface StoreDeps {
  readonly disk: SimulatedDisk;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly user: DiskUser;
}

/** Opens the real record store on the simulated disk, with leases that expire. */
export function openSimulatedStore(deps: StoreDeps): RecordStore {
  const database = new ProcessDatabase(deps);
  return new RecordStore(database, new SimulatedLeases(database, deps));
}

/** Returns a new promise each time: what awaits one that all histories share would never be freed. */
const neverHeard = (): Promise<never> => new Promise(() => {});

/** The disk as one process reaches it: with delays, failures and its own death. */
class ProcessDatabase implements Database {
  readonly queries = sqlite;
  readonly displayUrl = 'simulated';
  readonly #deps: StoreDeps;

  constructor(deps: StoreDeps) {
    this.#deps = deps;
  }

  async read(statement: Statement): Promise<readonly SqlRow[]> {
    await this.reach();
    return this.#deps.disk.database.read(statement);
  }

  write(statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    return this.writeIf(() => true, statements);
  }

  async writeIf(isAllowed: () => boolean, statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    const { disk, time, random, user } = this.#deps;
    if (random.isHit(0.3)) await time.sleep(random.next() * 5, time.unending);
    await this.reach();
    user.onWrite('write');
    if (!user.isAlive()) return neverHeard();
    if (!isAllowed()) throw new LeaseHeldError('simulated: the lease is held by another process');
    const rows = await disk.database.write(statements);
    user.onWrite('written');
    return user.isAlive() ? rows : neverHeard();
  }

  /** Resolves when the disk can be read and written; never for a dead process. */
  async reach(): Promise<void> {
    const { disk, time, random, user } = this.#deps;
    if (random.isHit(0.02)) await time.sleep(random.next() * 20, time.unending);
    if (!user.isAlive()) return neverHeard();
    if (disk.isFailing) throw new StoreUnavailableError('simulated: the store cannot be reached');
  }

  async leaseHolder(gatewayId: number): Promise<string | null> {
    await this.reach();
    const { holder, heldUntilMs } = this.#deps.disk.leaseOf(gatewayId);
    return heldUntilMs > this.#deps.time.monotonicMs() ? holder : null;
  }

  async close(): Promise<void> {}
}

interface HeldLease {
  readonly fence: number;
  readonly lost: AbortController;
  deadlineMs: number;
}

/** Leases as PostgreSQL keeps them, without notifications: renewed four times in their duration, and given up by the process's own clock before they expire. */
class SimulatedLeases implements Leases {
  readonly #database: ProcessDatabase;
  readonly #deps: StoreDeps;
  readonly #held = new Map<number, HeldLease>();
  readonly #watches = new GatewayWatches();
  #timer: NodeJS.Timeout | null = null;

  constructor(database: ProcessDatabase, deps: StoreDeps) {
    this.#database = database;
    this.#deps = deps;
  }

  async acquire(gatewayId: number): Promise<AcquiredLease> {
    const { disk, time, user } = this.#deps;
    const deadlineMs = time.monotonicMs() + leaseMs * (1 - safetyShare);
    await this.#database.reach();
    const row = disk.leaseOf(gatewayId);
    const nowMs = time.monotonicMs();
    if (row.holder !== null && row.holder !== user.holder && row.heldUntilMs >= nowMs)
      throw new LeaseHeldError(`simulated: ${row.holder} holds the lease`);
    const idleMs = row.releasedAtMs === null ? 0 : nowMs - row.releasedAtMs;
    Object.assign(row, { fence: row.fence + 1, holder: user.holder, heldUntilMs: nowMs + leaseMs, releasedAtMs: null });
    const held: HeldLease = { fence: row.fence, lost: new AbortController(), deadlineMs };
    this.#held.set(gatewayId, held);
    this.#start();
    const isHeld = (): boolean => user.isAlive() && this.#held.get(gatewayId) === held && time.monotonicMs() < held.deadlineMs;
    return { idleMs, lease: { fence: held.fence, signal: held.lost.signal, isHeld } };
  }

  async watch(gatewayId: number, onChange: (change: GatewayChange) => void): Promise<GatewayWatch> {
    const watch = this.#watches.add(gatewayId, onChange);
    this.#start();
    await this.#readSignals(gatewayId);
    const isWaiting = (): boolean => this.#held.has(gatewayId) || !this.#isFree(gatewayId);
    return {
      get isWaiting() {
        return isWaiting();
      },
      withdraw: () => {},
      [Symbol.dispose]: () => watch[Symbol.dispose](),
    };
  }

  #start(): void {
    this.#timer ??= setInterval(() => void this.#beat(), leaseMs / 4);
  }

  async #beat(): Promise<void> {
    await this.#renew();
    for (const gatewayId of this.#watches.gatewayIds) {
      try {
        await this.#readSignals(gatewayId);
      } catch {
        // As if nobody knew who has the lease.
        this.#watches.offerAll();
      }
    }
  }

  async #readSignals(gatewayId: number): Promise<void> {
    const [row] = await this.#database.read(bindQuery(sqlite.signals, { gateway: gatewayId }));
    const [gateway] = await this.#database.read(bindQuery(sqlite.readGateway, { gateway: gatewayId }));
    const applied = this.#held.has(gatewayId) ? null : String(gateway?.['applied_digests']);
    this.#watches.update(gatewayId, { ...toGatewaySignals(row), applied, isAvailable: this.#isFree(gatewayId) });
  }

  #isFree(gatewayId: number): boolean {
    const { holder, heldUntilMs } = this.#deps.disk.leaseOf(gatewayId);
    return !this.#held.has(gatewayId) && (holder === null || heldUntilMs < this.#deps.time.monotonicMs());
  }

  fenceOf(gatewayId: number): number | null {
    return this.#held.get(gatewayId)?.fence ?? null;
  }

  write(gatewayId: number, statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    const fence = this.fenceOf(gatewayId);
    const row = this.#deps.disk.leaseOf(gatewayId);
    return this.#database.writeIf(() => row.holder !== null && row.fence === fence, statements);
  }

  async release(gatewayId: number): Promise<void> {
    const held = this.#held.get(gatewayId);
    if (!held) return;
    this.#held.delete(gatewayId);
    await this.#database.reach();
    const row = this.#deps.disk.leaseOf(gatewayId);
    if (row.fence === held.fence) Object.assign(row, { holder: null, heldUntilMs: 0, releasedAtMs: this.#deps.time.monotonicMs() });
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    for (const gatewayId of [...this.#held.keys()]) await this.release(gatewayId);
  }

  async #renew(): Promise<void> {
    const { disk, time, user } = this.#deps;
    for (const [gatewayId, held] of this.#held) {
      if (time.monotonicMs() >= held.deadlineMs) this.#drop(gatewayId, held);
    }
    if (disk.isRenewalFailing) return;
    try {
      await this.#database.reach();
    } catch {
      return;
    }
    for (const [gatewayId, held] of this.#held) {
      const row = disk.leaseOf(gatewayId);
      if (row.holder === user.holder && row.fence === held.fence) {
        row.heldUntilMs = time.monotonicMs() + leaseMs;
        held.deadlineMs = time.monotonicMs() + leaseMs * (1 - safetyShare);
      } else this.#drop(gatewayId, held);
    }
  }

  #drop(gatewayId: number, held: HeldLease): void {
    this.#held.delete(gatewayId);
    held.lost.abort();
  }
}
