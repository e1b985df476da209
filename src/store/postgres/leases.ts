import type { Clock } from '../../model/clock.ts';
import { type EdictError, LeaseHeldError } from '../../model/errors.ts';
import { redactUrl } from '../../model/store-url.ts';
import type { Statement } from '../database.ts';
import { GatewayWatches } from '../gateway-watches.ts';
import type { AcquiredLease, GatewayChange, GatewayWatch } from '../interface.ts';
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

/** A time on both clocks: the monotonic clock stops while the machine sleeps, and the wall clock may be set. */
interface Deadline {
  readonly monotonicMs: number;
  readonly wallClockMs: number;
}

/** The replicas and gateways as the last heartbeat that found a difference read them. */
interface Fleet {
  /** The gateways that each live replica wants. */
  readonly replicas: ReadonlyMap<string, readonly number[]>;
  readonly gateways: ReadonlyMap<number, FleetGateway>;
}

interface FleetGateway {
  /** The holder of a lease that has not expired. */
  readonly holder: string | null;
  readonly request: string | null;
  readonly newestApprovalId: number;
  readonly applied: string | null;
}

/** Renewals per lease duration, so that one late or lost renewal does not lose the lease. */
const renewalsPerLease = 4;

/** The share of a lease before its end in which no request is started, so that a request sent last still arrives under the lease. */
const safetyMarginShare = 1 / 8;

/**
 * How long a process that wants gateways of others waits for more such gateways before it says so, and how long in all, in milliseconds. Announced
 * one after the other, as the files of a starting daemon are loaded, they would be divided anew each time, among the others too.
 */
const joiningQuietMs = 1000;
const maxJoiningMs = 15_000;

/** Two heartbeats that notifications ask for are at least so far apart, in milliseconds: a replica that starts or stops wakes all for each gateway. */
const minHeartbeatMs = 100;

/**
 * Leases in PostgreSQL, and what is watched beside them. One statement a second, the heartbeat, renews all leases of this process, says which
 * gateways it wants, and reads what has changed; it has its own connection, so that a slow query cannot lose a lease. A notification only makes
 * the next heartbeat come at once, so none that is lost, or a connection that broke, costs more than a second.
 *
 * Expiry is decided by the database clock alone. A process that was stopped or cannot reach the database stops by its own clock before the lease
 * can pass to another process.
 */
