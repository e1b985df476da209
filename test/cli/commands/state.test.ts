import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts';
import { edict } from '../../support/edict-command.ts';
import { fileOf, scratchFolder, secretToken, seedOf, startEdict, until } from '../../support/edict-process.ts';
import { eventually } from '../../support/eventually.ts';

const test = suite('state');
let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('orders', 'carts') });
  folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { orders: 'online', carts: 'online' }));
  assert.is((await run('apply')).code, 0);
});
test.after.each(() => emulator.close());

const run = (...args: readonly string[]) => edict(args, folder, { HW_AUTH_TOKEN: secretToken, EDICT_LOG_LEVEL: 'error' });
const calls = (): number => emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length;

test('show lists each gateway with its counts and lease holder', async () => {
  const { code, stdout } = await run('state', 'show');
  assert.is(code, 0);
  const lines = stdout.split('\n');
  assert.is(lines[0], `Store sqlite:${join(folder, '.edict/state.db')}`);
  assert.is(lines[1], `${emulator.url}, project project, instance instance`);
  assert.match(lines[2] ?? '', /^ {2}2 publications recorded, 2 attempts since 20\d\d-.*Z$/);
  assert.is(lines[3], '  not in use');
  const { gateways } = JSON.parse((await run('state', 'show', '--format', 'json')).stdout);
  assert.equal([gateways[0].publications, gateways[0].attempts, gateways[0].holder], [2, 2, null]);
  const absent = await run('state', 'show', '--state', 'sqlite:elsewhere.db');
  assert.equal([absent.code, existsSync(join(folder, 'elsewhere.db'))], [1, false]);
  assert.match(absent.stderr, 'there is no store');
});

test('a plan from a copy is the same', async () => {
  const copied = await run('state', 'copy', 'copy.db');
  assert.match(copied.stdout, /^Copied 1 gateway, 2 publications and 2 attempts to sqlite:.*copy\.db\.$/m);
  assert.is(copied.stderr, '');
  assert.match((await run('plan', '--state', 'sqlite:copy.db')).stdout, /^(?:In sync|No changes)/);
  const again = await run('state', 'copy', 'copy.db');
  assert.is(again.code, 1);
  assert.match(again.stderr, 'is not empty');
  assert.match((await run('plan')).stdout, /^(?:In sync|No changes)/);
});

test('copying a store in use succeeds and names the process on stderr', async () => {
  const daemon = startEdict(['run', '--log-format', 'json'], folder);
  await until('it plans', () => daemon.events('plan:computed').length > 0, [daemon]);
  const holder = async () => JSON.parse((await run('state', 'show', '--format', 'json')).stdout).gateways[0].holder;
  await eventually(async () => (await holder()) === `pid ${daemon.child.pid}`, 60_000, 'it is recorded as the holder');
  const { code, stdout, stderr } = await run('state', 'copy', 'copy.db', '--format', 'json');
  assert.is(code, 0);
  assert.match(stderr, new RegExp(`^edict: warning: sqlite:.*state\\.db was copied while in use by pid ${daemon.child.pid}$`, 'm'));
  assert.match(stderr, 'stop that process and copy again');
  const { holders, gateways, publications, attempts } = JSON.parse(stdout);
  assert.equal([holders, gateways, publications, attempts], [[`pid ${daemon.child.pid}`], 1, 2, 2]);
  const refused = await run('state', 'rm', 'orders', 'test');
  assert.is(refused.code, 1);
  assert.match(refused.stderr, 'in use by another edict process');
  daemon.child.kill('SIGTERM');
  await daemon.finished;
  assert.match((await run('plan', '--state', 'sqlite:copy.db')).stdout, /^(?:In sync|No changes)/);
});

test('rm makes no calls; a refresh adopts the publication, and it cannot be removed twice', async () => {
  const { code, stdout } = await run('state', 'rm', 'orders', 'test');
  assert.is(code, 0);
  assert.match(stdout, 'Removed orders in test, which was recorded as online. The next apply looks at the gateway first: ');
  assert.is(calls(), 2);
  const again = await run('state', 'rm', 'orders', 'test', '--format', 'json');
  const { was, next } = JSON.parse(again.stdout);
  assert.equal([was, next], [null, { action: 'online', made: true }]);
  assert.is((await run('apply', '--refresh')).code, 0);
  assert.is(calls(), 2, 'adopted without a call');
  assert.match((await run('status')).stdout, /^(?:In sync|No changes)/);
  const unknown = await run('state', 'rm', 'order', 'test');
  assert.is(unknown.code, 1);
  assert.match(unknown.stderr, 'nearest to "order": orders');
});

test.run();
