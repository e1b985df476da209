import { EdictError } from '../core/errors.ts';
import type { Clock, Entered } from '../core/ports.ts';
import { shownAddress } from '../core/store-address.ts';
import type { Step } from './database.ts';
import { divide } from './divide.ts';
import { KeptConnection } from './kept-connection.ts';
import type { Leases } from './leases.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { postgresError } from './postgres-error.ts';
import type { Row } from './rows.ts';

export interface LeaseOptions {
  readonly url: string;
  /** Who holds what is taken, for people and other edicts; no two have the same. */
  readonly holder: string;
  readonly clock: Pick<Clock, 'monotonic' | 'now'>;
  /** How long a lease is held after its last renewal, in milliseconds. */
  readonly leaseMs: number;
}

interface Held {
  readonly fence: number;
  readonly ending: AbortController;
  readonly shares: boolean;
  /** When it may be another's. */
  until: Moment;
}

/** For so much of a lease what was answered to one is the answer to another. */
const sharedAnswerShare = 1 / 40;

/** A moment on the monotonic clock, and on the machine's: the first stands still while the machine sleeps, the second may be set. */
interface Moment {
  readonly monotonicMs: number;
  readonly dateMs: number;
}

/** So many renewals fit into a lease: one that is late, or lost, ends nothing. */
const renewalsPerLease = 4;

/** What is left of a lease when nothing is begun under it any more: a request that leaves just then has arrived by its end. */
const marginShare = 1 / 8;

/**
 * Leases in PostgreSQL, by its clock alone: each is renewed several times while it lasts, over a connection of its own. A process that
 * was stopped, or cannot reach the database, knows by its own clock that the lease may be another's, before it can be.
 */
export class PostgresLeases implements Leases {
  readonly #database: PostgresDatabase;
  readonly #options: LeaseOptions;
  readonly #held = new Map<number, Held>();
  /** When it was last said that this edict would work on a gateway, on the monotonic clock. */
  readonly #wishedAtMs = new Map<number, number>();
  #owners: { readonly atMs: number; readonly divided: Promise<ReadonlyMap<number, string>> } | null = null;
  readonly #connection: KeptConnection;
  #timer: NodeJS.Timeout | null = null;
  #renewing: Promise<void> | null = null;

  constructor(database: PostgresDatabase, options: LeaseOptions) {
    this.#database = database;
    this.#options = options;
    this.#connection = new KeptConnection({ url: options.url, name: 'edict lease', answerMs: options.leaseMs });
  }

