import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/model/errors.ts';
import { copyStore } from '../../src/store/copy.ts';
import type { Store } from '../../src/store/interface.ts';
import { openReadonly, openSnapshot, openStore } from '../../src/store/open.ts';
import { writeApproval } from '../../src/store/requests.ts';
import { scratchFolder, startEdict } from '../support/edict-process.ts';
import { eventually } from '../support/eventually.ts';
import { change, gatewaySettings, recorded } from '../support/states.ts';
import { storeEngines } from '../support/store-engines.ts';

const test = suite('state copy');
const engines = storeEngines(test);
const pairs = engines.flatMap((from) => engines.map((to) => ({ from, to, title: `${from.name} to ${to.name}` })));
const gateway = gatewaySettings();
const tables = ['gateway', 'approval', 'attempt', 'publication', 'name', 'declared', 'setting'];
const about = { reconcileId: 'reconcile-1', marker: 'marker', commitId: 'commit', startedAtMs: 1, sendByMs: 1 };
const succeeded = { kind: 'succeeded', versionId: 'version', publishId: 'publish' } as const;
const code = (error: unknown): string => (error as EdictError).code;

/** Returns every row of every table as text, without the columns of one engine alone and those that name the current process. */
async function contentOf(url: string): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const database = await openSnapshot(url);
  const schema = url.startsWith('postgres') ? 'edict.' : '';
  const rowsOf = async (table: string): Promise<readonly unknown[]> => {
    const rows = await database.read({ query: { sql: `select * from ${schema}${table} order by 1, 2`, parameters: [] }, values: [] });
    return rows.map(({ holder: _, held_until: __, controller_status: ___, ...row }) =>
      // PostgreSQL cannot store NUL in a text.
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value).replaceAll('\0', '\uFFFD')])),
    );
  };
  const content = await Promise.all(tables.map(async (table) => [table, await rowsOf(table)] as const));
  // The other settings are about one store alone.
  const settings = content.find(([table]) => table === 'setting')?.[1] as { readonly name?: string }[];
  settings.splice(0, settings.length, ...settings.filter((setting) => setting.name?.startsWith('accepted')));
  await database.close();
  return Object.fromEntries(content);
}

/** Writes a store with rows in each table and `attempts` attempts, the first of which is finished. */
async function written(url: string, attempts: number): Promise<void> {
  const store = await openStore({ url, isEmulated: false });
  await store.acquire(gateway, 0);
  const made = Array.from({ length: attempts }, (_, index) => change(`api-${index}`, 'test'));
  const [first] = await Promise.all(made.map((one) => store.beginAttempt(gateway, one, about)));
  await store.finishAttempt(gateway, {
    key: made[0]?.key as never,
    attemptId: first?.attemptId ?? 0,
    outcome: succeeded,
    next: recorded('api-0', 'test', { revision: '7\u2028é' }),
    atMs: 2,
  });
  await store.saveNames(gateway, new Map([['api\u0000orders' as never, 'api-orders']]));
  await store.saveDeclared(gateway, {
    sourceFiles: new Map([[change('orders', 'test').key, 'apis/shop.yaml']]),
    digest: 'digest',
    approvalId: null,
  });
  await store.saveSuspension(gateway, { reason: 'CHG-7', by: 'ada', sinceMs: null, untilMs: null });
  await store.acceptAddress(gateway);
  await store.acceptAddress({ ...gateway, instance: 'a%_"\'' });
  await store.release(gateway, 5);
  await store.close();
  await writeApproval({ url, isEmulated: false }, gateway, {
    digest: 'sha256:1',
    by: 'ada',
    reason: 'CHG-7',
    approvedAtMs: 1,
    expiresAtMs: 100,
    scope: ['["a"]'],
  });
}

/** Asserts that a store has no records. */
async function assertEmpty(url: string): Promise<void> {
  const content = await contentOf(url);
  for (const table of tables) assert.equal(content[table], [], table);
}

