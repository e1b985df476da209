import type { Clock } from '../../model/clock.ts';
import { type EdictError, LeaseHeldError } from '../../model/errors.ts';
import { redactUrl } from '../../model/store-url.ts';
import type { Statement } from '../database.ts';
import type { AcquiredLease } from '../interface.ts';
import type { SqlRow } from '../rows.ts';
import type { Leases } from '../sqlite/leases.ts';
import { assignGateways } from './assignment.ts';
import { ReconnectingClient } from './connection.ts';
import type { PostgresDatabase } from './database.ts';
import { toPostgresStoreError } from './errors.ts';

export interface LeaseOptions {
  readonly url: string;
  /** The unique name of this process as lease holder, shown to people and other processes. */
  readonly holder: string;
  readonly clock: Pick<Clock, 'monotonicMs' | 'now'>;
  /** How long a lease is held after its last renewal, in milliseconds. */
  readonly leaseDurationMs: number;
}

interface HeldLease {
  readonly fence: number;
  readonly abortController: AbortController;
  readonly canRebalance: boolean;
  /** When another process may have taken the lease. */
  deadline: Deadline;
}

/** How long an assignment is cached, as a share of the lease duration. */
const assignmentCacheShare = 1 / 40;

/** A time on both clocks: the monotonic clock stops while the machine sleeps, and the wall clock may be set. */
interface Deadline {
  readonly monotonicMs: number;
  readonly wallClockMs: number;
}

/** Renewals per lease duration, so that one late or lost renewal does not lose the lease. */
const renewalsPerLease = 4;

/** The share of a lease before its end in which no request is started, so that a request sent last still arrives under the lease. */
const safetyMarginShare = 1 / 8;

/**
 * Leases in PostgreSQL. Expiry is decided by the database clock alone. Each lease is renewed several times per duration over a separate
 * connection, so that a slow query cannot lose it. A process that was stopped or cannot reach the database stops by its own clock before
 * the lease can pass to another process.
 */
export class PostgresLeases implements Leases {
  readonly #database: PostgresDatabase;
  readonly #options: LeaseOptions;
  readonly #held = new Map<number, HeldLease>();
  /** Times of the last heartbeat per gateway, on the monotonic clock. */
  readonly #heartbeatAtMs = new Map<number, number>();
  #assignment: { readonly atMs: number; readonly divided: Promise<ReadonlyMap<number, string>> } | null = null;
  readonly #connection: ReconnectingClient;
  #timer: NodeJS.Timeout | null = null;
  #renewing: Promise<void> | null = null;

