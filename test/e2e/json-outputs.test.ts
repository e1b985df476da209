import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf } from '../support/edict-process.ts';
import { applyLines, conforms, planDocument } from '../support/json-schemas.ts';

const test = suite('json outputs');
let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('a', 'b', 'c', 'd') });
  folder = scratchFolder();
});
test.after.each(() => emulator.close());

const file = (states: Readonly<Record<string, string>>): string => fileOf(emulator.url, states);
const write = (text: string): void => writeFileSync(join(folder, 'edict.yaml'), text);

interface PlanLike {
  readonly approvalDigest: string | null;
  readonly fileHeld: object | null;
  readonly approval: object | null;
  readonly savedPlan?: { readonly applied: number };
  readonly summary: Readonly<Record<string, number>>;
  readonly changes: readonly { readonly reason: string; readonly deferred: object | null; readonly drift: object | null }[];
  readonly notices: readonly { readonly kind: string }[];
}

async function plan(...args: readonly string[]): Promise<PlanLike> {
  return planDocument<PlanLike>((await edict(['plan', '--format', 'json', ...args], folder)).stdout);
}

/** Returns the lines of an apply, and its exit code. */
async function apply(...args: readonly string[]) {
  const { stdout, code } = await edict(['apply', '--format', 'json', ...args], folder);
  const lines = applyLines(stdout);
  return { lines, code, last: lines.at(-1) ?? {}, of: (type: string) => lines.filter((line) => line['type'] === type) };
}

test('a first plan, its apply, and a plan in sync', async () => {
  write(file({ a: 'online', b: 'offline' }));
  assert.is((await plan()).changes[0]?.reason, 'new');
  const { of, last } = await apply();
  assert.equal([of('attempt').map(({ outcome }) => outcome), last['type'], last['online']], [['succeeded'], 'summary', 1]);
  assert.equal((await plan('--api', 'a')).changes, []);
});

test('drift of every kind', async () => {
  write(file({ a: 'online', b: 'online', c: 'online' }));
  await apply('--api', 'a', '--api', 'b');
  // A change more recent than `propagationDelay` may not show in the lists of the gateway yet, and is not reported as drift.
  await sleep(400);
  emulator.state.takeOffline('api-a', 'env-test');
  emulator.state.publish('api-c', 'env-test', 'by hand');
  const reported = await plan('--refresh');
  assert.equal(reported.notices.map(({ kind }) => kind).sort(), ['adopted', 'drift']);
  write(`${file({ a: 'online', b: 'online' })}drift: correct\nrepublish: edited\n`);
  const corrected = await plan('--refresh');
  assert.equal(
    corrected.changes.map(({ reason, drift }) => [reason, drift !== null]),
    [['drift', true]],
  );
});

test('held changes, a held file, and what an approval releases', async () => {
  const protecting = (text: string): string => text.replace('test: env-test', 'test: { id: env-test, protected: true }');
  write(protecting(file({ a: 'online', b: 'online' })));
  await apply();
  write(protecting(file({ a: 'offline', b: 'online' })));
  const held = await plan();
  assert.is(held.summary['held'], 1);
  const applied = await apply();
  assert.equal([applied.code, applied.of('held').map(({ rule }) => rule)], [4, ['protected']]);
  await edict(['approve', held.approvalDigest ?? '', '--by', 'ada', '--reason', 'CHG-7'], folder);
  assert.ok((await plan()).approval);
  write(file({}));
  assert.ok((await plan()).fileHeld);
  assert.ok((await apply()).last['fileHeld']);
});

test('deferred changes, with and without an end', async () => {
  const [from, to] = ['2020-01-01T00:00Z', '2099-01-01T00:00Z'];
  write(`${file({ a: 'online' })}freeze: [{ name: launch, from: "${from}", to: "${to}" }]\n`);
  assert.ok((await plan()).changes[0]?.deferred);
  assert.equal(
    (await apply()).of('deferred').map(({ rule, until }) => [rule, until]),
    [['freeze', '2099-01-01T00:00:00Z']],
  );
  write(`${file({ a: 'online' })}suspend: { reason: the vendor looks at it }\n`);
  assert.equal(
    (await apply()).of('deferred').map(({ rule, until }) => [rule, until]),
    [['suspended', null]],
  );
});

test('failed calls, and one whose outcome is unknown at first', async () => {
  write(file({ a: 'online', b: 'online' }));
  emulator.faults.add({ times: 1, apiId: 'api-a', status: 403, errorCode: 'APIG.1005', errorMsg: 'no' });
  emulator.faults.add({ times: 1, apiId: 'api-b', kind: 'cut', applied: true });
  const { of, code } = await apply();
  const outcomes = of('attempt').map(({ outcome }) => outcome);
  assert.ok(outcomes.includes('unknown'), outcomes.join());
  assert.ok(of('attempt').some(({ api, outcome }) => api === 'a' && outcome !== 'succeeded'));
  assert.ok(code === 0 || code === 5);
});

test('a saved plan, made twice, and a stale one', async () => {
  write(file({ a: 'online', b: 'online' }));
  await plan('--out', 'saved.plan');
  assert.equal(((await apply('--plan', 'saved.plan')).last['savedPlan'] as { superseded: unknown }).superseded, []);
  const shown = await edict(['apply', '--plan', 'saved.plan', '--dry-run', '--format', 'json'], folder);
  assert.is(planDocument<PlanLike>(shown.stdout).savedPlan?.applied, 2);
  write(file({ a: 'offline', b: 'online' }));
  await plan('--out', 'stale.plan');
  write(file({ a: 'online', b: 'online' }));
  const { code, last } = await apply('--plan', 'stale.plan');
  assert.is(code, 1);
  assert.is((last['error'] as { staleChanges: unknown[] }).staleChanges.length, 1);
});

test('an invalid file and a missing one, in one line each', async () => {
  write(file({ a: 'onlin', b: 'oflin' }));
  const invalid = await apply();
  assert.equal([invalid.code, invalid.lines.length, invalid.last['valid']], [3, 1, false]);
  await plan();
  const absent = await apply('none.yaml');
  assert.equal([absent.code, absent.lines.length], [3, 1]);
  await plan('none.yaml');
});

test('the schemas accept nothing else', () => {
  for (const wrong of [
    '{}',
    '{"format":1,"valid":true,"errors":[]}',
    '{"format":1,"error":{"code":"X","message":"","hint":null,"more":1}}',
  ]) {
    assert.equal([conforms('plan', JSON.parse(wrong)), conforms('apply', JSON.parse(wrong))], [false, false]);
  }
});

test.run();