  async take(gatewayId: number, _atMs: number, shares: boolean): Promise<Entered> {
    const { holder, leaseMs, clock } = this.#options;
    if (shares) {
      const nextWishAtMs = (this.#wishedAtMs.get(gatewayId) ?? Number.NEGATIVE_INFINITY) + leaseMs / renewalsPerLease;
      if (clock.monotonic() >= nextWishAtMs) await this.#wish([gatewayId]);
      const owner = (await this.#ownersSoon()).get(gatewayId);
      // Its wish has lapsed, as after the machine slept.
      if (owner === undefined) this.#wishedAtMs.delete(gatewayId);
      if (owner !== holder) throw await this.#heldBy(gatewayId);
    }
    const until = this.#until();
    const [taken] = await this.#query(takeLease, [gatewayId, holder, leaseMs / 1000]);
    if (!taken) throw await this.#heldBy(gatewayId);
    const held: Held = { fence: Number(taken['fence']), ending: new AbortController(), shares, until };
    this.#held.set(gatewayId, held);
    this.#timer ??= setInterval(() => this.#renew(), leaseMs / renewalsPerLease).unref();
    const isHeld = (): boolean => this.#held.get(gatewayId) === held && !this.#isLate(held);
    return { silentMs: Number(taken['silent_ms']), lease: { fence: held.fence, ending: held.ending.signal, isHeld } };
  }

  fenceOf(gatewayId: number): number | null {
    return this.#held.get(gatewayId)?.fence ?? null;
  }

  write(gatewayId: number, steps: readonly Step[]): Promise<readonly (readonly Row[])[]> {
    return this.#database.writeIf({ query: mustHold, values: [gatewayId, this.fenceOf(gatewayId)] }, steps);
  }

  async give(gatewayId: number): Promise<void> {
    const held = this.#held.get(gatewayId);
    if (!held) return;
    // First of all: what nobody works under is not renewed, also where the database does not hear of it.
    this.#held.delete(gatewayId);
    this.#wishedAtMs.delete(gatewayId);
    await this.#query(leaveLease, [gatewayId, held.fence]);
    await this.#query('DELETE FROM edict.wish WHERE gateway_id = $1 AND holder = $2', [gatewayId, this.#options.holder]);
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#database.drained();
    await this.#renewing;
    try {
      for (const [gatewayId, { fence }] of this.#held) await this.#query(freeLease, [gatewayId, fence]);
      if (this.#connection.present !== null) await this.#query('DELETE FROM edict.wish WHERE holder = $1', [this.#options.holder]);
    } catch {
      // It ends by itself.
    }
    for (const { ending } of this.#held.values()) ending.abort();
    this.#held.clear();
    await this.#connection.close();
  }

  /** When a lease that is asked for now may be another's. */
  #until(): Moment {
    const { leaseMs, clock } = this.#options;
    const forMs = leaseMs * (1 - marginShare);
    return { monotonicMs: clock.monotonic() + forMs, dateMs: clock.now() + forMs };
  }

  #isLate({ until: { monotonicMs, dateMs } }: Held): boolean {
    const { clock } = this.#options;
    return clock.monotonic() >= monotonicMs || clock.now() >= dateMs;
  }

  #renew(): void {
    this.#endLate();
    if (this.#renewing || this.#held.size === 0) return;
    this.#renewing = this.#renewAll()
      .catch(() => {})
      .finally(() => {
        this.#renewing = null;
      });
  }

  async #renewAll(): Promise<void> {
    const { holder, leaseMs } = this.#options;
    const asked = new Map(this.#held);
    const until = this.#until();
    const rows = await this.#query(renewLeases, [holder, [...asked.keys()], leaseMs / 1000]);
    const renewed = new Map(rows.map((row) => [Number(row['id']), Number(row['fence'])]));
    for (const [gatewayId, held] of asked) {
      if (renewed.get(gatewayId) === held.fence) held.until = until;
      else this.#end(gatewayId, held);
    }
    await this.#yield();
  }

  /** Lets go of what an edict that has fewer is to have; it is held until it is given back. */
  async #yield(): Promise<void> {
    const shared = [...this.#held].filter(([, { shares }]) => shares);
    if (shared.length === 0) return;
    await this.#wish(shared.map(([gatewayId]) => gatewayId));
    const owners = await this.#divided();
    for (const [gatewayId, held] of shared) if (owners.get(gatewayId) !== this.#options.holder) held.ending.abort('shared');
  }

  async #wish(gatewayIds: readonly number[]): Promise<void> {
    const { holder, leaseMs, clock } = this.#options;
    const atMs = clock.monotonic();
    await this.#query(wish, [gatewayIds, holder, leaseMs / 1000]);
    for (const gatewayId of gatewayIds) this.#wishedAtMs.set(gatewayId, atMs);
    this.#owners = null;
  }

  /** Like `#divided`, with one answer for all that ask at about the same time: who stands by at many gateways asks for each. */
  #ownersSoon(): Promise<ReadonlyMap<number, string>> {
    const { leaseMs, clock } = this.#options;
    if (this.#owners === null || clock.monotonic() >= this.#owners.atMs + leaseMs * sharedAnswerShare) {
      this.#owners = { atMs: clock.monotonic(), divided: this.#divided() };
    }
    return this.#owners.divided;
  }

  async #divided(): Promise<ReadonlyMap<number, string>> {
    const rows = await this.#query(claims, []);
    return divide(
      rows.map((row) => ({
        gatewayId: Number(row['id']),
        holder: row['holder'] === null ? null : String(row['holder']),
        wanted: row['wanted'] as string[],
      })),
    );
  }

  /** What was not renewed in time may be another's: it is not renewed any more, but taken anew. */
  #endLate(): void {
    for (const [gatewayId, held] of this.#held) if (this.#isLate(held)) this.#end(gatewayId, held);
  }

  #end(gatewayId: number, held: Held): void {
    if (this.#held.get(gatewayId) === held) this.#held.delete(gatewayId);
    held.ending.abort();
  }

  /** Returns why a lease could not be had. */
  async #heldBy(gatewayId: number): Promise<EdictError> {
    const [row] = await this.#query('SELECT holder FROM edict.gateway WHERE id = $1', [gatewayId]);
    const holder = row?.['holder'];
    return new EdictError('GATEWAY_HELD', `another edict works on the gateway${holder ? ` (${String(holder)})` : ''}`, {
      hint: 'stop that one first, or wait for it with --wait',
    });
  }

