import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAppContext } from '../../src/app/context.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { waitForDaemon } from '../../src/app/wait.ts';
import { runCli } from '../../src/cli/program.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { StoreError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts';
import { edict, fileOf, scratchFolder, secretToken, seedOf, startEdict, until } from '../support/edict-process.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { testContext } from '../support/streams.ts';

/*
 * `edict wait` beside a daemon. Each has its own copy of the file, as in separate checkouts, and they share one store.
 */
const test = suite('wait');
const names = ['a', 'b', 'c'];
let server: PostgresServer;
let emulator: Emulator;
let pipeline: string;
let sidecar: string;
let store: string;
let daemons: TestDaemon[] = [];

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
  for (const daemon of daemons) daemon.stop();
  await Promise.all(daemons.map(({ done }) => done));
  daemons = [];
  await emulator.close();
});

/** Adds a test for each engine of the store. */
function onBoth(title: string, run: () => Promise<void>): void {
  test(`sqlite: ${title}`, () => {
    store = `sqlite:${join(sidecar, 'state.db')}`;
    return run();
  });
  test(`postgres: ${title}`, () => inPostgres(run));
}

async function inPostgres(run: () => Promise<void>): Promise<void> {
  store = await server.database();
  await run();
}

/** Writes a file whose changes settle at once, because a wait that ends sooner after its last change says that this one is settling. */
function write(folder: string, states: Readonly<Record<string, string>>, edit = (text: string): string => text): void {
  const text = fileOf(emulator.url, states).replace('propagationDelay: 300ms', 'propagationDelay: 1ms');
  writeFileSync(join(folder, 'edict.yaml'), edit(text));
}
const calls = (): number => emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length;

/** Runs `edict wait` for the file of the pipeline, without credentials. */
function wait(...options: readonly string[]) {
  const { context, stdout, stderr } = testContext({});
  const finished = runCli(['wait', join(pipeline, 'edict.yaml'), '--state', store, ...options], context).then((code) => ({
    ...{ code, stdout: stdout(), stderr: stderr() },
  }));
  const events = (text: string): Promise<void> => until(`it shows "${text}"`, () => stderr().includes(text));
  return { finished, shows: events, stderr };
}

/** Starts a daemon that reconciles only when its file changes or on request. */
async function openDaemon(states: Readonly<Record<string, string>>, edit?: (text: string) => string) {
  write(sidecar, states, edit);
  const settings = parseSettings(join(sidecar, 'edict.yaml'), { state: store, allowProbeHost: ['127.0.0.1'] });
  const events: EdictEvent[] = [];
  const daemon = await startTestDaemon(settings, { env: { HW_AUTH_TOKEN: secretToken }, onEvent: (event) => events.push(event) });
  daemons.push(daemon);
  const count = (type: EdictEvent['type']): number => events.filter((event) => event.type === type).length;
  await until('the daemon has planned', () => count('plan:computed') > 0);
  return count;
}

onBoth('waits until the daemon has reconciled this file and made every change', async () => {
  await openDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  write(pipeline, { a: 'online', b: 'online', c: 'online' });
  const waiting = wait('--format', 'json');
  await waiting.shows('it has not reconciled this file yet');
  assert.match(waiting.stderr(), new RegExp(`^Waiting for .*pid ${process.pid}.*: 2 changes left; `, 'm'));
  assert.is(calls(), 1, 'it makes no call of its own');
  write(sidecar, { a: 'online', b: 'online', c: 'online' });
  const { code, stdout } = await waiting.finished;
  assert.is(code, 0, stdout);
  const { result, reconciled, holder, summary, changes } = JSON.parse(stdout);
  assert.equal([result, reconciled, changes], ['in-sync', true, []]);
  assert.equal(summary, { unchanged: 3, pending: 0, failed: 0, held: 0, deferred: 0, drifted: 0, unmanaged: 0 });
  assert.match(holder, `pid ${process.pid}`);
  assert.is(calls(), 3);
  const again = await wait().finished;
  assert.equal([again.code, again.stdout], [0, 'In sync. 3 publications match the file.\n']);
});

