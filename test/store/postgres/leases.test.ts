import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/app/context.ts';
import type { Clock } from '../../../src/model/clock.ts';
import type { EdictError } from '../../../src/model/errors.ts';
import { bindQuery } from '../../../src/store/database.ts';
import type { AcquiredLease, GatewayChange } from '../../../src/store/interface.ts';
import { openStore } from '../../../src/store/open.ts';
import { connect } from '../../../src/store/postgres/connection.ts';
import { PostgresDatabase } from '../../../src/store/postgres/database.ts';
import { PostgresLeases } from '../../../src/store/postgres/leases.ts';
import { writeApproval, writeSuspension } from '../../../src/store/requests.ts';
import { eventually } from '../../support/eventually.ts';
import { type PostgresServer, postgresServer } from '../../support/postgres.ts';
import { gatewaySettings } from '../../support/states.ts';

const test = suite('leases in PostgreSQL');
/** The time of a lease that expires or is renewed during the test: long enough to keep it on a busy machine. */
const shortLeaseMs = 2000;
/** The time of a lease that outlasts any test. */
const longLeaseMs = 60_000;
/** How long an automatic event is waited for: only a bug uses all of it. */
const patienceMs = 20_000;
let server: PostgresServer;
let url: string;
let opened: { readonly leases: PostgresLeases; readonly database: PostgresDatabase }[] = [];

test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());
test.before.each(async () => {
  url = await server.database();
  const store = await openStore({ url, isEmulated: false });
  await store.saveSuspension(gatewaySettings(), null);
  await store.close();
});
test.after.each(async () => {
  for (const { leases, database } of opened) {
    await leases.close();
    await database.close();
  }
  opened = [];
});

/** The leases of one instance, which do not expire while it runs; `clock` is its own clock. */
function edict(holder: string, leaseDurationMs = longLeaseMs, clock: Partial<Pick<Clock, 'monotonicMs' | 'now'>> = {}) {
  const database = new PostgresDatabase(url);
  const leases = new PostgresLeases(database, { url, holder, leaseDurationMs, clock: { ...systemClock, ...clock } });
  opened.push({ leases, database });
  return leases;
}

const code = (error: unknown): string => (error as EdictError).code;
/** Resolves to the lease of the gateway as soon as `of` can acquire it. */
async function acquired(of: PostgresLeases, canRebalance = false): Promise<AcquiredLease> {
  let taken: AcquiredLease | null = null;
  const isTaken = async (): Promise<boolean> => {
    taken = await of.acquire(1, 0, canRebalance).catch((error: unknown) => {
      if (code(error) !== 'LEASE_HELD') throw error;
      return null;
    });
    return taken !== null;
  };
  await eventually(isTaken, patienceMs, 'the gateway is free');
  if (taken === null) throw new Error('no lease');
  return taken;
}

/** A connection of the test itself. */
function beside() {
  const database = new PostgresDatabase(url);
  const rows = (sql: string) => database.read({ query: { sql, parameters: [] }, values: [] });
  /** Returns the state of a lease, by the clock of the database. */
  const lease = async (): Promise<{ readonly until: number; readonly isOver: boolean }> => {
    const sql =
      'SELECT extract(epoch FROM held_until)::float8 * 1000 AS until, held_until < clock_timestamp() AS over FROM edict.gateway WHERE id = 1';
    const [row] = await rows(sql);
    return { until: Number(row?.['until']), isOver: Boolean(row?.['over']) };
  };
  return { rows, lease, database, close: () => database.close() };
}

const words = (of: PostgresLeases, text: string) =>
  of.write(1, [bindQuery(new PostgresDatabase(url).queries.saveStatus, { gateway: 1, status: text })]);

test('one instance at a time has a lease while it renews it, and others see the holder', async () => {
  const [first, second, looking] = [edict('host-1, pid 1', shortLeaseMs), edict('host-2, pid 2'), beside()];
  const { lease } = await first.acquire(1, 0, false);
  const { until } = await looking.lease();
  await eventually(async () => (await looking.lease()).until >= until + shortLeaseMs, patienceMs, 'it is renewed for as long once more');
  await looking.close();
  assert.ok(lease.isHeld());
  const refused = (await second.acquire(1, 0, false).catch((error: unknown) => error)) as EdictError;
  assert.equal([refused.code, refused.message], ['LEASE_HELD', 'another edict process holds the lease of the gateway (host-1, pid 1)']);
});

