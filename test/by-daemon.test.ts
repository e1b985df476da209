import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../src/emulator/emulator.ts';
import { edict, fileOf, type Running, scratchFolder, seedOf, startEdict, until } from './support/edict-process.ts';

/*
 * A pipeline that leaves its changes to the daemon. Both have a file of their own, as with a checkout each, and one store.
 */
const test = suite('via daemon');
const names = ['a', 'b', 'c'];
let emulator: Emulator;
let pipeline: string;
let sidecar: string;
let daemon: Running | null = null;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf(...names) });
  pipeline = scratchFolder();
  sidecar = scratchFolder();
});
test.after.each(async () => {
  daemon?.child.kill('SIGKILL');
  await daemon?.finished;
  daemon = null;
  await emulator.close();
});

const write = (folder: string, states: Readonly<Record<string, string>>): void =>
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, states));
const state = (): string => `sqlite:${join(sidecar, 'state.db')}`;
const calls = (): number => emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length;
const apply = (...more: readonly string[]): Running => startEdict(['apply', '--state', state(), '--via-daemon', ...more], pipeline);

async function startDaemon(states: Readonly<Record<string, string>>): Promise<void> {
  write(sidecar, states);
  daemon = startEdict(['run', '--state', state(), '--log-format', 'json', '--debounce', '20ms'], sidecar);
  await until('the daemon has made a plan', () => (daemon?.events('plan:made').length ?? 0) > 0);
}

test('it waits until the daemon has made the changes, and tells of each', async () => {
  await startDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  write(pipeline, { a: 'online', b: 'online', c: 'online' });
  const saved = await edict(['plan', '--state', state(), '--out', 'saved.json'], pipeline);
  assert.is(saved.code, 0, saved.stderr);
  const applying = apply('--plan', 'saved.json', '--format', 'json', '--log-format', 'json');
  await until('it waits', () => applying.events('plan:made').length === 1);
  assert.is(calls(), 1, 'it makes no call of its own');
  write(sidecar, { a: 'online', b: 'online', c: 'online' });
  const { code, stdout } = await applying.finished;
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.is(code, 0);
  assert.equal(lines.map(({ type, api, outcome, online, left }) => [type, api ?? online, outcome ?? left]).sort(), [
    ['attempt', 'b', 'succeeded'],
    ['attempt', 'c', 'succeeded'],
    ['summary', 2, 0],
  ]);
  assert.is(calls(), 3);
  const again = await apply().finished;
  assert.equal([again.code, again.stdout], [0, 'In sync. 3 publications as the file says. Nothing was sent.\n']);
});

test('what the daemon does not make in time is told, with exit code 5', async () => {
  await startDaemon({ a: 'online' });
  write(pipeline, { a: 'online', b: 'online' });
  const { code, stdout } = await apply('--wait', '1s').finished;
  assert.is(code, 5);
  assert.match(stdout, '1 not made by the daemon in time');
});

test('what the gateway refuses for good ends the waiting, with exit code 5', async () => {
  await startDaemon({ a: 'online' });
  await until('a is online', () => calls() === 1);
  emulator.world.deleteApi('api-b');
  write(pipeline, { a: 'online', b: 'online' });
  const applying = apply();
  await until('it waits', () => applying.output.stderr.includes('plan made'));
  write(sidecar, { a: 'online', b: 'online' });
  const { code, stdout } = await applying.finished;
  assert.is(code, 5);
  assert.match(stdout, /1 failed/);
  assert.match(stdout, /x b +test +online +APIG\.3002/);
});

test('what is held stays held until somebody agrees, with exit code 4', async () => {
  const guarded = (text: string): string => text.replace('guards: { maxOffline: 100%, maxLost: 100% }\n', 'guards: { maxOffline: 0 }\n');
  const states = { a: 'online', b: 'online' };
  await startDaemon(states);
  await until('both are online', () => calls() === 2);
  for (const folder of [pipeline, sidecar])
    writeFileSync(join(folder, 'edict.yaml'), guarded(fileOf(emulator.url, { ...states, b: 'offline' })));
  const held = await apply().finished;
  assert.is(held.code, 4, held.stderr);
  const [, digest = ''] = /edict approve (sha256:\w+)/.exec(held.stdout) ?? [];
  assert.is((await edict(['approve', digest, '--by', 'ada', '--why', 'CHG-7', '--state', state()], pipeline)).code, 0);
  const { code, stdout } = await apply().finished;
  assert.is(code, 0);
  assert.match(stdout, /1 offline|In sync/);
  assert.is(calls(), 3);
});

test('where no daemon works on the gateway it says so and sends nothing', async () => {
  write(pipeline, { a: 'online' });
  const { code, stderr } = await apply().finished;
  assert.is(code, 1);
  assert.match(stderr, 'no edict works on the gateway');
  assert.match(stderr, 'leave --via-daemon out');
  assert.is(calls(), 0);
});

test.run();
