import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openScene, type Scene } from '../../support/scenario.ts';

const test = suite('suspend');

async function scene(): Promise<Scene & AsyncDisposable> {
  const opened = await openScene();
  opened.write(opened.file({ apis: { orders: 'test', carts: 'test' } }));
  return opened;
}

test('on an empty store it creates it; plan, status and apply then say who suspended calls, and make none', async () => {
  await using opened = await scene();
  const { code, stdout } = await opened.edict('suspend', '--reason', 'first rollout', '--for', '2h', '--by', 'ada');
  assert.is(code, 0);
  assert.match(stdout, /^Suspended: no calls are made to http\S+, instance instance until \S+Z, by ada \(first rollout\)\.$/m);
  assert.match(stdout, 'No edict process works on the gateway now; the next apply and run make no calls.');
  assert.match(stdout, /^To make calls again: edict resume \S+edict\.yaml --state \S+state\.db$/m);
  const shown = /No calls are made until \S+Z: suspended by ada since \S+Z \(first rollout\)\./;
  for (const command of ['plan', 'status', 'apply']) {
    const ended = await opened.edict(command);
    assert.is(ended.code, 0);
    assert.match(ended.stdout, shown);
  }
  assert.match((await opened.edict('plan', '--format', 'markdown')).stdout, /\*\*No calls are made until .*ada/);
  assert.equal(opened.online(), []);
});

test('apply says it before the result, and again as JSON', async () => {
  await using opened = await scene();
  await opened.edict('suspend', '--reason', 'INC-7', '--by', 'ada');
  assert.match(
    (await opened.edict('apply')).stdout,
    /^No calls are made: suspended by ada since \S+Z \(INC-7\)\.\n2 deferred, 0 unchanged\. Nothing was sent\.$/m,
  );
  const summary = JSON.parse((await opened.edict('apply', '--format', 'json')).stdout.trim().split('\n').at(-1) ?? '') as {
    suspension: { by: string; reason: string; since: string; until: null };
  };
  assert.equal({ ...summary.suspension, since: '' }, { by: 'ada', reason: 'INC-7', since: '', until: null });
  assert.ok(Date.parse(summary.suspension.since) > 0);
});

test('resume allows calls again and says what it ended; without a suspension it changes nothing', async () => {
  await using opened = await scene();
  await opened.edict('suspend', '--reason', 'INC-7', '--by', 'ada');
  const resumed = await opened.edict('resume');
  assert.is(resumed.code, 0);
  assert.match(
    resumed.stdout,
    /^Resumed: calls to \S+, instance instance are made again\. They were suspended by ada since \S+Z \(INC-7\)\.$/m,
  );
  assert.match(resumed.stdout, /^To see what is due: edict plan /m);
  assert.is((await opened.edict('apply')).code, 0);
  assert.equal(opened.online(), ['carts test', 'orders test']);
  assert.match((await opened.edict('resume')).stdout, /^Not suspended: .* Nothing was changed\.$/m);
});

test('resume creates no store', async () => {
  await using opened = await scene();
  assert.is((await opened.edict('resume')).code, 0);
  assert.not.ok(existsSync(join(opened.folder, 'state.db')));
});

test('the default is the user of the process, until resumed; a second suspension replaces the first', async () => {
  await using opened = await scene();
  assert.match((await opened.edict('suspend')).stdout, `, by ${userInfo().username} (no reason given).`);
  const { stdout } = await opened.edict('suspend', '--by', 'ada', '--reason', 'INC-8');
  assert.match(stdout, /^It replaces the suspension by \S+ since \S+Z \(no reason given\)\.$/m);
  assert.match((await opened.edict('status')).stdout, 'suspended by ada');
});

test('as JSON it is one document with the suspension and the one before', async () => {
  await using opened = await scene();
  const run = async (command: string, ...args: readonly string[]) =>
    JSON.parse((await opened.edict(command, '--format', 'json', ...args)).stdout) as Record<
      string,
      { by: string; until: string; since: string }
    >;
  const suspended = await run('suspend', '--by', 'ada', '--reason', 'INC-7', '--for', '30m');
  assert.is(suspended['suspension']?.by, 'ada');
  assert.is(Date.parse(suspended['suspension']?.until ?? '') - Date.parse(suspended['suspension']?.since ?? ''), 1_800_000);
  assert.equal([suspended['previous'], suspended['holder']], [null, null]);
  const resumed = await run('resume');
  assert.equal([resumed['suspension'], resumed['previous']?.by], [null, 'ada']);
});

test('a suspension in the file stays, and resume says so', async () => {
  await using opened = await scene();
  opened.write(opened.file({ apis: { orders: 'test' }, more: 'suspend: { reason: migration, by: eve }' }));
  assert.match((await opened.edict('resume')).stdout, 'The file itself suspends calls by eve (migration): remove `suspend` from it.');
});

test('an invalid file does not stop it: the store knows the gateway', async () => {
  await using opened = await scene();
  await opened.edict('apply');
  opened.write('edict: 1\ngateway: nonsense\n');
  const { code, stdout, stderr } = await opened.edict('suspend', '--by', 'ada', '--reason', 'INC-7');
  assert.is(code, 0, stderr);
  assert.match(stderr, 'edict.yaml:2');
  assert.match(stdout, 'Suspended: no calls are made to http');
  opened.write(opened.file({ apis: { orders: '-test' } }));
  assert.match((await opened.edict('apply')).stdout, 'No calls are made: suspended by ada');
  opened.write('edict: 1\n');
  assert.match((await opened.edict('resume')).stdout, 'Resumed:');
});

test('with an invalid file and several gateways in the store, the instance says which', async () => {
  await using opened = await scene();
  await opened.edict('suspend');
  opened.write(opened.file({ apis: {}, gateway: 'project: project, instance: second' }));
  await opened.edict('suspend');
  opened.write('edict: 1\n');
  const unclear = await opened.edict('suspend');
  assert.is(unclear.code, 3);
  assert.match(unclear.stderr, /name its gateway by the instance: --gateway ID \(the store has (instance, second|second, instance)\)/);
  const wrong = await opened.edict('suspend', '--gateway', 'third');
  assert.match(wrong.stderr, 'the store has no gateway with the instance third');
  assert.match((await opened.edict('resume', '--gateway', 'second')).stdout, /^Resumed: .*instance second/m);
});

test('an invalid file and an empty store: the errors of the file', async () => {
  await using opened = await scene();
  opened.write('edict: 1\n');
  const { code, stderr } = await opened.edict('suspend');
  assert.is(code, 3);
  assert.match(stderr, 'No changes are made until the file is fixed.');
});

for (const [name, args, expected] of [
  ['a duration that is none', ['--for', 'soon'], '--for soon is not a duration'],
  ['a duration of nothing', ['--for', '0s'], '--for 0s is too short'],
  ['an empty reason', ['--reason', ' '], '--reason needs a text'],
  ['a name with control characters', ['--by', 'a\u001B[2J'], '--by needs a text'],
] as const) {
  test(`refuses ${name}`, async () => {
    await using opened = await scene();
    const { code, stderr } = await opened.edict('suspend', ...args);
    assert.is(code, 1);
    assert.match(stderr, expected);
  });
}

test.run();
