import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../src/emulator/emulator.ts';
import { edict, fileOf, type Running, scratchFolder, seedOf, startEdict, until } from './support/edict-process.ts';
import { type PostgresServer, postgresServer } from './support/postgres.ts';

/*
 * A pipeline that leaves its changes to the daemon. Both have a file of their own, as with a checkout each, and one store.
 */
const test = suite('via daemon');
const names = ['a', 'b', 'c'];
let server: PostgresServer;
let emulator: Emulator;
let pipeline: string;
let sidecar: string;
let store: string;
let running: Running[] = [];

test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());
test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf(...names) });
  pipeline = scratchFolder();
  sidecar = scratchFolder();
});
test.after.each(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.map(({ finished }) => finished));
  running = [];
  await emulator.close();
});

/** Adds a test for each engine of the store. */
function onBoth(says: string, run: () => Promise<void>): void {
  test(`sqlite: ${says}`, () => {
    store = `sqlite:${join(sidecar, 'state.db')}`;
    return run();
  });
  test(`postgres: ${says}`, () => inPostgres(run));
}

async function inPostgres(run: () => Promise<void>): Promise<void> {
  store = await server.database();
  await run();
}

const write = (folder: string, states: Readonly<Record<string, string>>, edit = (text: string): string => text): void =>
  writeFileSync(join(folder, 'edict.yaml'), edit(fileOf(emulator.url, states)));
const calls = (): number => emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length;
const start = (args: readonly string[], folder: string): Running => {
  const started = startEdict([...args, '--state', store], folder);
  running.push(started);
  return started;
};
const apply = (...more: readonly string[]): Running => start(['apply', '--via-daemon', '--log-format', 'json', ...more], pipeline);
const waits = (applying: Running): Promise<void> =>
  until('it waits', () => applying.events('daemon:awaited').length > 0, [applying, ...running]);
const linesOf = (stdout: string): Readonly<Record<string, unknown>>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Starts a daemon that looks at nothing by itself but its file. */
async function startDaemon(states: Readonly<Record<string, string>>, edit?: (text: string) => string): Promise<Running> {
  write(sidecar, states, edit);
  const daemon = start(['run', '--log-format', 'json', '--debounce', '20ms', '--resync', '1h'], sidecar);
  await until('the daemon has made a pass', () => daemon.events('plan:made').length > 0, [daemon]);
  return daemon;
}

onBoth('it waits until the daemon has made the changes, and tells of each', async () => {
  await startDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  write(pipeline, { a: 'online', b: 'online', c: 'online' });
  const saved = await edict(['plan', '--state', store, '--out', 'saved.json'], pipeline);
  assert.is(saved.code, 0, saved.stderr);
  const applying = apply('--plan', 'saved.json', '--format', 'json');
  await waits(applying);
  assert.match(
    String(applying.events('daemon:awaited')[0]?.['reason']),
    /^2 changes, 600 s at most; .*pid \d+.* has not acted on this file yet$/,
  );
  assert.is(calls(), 1, 'it makes no call of its own');
  write(sidecar, { a: 'online', b: 'online', c: 'online' });
  const { code, stdout } = await applying.finished;
  assert.is(code, 0);
  const lines = linesOf(stdout);
  assert.equal(lines.map(({ type, api, outcome, online, left }) => [type, api ?? online, outcome ?? left]).sort(), [
    ['attempt', 'b', 'succeeded'],
    ['attempt', 'c', 'succeeded'],
    ['summary', 2, 0],
  ]);
  assert.equal(lines.at(-1)?.['saved'], { done: 0, newer: 0, dropped: [] }, 'what was made meanwhile was not made before');
  assert.is(calls(), 3);
  const again = await apply().finished;
  assert.equal([again.code, again.stdout], [0, 'In sync. 3 publications as the file says. Nothing was sent.\n']);
});

onBoth('what the order lets be made later is waited for and told of, and so is what fails there', async () => {
  const inOrder = (text: string): string =>
    text.replace('apis:', 'order: [test, release]\napis:').replaceAll(/([bc]: .*)test: online/g, '$1test: online, release: online');
  await startDaemon({ a: 'online' }, inOrder);
  write(pipeline, { a: 'online', b: 'online' }, inOrder);
  const applying = apply('--format', 'json');
  await waits(applying);
  write(sidecar, { a: 'online', b: 'online' }, inOrder);
  const made = await applying.finished;
  const attempts = linesOf(made.stdout).filter(({ api }) => api === 'b');
  assert.equal(
    attempts.map(({ environment, outcome }) => [environment, outcome]),
    [
      ['test', 'succeeded'],
      ['release', 'succeeded'],
    ],
  );
  assert.is(made.code, 0);
  refuse('c', 'release');
  write(pipeline, { a: 'online', b: 'online', c: 'online' }, inOrder);
  const failing = apply();
  await waits(failing);
  write(sidecar, { a: 'online', b: 'online', c: 'online' }, inOrder);
  const failed = await failing.finished;
  assert.is(failed.code, 5);
  assert.match(failed.stdout, /1 online, 0 offline, 3 unchanged, 1 failed/);
  assert.match(failed.stdout, /x c +release +online +APIG\.3002/);
});

