import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict, fileOf, type Running, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';

const test = suite('freeze');
const apis = Array.from({ length: 30 }, (_, index) => `a${index}`);
let emulator: Emulator;
let folder: string;
let daemon: Running | null = null;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf(...apis) });
  folder = scratchFolder();
});

test.after.each(async () => {
  daemon?.child.kill('SIGKILL');
  await daemon?.finished;
  daemon = null;
  await emulator.close();
});

/** A date and time with its zone, as the file has it. */
const moment = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const nextSecond = (ms: number): number => Math.ceil(ms / 1000) * 1000;
const calls = () => emulator.requests.all().filter(({ operation }) => operation === 'changePublication');

function write(more: string, names: readonly string[] = ['a0', 'a1'], limit?: string): void {
  const text = fileOf(emulator.url, Object.fromEntries(names.map((name) => [name, 'online'])), limit);
  writeFileSync(join(folder, 'edict.yaml'), text.replace('apis:', `${more}\napis:`));
}

test('in a freeze the daemon sends nothing, and when it ends everything, by itself', async () => {
  const endMs = nextSecond(Date.now() + 3000);
  write(`freeze: [{ name: launch, from: "${moment(endMs - 60_000)}", to: "${moment(endMs)}" }]`);
  daemon = startEdict(['run', '--log-format', 'json', '--log-level', 'debug'], folder);
  await until('it waits', () => daemon?.events('plan:made').some(({ waiting }) => waiting === 2) ?? false);
  const status = await edict(['status'], folder);
  assert.match(status.stdout, `frozen (launch) until ${moment(endMs)}`);
  await until('all are online', () => calls().length === 2);
  assert.ok(
    calls().every(({ atMs }) => atMs >= endMs),
    'no call came before the end',
  );
});

test('a freeze that begins in the middle of an apply stops what has not left, and the exit code is 0', async () => {
  const beginMs = nextSecond(Date.now() + 2000);
  write(`freeze: [{ from: "${moment(beginMs)}", to: "${moment(beginMs + 3_600_000)}" }]`, apis, '{ calls: 5, per: 1s }');
  const { code, stdout } = await edict(['apply'], folder);
  assert.is(code, 0);
  const made = calls().length;
  assert.ok(made > 0 && made < apis.length, `${made} calls`);
  assert.ok(
    calls().every(({ atMs }) => atMs < beginMs + 100),
    'none came after the begin, but for its way',
  );
  assert.match(stdout, `${made} online, 0 offline, 0 unchanged, ${apis.length - made} waiting`);
  assert.match(stdout, `frozen until ${moment(beginMs + 3_600_000)}`);
});

test('in a freeze `apply` ends with 0, says until when it waits, and sends nothing; the plan has changes all the same', async () => {
  const endMs = nextSecond(Date.now() + 3_600_000);
  write(`freeze: [{ from: "${moment(endMs - 7_200_000)}", to: "${moment(endMs)}" }]`);
  for (const [args, code] of [
    [['apply'], 0],
    [['apply', '--format', 'json'], 0],
    [['plan', '--detailed-exitcode'], 2],
    [['plan', '--detailed-exitcode', '--format', 'json'], 2],
  ] as const) {
    const ended = await edict([...args], folder);
    assert.is(ended.code, code, args.join(' '));
    assert.match(ended.stdout, moment(endMs));
  }
  const lines = (await edict(['apply', '--format', 'json'], folder)).stdout.trim().split('\n');
  assert.is((JSON.parse(lines.at(-1) ?? '') as { waiting: number }).waiting, 2);
  assert.is(calls().length, 0);
});

test('a suspended API waits, and its neighbours go', async () => {
  write('', ['a0', 'a1']);
  const text = fileOf(emulator.url, { a0: 'online', a1: 'online' });
  writeFileSync(join(folder, 'edict.yaml'), text.replace('id: api-a0,', 'id: api-a0, suspend: { reason: migration, by: ada },'));
  const { code, stdout } = await edict(['apply'], folder);
  assert.is(code, 0);
  assert.match(stdout, '… a0 in test, online: suspended by ada (migration)');
  assert.equal(
    calls().map(({ api }) => api),
    ['api-a1'],
  );
  await sleep(1);
  const explained = await edict(['explain', 'a0', 'test'], folder);
  assert.match(explained.stdout, 'suspended by ada (migration)');
});

test.run();