export class PostgresLeases implements Leases {
  readonly #database: PostgresDatabase;
  readonly #options: LeaseOptions;
  readonly #held = new Map<number, HeldLease>();
  /** The gateways that this process would share with others, beside those that it holds. */
  readonly #wanted = new Set<number>();
  /** The gateways that it will want, all at once. */
  readonly #joining = new Set<number>();
  #joiningSinceMs = 0;
  #joiningTimer: NodeJS.Timeout | null = null;
  readonly #watches = new GatewayWatches();
  readonly #connection: ReconnectingClient;
  #fleet: Fleet = { replicas: new Map(), gateways: new Map() };
  /** Identifies what `#fleet` was read from. */
  #version: string | null = null;
  /** What the last heartbeat announced, and when it was sent, on the monotonic clock. */
  #announced: { readonly atMs: number; readonly gatewayIds: ReadonlySet<number> } = {
    atMs: Number.NEGATIVE_INFINITY,
    gatewayIds: new Set(),
  };
  /** The owner of each gateway; `null`: not computed since something has changed. */
  #assignment: ReadonlyMap<number, string> | null = null;
  #interval: NodeJS.Timeout | null = null;
  #soon: { readonly timer: NodeJS.Timeout; readonly atMs: number } | null = null;
  #beating: Promise<void> = Promise.resolve();
  #nextBeat: Promise<void> | null = null;
  #isClosed = false;

  constructor(database: PostgresDatabase, options: LeaseOptions) {
    this.#database = database;
    this.#options = options;
    this.#connection = new ReconnectingClient({
      url: options.url,
      applicationName: 'edict lease',
      queryTimeoutMs: options.leaseDurationMs,
      onConnected: async (client) => {
        client.on('notification', () => this.#beatIn(minHeartbeatMs - (options.clock.monotonicMs() - this.#announced.atMs)));
        await client.query('LISTEN edict');
      },
    });
  }

  async acquire(gatewayId: number, _atMs: number, canRebalance: boolean): Promise<AcquiredLease> {
    const { holder, leaseDurationMs, clock } = this.#options;
    if (canRebalance) {
      const current = this.#isOutdated() || this.#wanted.has(gatewayId) ? null : this.#holderOf(gatewayId);
      if (current !== null) {
        this.#join(gatewayId);
        throw toLeaseHeldError(current);
      }
      this.#joining.delete(gatewayId);
      this.#wanted.add(gatewayId);
      const isAnnounced = this.#announced.gatewayIds.has(gatewayId) && clock.monotonicMs() < this.#announced.atMs + leaseDurationMs;
      if (!isAnnounced) await this.#beat();
      if (this.#ownerOf(gatewayId) !== holder) throw toLeaseHeldError(this.#holderOf(gatewayId));
    }
    const deadline = this.#newDeadline();
    const [row] = await this.#query(acquireLeaseSql, [gatewayId, holder, leaseDurationMs / 1000]);
    if (!row) {
      // Its row may have been locked for a moment only.
      this.#beatIn(minHeartbeatMs);
      throw toLeaseHeldError(await this.#database.leaseHolder(gatewayId));
    }
    const held: HeldLease = { fence: Number(row['fence']), abortController: new AbortController(), canRebalance, deadline };
    this.#setHeld(gatewayId, held);
    this.#start();
    const isHeld = (): boolean => this.#held.get(gatewayId) === held && !this.#isExpired(held);
    return { idleMs: Number(row['silent_ms']), lease: { fence: held.fence, signal: held.abortController.signal, isHeld } };
  }

  async watch(gatewayId: number, onChange: (change: GatewayChange) => void): Promise<GatewayWatch> {
    const watch = this.#watches.add(gatewayId, onChange, () => this.#withdraw(gatewayId));
    this.#start();
    try {
      await this.#beat();
    } catch (error) {
      watch[Symbol.dispose]();
      throw error;
    }
    const isWaiting = (): boolean =>
      this.#held.has(gatewayId) || (this.#isWanted(gatewayId) && !this.#isOutdated() && !this.#isAvailable(gatewayId));
    return {
      get isWaiting() {
        return isWaiting();
      },
      withdraw: () => this.#withdraw(gatewayId),
      [Symbol.dispose]: () => watch[Symbol.dispose](),
    };
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
    this.#wanted.delete(gatewayId);
    // Forget the lease first, so that it is not renewed even if the database cannot be reached.
    this.#setHeld(gatewayId, null);
    // With the lease, others must learn what is no longer wanted: they would hand their gateways to a process that is stopping.
    const gatewayIds = this.#wantedIds();
    this.#announced = { ...this.#announced, gatewayIds: new Set(gatewayIds) };
    await this.#query(releaseLeaseSql, [gatewayId, held.fence, this.#options.holder, gatewayIds]);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#interval) clearInterval(this.#interval);
    if (this.#soon) clearTimeout(this.#soon.timer);
    if (this.#joiningTimer) clearTimeout(this.#joiningTimer);
    await this.#database.drain();
    await (this.#nextBeat ?? this.#beating).catch(() => {});
    try {
      if (this.#connection.current !== null) await this.#query(leaveSql, [this.#options.holder]);
    } catch {
      // The leases and the heartbeat expire.
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

  #start(): void {
    this.#interval ??= setInterval(() => this.#onInterval(), this.#options.leaseDurationMs / renewalsPerLease).unref();
  }

  #onInterval(): void {
    this.#dropExpired();
    if (this.#isOutdated()) this.#watches.offerAll();
    if (this.#nextBeat === null && this.#held.size + this.#announced.gatewayIds.size + this.#watches.gatewayIds.length > 0)
      void this.#beat().catch(() => {});
  }

  /** Whether nothing is known of the fleet any more, because no heartbeat has reached the database for the time of a lease. */
  #isOutdated(): boolean {
    return this.#options.clock.monotonicMs() >= this.#announced.atMs + this.#options.leaseDurationMs;
  }

  /** Sends a heartbeat after `ms` milliseconds, or when one that was asked for earlier is due. */
  #beatIn(ms: number): void {
    const atMs = performance.now() + Math.max(0, ms);
    if (this.#isClosed || (this.#soon && this.#soon.atMs <= atMs)) return;
    if (this.#soon) clearTimeout(this.#soon.timer);
    const send = (): void => {
      this.#soon = null;
      void this.#beat().catch(() => {});
    };
    this.#soon = { atMs, timer: setTimeout(send, Math.max(0, ms)).unref() };
  }

  /** Resolves after a heartbeat that is sent from now on; those who ask while one is in flight share the next one. */
  #beat(): Promise<void> {
    this.#nextBeat ??= this.#beating
      .catch(() => {})
      .then(() => {
        this.#nextBeat = null;
        this.#beating = this.#sendHeartbeat();
        return this.#beating;
      });
    return this.#nextBeat;
  }

  async #sendHeartbeat(): Promise<void> {
    const { holder, leaseDurationMs, clock } = this.#options;
    const leases = new Map(this.#held);
    const gatewayIds = this.#wantedIds();
    const deadline = this.#newDeadline();
    const atMs = clock.monotonicMs();
    const values = [holder, leaseDurationMs / 1000, [...leases.keys()], gatewayIds, this.#watches.gatewayIds, this.#version];
    const [row] = await this.#query(heartbeatSql, values);
    this.#announced = { atMs, gatewayIds: new Set(gatewayIds) };
    const renewed = new Map(((row?.['renewed'] ?? []) as [number, number][]).map(([id, fence]) => [id, fence]));
    for (const [gatewayId, held] of leases) {
      if (renewed.get(gatewayId) === held.fence) held.deadline = deadline;
      else this.#drop(gatewayId, held);
    }
    if (row?.['fleet'] != null) {
      this.#fleet = toFleet(String(row['fleet']));
      this.#version = String(row['version']);
      this.#assignment = null;
    }
    this.#tellAll();
    // The lease of a killed process is noticed when it expires, not only at the next heartbeat.
    if (row?.['expires_in_ms'] != null) {
      const expiresInMs = Number(row['expires_in_ms']);
      if (expiresInMs < leaseDurationMs / renewalsPerLease) this.#beatIn(expiresInMs + 1);
    }
  }

  /**
   * Signals the controllers to hand over the gateways assigned to a process with fewer, each of which is held until it is released, and tells
   * those who watch a gateway what has changed.
   */
  #tellAll(): void {
    for (const [gatewayId, held] of this.#held) {
      const owner = held.canRebalance ? this.#ownerOf(gatewayId) : undefined;
      if (owner !== undefined && owner !== this.#options.holder) held.abortController.abort('shared');
    }
    for (const gatewayId of this.#watches.gatewayIds) {
      const { request, newestApprovalId, applied } = this.#fleet.gateways.get(gatewayId) ?? unknownGateway;
      // What this process applies itself is no news.
      const appliedElsewhere = this.#held.has(gatewayId) ? null : applied;
      const isAvailable = this.#isAvailable(gatewayId);
      this.#watches.update(gatewayId, { request, newestApprovalId, applied: appliedElsewhere, isAvailable });
    }
  }

  /** Whether the lease is free, and this process may take it or has not said that it wants it. */
  #isAvailable(gatewayId: number): boolean {
    if (this.#holderOf(gatewayId) !== null) return false;
    return !this.#wanted.has(gatewayId) || this.#ownerOf(gatewayId) === this.#options.holder;
  }

  /** Returns the holder of a lease that has not expired, as far as this process knows. */
  #holderOf(gatewayId: number): string | null {
    if (this.#held.has(gatewayId)) return this.#options.holder;
    const holder = this.#fleet.gateways.get(gatewayId)?.holder ?? null;
    return holder === this.#options.holder ? null : holder;
  }

  #ownerOf(gatewayId: number): string | undefined {
    this.#assignment ??= this.#divide();
    return this.#assignment.get(gatewayId);
  }

  #divide(): ReadonlyMap<number, string> {
    const candidates = new Map<number, string[]>();
    for (const [holder, gatewayIds] of this.#fleet.replicas) {
      for (const gatewayId of gatewayIds) candidates.set(gatewayId, [...(candidates.get(gatewayId) ?? []), holder]);
    }
    // What is being handed over has left: with it, this process would seem to have more than its share, and hand over others too.
    const isLeaving = (gatewayId: number): boolean => this.#held.get(gatewayId)?.abortController.signal.aborted ?? false;
    return assignGateways(
      [...candidates].map(([gatewayId, holders]) => ({
        gatewayId,
        holder: isLeaving(gatewayId) ? null : this.#holderOf(gatewayId),
        candidates: holders,
      })),
    );
  }

  /** Returns the gateways that it wants or holds and would share. */
  #wantedIds(): number[] {
    const shared = [...this.#held].filter(([, { canRebalance }]) => canRebalance).map(([gatewayId]) => gatewayId);
    return [...new Set([...this.#wanted, ...shared])].toSorted((a, b) => a - b);
  }

  /** Wants the gateway, together with all others that are asked for soon. */
  #join(gatewayId: number): void {
    if (this.#joining.has(gatewayId)) return;
    const nowMs = performance.now();
    if (this.#joining.size === 0) this.#joiningSinceMs = nowMs;
    this.#joining.add(gatewayId);
    if (this.#joiningTimer) clearTimeout(this.#joiningTimer);
    const announce = (): void => {
      for (const id of this.#joining) this.#wanted.add(id);
      this.#joining.clear();
      this.#beatIn(0);
    };
    this.#joiningTimer = setTimeout(announce, Math.min(joiningQuietMs, this.#joiningSinceMs + maxJoiningMs - nowMs)).unref();
  }

  #isWanted(gatewayId: number): boolean {
    return this.#wanted.has(gatewayId) || this.#joining.has(gatewayId);
  }

  #withdraw(gatewayId: number): void {
    this.#joining.delete(gatewayId);
    if (this.#wanted.delete(gatewayId)) this.#beatIn(0);
  }

  /** Drops leases that were not renewed in time. Another process may hold them, so they must be acquired again. */
  #dropExpired(): void {
    for (const [gatewayId, held] of this.#held) if (this.#isExpired(held)) this.#drop(gatewayId, held);
  }

  #drop(gatewayId: number, held: HeldLease): void {
    if (this.#held.get(gatewayId) === held) this.#setHeld(gatewayId, null);
    held.abortController.abort();
  }

  #setHeld(gatewayId: number, held: HeldLease | null): void {
    if (held) this.#held.set(gatewayId, held);
    else this.#held.delete(gatewayId);
    this.#assignment = null;
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

const unknownGateway: FleetGateway = { holder: null, request: null, newestApprovalId: 0, applied: null };

/** Reads the JSON that the heartbeat returns. */
function toFleet(json: string): Fleet {
  const { replicas, gateways } = JSON.parse(json) as {
    readonly replicas: Readonly<Record<string, readonly number[]>>;
    readonly gateways: readonly (readonly [number, string | null, string | null, number | null, string | null])[] | null;
  };
  return {
    replicas: new Map(Object.entries(replicas)),
    gateways: new Map(
      (gateways ?? []).map(([id, holder, request, newestApprovalId, applied]) => [
        id,
        { holder, request, newestApprovalId: newestApprovalId ?? 0, applied },
      ]),
    ),
  };
}

/** Returns the error that names the lease holder. */
function toLeaseHeldError(holder: string | null): EdictError {
  return new LeaseHeldError(`another edict process holds the lease of the gateway${holder ? ` (${holder})` : ''}`, {
    hint: 'stop that one first, or wait for it with --lock-timeout',
  });
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

/**
 * The heartbeat of the process $1, for $2 seconds: renews its leases on $3, says that it wants $4, and returns what it must know of those, of $5 and
 * of all that others want, unless that has still the version $6. Everything is read as it was before the statement, so its own row is made from
 * the parameters. Also deletes the rows of dead processes; a locked one is skipped, since its process is renewing it.
 */
const heartbeatSql = `
  WITH renewed AS (
    UPDATE edict.gateway SET held_until = clock_timestamp() + make_interval(secs => $2)
    WHERE holder = $1 AND id = ANY ($3::bigint[])
    RETURNING id, fence
  ), alive AS (
    INSERT INTO edict.replica (holder, gateway_ids, lives_until)
    SELECT $1, $4::bigint[], clock_timestamp() + make_interval(secs => $2)
    WHERE cardinality($4::bigint[]) > 0 OR EXISTS (SELECT FROM edict.replica WHERE holder = $1)
    ON CONFLICT (holder) DO UPDATE SET gateway_ids = excluded.gateway_ids, lives_until = excluded.lives_until
  ), dead AS (
    DELETE FROM edict.replica WHERE holder IN (
      SELECT holder FROM edict.replica WHERE lives_until < clock_timestamp() AND holder <> $1 FOR UPDATE SKIP LOCKED
    )
  ), member AS (
    SELECT holder, gateway_ids FROM edict.replica WHERE holder <> $1 AND lives_until >= clock_timestamp()
    UNION ALL SELECT $1::text, $4::bigint[]
  ), known AS (
    SELECT g.id, g.held_until, CASE WHEN g.held_until >= clock_timestamp() THEN g.holder END AS holder, g.request,
      (SELECT max(a.id) FROM edict.approval a WHERE a.gateway_id = g.id) AS approval, hashtextextended(g.applied_digests, 0)::text AS applied
    FROM edict.gateway g WHERE g.id = ANY ($5::bigint[]) OR g.id IN (SELECT unnest(gateway_ids) FROM member)
  ), fleet AS (
    SELECT json_build_object(
      'replicas', (SELECT json_object_agg(holder, gateway_ids ORDER BY holder) FROM member),
      'gateways', (SELECT json_agg(json_build_array(id, holder, request, approval, applied) ORDER BY id) FROM known)
    )::text AS json
  ), versioned AS (SELECT json, hashtextextended(json, 0)::text AS version FROM fleet)
  SELECT (SELECT json_agg(json_build_array(id, fence)) FROM renewed) AS renewed, version,
    CASE WHEN version IS DISTINCT FROM $6 THEN json END AS fleet,
    (SELECT min(extract(epoch FROM held_until - clock_timestamp()) * 1000) FROM known WHERE holder <> $1) AS expires_in_ms
  FROM versioned`;

/** The time of release is taken from the database clock, since the clocks of two machines differ. */
const releaseLeaseSql = `
  WITH unwanted AS (UPDATE edict.replica SET gateway_ids = $4::bigint[] WHERE holder = $3)
  UPDATE edict.gateway SET holder = NULL, held_until = NULL, controller_status = NULL, released_at_ms = extract(epoch FROM clock_timestamp()) * 1000
  WHERE id = $1 AND fence = $2`;

const leaveSql = `
  WITH gone AS (DELETE FROM edict.replica WHERE holder = $1)
  UPDATE edict.gateway SET holder = NULL, held_until = NULL WHERE holder = $1`;