  constructor(database: PostgresDatabase, options: LeaseOptions) {
    this.#database = database;
    this.#options = options;
    this.#connection = new ReconnectingClient({
      url: options.url,
      applicationName: 'edict lease',
      queryTimeoutMs: options.leaseDurationMs,
    });
  }

  async acquire(gatewayId: number, _atMs: number, canRebalance: boolean): Promise<AcquiredLease> {
    const { holder, leaseDurationMs, clock } = this.#options;
    if (canRebalance) {
      const nextHeartbeatAtMs = (this.#heartbeatAtMs.get(gatewayId) ?? Number.NEGATIVE_INFINITY) + leaseDurationMs / renewalsPerLease;
      if (clock.monotonicMs() >= nextHeartbeatAtMs) await this.#sendHeartbeat([gatewayId]);
      const owner = (await this.#cachedAssignment()).get(gatewayId);
      // The heartbeat has expired, for example because the machine slept.
      if (owner === undefined) this.#heartbeatAtMs.delete(gatewayId);
      if (owner !== holder) throw await this.#toLeaseHeldError(gatewayId);
    }
    const deadline = this.#newDeadline();
    const [row] = await this.#query(acquireLeaseSql, [gatewayId, holder, leaseDurationMs / 1000]);
    if (!row) throw await this.#toLeaseHeldError(gatewayId);
    const held: HeldLease = { fence: Number(row['fence']), abortController: new AbortController(), canRebalance, deadline };
    this.#held.set(gatewayId, held);
    this.#timer ??= setInterval(() => this.#renew(), leaseDurationMs / renewalsPerLease).unref();
    const isHeld = (): boolean => this.#held.get(gatewayId) === held && !this.#isExpired(held);
    return { idleMs: Number(row['silent_ms']), lease: { fence: held.fence, signal: held.abortController.signal, isHeld } };
  }

  fenceOf(gatewayId: number): number | null {
    return this.#held.get(gatewayId)?.fence ?? null;
  }

  write(gatewayId: number, statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    return this.#database.writeIf({ query: assertLease, values: [gatewayId, this.fenceOf(gatewayId)] }, statements);
  }

  async release(gatewayId: number): Promise<void> {
    const held = this.#held.get(gatewayId);
    if (!held) return;
    // Forget the lease first, so that it is not renewed even if the database cannot be reached.
    this.#held.delete(gatewayId);
    this.#heartbeatAtMs.delete(gatewayId);
    await this.#query(releaseLeaseSql, [gatewayId, held.fence]);
    await this.#query('DELETE FROM edict.wish WHERE gateway_id = $1 AND holder = $2', [gatewayId, this.#options.holder]);
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#database.drain();
    await this.#renewing;
    try {
      for (const [gatewayId, { fence }] of this.#held) await this.#query(clearLeaseHolderSql, [gatewayId, fence]);
      if (this.#connection.current !== null) await this.#query('DELETE FROM edict.wish WHERE holder = $1', [this.#options.holder]);
    } catch {
      // The lease expires.
    }
    for (const { abortController } of this.#held.values()) abortController.abort();
    this.#held.clear();
    await this.#connection.close();
  }

  /** Returns when a lease requested now must no longer be relied on. */
  #newDeadline(): Deadline {
    const { leaseDurationMs, clock } = this.#options;
    const forMs = leaseDurationMs * (1 - safetyMarginShare);
    return { monotonicMs: clock.monotonicMs() + forMs, wallClockMs: clock.now() + forMs };
  }

  #isExpired({ deadline: { monotonicMs, wallClockMs } }: HeldLease): boolean {
    const { clock } = this.#options;
    return clock.monotonicMs() >= monotonicMs || clock.now() >= wallClockMs;
  }

  #renew(): void {
    this.#dropExpired();
    if (this.#renewing || this.#held.size === 0) return;
    this.#renewing = this.#renewAll()
      .catch(() => {})
      .finally(() => {
        this.#renewing = null;
      });
  }

  async #renewAll(): Promise<void> {
    const { holder, leaseDurationMs } = this.#options;
    const leases = new Map(this.#held);
    const deadline = this.#newDeadline();
    const rows = await this.#query(renewLeasesSql, [holder, [...leases.keys()], leaseDurationMs / 1000]);
    const renewed = new Map(rows.map((row) => [Number(row['id']), Number(row['fence'])]));
    for (const [gatewayId, held] of leases) {
      if (renewed.get(gatewayId) === held.fence) held.deadline = deadline;
      else this.#drop(gatewayId, held);
    }
    await this.#rebalance();
  }

  /** Signals the controller to hand over gateways assigned to a process with fewer. The lease is held until it is released. */
  async #rebalance(): Promise<void> {
    const shared = [...this.#held].filter(([, { canRebalance }]) => canRebalance);
    if (shared.length === 0) return;
    await this.#sendHeartbeat(shared.map(([gatewayId]) => gatewayId));
    const owners = await this.#readAssignment();
    for (const [gatewayId, held] of shared) if (owners.get(gatewayId) !== this.#options.holder) held.abortController.abort('shared');
  }

  async #sendHeartbeat(gatewayIds: readonly number[]): Promise<void> {
    const { holder, leaseDurationMs, clock } = this.#options;
    const atMs = clock.monotonicMs();
    await this.#query(heartbeatSql, [gatewayIds, holder, leaseDurationMs / 1000]);
    for (const gatewayId of gatewayIds) this.#heartbeatAtMs.set(gatewayId, atMs);
    this.#assignment = null;
  }

  /** Like `#readAssignment`, but cached: a process on standby for many gateways asks once per gateway. */
  #cachedAssignment(): Promise<ReadonlyMap<number, string>> {
    const { leaseDurationMs, clock } = this.#options;
    if (this.#assignment === null || clock.monotonicMs() >= this.#assignment.atMs + leaseDurationMs * assignmentCacheShare) {
      this.#assignment = { atMs: clock.monotonicMs(), divided: this.#readAssignment() };
    }
    return this.#assignment.divided;
  }

  async #readAssignment(): Promise<ReadonlyMap<number, string>> {
    const rows = await this.#query(assignableGatewaysSql, []);
    return assignGateways(
      rows.map((row) => ({
        gatewayId: Number(row['id']),
        holder: row['holder'] === null ? null : String(row['holder']),
        candidates: row['wanted'] as string[],
      })),
    );
  }

  /** Drops leases that were not renewed in time. Another process may hold them, so they must be acquired again. */
  #dropExpired(): void {
    for (const [gatewayId, held] of this.#held) if (this.#isExpired(held)) this.#drop(gatewayId, held);
  }

  #drop(gatewayId: number, held: HeldLease): void {
    if (this.#held.get(gatewayId) === held) this.#held.delete(gatewayId);
    held.abortController.abort();
  }

  /** Returns the error that names the lease holder. */
  async #toLeaseHeldError(gatewayId: number): Promise<EdictError> {
    const [row] = await this.#query('SELECT holder FROM edict.gateway WHERE id = $1', [gatewayId]);
    const holder = row?.['holder'];
    return new LeaseHeldError(`another edict process holds the lease of the gateway${holder ? ` (${String(holder)})` : ''}`, {
      hint: 'stop that one first, or wait for it with --lock-timeout',
    });
  }

  async #query(sql: string, values: readonly unknown[]): Promise<readonly SqlRow[]> {
    try {
      // Gateways are acquired concurrently over this one connection.
      const client = await this.#connection.open();
      return (await client.query<SqlRow>(sql, [...values])).rows;
    } catch (error) {
      throw toPostgresStoreError(error, redactUrl(this.#options.url));
    }
  }
}

