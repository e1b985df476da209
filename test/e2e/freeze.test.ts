import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { type LoggedDaemon, startLoggedDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, until } from '../support/edict-process.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';

const test = suite('freeze');
const apis = Array.from({ length: 30 }, (_, index) => `a${index}`);
let emulator: Emulator;
let folder: string;
let daemon: LoggedDaemon | null = null;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf(...apis) });
  folder = scratchFolder();
  await recordEmptyGatewayIn(folder, emulator.url);
});

test.after.each(async () => {
  await daemon?.stop();
  daemon = null;
  await emulator.close();
});

/** A date and time with its zone, in the format of the file. */
const moment = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const nextSecond = (ms: number): number => Math.ceil(ms / 1000) * 1000;
const calls = () => emulator.requests.all().filter(({ operation }) => operation === 'changePublication');

function write(more: string, names: readonly string[] = ['a0', 'a1'], limit?: string): void {
  const text = `${fileOf(emulator.url, Object.fromEntries(names.map((name) => [name, 'online'])), limit)}refresh: never\n`;
  writeFileSync(join(folder, 'edict.yaml'), text.replace('apis:', `${more}\napis:`));
}

test('in a freeze the daemon sends nothing, and when it ends everything, automatically', async () => {
  const endMs = nextSecond(Date.now() + 3000);
  write(`freeze: [{ name: launch, from: "${moment(endMs - 60_000)}", to: "${moment(endMs)}" }]`);
  daemon = await startLoggedDaemon(folder);
  await until('it is deferred', () => daemon?.events('plan:computed').some(({ deferred }) => deferred === 2) ?? false);
  const status = await edict(['status'], folder);
  assert.match(status.stdout, `frozen (launch) until ${moment(endMs)}`);
  await until('all are online', () => calls().length === 2);
  assert.ok(
    calls().every(({ atMs }) => atMs >= endMs),
    'no call came before the end',
  );
});

test('a freeze that starts during an apply stops unsent changes, and the exit code is 0', async () => {
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
  assert.match(stdout, `${made} online, 0 offline, 0 unchanged, ${apis.length - made} deferred`);
  assert.match(stdout, `frozen until ${moment(beginMs + 3_600_000)}`);
});

test('in a freeze `apply` exits with 0, reports the end of the freeze, and sends nothing; the plan still has changes', async () => {
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
  assert.is((JSON.parse(lines.at(-1) ?? '') as { deferred: number }).deferred, 2);
  assert.is(calls().length, 0);
});

test('a freeze that starts and ends while the daemon runs is a gap in its calls, and nothing is lost', async () => {
  const beginMs = nextSecond(Date.now() + 2000);
  const endMs = beginMs + 3000;
  const window = `freeze: [{ name: launch, from: "${moment(beginMs)}", to: "${moment(endMs)}" }]`;
  write(window, apis, '{ calls: 4, per: 1s }');
  daemon = await startLoggedDaemon(folder);
  await until('all are online', () => calls().length === apis.length);
  assert.ok(calls().some(({ atMs }) => atMs < beginMs) && calls().some(({ atMs }) => atMs >= endMs), 'there were calls before and after');
  assert.equal(
    calls().filter(({ atMs }) => atMs >= beginMs + 100 && atMs < endMs),
    [],
    'none came in between, but for its way',
  );
  assert.is(new Set(calls().map(({ api }) => api)).size, apis.length, 'each was sent once');
});

test('a retry that is due in a freeze waits for its end', async () => {
  const beginMs = nextSecond(Date.now() + 1500);
  const endMs = beginMs + 3000;
  emulator.faults.add({ times: 3, status: 429, errorCode: 'APIG.0308', errorMsg: 'slow down' });
  write(`freeze: [{ from: "${moment(beginMs)}", to: "${moment(endMs)}" }]`, ['a0']);
  daemon = await startLoggedDaemon(folder);
  await until('it is online', () => daemon?.events('attempt:finished').some(({ outcome }) => outcome === 'succeeded') ?? false);
  assert.equal(
    calls().filter(({ atMs }) => atMs >= beginMs + 100 && atMs < endMs),
    [],
  );
});

test('with batches too, unsent changes stay unsent when a freeze starts', async () => {
  const beginMs = nextSecond(Date.now() + 2000);
  const states = Object.fromEntries(apis.map((name) => [name, 'online']));
  const text = `${fileOf(emulator.url, states, '{ calls: 2, per: 1s, concurrency: 1 }')}refresh: never\n`;
  const window = `freeze: [{ from: "${moment(beginMs)}", to: "${moment(beginMs + 3_600_000)}" }]`;
  writeFileSync(join(folder, 'edict.yaml'), text.replace('apis:', `${window}\napis:`).replace(/limit:/, 'batch: 3, limit:'));
  const { code, stdout } = await edict(['apply', '--format', 'json'], folder);
  assert.is(code, 0);
  const batches = emulator.requests.all().filter(({ operation }) => operation === 'changePublications');
  assert.ok(batches.length > 0, 'batches were sent');
  assert.ok(batches.every(({ atMs }) => atMs < beginMs + 100));
  const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { online: number; deferred: number };
  assert.ok(summary.online > 0 && summary.deferred > 0, JSON.stringify(summary));
  assert.is(summary.online + summary.deferred, apis.length);
});

test('removing the freeze from the file makes the daemon act at once', async () => {
  write(`freeze: [{ from: "${moment(Date.now() - 60_000)}", to: "${moment(Date.now() + 3_600_000)}" }]`);
  daemon = await startLoggedDaemon(folder);
  await until('it is deferred', () => daemon?.events('plan:computed').some(({ deferred }) => deferred === 2) ?? false);
  assert.is(calls().length, 0);
  write('');
  await until('all are online', () => calls().length === 2);
});

test('a deferring daemon reports it once, with the time, and not at every resync', async () => {
  const endMs = nextSecond(Date.now() + 3_600_000);
  write(`freeze: [{ name: launch, from: "${moment(endMs - 7_200_000)}", to: "${moment(endMs)}" }]`);
  daemon = await startLoggedDaemon(folder, { resyncMs: 50 });
  await until('it has reconciled several times', () => (daemon?.events('reconcile:started').length ?? 0) > 5);
  const plansAt = (level: string) => daemon?.events('plan:computed').filter((line) => line['level'] === level) ?? [];
  assert.ok(plansAt('debug').length > 2, 'the others are logged at debug level');
  assert.equal(
    plansAt('info').map(({ deferred, firstDueAt }) => [deferred, firstDueAt]),
    [[2, new Date(endMs).toISOString()]],
  );
});

test('the JSON status has the end of a freeze', async () => {
  const endMs = nextSecond(Date.now() + 3_600_000);
  write(`freeze: [{ name: launch, from: "${moment(endMs - 7_200_000)}", to: "${moment(endMs)}" }]`, ['a0']);
  const { stdout } = await edict(['status', '--format', 'json'], folder);
  const [publication] = (JSON.parse(stdout) as { publications: { next: { deferred: unknown } }[] }).publications;
  assert.equal(publication?.next.deferred, { rule: 'freeze', message: 'frozen (launch)', until: moment(endMs) });
});

test('a suspended API is deferred, and the others are not', async () => {
  write('', ['a0', 'a1']);
  const text = `${fileOf(emulator.url, { a0: 'online', a1: 'online' })}refresh: never\n`;
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
