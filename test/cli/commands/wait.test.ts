import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../src/cli/program.ts';
import type { ControllerStatus } from '../../../src/model/controller-status.ts';
import type { DesiredState } from '../../../src/model/desired-state.ts';
import type { RecordedPublication } from '../../../src/model/recorded-state.ts';
import { desiredDigest } from '../../../src/plan/digest.ts';
import { parseDesiredState } from '../../../src/source/parser.ts';
import type { Store } from '../../../src/store/interface.ts';
import { openStore } from '../../../src/store/open.ts';
import { fileOf, scratchFolder } from '../../support/edict-process.ts';
import { change, lastObservation, newAttempt, recorded, savedObservation } from '../../support/states.ts';
import { testContext } from '../../support/streams.ts';

/*
 * The output of `edict wait` for a store that a daemon writes; this process takes the place of the daemon.
 */
const test = suite('wait');
let folder: string;
let store: Store;
let desired: DesiredState;

test.before.each(async () => {
  folder = scratchFolder();
  store = await openStore({ url: stateUrl(), isEmulated: false });
});
test.after.each(() => store.close());

const stateUrl = (): string => `sqlite:${join(folder, 'state.db')}`;
const condition: ControllerStatus = { updatedAtMs: 0, pid: process.pid, calls: 1, perMs: 1, paused: null };

/** Writes the file, and acquires the lease of its gateway. */
async function write(states: Readonly<Record<string, string>>, edit = (text: string): string => text): Promise<void> {
  const text = edit(fileOf('https://127.0.0.1:9', states));
  writeFileSync(join(folder, 'edict.yaml'), text);
  desired = parseDesiredState({ text, file: 'edict.yaml', variables: {} });
  await store.acquire(desired.gateway, 1);
  await store.saveStatus(desired.gateway, condition);
}

const reconcile = (digest = desiredDigest(desired)): Promise<void> =>
  store.saveDeclared(desired.gateway, { sourceFiles: new Map(), digest, approvalId: null });
const record = (...publications: readonly RecordedPublication[]): Promise<void> =>
  store.saveObservation(desired.gateway, savedObservation(publications, lastObservation(1)));
const online = (api: string): RecordedPublication => recorded(api, 'test', { key: `api-${api} env-test` as never });

async function wait(...options: readonly string[]) {
  const { context, stdout, stderr } = testContext({});
  const code = await runCli(['wait', join(folder, 'edict.yaml'), '--state', stateUrl(), ...options], context);
  return { code, stdout: stdout(), stderr: stderr() };
}

test('in sync: exit code 0', async () => {
  await write({ orders: 'online' });
  await record(online('orders'));
  await reconcile();
  assert.equal(await wait(), {
    code: 0,
    stdout: 'No changes; gateway not checked since 1970-01-01T00:00:00Z. 1 publication matches the file, as far as is recorded.\n',
    stderr: `Waiting for pid ${process.pid}: 0 changes left; it has reconciled this file\n`,
  });
});

test('drift that is left in place: exit code 2, also beside deferred changes', async () => {
  await write({ orders: 'online', carts: 'online' });
  const drift = { from: 'online', fromSinceMs: 1, detectedAtMs: 1, backoffUntilMs: null } as const;
  await record({ ...online('orders'), state: 'offline', drift }, online('carts'));
  await reconcile();
  const drifted = await wait();
  assert.is(drifted.code, 2);
  assert.match(
    drifted.stdout,
    /^In effect, with drift left in place: 1 publication as declared, 1 drifted\.\n {2}≠ orders +test +drifted +taken offline/,
  );
  assert.is(JSON.parse((await wait('--format', 'json')).stdout).result, 'drifted');
  await store.release(desired.gateway, 1);
  await write({ orders: 'online', carts: 'online', stock: 'online' });
  await reconcile();
  await store.saveSuspension(desired.gateway, { reason: 'INC-7', by: 'ada', sinceMs: null, untilMs: null });
  const both = await wait();
  assert.is(both.code, 2);
  assert.match(both.stdout, /^In effect, with drift left in place: 1 publication as declared, 1 deferred, 1 drifted\./);
});

test('only deferred changes left: exit code 0, with the reason of each', async () => {
  await write({ orders: 'online', carts: 'online' });
  await record(online('orders'));
  await reconcile();
  await store.saveSuspension(desired.gateway, { reason: 'INC-7', by: 'ada', sinceMs: null, untilMs: null });
  const { code, stdout } = await wait();
  assert.is(code, 0);
  assert.match(
    stdout,
    /^In effect, with deferred changes left: 1 publication as declared, 1 deferred\.\n {2}… carts +test +deferred +online: /,
  );
});

