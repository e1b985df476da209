import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { bindQuery } from '../../src/store/database.ts';
import { openStore } from '../../src/store/open-store.ts';
import { connect } from '../../src/store/postgres-connection.ts';
import { PostgresDatabase } from '../../src/store/postgres-database.ts';
import { PostgresLeases } from '../../src/store/postgres-leases.ts';
import { eventually } from '../support/eventually.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { gatewaySettings } from '../support/states.ts';

const test = suite('leases in PostgreSQL');
const leaseDurationMs = 600;
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

/** The leases of one edict; `clock` is its own idea of time. */
function edict(holder: string, clock: Partial<Pick<Clock, 'monotonicMs' | 'now'>> = {}) {
  const database = new PostgresDatabase(url);
  const leases = new PostgresLeases(database, { url, holder, leaseDurationMs, clock: { ...systemClock, ...clock } });
  opened.push({ leases, database });
  return leases;
}

const code = (error: unknown): string => (error as EdictError).code;
const words = (of: PostgresLeases, text: string) =>
  of.write(1, [bindQuery(new PostgresDatabase(url).queries.describe, { gateway: 1, condition: text })]);

test('one edict at a time has a lease, as long as it renews it, and tells who', async () => {
  const [first, second] = [edict('host-1, pid 1'), edict('host-2, pid 2')];
  const { lease } = await first.acquire(1, 0, false);
  await sleep(leaseDurationMs * 2);
  assert.ok(lease.isHeld());
  const refused = (await second.acquire(1, 0, false).catch((error: unknown) => error)) as EdictError;
  assert.equal([refused.code, refused.message], ['GATEWAY_HELD', 'another edict works on the gateway (host-1, pid 1)']);
});

test('a lease that was given back is free at once, with a greater fence, and it is known since when', async () => {
  const [first, second] = [edict('one'), edict('two')];
  const { lease } = await first.acquire(1, 0, false);
  await first.release(1);
  assert.not(lease.isHeld());
  await sleep(50);
  const taken = await second.acquire(1, 0, false);
  assert.ok(taken.lease.fence > lease.fence);
  assert.ok(taken.idleMs >= 50 && taken.idleMs < 5000, `${taken.idleMs}`);
});

test('one that was paused in the middle of a transaction keeps the lease from nobody', async () => {
  const first = edict('one');
  const { lease } = await first.acquire(1, 0, false);
  await first.close();
  const paused = await connect({ url, applicationName: 'paused' });
  const ended = new Promise((resolve) => paused.once('error', resolve).once('end', () => resolve(null)));
  await paused.query("UPDATE edict.gateway SET holder = 'one', held_until = clock_timestamp() + interval '100 ms'");
  await paused.query('BEGIN');
  await paused.query('SELECT edict.must_hold(1, $1)', [lease.fence]);
  await sleep(200);
  const second = edict('two');
  assert.is(await second.acquire(1, 0, false).then(String, code), 'GATEWAY_HELD');
  await ended;
  // The server says that it has ended the session a moment before it lets go of its locks.
  const isFree = () =>
    second.acquire(1, 0, false).then(
      () => true,
      (error) => code(error) !== 'GATEWAY_HELD',
    );
  await eventually(isFree, 2000, 'the row is free');
  assert.ok((await second.acquire(1, 0, false)).lease.fence > lease.fence);
});

test('an edict that could not renew knows that its lease has ended before another one can have it', async () => {
  const time = { skippedMs: 0 };
  const [first, second] = [edict('one', { monotonicMs: () => performance.now() + time.skippedMs }), edict('two')];
  const { lease } = await first.acquire(1, 0, false);
  time.skippedMs = leaseDurationMs;
  assert.not(lease.isHeld(), 'it was asleep for so long');
  assert.is(await second.acquire(1, 0, false).then(String, code), 'GATEWAY_HELD', 'the database waits longer');
  await sleep(leaseDurationMs / 2);
  assert.ok(lease.signal.aborted);
  await sleep(leaseDurationMs);
  assert.ok((await second.acquire(1, 0, false)).lease.isHeld(), 'it was not renewed any more');
});

test('a machine that slept, whose monotonic clock stood still meanwhile, knows it by the other clock', async () => {
  const time = { skippedMs: 0 };
  const { lease } = await edict('one', { now: () => Date.now() + time.skippedMs }).acquire(1, 0, false);
  assert.ok(lease.isHeld());
  time.skippedMs = leaseDurationMs;
  assert.not(lease.isHeld());
  time.skippedMs = -3_600_000;
  assert.ok(lease.isHeld(), 'a clock that was set back says nothing');
});

test('whoever has lost its lease writes nothing', async () => {
  const [first, second] = [edict('one'), edict('two')];
  await first.acquire(1, 0, false);
  await words(first, 'first');
  const thief = new PostgresDatabase(url);
  await thief.read({ query: { sql: "UPDATE edict.gateway SET held_until = '-infinity'", parameters: [] }, values: [] });
  await second.acquire(1, 0, false);
  assert.is(await words(first, 'first again').then(String, code), 'GATEWAY_HELD');
  await words(second, 'second');
  const [row] = await thief.read(bindQuery(thief.queries.readGateway, { gateway: 1 }));
  assert.is(row?.['condition'], 'second');
  await thief.close();
});

test('an edict that ends without a word gives its leases free, and nobody takes it for gone long ago', async () => {
  const [first, second] = [edict('one'), edict('two')];
  await first.acquire(1, 0, false);
  await first.close();
  assert.is((await second.acquire(1, 0, false)).idleMs, 0);
});