onBoth('what the daemon does not make in time is told with the reason, and exit code 5', async () => {
  await startDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  write(pipeline, { a: 'online', b: 'online' });
  const { code, stdout } = await apply('--wait', '1s').finished;
  assert.is(code, 5);
  assert.match(stdout, '1 not made by the daemon in time: it has not acted on this file yet');
});

onBoth('what stops the calls of the daemon is told, is the reason in the end, and is not tried again for a pipeline', async () => {
  const daemon = await startDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  emulator.faults.add({ share: 1, status: 401, errorCode: 'APIG.1002', errorMsg: 'Incorrect token or token resolution failed' });
  for (const folder of [pipeline, sidecar]) write(folder, { a: 'online', b: 'online' });
  await until('its credentials are refused', () => daemon.events('calls:stopped').length > 0, [daemon]);
  const before = calls();
  const applying = apply('--wait', '3s');
  const { code, stdout } = await applying.finished;
  assert.is(code, 5);
  assert.is(applying.events('calls:stopped').length, 1);
  assert.match(stdout, /1 not made by the daemon in time: it makes no call, APIG\.1002/);
  assert.is(calls(), before);
});

onBoth('a probe between two environments is waited for, and told where it fails', async () => {
  const inOrder = (text: string): string =>
    text
      .replace('apis:', `order: [{ environment: test, probe: { url: "${emulator.url}/health", status: 299 } }, release]\napis:`)
      .replace('test: online', 'test: online, release: online');
  await startDaemon({ a: 'online' }, inOrder);
  write(pipeline, { a: 'online' }, inOrder);
  const { code, stdout } = await apply('--wait', '3s').finished;
  assert.is(code, 5, stdout);
  assert.match(stdout, /1 not made by the daemon in time: see edict status/);
  assert.match(stdout, /a in release, online: waits for a probe of test, .*answered \d+, expected 299/);
});

onBoth('what the gateway refuses for good ends the waiting', async () => {
  await startDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  refuse('b', 'test');
  write(pipeline, { a: 'online', b: 'online' });
  const applying = apply();
  await waits(applying);
  write(sidecar, { a: 'online', b: 'online' });
  const { code, stdout } = await applying.finished;
  assert.is(code, 5);
  assert.match(stdout, /1 failed/);
  assert.match(stdout, /x b +test +online +APIG\.3002/);
});

onBoth('what the daemon has given up by itself it tries once more when a pipeline hands it over', async () => {
  refuse('b', 'test');
  const daemon = await startDaemon({ a: 'online', b: 'online' });
  await until('it has given up', () => daemon.events('pass:finished').length === 1);
  emulator.faults.clear();
  const before = calls();
  write(pipeline, { a: 'online', b: 'online' });
  const { code, stdout } = await apply().finished;
  assert.is(code, 0, stdout);
  assert.match(stdout, '1 online');
  assert.is(calls(), before + 1);
});

onBoth('what fails for what an older file of the daemon asks is not taken for what is waited for', async () => {
  await startDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  refuse('b', 'test');
  const revised = (revision: string) => (text: string) => text.replace('id: api-b,', `id: api-b, revision: ${revision},`);
  write(sidecar, { a: 'online', b: 'online' }, revised('r1'));
  await until('it has failed', () => calls() === 2);
  write(pipeline, { a: 'online', b: 'online' }, revised('r2'));
  const applying = apply();
  await until('the daemon has tried once more', () => calls() === 3, running);
  emulator.faults.clear();
  write(sidecar, { a: 'online', b: 'online' }, revised('r2'));
  const { code, stdout } = await applying.finished;
  assert.equal([code, calls()], [0, 4], stdout);
  assert.match(stdout, '1 online');
});

onBoth('what is held stays held until somebody agrees, with exit code 4', async () => {
  const guarded = (text: string): string => text.replace('guards: { maxOffline: 100%, maxLost: 100% }\n', 'guards: { maxOffline: 0 }\n');
  const states = { a: 'online', b: 'online' };
  await startDaemon(states);
  await until('both are online', () => calls() === 2);
  for (const folder of [pipeline, sidecar]) write(folder, { ...states, b: 'offline' }, guarded);
  const held = await apply().finished;
  assert.is(held.code, 4, held.stderr);
  const [, digest = ''] = /edict approve (sha256:\w+)/.exec(held.stdout) ?? [];
  assert.is((await edict(['approve', digest, '--by', 'ada', '--why', 'CHG-7', '--state', store], pipeline)).code, 0);
  const { code, stdout } = await apply().finished;
  assert.is(code, 0);
  assert.match(stdout, /1 offline|In sync/);
  assert.is(calls(), 3);
});