  async #query(sql: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      // Gateways are taken side by side, over one connection.
      const client = await this.#connection.open();
      return (await client.query<Row>(sql, [...values])).rows;
    } catch (error) {
      throw postgresError(error, shownAddress(this.#options.url));
    }
  }
}

const mustHold = { sql: 'SELECT edict.must_hold($1, $2)', parameters: ['gateway', 'fence'] } as const;

/** A row that is locked is one that its holder writes under: it is not waited for. */
const takeLease = `
  WITH was AS (SELECT id, left_at_ms, holder, held_until FROM edict.gateway WHERE id = $1 FOR UPDATE SKIP LOCKED)
  UPDATE edict.gateway g
  SET fence = g.fence + 1, holder = $2, held_until = clock_timestamp() + make_interval(secs => $3), left_at_ms = NULL, condition = NULL
  FROM was
  WHERE g.id = was.id AND (was.holder IS NULL OR was.holder = $2 OR was.held_until < clock_timestamp())
  RETURNING g.fence,
    CASE WHEN was.left_at_ms IS NULL THEN 0 ELSE greatest(0, extract(epoch FROM clock_timestamp()) * 1000 - was.left_at_ms) END AS silent_ms`;

const renewLeases = `
  UPDATE edict.gateway SET held_until = clock_timestamp() + make_interval(secs => $3)
  WHERE holder = $1 AND id = ANY ($2::bigint[])
  RETURNING id, fence`;

/** Also deletes those of edicts that were killed. One that is locked is being made anew. */
const wish = `
  WITH dead AS (
    DELETE FROM edict.wish WHERE (gateway_id, holder) IN (
      SELECT gateway_id, holder FROM edict.wish WHERE lives_until < clock_timestamp() AND holder <> $2 FOR UPDATE SKIP LOCKED
    )
  )
  INSERT INTO edict.wish (gateway_id, holder, lives_until)
  SELECT gateway_id, $2, clock_timestamp() + make_interval(secs => $3) FROM unnest($1::bigint[]) AS gateway_id
  ON CONFLICT (gateway_id, holder) DO UPDATE SET lives_until = excluded.lives_until`;

const claims = `
  SELECT g.id, CASE WHEN g.held_until >= clock_timestamp() THEN g.holder END AS holder, array_agg(w.holder) AS wanted
  FROM edict.gateway g JOIN edict.wish w ON w.gateway_id = g.id AND w.lives_until >= clock_timestamp()
  GROUP BY g.id`;

/** When an edict stopped is told by the clock of the database: those of two machines differ. */
const leaveLease = `
  UPDATE edict.gateway SET holder = NULL, held_until = NULL, condition = NULL, left_at_ms = extract(epoch FROM clock_timestamp()) * 1000
  WHERE id = $1 AND fence = $2`;

const freeLease = 'UPDATE edict.gateway SET holder = NULL, held_until = NULL WHERE id = $1 AND fence = $2';