test('a lease whose giving back was lost is not renewed: it ends, and whoever is to have it takes it', async () => {
  const [first, second, breaker] = [edict('one'), edict('two'), new PostgresDatabase(url)];
  const sql = (text: string) => breaker.read({ query: { sql: text, parameters: [] }, values: [] });
  const { lease } = await first.acquire(1, 0, false);
  await sql('ALTER TABLE edict.gateway RENAME TO away');
  assert.is(await first.release(1).then(String, code), 'STORE_FAILED');
  await sql('ALTER TABLE edict.away RENAME TO gateway');
  assert.not(lease.isHeld());
  await sleep(leaseDurationMs * 2);
  assert.ok((await second.acquire(1, 0, false)).lease.fence > lease.fence);
  await breaker.close();
});

test('an edict that could not enter a gateway whose lease it had taken keeps it from nobody', async () => {
  const [first, second] = [await openStore({ url, isEmulated: false }), await openStore({ url, isEmulated: false })];
  const breaker = new PostgresDatabase(url);
  const sql = (text: string) => breaker.read({ query: { sql: text, parameters: [] }, values: [] });
  await sql('ALTER TABLE edict.attempt RENAME TO away');
  assert.is(await first.acquire(gatewaySettings(), 0).then(String, code), 'STORE_FAILED');
  await sql('ALTER TABLE edict.away RENAME TO attempt');
  await second.acquire(gatewaySettings(), 0);
  for (const store of [first, second, breaker]) await store.close();
});

test('an edict that stands by says seldom that it would work on a gateway, and again at once after it has given it back', async () => {
  const [first, second, looking] = [edict('one'), edict('two'), new PostgresDatabase(url)];
  const wished = async (): Promise<unknown> => {
    const sql = "SELECT lives_until::text AS until FROM edict.wish WHERE holder = 'two'";
    return (await looking.read({ query: { sql, parameters: [] }, values: [] }))[0]?.['until'];
  };
  await first.acquire(1, 0, false);
  assert.is(await second.acquire(1, 0, true).then(String, code), 'GATEWAY_HELD');
  const until = await wished();
  assert.ok(until);
  assert.is(await second.acquire(1, 0, true).then(String, code), 'GATEWAY_HELD');
  assert.is(await wished(), until, 'the word before is good for a while');
  await sleep(leaseDurationMs / 2);
  assert.is(await second.acquire(1, 0, true).then(String, code), 'GATEWAY_HELD');
  assert.is.not(await wished(), until);
  await first.release(1);
  // What was answered a moment ago is still believed for another moment.
  const isMine = () =>
    second.acquire(1, 0, true).then(
      () => true,
      (error) => code(error) !== 'GATEWAY_HELD',
    );
  await eventually(isMine, 2000, 'the gateway is free');
  await second.release(1);
  assert.is(await wished(), undefined);
  await eventually(isMine, 2000, 'it is free once more');
  assert.ok(await wished());
  await looking.close();
});

test('edicts that share divide the gateways evenly: one that comes gets its part, one that goes leaves its part', async () => {
  const store = await openStore({ url, isEmulated: false });
  for (let more = 2; more <= 4; more += 1) await store.saveSuspension(gatewaySettings({ instance: `${more}` }), null);
  await store.close();
  const ids = [1, 2, 3, 4];
  /** What a daemon does: it takes what it may have, and gives back what it must. */
  const daemon = (holder: string) => {
    const leases = edict(holder);
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
  const settle = async (of: readonly { work(): Promise<number> }[]): Promise<number[]> => {
    let counts: number[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      counts = [];
      for (const one of of) counts.push(await one.work());
      await sleep(100);
    }
    return counts;
  };
  assert.equal(await settle([first]), [4]);
  assert.equal(await settle([first, second]), [2, 2]);
  await first.leases.close();
  assert.equal(await settle([second]), [4]);
});

test('what an edict that was killed wanted is deleted when another one wants something', async () => {
  const sql = new PostgresDatabase(url);
  const raw = (text: string) => sql.read({ query: { sql: text, parameters: [] }, values: [] });
  await raw(`INSERT INTO edict.wish VALUES
    (1, 'killed', clock_timestamp() - interval '1 ms'), (1, 'second', clock_timestamp() - interval '1 day'),
    (1, 'alive', clock_timestamp() + interval '1 day')`);
  const second = edict('second');
  await second.acquire(1, 0, true).catch(code);
  const names = async () => (await raw('SELECT holder FROM edict.wish ORDER BY holder')).map(({ holder }) => holder);
  assert.equal(await names(), ['alive', 'second']);
  await sql.close();
});

test('an edict that does not share keeps what it has, and takes what is free', async () => {
  const [first, second] = [edict('apply'), edict('daemon')];
  await first.acquire(1, 0, false);
  for (let turn = 0; turn < 10; turn += 1) {
    assert.is(await second.acquire(1, 0, true).then(String, code), 'GATEWAY_HELD');
    await sleep(100);
  }
  await first.release(1);
  await second.acquire(1, 0, true);
});

test('while the database is away a lease ends, and it is taken anew when it is back', async () => {
  const first = edict('one');
  const { lease } = await first.acquire(1, 0, false);
  await server.restart(leaseDurationMs);
  assert.ok(lease.signal.aborted);
  assert.not(lease.isHeld());
  const again = await first.acquire(1, 0, false);
  assert.ok(again.lease.isHeld() && again.lease.fence > lease.fence);
});

test.run();