onBoth('a saved plan that was held and agreed to is made, with what the plan has and no more told', async () => {
  const states = { a: 'online', b: 'online' };
  const daemon = await startDaemon(states);
  await until('both are online', () => calls() === 2);
  write(pipeline, { a: 'online', b: 'offline', c: 'online' }, (text) => text.replace('maxOffline: 100%', 'maxOffline: 0'));
  assert.is((await edict(['plan', '--state', store, '--api', 'b', '--out', 'saved.json'], pipeline)).code, 0);
  const shown = await edict(['apply', '--plan', 'saved.json', '--dry-run', '--state', store], pipeline);
  const [, digest = ''] = /edict approve (sha256:\w+)/.exec(shown.stdout) ?? [];
  const approved = await edict(['approve', digest, '--api', 'b', '--by', 'ada', '--why', 'CHG-7', '--state', store], pipeline);
  assert.is(approved.code, 0, approved.stderr);
  const applying = apply('--plan', 'saved.json', '--format', 'json');
  await waits(applying);
  write(sidecar, { a: 'online', b: 'offline', c: 'online' }, (text) => text.replace('maxOffline: 100%', 'maxOffline: 0'));
  const { code, stdout } = await applying.finished;
  assert.is(code, 0, stdout);
  assert.equal(
    linesOf(stdout).map(({ type, api }) => [type, api]),
    [
      ['attempt', 'b'],
      ['summary', undefined],
    ],
  );
  await until('the daemon makes what its file asks besides', () => calls() === 4, [daemon]);
});

onBoth('Ctrl-C ends the waiting alone, and says that the daemon goes on', async () => {
  await startDaemon({ a: 'online' });
  write(pipeline, { a: 'online', b: 'online' });
  const applying = apply();
  await waits(applying);
  applying.child.kill('SIGINT');
  const { code, stdout } = await applying.finished;
  assert.is(code, 1);
  assert.match(stdout, '1 not waited for any longer, which the daemon goes on with');
});

test('where no daemon works on the gateway it says so and sends nothing, on both engines', async () => {
  write(pipeline, { a: 'online' });
  const stores = [`sqlite:${join(sidecar, 'state.db')}`, await server.database()];
  const applying = stores.map((url) => {
    store = url;
    return apply();
  });
  for (const { finished } of applying) {
    const { code, stderr } = await finished;
    assert.is(code, 1);
    assert.match(stderr, 'no edict works on the gateway');
    assert.match(stderr, 'leave --via-daemon out');
  }
  assert.is(calls(), 0);
});

test('a pipeline that may not write the store waits all the same', () =>
  inPostgres(async () => {
    await startDaemon({ a: 'online' });
    write(pipeline, { a: 'online', b: 'online' });
    store = `${store}?options=${encodeURIComponent('-c default_transaction_read_only=on')}`;
    const applying = apply();
    await until('it says so', () => applying.events('daemon:awaited').length > 1, [applying]);
    assert.match(String(applying.events('daemon:awaited').at(-1)?.['reason']), 'is not told to look now');
    write(sidecar, { a: 'online', b: 'online' });
    const { code, stdout } = await applying.finished;
    assert.is(code, 0, stdout);
  }));

test('a database that is away for a while is waited for, and told of once', () =>
  inPostgres(async () => {
    const daemon = await startDaemon({ a: 'online' });
    await until('a is online', () => calls() === 1);
    write(pipeline, { a: 'online', b: 'online' });
    const applying = apply();
    await waits(applying);
    await server.restart(2000);
    await until('it has noticed', () => applying.events('store:waited').length > 0, [applying]);
    write(sidecar, { a: 'online', b: 'online' });
    const { code, stdout, stderr } = await applying.finished;
    assert.is(code, 0, stderr + daemon.output.stderr);
    assert.match(stdout, '1 online');
    assert.is(applying.events('store:waited').length, 1);
  }));

test('a database that is away when it begins is waited for too', () =>
  inPostgres(async () => {
    write(pipeline, { a: 'online' });
    await startDaemon({ a: 'online' });
    await until('a is online', () => calls() === 1);
    const database = new URL(store);
    const admin = new pg.Client({ connectionString: new URL('/postgres', database).href });
    await admin.connect();
    const allow = (word: boolean) => admin.query(`ALTER DATABASE ${database.pathname.slice(1)} ALLOW_CONNECTIONS ${word}`);
    await allow(false);
    const applying = apply();
    await until('it has noticed', () => applying.events('store:waited').length > 0, [applying]);
    await allow(true);
    await admin.end();
    const { code, stdout, stderr } = await applying.finished;
    assert.is(code, 0, stderr);
    assert.match(stdout, 'In sync');
    assert.is(applying.events('store:waited').length, 1);
  }));

/** Calls for an API in an environment are refused for good, as long as the emulator has that fault. */
function refuse(api: string, environment: string): void {
  const answer = { status: 404, errorCode: 'APIG.3002', errorMsg: 'The API does not exist' };
  emulator.faults.add({ share: 1, apiId: `api-${api}`, environmentId: `env-${environment}`, ...answer });
}

test.run();