onBoth('what was changed too recently for the lists of the gateway is not called in sync, and not waited for', async () => {
  const slowly = (text: string): string => text.replace('propagationDelay: 1ms', 'propagationDelay: 10m');
  await openDaemon({ a: 'online' }, slowly);
  await until('a is online', () => calls() === 1);
  write(pipeline, { a: 'online' }, slowly);
  const { code, stdout } = await wait().finished;
  assert.equal([code, stdout], [0, 'No changes; 1 settling, 0 unchanged.\n']);
});

onBoth('a recorded state that is in sync by chance is not enough: the daemon may still act on an older file', async () => {
  await openDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  write(pipeline, { a: 'online', b: 'offline' });
  const waiting = wait();
  await waiting.shows('0 changes left; it has not reconciled this file yet');
  write(sidecar, { a: 'online', b: 'offline' });
  assert.is((await waiting.finished).code, 0);
});

onBoth('changes that the rollout defers at first are waited for, and a failure among them is reported', async () => {
  const inOrder = (text: string): string =>
    text.replace('apis:', 'rollout: [test, release]\napis:').replaceAll(/([bc]: .*)test: online/g, '$1test: online, release: online');
  await openDaemon({ a: 'online' }, inOrder);
  write(pipeline, { a: 'online', b: 'online' }, inOrder);
  const waiting = wait();
  await waiting.shows('not reconciled');
  write(sidecar, { a: 'online', b: 'online' }, inOrder);
  const made = await waiting.finished;
  assert.equal([made.code, made.stdout], [0, 'In sync. 3 publications match the file.\n']);
  refuse('c', 'release');
  write(pipeline, { a: 'online', b: 'online', c: 'online' }, inOrder);
  const failing = wait();
  await failing.shows('not reconciled');
  write(sidecar, { a: 'online', b: 'online', c: 'online' }, inOrder);
  const failed = await failing.finished;
  assert.is(failed.code, 5);
  assert.match(failed.stdout, /^Failed: 4 publications as declared, 1 failed\.$/m);
  assert.match(failed.stdout, /x c +release +failed +online: APIG\.3002/);
});

onBoth('a file that the daemon does not reconcile in time is exit code 5, with the reason', async () => {
  await openDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  write(pipeline, { a: 'online', b: 'online' });
  const { code, stdout } = await wait('--timeout', '1s').finished;
  assert.is(code, 5);
  assert.match(stdout, /^Not in effect after \d+\.\d s: 1 publication as declared, 1 pending; the daemon has not reconciled this file yet/);
  assert.match(stdout, /- b +test +pending/);
});

onBoth('paused requests are shown and are the final reason, and a request to reconcile does not retry credentials', async () => {
  const count = await openDaemon({ a: 'online' });
  await until('nothing else makes its calls', () => calls() === 1);
  emulator.faults.add({ share: 1, status: 401, errorCode: 'APIG.1002', errorMsg: 'Incorrect token or token resolution failed' });
  for (const folder of [pipeline, sidecar]) write(folder, { a: 'online', b: 'online' });
  await until('its credentials are rejected', () => count('requests:paused') > 0);
  const before = calls();
  const { code, stdout, stderr } = await wait('--reconcile', '--timeout', '3s').finished;
  assert.is(code, 5);
  assert.match(stderr, /no calls: APIG\.1002/);
  assert.match(stdout, /the daemon makes no calls: APIG\.1002/);
  assert.is(calls(), before);
});

onBoth('a probe between two environments is waited for, and shown if it fails', async () => {
  const inOrder = (text: string): string =>
    text
      .replace('apis:', `rollout: [{ environment: test, probe: { url: "${emulator.url}/health", status: 299 } }, release]\napis:`)
      .replace('test: online', 'test: online, release: online');
  await openDaemon({ a: 'online' }, inOrder);
  write(pipeline, { a: 'online' }, inOrder);
  const { code, stdout } = await wait('--timeout', '8s').finished;
  assert.is(code, 5, stdout);
  assert.match(stdout, /a +release +pending +online: waits for a probe of test, .*answered \d+, expected 299/);
});