for (const { from, to, title } of pairs) {
  test(`${title}: every row of every table is copied, over more than one page too, and the copy works like the original`, async () => {
    const [url, target] = [await from.make(), await to.make()];
    await written(url, 603);
    assert.equal(await copyStore(url, target), { gateways: 1, publications: 603, attempts: 603, holders: [] });
    const [before, after] = [await contentOf(url), await contentOf(target)];
    for (const table of tables) {
      assert.equal(after[table], before[table], table);
      assert.ok((after[table]?.length ?? 0) > 0, table);
    }
    const store = await openStore({ url: target, isEmulated: false });
    const { lease } = await store.acquire(gateway, 10);
    assert.is(lease.fence, 2, 'the fence continues from the copied one');
    const { attemptId } = await store.beginAttempt(gateway, change('invoices', 'test'), about);
    assert.is(attemptId, 604, 'the attempt numbers continue');
    await store.release(gateway, 12);
    await store.close();
    const record = await openReadonly({ url });
    assert.is((await record.readRecordedState(gateway)).size, 603, 'the store itself is unchanged');
    await record.close();
  });

  test(`${title}: a store is copied as of one moment while its lease holder continues, and the holder is named`, async () => {
    const [url, target] = [await from.make(), await to.make()];
    await written(url, 200);
    const store = await openStore({ url, isEmulated: false });
    await store.acquire(gateway, 10);
    await store.saveStatus(gateway, { updatedAtMs: 10, pid: process.pid, calls: 1, perMs: 1, paused: null });
    const writing = new AbortController();
    const writer = writeUntil(store, writing.signal);
    const { holders, attempts } = await copyStore(url, target);
    writing.abort();
    const made = await writer;
    assert.is(holders.length, 1);
    assert.match(holders[0] ?? '', `pid ${process.pid}`);
    assert.ok(made > 0, 'it wrote meanwhile');
    assert.ok(attempts <= 200 + made, `${attempts} of ${200 + made}`);
    const record = await openReadonly({ url: target });
    const [all, history] = [await record.readRecordedState(gateway), await record.history(gateway, { limit: 1_000_000 })];
    await record.close();
    assert.equal([all.size, history.length], [attempts, attempts]);
    // An attempt and its publication are written in one transaction, and so are an outcome and the next recorded state.
    for (const { id, apiId, environmentId, outcome } of history) {
      const publication = all.get(`${apiId} ${environmentId}` as never);
      assert.is(publication?.unknownAttempt?.attemptId ?? null, outcome === null ? id : null, apiId);
      assert.is(publication?.state, outcome === null ? null : 'online', apiId);
    }
    await store.close();
  });

  test(`${title}: a copy that is killed halfway leaves the new store empty, and can be repeated`, async () => {
    const [url, target] = [await from.make(), await to.make()];
    await written(url, 603);
    await (await openStore({ url: target, isEmulated: false })).close();
    const blocked = [target, url].find((one) => one.startsWith('postgres'));
    if (!blocked) makeRowsLarge(url);
    const before = await contentOf(url);
    const lock = blocked === undefined ? null : await lockPublications(blocked);
    const copying = startEdict(['state', 'copy', target, '--state', url], scratchFolder());
    if (lock) await eventually(lock.isAwaited, 60_000, 'the copy has reached the publications');
    // SQLite writes pages that do not fit into its cache before it commits.
    else await eventually(() => sizeOf(`${target.replace('sqlite:', '')}-wal`) > 500_000, 60_000, 'the copy has written attempts');
    copying.child.kill('SIGKILL');
    await copying.finished;
    await lock?.release();
    assert.is(copying.output.stdout, '', 'it had not ended');
    await assertEmpty(target);
    await copyStore(url, target);
    assert.equal(await contentOf(target), before);
  });
}

/** Starts and finishes attempts, one after another, until `signal` is aborted; resolves to how many. */
async function writeUntil(store: Store, signal: AbortSignal): Promise<number> {
  for (let made = 0; ; made += 1) {
    if (signal.aborted) return made;
    const one = change(`more-${made}`, 'test');
    const { attemptId: id } = await store.beginAttempt(gateway, one, about);
    if (made % 2 === 0)
      await store.finishAttempt(gateway, {
        key: one.key,
        attemptId: id,
        outcome: succeeded,
        next: recorded(`more-${made}`, 'test'),
        atMs: 3,
      });
    await nextTurn();
  }
}

/** Makes the attempts of a SQLite store larger than its page cache. */
function makeRowsLarge(url: string): void {
  const db = new DatabaseSync(url.replace('sqlite:', ''));
  db.exec("UPDATE attempt SET message = printf('%.8000c', 'x')");
  db.close();
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

/** Locks the publications for others until `release`. */
async function lockPublications(url: string) {
  const clients = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })] as const;
  const [holding, looking] = clients;
  for (const client of clients) await client.connect();
  await holding.query('BEGIN; LOCK TABLE edict.publication IN ACCESS EXCLUSIVE MODE');
  const waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'edict.publication'::regclass";
  return {
    isAwaited: async () => ((await looking.query(waiting)).rowCount ?? 0) > 0,
    release: async () => {
      for (const client of clients) client.end();
      await Promise.all(clients.map((client) => once(client, 'end')));
    },
  };
}