test('a released lease is free at once, with a higher fence and the time of its release', async () => {
  const [first, second] = [edict('one'), edict('two')];
  const { lease } = await first.acquire(1, 0, false);
  await first.release(1);
  assert.not(lease.isHeld());
  await sleep(50);
  const taken = await second.acquire(1, 0, false);
  assert.ok(taken.lease.fence > lease.fence);
  assert.ok(taken.idleMs >= 50 && taken.idleMs < 5000, `${taken.idleMs}`);
});

test('an instance that was paused in the middle of a transaction blocks the lease for nobody', async () => {
  const first = edict('one');
  const { lease } = await first.acquire(1, 0, false);
  await first.close();
  const paused = await connect({ url, applicationName: 'paused' });
  const ended = new Promise((resolve) => paused.once('error', resolve).once('end', () => resolve(null)));
  // All three are sent before the first response, so that the lease does not expire in between.
  await Promise.all([
    paused.query("UPDATE edict.gateway SET holder = 'one', held_until = clock_timestamp() + interval '300 ms'"),
    paused.query('BEGIN'),
    paused.query('SELECT edict.must_hold(1, $1)', [lease.fence]),
  ]);
  const [second, looking] = [edict('two'), beside()];
  await eventually(async () => (await looking.lease()).isOver, patienceMs, 'the lease has expired');
  await looking.close();
  assert.is(await second.acquire(1, 0, false).then(String, code), 'LEASE_HELD');
  await ended;
  // The server reports the end of a session a moment before it releases its locks.
  assert.ok((await acquired(second)).lease.fence > lease.fence);
});

test('a lease is renewed while its holder writes, and is not taken by another instance meanwhile', async () => {
  const [first, second, looking] = [edict('one', shortLeaseMs), edict('two'), beside()];
  const { lease } = await first.acquire(1, 0, false);
  const writing = await connect({ url, applicationName: 'writing' });
  await writing.query('SET idle_in_transaction_session_timeout = 0');
  await writing.query('BEGIN');
  await writing.query('SELECT edict.must_hold(1, $1)', [lease.fence]);
  const { until } = await looking.lease();
  await eventually(async () => (await looking.lease()).until >= until + shortLeaseMs, patienceMs, 'it is renewed for as long once more');
  assert.ok(lease.isHeld());
  await looking.rows('UPDATE edict.gateway SET holder = NULL, held_until = NULL WHERE id = 1');
  assert.is(await second.acquire(1, 0, false).then(String, code), 'LEASE_HELD', 'the write has not ended');
  await writing.query('COMMIT');
  await writing.end();
  await acquired(second);
  await looking.close();
});

test('an instance that could not renew knows that its lease has expired before another one can take it', async () => {
  const time = { skippedMs: 0 };
  const first = edict('one', shortLeaseMs, { monotonicMs: () => performance.now() + time.skippedMs });
  const second = edict('two');
  const { lease } = await first.acquire(1, 0, false);
  time.skippedMs = shortLeaseMs;
  assert.not(lease.isHeld(), 'it was asleep for that long');
  assert.is(await second.acquire(1, 0, false).then(String, code), 'LEASE_HELD', 'the database waits longer');
  await eventually(() => lease.signal.aborted, patienceMs, 'the work under it is aborted');
  assert.ok((await acquired(second)).lease.isHeld(), 'it was not renewed any more');
});

test('a machine that slept, whose monotonic clock stopped meanwhile, learns it from the other clock', async () => {
  const time = { skippedMs: 0 };
  const { lease } = await edict('one', longLeaseMs, { now: () => Date.now() + time.skippedMs }).acquire(1, 0, false);
  assert.ok(lease.isHeld());
  time.skippedMs = longLeaseMs;
  assert.not(lease.isHeld());
  time.skippedMs = -3_600_000;
  assert.ok(lease.isHeld(), 'a clock that was set back proves nothing');
});

test('an instance that lost its lease writes nothing', async () => {
  const [first, second] = [edict('one'), edict('two')];
  await first.acquire(1, 0, false);
  await words(first, 'first');
  const { database: thief, rows } = beside();
  await rows("UPDATE edict.gateway SET held_until = '-infinity'");
  await second.acquire(1, 0, false);
  assert.is(await words(first, 'first again').then(String, code), 'LEASE_HELD');
  await words(second, 'second');
  const [row] = await thief.read(bindQuery(thief.queries.readGateway, { gateway: 1 }));
  assert.is(row?.['controller_status'], 'second');
  await thief.close();
});

