import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { type AnsweringServer, answeringServer } from '../gateway/answering-server.ts';
import { type LoggedDaemon, startLoggedDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, seedOf, until } from '../support/edict-process.ts';
import { eventually } from '../support/eventually.ts';

let emulator: Emulator;
let health: AnsweringServer;
/** The responses of the APIs to probes. */
let status: number;
let folder: string;
let daemon: LoggedDaemon | null = null;

test.before.each(async () => {
  const seed = seedOf('orders', 'carts');
  emulator = await startEmulator({ seed: { ...seed, environments: [...seed.environments, { id: 'env-staging', name: 'staging' }] } });
  status = 200;
  health = await answeringServer((response) => response.writeHead(status).end());
  folder = scratchFolder();
});

test.after.each(async () => {
  await daemon?.stop();
  daemon = null;
  await emulator.close();
  await health.close();
});

/** Allows probes of this machine. */
const probing = ['--allow-probe-host', '127.0.0.1'];

/** Writes a file with both APIs in all environments, with this rollout. */
function write(rollout: string, states = '{ test: online, staging: online, release: online }', staging = 'env-staging'): void {
  const gateway = `{ endpoint: "${emulator.url}", project: project, instance: instance, limit: { calls: 1000, per: 100ms }, propagationDelay: 300ms }`;
  const apis = ['orders', 'carts'].map((name) => `  ${name}: { id: api-${name}, environments: ${states} }\n`).join('');
  writeFileSync(
    join(folder, 'edict.yaml'),
    `edict: 1\ngateway: ${gateway}\nenvironments: { test: env-test, staging: ${staging}, release: env-release }\nrollout: ${rollout}\nguards: { maxOffline: 100%, maxRemoved: 100% }\napis:\n${apis}`,
  );
}

/** Returns the calls for an API, as environments in the order in which they came. */
const calls = (api: string): string[] =>
  emulator.requests
    .all()
    .filter((request) => request.operation === 'changePublication' && request.api === `api-${api}`)
    .map(({ environment = '' }) => environment.replace('env-', ''));

test('one apply goes through the whole rollout; a targeted one goes no further than its step', async () => {
  write('[test, staging, release]');
  const part = await edict(['apply', '--environment', 'release'], folder);
  assert.equal([part.code, calls('orders')], [0, []]);
  assert.match(part.stdout, '… orders in release, online: waits for test');
  const whole = await edict(['apply'], folder);
  assert.equal([whole.code, calls('orders'), calls('carts')], [0, ['test', 'staging', 'release'], ['test', 'staging', 'release']]);
  assert.match(whole.stdout, /^Applied in .*: 6 online, 0 offline, 0 unchanged\.\n$/);
  write('[test, staging, release]', '{ test: offline, staging: offline, release: offline }');
  await edict(['apply'], folder);
  assert.equal(calls('orders').slice(3), ['test', 'staging', 'release']);
  assert.match((await edict(['apply'], folder)).stdout, /^(?:In sync|No changes)/);
});

test('a failure in staging stops the rollout of that API, and of no other', async () => {
  write('[test, staging, release]');
  const fault = { status: 403, errorCode: 'APIG.1005', errorMsg: 'no', apiId: 'api-orders', environmentId: 'env-staging' };
  emulator.faults.add({ ...fault, times: 1 });
  const { code, stdout } = await edict(['apply'], folder);
  assert.equal([code, calls('orders'), calls('carts')], [5, ['test', 'staging'], ['test', 'staging', 'release']]);
  assert.match(stdout, '4 online, 0 offline, 0 unchanged, 1 deferred, 1 failed');
  assert.match(stdout, '… orders in release, online: waits for staging');
  assert.is((await edict(['apply'], folder)).code, 0);
  assert.equal(calls('orders'), ['test', 'staging', 'staging', 'release']);
});

test('apply does not wait for a soak, and reports its end; the daemon continues automatically', async () => {
  write('[{ environment: test, soak: 2s }, staging, release]');
  const { code, stdout } = await edict(['apply'], folder);
  assert.equal([code, calls('orders')], [0, ['test']]);
  assert.match(stdout, /… orders in staging, online: soaks in test until \d{4}-\S+Z/);
  assert.match((await edict(['plan'], folder)).stdout, /Deferred \(4\)[\s\S]*… orders +staging +online: soaks in test until/);
  daemon = await startLoggedDaemon(folder);
  await until('all are released', () => calls('orders').length === 3 && calls('carts').length === 3);
  assert.equal(
    [calls('orders'), calls('carts')],
    [
      ['test', 'staging', 'release'],
      ['test', 'staging', 'release'],
    ],
  );
});

test('apply probes a few times, and a failed probe is exit code 5; a plan does not probe', async () => {
  write(`[test, { environment: staging, probe: "${health.url}/{environment}/{api}" }, release]`);
  status = 503;
  const { code, stdout } = await edict(['apply', '--api', 'orders', ...probing], folder);
  assert.equal([code, calls('orders'), health.requests.length], [5, ['test', 'staging'], 4]);
  assert.match(stdout, /x orders +staging +probe +answered 503, expected 200 to 299 +http:\S+\/staging\/orders/);
  const plan = await edict(['plan', '--api', 'orders'], folder);
  assert.match(plan.stdout, `… orders  release  online: staging is probed first: ${health.url}/staging/orders`);
  assert.is(health.requests.length, 4);
  status = 200;
  assert.is((await edict(['apply', ...probing], folder)).code, 0);
  assert.equal(
    [calls('orders'), calls('carts')],
    [
      ['test', 'staging', 'release'],
      ['test', 'staging', 'release'],
    ],
  );
  assert.is(health.requests.length, 6);
});

test('the daemon probes again until an API responds, and status shows the last result', async () => {
  write(`[test, { environment: staging, probe: { url: "${health.url}/{api}", status: 204 } }, release]`);
  const running = await startLoggedDaemon(folder);
  daemon = running;
  await until('the first probe has failed', () => running.events('probe:answered').length > 0);
  const said = `online: waits for a probe of staging, ${health.url}/orders: answered 200, expected 204`;
  await eventually(async () => (await edict(['status'], folder)).stdout.includes(said), 60_000, said);
  assert.equal(calls('orders'), ['test', 'staging']);
  status = 204;
  await until('all are released', () => calls('orders').length === 3 && calls('carts').length === 3);
});

test('a change held in staging defers its release, which is deferred and not held', async () => {
  const states = (state: string): string => `{ test: ${state}, staging: ${state}, release: ${state} }`;
  write('[test, staging, release]', states('online'));
  await edict(['apply'], folder);
  write('[test, staging, release]', states('offline'), '{ id: env-staging, protected: true }');
  const { code, stdout } = await edict(['apply', '--format', 'json'], folder);
  const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
  assert.equal([code, summary['offline'], summary['held'], summary['deferred']], [4, 2, 2, 2]);
  assert.equal(calls('orders').slice(3), ['test']);
  assert.match((await edict(['plan'], folder)).stdout, '… orders  release  offline: waits for staging, where it is held');
});

test('with --emulate no probe is sent', async () => {
  write(`[{ environment: test, probe: "${health.url}/{api}" }, release]`);
  const { code, stdout } = await edict(['apply', '--emulate'], folder);
  assert.is(code, 0, stdout);
  assert.match(stdout, '6 online');
  assert.is(health.requests.length, 0);
});

test.run();