for (const { name, make } of engines) {
  test(`${name}: is not copied into a store with records, nor into itself, and an absent store is not created`, async () => {
    const [url, other, absent] = [await make(), await make(), await make()];
    await written(url, 2);
    await written(other, 3);
    assert.is(await copyStore(url, other).then(String, code), 'STORE_NOT_EMPTY');
    assert.is(await copyStore(url, url).then(String, code), 'OPTION_INVALID');
    assert.is(await copyStore(absent, await make()).then(String, code), 'STORE_NOT_FOUND');
    assert.is((await contentOf(other))['attempt']?.length, 3);
    assert.is((await contentOf(url))['attempt']?.length, 2);
  });

  test(`${name}: a store that has accepted a gateway, and has no records of it yet, is not empty`, async () => {
    const [url, target] = [await make(), await make()];
    await written(url, 1);
    const store = await openStore({ url: target, isEmulated: false });
    await store.acceptAddress({ ...gateway, instance: 'other' });
    await store.close();
    assert.is(await copyStore(url, target).then(String, code), 'STORE_NOT_EMPTY');
  });

  test(`${name}: the records of real gateways are not copied into a store of emulated ones`, async () => {
    const [url, other] = [await make(), await make()];
    await written(url, 1);
    await (await openStore({ url: other, isEmulated: true })).close();
    assert.is(await copyStore(url, other).then(String, code), 'STORE_KIND_MISMATCH');
    await assertEmpty(other);
  });

  test(`${name}: a copy that fails halfway leaves both stores unchanged, and can be repeated`, async () => {
    const [url, target] = [await make(), await make()];
    await written(url, 5);
    const before = await contentOf(url);
    await (await openStore({ url: target, isEmulated: false })).close();
    await alter(target, 'RENAME COLUMN corrections TO other');
    assert.is(await copyStore(url, target).then(String, code), 'STORE_FAILED');
    await assertEmpty(target);
    assert.equal(await contentOf(url), before);
    await alter(target, 'RENAME COLUMN other TO corrections');
    await copyStore(url, target);
    assert.equal(await contentOf(target), before);
  });

  test(`${name}: of two copies into one store one succeeds as a whole, and the other is rejected`, async () => {
    const [url, other, target] = [await make(), await make(), await make()];
    await written(url, 5);
    await written(other, 7);
    const results = await Promise.all([url, other].map((from) => copyStore(from, target).then(() => 'copied', code)));
    const winner = results.indexOf('copied');
    assert.match(results[1 - winner] ?? '', /^STORE_(?:NOT_EMPTY|LOCKED)$/);
    assert.equal(await contentOf(target), await contentOf([url, other][winner] ?? ''));
  });
}

/** Alters the table of publications in a store. */
async function alter(url: string, how: string): Promise<void> {
  if (url.startsWith('sqlite:')) {
    const db = new DatabaseSync(url.replace('sqlite:', ''));
    db.exec(`ALTER TABLE publication ${how}`);
    db.close();
    return;
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`ALTER TABLE edict.publication ${how}`);
  await client.end();
}

test('SQLite: nothing is copied into a store that a running process has open for writing', async () => {
  const [sqlite] = engines;
  if (!sqlite) return;
  const [url, target] = [await sqlite.make(), await sqlite.make()];
  await written(url, 1);
  const store = await openStore({ url: target, isEmulated: false });
  assert.is(await copyStore(url, target).then(String, code), 'STORE_LOCKED');
  await store.close();
});

test('the copy queries name every column of every table', async () => {
  const [sqlite] = engines;
  if (!sqlite) return;
  const url = await sqlite.make();
  await written(url, 1);
  const database = await openSnapshot(url);
  for (const table of tables.filter((one) => one !== 'setting')) {
    const [row] = await database.read({ query: { sql: `select * from ${table}`, parameters: [] }, values: [] });
    const name = `copy${table.slice(0, 1).toUpperCase()}${table.slice(1)}` as 'copyGateway';
    const columns = Object.keys(row ?? {}).filter((column) => column !== 'controller_status');
    assert.equal([...database.queries[name].parameters].sort(), columns.sort(), table);
  }
  await database.close();
});

test.run();