onBoth('a change that the gateway rejects ends the wait', async () => {
  await openDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  refuse('b', 'test');
  write(pipeline, { a: 'online', b: 'online' });
  const waiting = wait('--format', 'json');
  await waiting.shows('not reconciled');
  write(sidecar, { a: 'online', b: 'online' });
  const { code, stdout } = await waiting.finished;
  assert.is(code, 5);
  const { result, changes } = JSON.parse(stdout);
  assert.equal([result, changes.length], ['failed', 1]);
  assert.equal([changes[0].api, changes[0].state, changes[0].code], ['b', 'failed', 'APIG.3002']);
});

onBoth('a rejected change is reported at once; --reconcile has the daemon try it again', async () => {
  refuse('b', 'test');
  const count = await openDaemon({ a: 'online', b: 'online' });
  await until('it has given up', () => count('reconcile:finished') === 1);
  emulator.faults.clear();
  const before = calls();
  write(pipeline, { a: 'online', b: 'online' });
  assert.is((await wait().finished).code, 5);
  assert.is(calls(), before);
  const { code, stdout } = await wait('--reconcile').finished;
  assert.is(code, 0, stdout);
  assert.is(calls(), before + 1);
});

onBoth('a failure for an older copy of the file is not taken for one of this file', async () => {
  await openDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  refuse('b', 'test');
  const revised = (revision: string) => (text: string) => text.replace('id: api-b,', `id: api-b, revision: ${revision},`);
  write(sidecar, { a: 'online', b: 'online' }, revised('r1'));
  await until('it has failed', () => calls() === 2);
  write(pipeline, { a: 'online', b: 'online' }, revised('r2'));
  const waiting = wait('--reconcile');
  await until('the daemon has tried once more', () => calls() === 3);
  emulator.faults.clear();
  write(sidecar, { a: 'online', b: 'online' }, revised('r2'));
  const { code, stdout } = await waiting.finished;
  assert.equal([code, calls()], [0, 4], stdout);
});

onBoth('held changes are exit code 4 with the command that approves them, and are made once they are approved', async () => {
  const guarded = (text: string): string => text.replace('guards: { maxOffline: 100%, maxRemoved: 100% }\n', 'guards: { maxOffline: 0 }\n');
  const states = { a: 'online', b: 'online' };
  await openDaemon(states);
  await until('both are online', () => calls() === 2);
  for (const folder of [pipeline, sidecar]) write(folder, { ...states, b: 'offline' }, guarded);
  const held = await wait().finished;
  assert.is(held.code, 4, held.stderr);
  assert.match(held.stdout, /^Held for approval: 1 publication as declared, 1 held\.$/m);
  const [, digest = ''] = /edict approve (\w+)/.exec(held.stdout) ?? [];
  assert.is((await edict(['approve', digest, '--by', 'ada', '--reason', 'CHG-7', '--state', store], pipeline)).code, 0);
  await until('b is offline', () => calls() === 3);
  assert.is((await wait().finished).code, 0);
});

onBoth('only the daemon looks up names, and they are waited for', async () => {
  const named = (text: string): string => text.replaceAll(/id: api-\w+, /g, '');
  await openDaemon({ a: 'online' }, named);
  write(pipeline, { a: 'online', b: 'online' }, named);
  const waiting = wait();
  await waiting.shows('it has not reconciled this file yet');
  write(sidecar, { a: 'online', b: 'online' }, named);
  // Without credentials it cannot read the gateway.
  const { code, stdout } = await waiting.finished;
  assert.equal([code, stdout], [0, 'In sync. 2 publications match the file.\n']);
  assert.is(calls(), 2);
});

onBoth('Ctrl-C ends the wait only', async () => {
  await openDaemon({ a: 'online' });
  write(pipeline, { a: 'online', b: 'online' });
  const waiting = startEdict(['wait', '--state', store], pipeline);
  await until('it waits', () => waiting.output.stderr.includes('Waiting for'));
  waiting.child.kill('SIGINT');
  const { code, stdout } = await waiting.finished;
  assert.is(code, 130);
  assert.match(stdout, /^Interrupted; the daemon continues: .*1 pending/);
});

