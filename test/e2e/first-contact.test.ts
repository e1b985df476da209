import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';

/*
 * A gateway that the store knows nothing of: a fresh volume, an empty CI cache, another folder, a lost store. What is online there must be
 * adopted, and never published again.
 */
const test = suite('first contact');
const names = Array.from({ length: 31 }, (_, index) => `a${index}`);
let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  const environments = [
    { id: 'env-test', name: 'test' },
    { id: 'env-release', name: 'release' },
  ];
  const publications = names.flatMap((name) => environments.map(({ id }) => ({ api: `api-${name}`, environment: id })));
  emulator = await startEmulator({ seed: { ...seedOf(...names), environments, publications } });
  folder = scratchFolder();
});
test.after.each(() => emulator.close());

const calls = (): number => emulator.requests.all().filter(({ operation }) => /^(?:change|switch)/.test(operation ?? '')).length;

async function importInto(target: string): Promise<void> {
  const { code, stdout, stderr } = await edict(
    ['import', '--endpoint', emulator.url, '--project', 'project', '--instance', 'instance'],
    target,
  );
  assert.is(code, 0, stderr);
  writeFileSync(join(target, 'edict.yaml'), stdout);
}

test('while a gateway cannot be observed there is no plan, and the hint names what asked for the observation', async () => {
  await importInto(folder);
  emulator.faults.add({ status: 403, errorCode: 'APIG.1005', errorMsg: 'not allowed', share: 1, operation: '*' });
  for (const [args, remedy] of [
    [['plan'], 'with `refresh: never`'],
    [['plan', '--refresh'], 'without --refresh'],
    [['apply'], 'with `refresh: never`'],
    [['apply', '--refresh'], 'without --refresh'],
  ] as const) {
    const { code, stderr } = await edict(args, folder);
    assert.is(code, 1, args.join(' '));
    assert.match(stderr, `nothing was sent; ${remedy} the plan starts from the record alone`);
  }
  assert.is(calls(), 0);
});

test('import and apply of a live gateway make no call, and the plan lists what is adopted', async () => {
  await importInto(folder);
  const planned = await edict(['plan'], folder);
  assert.equal([planned.code, calls()], [0, 0], planned.stderr);
  assert.match(planned.stdout, 'In sync. 62 publications');
  const applied = await edict(['apply'], folder);
  assert.equal([applied.code, calls()], [0, 0], applied.stderr);
  assert.match(applied.stdout, 'In sync. 62 publications');
});

test('without a recorded state, what is online is adopted, and only what differs is changed', async () => {
  await importInto(folder);
  await edict(['apply'], folder);
  rmSync(join(folder, '.edict'), { recursive: true });
  assert.match((await edict(['apply'], folder)).stdout, 'In sync. 62 publications');
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  await importInto(elsewhere);
  emulator.state.changeManually('api-a3', 'env-test', 'offline');
  const applied = await edict(['apply'], elsewhere);
  assert.equal([applied.code, calls()], [0, 1], applied.stderr);
  assert.match(applied.stdout, '1 online, 0 offline, 61 unchanged');
});

test('a daemon with an empty store makes no call', async () => {
  await importInto(folder);
  const daemon = startEdict(['run', '--log-format', 'json', '--log-level', 'debug'], folder);
  await until('it is in sync', () => daemon.events('reconcile:finished').length > 0, [daemon]);
  daemon.child.kill('SIGTERM');
  assert.is((await daemon.finished).code, 0);
  assert.is(calls(), 0);
});

test('without credentials the plan says first that it is not checked, and is neither saved nor approved', async () => {
  await importInto(folder);
  const planned = await edict(['plan'], folder, {});
  assert.match(planned.stdout, /^Not checked against the gateway: there are no credentials/);
  assert.match(JSON.parse((await edict(['plan', '--format', 'json'], folder, {})).stdout).uncheckedReason, 'no credentials');
  const saved = await edict(['plan', '--out', 'release.plan'], folder, {});
  assert.is(saved.code, 1);
  assert.match(saved.stderr, 'the gateway was never observed');
});

test('a gateway that cannot be observed at first contact gets no call', async () => {
  await importInto(folder);
  emulator.faults.add({ times: 99, status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions', operation: 'listApis' });
  for (const command of ['plan', 'apply']) {
    const refused = await edict([command], folder);
    assert.equal([refused.code, calls()], [1, 0], command);
    assert.match(refused.stderr, 'the gateway cannot be observed: APIG.1005');
  }
});

test.run();