test('a held file is exit code 4, even before the daemon has reconciled it', async () => {
  await write({ orders: 'online', carts: 'online' }, (text) => text.replace('maxRemoved: 100%', 'maxRemoved: 0'));
  await store.saveDeclared(desired.gateway, {
    sourceFiles: new Map([['api-gone env-test' as never, '']]),
    digest: 'older',
    approvalId: null,
  });
  const { code, stdout } = await wait('--format', 'json');
  assert.is(code, 4, stdout);
  const { result, fileHeld, approveCommand } = JSON.parse(stdout);
  assert.equal([result, fileHeld.rule], ['held', 'maxRemoved']);
  assert.match(approveCommand, /^edict approve [0-9a-f]{12} /);
});

test('a failure is exit code 5, also with held changes', async () => {
  await write({ orders: 'online', carts: 'offline' }, (text) => text.replace('maxOffline: 100%', 'maxOffline: 0'));
  await record(online('carts'));
  await reconcile();
  const made = change('orders', 'test', { apiId: 'api-orders', environmentId: 'env-test', key: 'api-orders env-test' as never });
  const { attemptId: id } = await store.beginAttempt(desired.gateway, made, newAttempt());
  const failure = { code: 'APIG.3002', status: 404, message: 'gone', hint: null, requestId: null, retryAfterMs: null };
  await store.finishAttempt(desired.gateway, {
    key: made.key,
    attemptId: id,
    outcome: { kind: 'rejected', failure },
    next: undefined,
    atMs: 2,
  });
  const { code, stdout } = await wait();
  assert.is(code, 5);
  assert.match(stdout, /^Failed: 0 publications as declared, 1 failed, 1 held\.$/m);
  assert.match(stdout, /x orders +test +failed +online: APIG\.3002 gone; /);
  assert.match(stdout, /^To approve: edict approve [0-9a-f]{12} /m);
});

test('the timeout has a reason: not reconciled, replaced by a different file, or paused', async () => {
  await write({ orders: 'online' });
  assert.match((await wait('--timeout', '0s')).stdout, 'the daemon has not reconciled this file yet');
  await reconcile();
  const pending = await wait('--timeout', '0s');
  assert.is(pending.code, 5);
  assert.match(pending.stdout, /^Not in effect after .* s: 0 publications as declared, 1 pending\.$/m);
  await reconcile('another');
  assert.match((await wait('--timeout', '0s')).stdout, 'the daemon has reconciled a different file since this one');
  await store.saveStatus(desired.gateway, { ...condition, paused: { reason: 'outage', message: 'timed out', sinceMs: 1 } });
  const paused = JSON.parse((await wait('--timeout', '0s', '--format', 'json')).stdout);
  assert.equal([paused.result, paused.reason], ['timeout', 'the daemon makes no calls: timed out']);
});

test('names that the daemon has not resolved are pending, and no guard treats them as removed', async () => {
  await write({ orders: 'online' }, (text) => text.replace('maxRemoved: 100%', 'maxRemoved: 0'));
  await store.saveDeclared(desired.gateway, {
    sourceFiles: new Map([['api-orders env-test' as never, '']]),
    digest: 'older',
    approvalId: null,
  });
  const text = fileOf('https://127.0.0.1:9', { orders: 'online' });
  writeFileSync(join(folder, 'edict.yaml'), text.replace('id: api-orders, ', '').replace('maxRemoved: 100%', 'maxRemoved: 0'));
  const { code, stdout } = await wait('--timeout', '0s');
  assert.is(code, 5, stdout);
});

test('without a lease holder it is exit code 1, with a hint; an invalid file is 3, and a wrong timeout 1', async () => {
  await write({ orders: 'online' });
  await store.release(desired.gateway, 1);
  const absent = await wait('--timeout', '0s', '--format', 'json');
  assert.is(absent.code, 1);
  assert.is(JSON.parse(absent.stdout).error.code, 'DAEMON_NOT_RUNNING');
  assert.match(absent.stderr, 'with SQLite it must run on this machine');
  writeFileSync(join(folder, 'edict.yaml'), 'edict: 1\nrefresh: never\n');
  assert.is((await wait()).code, 3);
  assert.match((await wait('--timeout', 'soon')).stderr, '--timeout soon is not a duration');
});

test.run();