const assertLease = { sql: 'SELECT edict.must_hold($1, $2)', parameters: ['gateway', 'fence'] } as const;

/** Skips a locked row instead of waiting: its holder is writing under the lease. */
const acquireLeaseSql = `
  WITH was AS (SELECT id, released_at_ms, holder, held_until FROM edict.gateway WHERE id = $1 FOR UPDATE SKIP LOCKED)
  UPDATE edict.gateway g
  SET fence = g.fence + 1, holder = $2, held_until = clock_timestamp() + make_interval(secs => $3), released_at_ms = NULL, controller_status = NULL
  FROM was
  WHERE g.id = was.id AND (was.holder IS NULL OR was.holder = $2 OR was.held_until < clock_timestamp())
  RETURNING g.fence,
    CASE WHEN was.released_at_ms IS NULL THEN 0 ELSE greatest(0, extract(epoch FROM clock_timestamp()) * 1000 - was.released_at_ms) END AS silent_ms`;

const renewLeasesSql = `
  UPDATE edict.gateway SET held_until = clock_timestamp() + make_interval(secs => $3)
  WHERE holder = $1 AND id = ANY ($2::bigint[])
  RETURNING id, fence`;

/** Also deletes expired heartbeats of dead processes. A locked row is skipped, since its process is renewing it. */
const heartbeatSql = `
  WITH dead AS (
    DELETE FROM edict.wish WHERE (gateway_id, holder) IN (
      SELECT gateway_id, holder FROM edict.wish WHERE lives_until < clock_timestamp() AND holder <> $2 FOR UPDATE SKIP LOCKED
    )
  )
  INSERT INTO edict.wish (gateway_id, holder, lives_until)
  SELECT gateway_id, $2, clock_timestamp() + make_interval(secs => $3) FROM unnest($1::bigint[]) AS gateway_id
  ON CONFLICT (gateway_id, holder) DO UPDATE SET lives_until = excluded.lives_until`;

const assignableGatewaysSql = `
  SELECT g.id, CASE WHEN g.held_until >= clock_timestamp() THEN g.holder END AS holder, array_agg(w.holder) AS wanted
  FROM edict.gateway g JOIN edict.wish w ON w.gateway_id = g.id AND w.lives_until >= clock_timestamp()
  GROUP BY g.id`;

/** The time of release is taken from the database clock, since the clocks of two machines differ. */
const releaseLeaseSql = `
  UPDATE edict.gateway SET holder = NULL, held_until = NULL, controller_status = NULL, released_at_ms = extract(epoch FROM clock_timestamp()) * 1000
  WHERE id = $1 AND fence = $2`;

const clearLeaseHolderSql = 'UPDATE edict.gateway SET holder = NULL, held_until = NULL WHERE id = $1 AND fence = $2';