test('an instance that exits without releasing frees its leases, and is not taken for one that left long ago', async () => {
  const [first, second] = [edict('one'), edict('two')];
  await first.acquire(1, 0, false);
  await first.close();
  assert.is((await second.acquire(1, 0, false)).idleMs, 0);
});

test('a lease whose release was lost is not renewed: it expires, and its next holder takes it', async () => {
  const [first, second, breaker] = [edict('one', shortLeaseMs), edict('two'), beside()];
  const sql = breaker.rows;
  const { lease } = await first.acquire(1, 0, false);
  await sql('ALTER TABLE edict.gateway RENAME TO away');
  assert.is(await first.release(1).then(String, code), 'STORE_FAILED');
  await sql('ALTER TABLE edict.away RENAME TO gateway');
  assert.not(lease.isHeld());
  assert.ok((await acquired(second)).lease.fence > lease.fence);
  await breaker.close();
});

test('an instance that could not open a gateway after taking its lease blocks it for nobody', async () => {
  const [first, second] = [await openStore({ url, isEmulated: false }), await openStore({ url, isEmulated: false })];
  const breaker = beside();
  const sql = breaker.rows;
  await sql('ALTER TABLE edict.attempt RENAME TO away');
  assert.is(await first.acquire(gatewaySettings(), 0).then(String, code), 'STORE_FAILED');
  await sql('ALTER TABLE edict.away RENAME TO attempt');
  await second.acquire(gatewaySettings(), 0);
  for (const store of [first, second, breaker]) await store.close();
});

/** Watches a gateway, and returns what it is told. */
async function watched(of: PostgresLeases, gatewayId = 1) {
  const changes: GatewayChange[] = [];
  const watch = await of.watch(gatewayId, (change) => changes.push(change));
  return { changes, watch };
}

test('a standby says that it wants a gateway until it is released or withdrawn, or nobody watches it any more', async () => {
  const [first, second, looking] = [edict('one'), edict('two'), beside()];
  const wanted = async (): Promise<string> => {
    const [row] = await looking.rows("SELECT gateway_ids::text AS ids FROM edict.replica WHERE holder = 'two'");
    return String(row?.['ids']);
  };
  const { watch, changes } = await watched(second);
  assert.is(await wanted(), 'undefined', 'a watch alone is no claim');
  await first.acquire(1, 0, false);
  assert.is(await second.acquire(1, 0, true).then(String, code), 'LEASE_HELD');
  assert.ok(watch.isWaiting);
  await eventually(async () => (await wanted()) === '{1}', patienceMs, 'it is announced');
  assert.ok(watch.isWaiting);
  watch.withdraw();
  assert.is(watch.isWaiting, false);
  await eventually(async () => (await wanted()) === '{}', patienceMs, 'it has withdrawn');
  assert.is(await second.acquire(1, 0, true).then(String, code), 'LEASE_HELD');
  await eventually(async () => (await wanted()) === '{1}', patienceMs, 'it is announced again');
  const before = changes.length;
  await first.release(1);
  await eventually(() => changes.includes('available', before), patienceMs, 'it is told that the lease is free');
  await second.acquire(1, 0, true);
  await second.release(1);
  assert.is(await wanted(), '{}');
  await acquired(second, true);
  assert.is(await wanted(), '{1}');
  await second.release(1);
  assert.is(await second.acquire(1, 0, true).then(() => 'held', code), 'held');
  await second.close();
  assert.is(await wanted(), 'undefined');
  await looking.close();
});

test('an instance announces at once all that it wants of others', async () => {
  const store = await openStore({ url, isEmulated: false });
  for (let more = 2; more <= 9; more += 1) await store.saveSuspension(gatewaySettings({ instance: `${more}` }), null);
  await store.close();
  const ids = Array.from({ length: 9 }, (_, index) => index + 1);
  const [first, second, looking] = [edict('one'), edict('two'), beside()];
  for (const id of ids) await first.acquire(id, 0, true);
  await looking.rows('CREATE TABLE public.seen (ids bigint[])');
  await looking.rows(`CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF new.holder = ''two'' THEN INSERT INTO public.seen VALUES (new.gateway_ids); END IF; RETURN NULL; END'`);
  await looking.rows('CREATE TRIGGER see AFTER INSERT OR UPDATE ON edict.replica FOR EACH ROW EXECUTE FUNCTION public.see()');
  for (const id of ids) await second.watch(id, () => {});
  const refused = await Promise.all(ids.map((id) => second.acquire(id, 0, true).then(String, code)));
  assert.equal(new Set(refused), new Set(['LEASE_HELD']));
  const seen = async () => (await looking.rows('SELECT ids::text AS ids FROM public.seen')).map((row) => String(row['ids']));
  await eventually(async () => (await seen()).length > 0, patienceMs, 'it has announced them');
  assert.is((await seen())[0], `{${ids}}`);
  await looking.close();
});