test('without a daemon it ends with exit code 1 after a grace period and sends nothing, on both engines', async () => {
  write(pipeline, { a: 'online' });
  const stores = [`sqlite:${join(sidecar, 'state.db')}`, await server.database()];
  const waiting = stores.map((url) => {
    store = url;
    return wait();
  });
  for (const { finished } of waiting) {
    const { code, stderr } = await finished;
    assert.is(code, 1);
    assert.match(stderr, 'no daemon holds the lease of the gateway');
    assert.match(stderr, /start `edict run [^`]*--state [^`]+`/);
  }
  assert.is(emulator.requests.all().length, 0);
});

onBoth('a daemon that starts within the grace period is waited for', async () => {
  write(pipeline, { a: 'online' });
  const waiting = wait();
  await waiting.shows('Waiting for a daemon');
  await openDaemon({ a: 'online' });
  assert.is((await waiting.finished).code, 0);
});

test('a read-only store is enough to wait, but not to request a reconciliation', () =>
  inPostgres(async () => {
    await openDaemon({ a: 'online' });
    write(pipeline, { a: 'online', b: 'online' });
    store = `${store}?options=${encodeURIComponent('-c default_transaction_read_only=on')}`;
    const refused = await wait('--reconcile').finished;
    assert.is(refused.code, 1);
    assert.match(refused.stderr, 'no reconciliation can be requested');
    assert.match(refused.stderr, 'leave out --reconcile');
    const waiting = wait();
    await waiting.shows('not reconciled');
    write(sidecar, { a: 'online', b: 'online' });
    const { code, stdout } = await waiting.finished;
    assert.is(code, 0, stdout);
  }));

test('a request that the store refuses fails with the class and code of the error of the store', () =>
  inPostgres(async () => {
    await openDaemon({ a: 'online' });
    write(pipeline, { a: 'online', b: 'online' });
    store = `${store}?options=${encodeURIComponent('-c default_transaction_read_only=on')}`;
    const context = createAppContext(parseSettings(join(pipeline, 'edict.yaml'), { state: store }), {});
    const error = await waitForDaemon(context, { timeoutMs: 10_000, reconcile: true }, () => {}).catch((thrown: unknown) => thrown);
    assert.instance(error, StoreError);
    assert.is((error as StoreError).code, 'STORE_READ_ONLY');
    assert.match(String((error as StoreError).hint), 'leave out --reconcile');
  }));

test('a database that is unavailable for a while is waited for, and reported once', () =>
  inPostgres(async () => {
    await openDaemon({ a: 'online' });
    await until('a is online', () => calls() === 1);
    write(pipeline, { a: 'online', b: 'online' });
    const waiting = wait();
    await waiting.shows('not reconciled');
    await server.restart(2000);
    await waiting.shows('Waiting for the store');
    write(sidecar, { a: 'online', b: 'online' });
    const { code, stderr } = await waiting.finished;
    assert.is(code, 0, stderr);
    assert.is(stderr.split('Waiting for the store').length, 2);
  }));

test('a database that is unavailable at the start is waited for too', () =>
  inPostgres(async () => {
    write(pipeline, { a: 'online' });
    await openDaemon({ a: 'online' });
    await until('a is online', () => calls() === 1);
    const database = new URL(store);
    const admin = new pg.Client({ connectionString: new URL('/postgres', database).href });
    await admin.connect();
    const allow = (word: boolean) => admin.query(`ALTER DATABASE ${database.pathname.slice(1)} ALLOW_CONNECTIONS ${word}`);
    await allow(false);
    const waiting = wait('--reconcile');
    await waiting.shows('Waiting for the store');
    await allow(true);
    await admin.end();
    const { code, stdout, stderr } = await waiting.finished;
    assert.is(code, 0, stderr);
    assert.match(stdout, 'In sync');
    assert.is(stderr.split('Waiting for the store').length, 2);
  }));

/** Calls for an API in an environment are rejected while the emulator has this fault. */
function refuse(api: string, environment: string): void {
  const answer = { status: 404, errorCode: 'APIG.3002', errorMsg: 'The API does not exist' };
  emulator.faults.add({ share: 1, apiId: `api-${api}`, environmentId: `env-${environment}`, ...answer });
}

test.run();