test('a heartbeat is one statement, however many gateways a process holds, wants and watches', async () => {
  const store = await openStore({ url, isEmulated: false });
  for (let more = 2; more <= 50; more += 1) await store.saveSuspension(gatewaySettings({ instance: `${more}` }), null);
  await store.close();
  const ids = Array.from({ length: 50 }, (_, index) => index + 1);
  const [first, second] = [edict('one', shortLeaseMs), edict('two', shortLeaseMs)];
  for (const id of ids.slice(0, 25)) await second.acquire(id, 0, false);
  for (const id of ids) await first.watch(id, () => {});
  await Promise.allSettled(ids.map((id) => first.acquire(id, 0, true)));
  await sleep(shortLeaseMs / 2);
  const sent: string[] = [];
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    sent.push(String(args[0]));
    return Reflect.apply(query, this, args);
  } as typeof query;
  try {
    await eventually(() => sent.length >= 6, patienceMs, 'both have sent some heartbeats');
  } finally {
    pg.Client.prototype.query = query;
  }
  assert.is(new Set(sent).size, 1, `${sent}`);
  assert.match(sent[0] ?? '', 'SET held_until');
});

test('a request, an approval and a free lease arrive by notification, without a heartbeat of the interval', async () => {
  const [first, second] = [edict('one'), edict('two')];
  const { changes } = await watched(first);
  await writeSuspension({ url, isEmulated: false }, gatewaySettings(), null);
  await eventually(() => changes.includes('requested'), patienceMs, 'the request has arrived');
  const times = { approvedAtMs: 1, expiresAtMs: 2 };
  await writeApproval({ url, isEmulated: false }, gatewaySettings(), { digest: 'd', by: 'ada', reason: 'r', scope: [], ...times });
  await eventually(() => changes.includes('approved'), patienceMs, 'the approval has arrived');
  await second.acquire(1, 0, false);
  await first.acquire(1, 0, true).catch(code);
  const before = changes.length;
  await second.release(1);
  await eventually(() => changes.includes('available', before), patienceMs, 'the lease is free');
  assert.equal(
    changes.filter((change) => change !== 'available'),
    ['requested', 'approved'],
  );
});

test('a broken connection is made anew, and what was written meanwhile is read', async () => {
  const [first, looking] = [edict('one', shortLeaseMs), beside()];
  const { changes } = await watched(first);
  const listening = async () =>
    looking.rows("SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN edict' OR application_name = 'edict lease'");
  const [{ pid } = { pid: null }] = await listening();
  await looking.rows(`SELECT pg_terminate_backend(${pid}) FROM (SELECT 1) AS one`);
  await writeSuspension({ url, isEmulated: false }, gatewaySettings(), null);
  await eventually(() => changes.includes('requested'), patienceMs, 'the request has arrived');
  const [again] = await listening();
  assert.ok(again && again['pid'] !== pid);
  await writeSuspension({ url, isEmulated: false }, gatewaySettings(), null);
  await eventually(() => changes.filter((change) => change === 'requested').length === 2, patienceMs, 'the next one has arrived');
  await looking.close();
});

test('a lost notification costs a heartbeat, not the request', async () => {
  const [first, looking] = [edict('one', shortLeaseMs), beside()];
  const { changes } = await watched(first);
  await looking.rows('ALTER TABLE edict.gateway DISABLE TRIGGER wake');
  await writeSuspension({ url, isEmulated: false }, gatewaySettings(), null);
  await eventually(() => changes.includes('requested'), patienceMs, 'the request has arrived');
  await looking.close();
});

test('the lease of a killed process is offered when it expires, and to one process only', async () => {
  const [second, third, looking] = [edict('two', shortLeaseMs), edict('three', shortLeaseMs), beside()];
  const watches = [await watched(second), await watched(third)];
  await looking.rows("UPDATE edict.gateway SET holder = 'killed', held_until = clock_timestamp() + interval '1 hour'");
  for (const one of [second, third]) assert.is(await one.acquire(1, 0, true).then(String, code), 'LEASE_HELD');
  for (const { changes } of watches) changes.length = 0;
  await looking.rows("UPDATE edict.gateway SET held_until = clock_timestamp() + interval '200 ms'");
  await eventually(() => watches.some(({ changes }) => changes.includes('available')), patienceMs, 'it is offered');
  await sleep(shortLeaseMs / 2);
  const offers = watches.map(({ changes }) => changes.includes('available'));
  // The smaller name of two that have equally many.
  assert.equal(offers, [false, true]);
  assert.ok((await third.acquire(1, 0, true)).lease.isHeld());
  await looking.close();
});

test('instances that share divide the gateways evenly: a new one gets its part, and one that leaves returns its part', async () => {
  const store = await openStore({ url, isEmulated: false });
  for (let more = 2; more <= 4; more += 1) await store.saveSuspension(gatewaySettings({ instance: `${more}` }), null);
  await store.close();
  const ids = [1, 2, 3, 4];
  /** Acquires and releases leases as a daemon does: up to its even share of the gateways. */
  const daemon = (holder: string) => {
    const leases = edict(holder, shortLeaseMs);
    const had = new Map<number, AbortSignal>();
    const work = async (): Promise<number> => {
      for (const id of ids) {
        const ending = had.get(id);
        if (ending?.aborted) {
          await leases.release(id);
          had.delete(id);
        }
        if (had.has(id)) continue;
        const taken = await leases.acquire(id, 0, true).catch(code);
        if (typeof taken !== 'string') had.set(id, taken.lease.signal);
      }
      return had.size;
    };
    return { leases, work, count: () => had.size };
  };
  const [first, second] = [daemon('a'), daemon('b')];
  /** Runs them until each has had so many for twice the interval of a new division. */
  const divide = async (of: readonly { work(): Promise<number> }[], counts: readonly number[]): Promise<void> => {
    let found: number[] = [];
    let sinceMs = Number.POSITIVE_INFINITY;
    const isDivided = async (): Promise<boolean> => {
      found = [];
      for (const one of of) found.push(await one.work());
      const isSo = found.join() === counts.join();
      sinceMs = isSo ? Math.min(sinceMs, performance.now()) : Number.POSITIVE_INFINITY;
      await sleep(50);
      return performance.now() - sinceMs >= shortLeaseMs / 2;
    };
    await eventually(isDivided, patienceMs, `they have ${counts.join(' and ')}`).catch(() => {});
    assert.equal(found, counts);
  };
  await divide([first], [4]);
  await divide([first, second], [2, 2]);
  await first.leases.close();
  await divide([second], [4]);
});

test('the heartbeat of a killed instance is deleted by the next one of another', async () => {
  const { rows: raw, close } = beside();
  await raw(`INSERT INTO edict.replica VALUES
    ('killed', '{1}', clock_timestamp() - interval '1 ms'), ('second', '{1}', clock_timestamp() - interval '1 day'),
    ('alive', '{1}', clock_timestamp() + interval '1 day')`);
  const second = edict('second');
  await second.acquire(1, 0, true).catch(code);
  const names = async () => (await raw('SELECT holder FROM edict.replica ORDER BY holder')).map(({ holder }) => holder);
  assert.equal(await names(), ['alive', 'second']);
  await close();
});

test('an instance that does not share keeps what it has, and takes what is free', async () => {
  const [first, second, looking] = [edict('apply', shortLeaseMs), edict('daemon', shortLeaseMs), beside()];
  await first.acquire(1, 0, false);
  const ends = new Set<number>();
  const isRenewedOften = async (): Promise<boolean> => {
    assert.is(await second.acquire(1, 0, true).then(String, code), 'LEASE_HELD');
    return ends.add((await looking.lease()).until).size > 6;
  };
  await eventually(isRenewedOften, patienceMs, 'it is renewed often');
  await looking.close();
  await first.release(1);
  await acquired(second, true);
});

test('a lease expires while the database is unavailable, and is taken again when it is back', async () => {
  const first = edict('one', shortLeaseMs);
  const { lease } = await first.acquire(1, 0, false);
  await server.restart(shortLeaseMs);
  await eventually(() => lease.signal.aborted, patienceMs, 'the work under it is aborted');
  assert.not(lease.isHeld());
  const again = await first.acquire(1, 0, false);
  assert.ok(again.lease.isHeld() && again.lease.fence > lease.fence);
});

test.run();
