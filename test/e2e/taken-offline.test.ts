import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { startLoggedDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, seedOf, until } from '../support/edict-process.ts';

/*
 * First contact with a gateway where somebody has taken publications offline by hand: only the lost store knew that edict had published them,
 * and the versions that the gateway keeps tell that they were online.
 */
const test = suite('taken offline before first contact');
const names = ['a0', 'a1', 'a2', 'a3'];
const environments = ['test', 'release'].map((name) => ({ id: `env-${name}`, name }));
let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  const publications = names.flatMap((name) => environments.map(({ id }) => ({ api: `api-${name}`, environment: id })));
  emulator = await startEmulator({ seed: { ...seedOf(...names, 'b0', 'b1'), environments, publications } });
  folder = scratchFolder();
  write();
});
test.after.each(() => emulator.close());

/** Writes a file that declares every API online in both environments. */
function write(apis: readonly string[] = [...names, 'b0', 'b1'], more: { readonly top?: string; readonly each?: string } = {}): void {
  const { top = '', each = 'test: online, release: online' } = more;
  const gateway = `endpoint: "${emulator.url}", project: project, instance: instance, limit: { calls: 1000, per: 1s }, propagationDelay: 1ms`;
  writeFileSync(
    join(folder, 'edict.yaml'),
    `edict: 1\n${top}gateway: { ${gateway} }\nenvironments: { test: env-test, release: { id: env-release, protected: true } }\napis:\n${apis
      .map((name) => `  ${name}: { id: api-${name}, environments: { ${each} } }\n`)
      .join('')}`,
  );
}

const requests = (of: RegExp) => emulator.requests.all().filter(({ operation }) => of.test(operation ?? ''));
const calls = (): string[] =>
  requests(/^(?:change|switch)/)
    .map(({ api }) => String(api))
    .sort();
const loseStore = (): void => rmSync(join(folder, '.edict'), { recursive: true, force: true });
const refuse = (operation: string): void =>
  void emulator.faults.add({ share: 1, status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions', operation });

/** Takes what the lost store had published offline, and edits its API. */
function takeOffline(): void {
  emulator.state.changeManually('api-a1', 'env-test', 'offline');
  emulator.state.changeManually('api-a2', 'env-release', 'offline');
  emulator.state.catalog.updateApi('api-a2', { edited: true });
}

test('what was online before and was taken offline by hand is held, and what was never published goes online', async () => {
  takeOffline();
  for (const args of [['plan', '--detailed-exitcode'], ['apply'], ['apply']]) {
    const { code, stdout, stderr } = await edict(args, folder);
    assert.is(code, 4, `${stdout}${stderr}`);
    assert.match(stdout, /it was online before \(last published \d{4}-[^)]+Z\): somebody took it offline, or the record was lost/);
    assert.match(stdout, /edict approve [\w:]+/);
  }
  assert.equal(calls(), ['api-b0', 'api-b0', 'api-b1', 'api-b1']);
  const plan = JSON.parse((await edict(['plan', '--format', 'json'], folder)).stdout) as {
    changes: { api: string; environment: string; held: string | null }[];
  };
  assert.equal(
    plan.changes.map(({ api, environment, held }) => [api, environment, held?.split(':')[0]]),
    [
      ['a1', 'test', 'first-contact'],
      ['a2', 'release', 'first-contact'],
    ],
  );
  for (const args of [['status'], ['explain', 'a2', 'release']]) assert.match((await edict(args, folder)).stdout, 'it was online before');
});

test('at most one read for each API tells it, and none for those whose publications are all online', async () => {
  takeOffline();
  await edict(['apply'], folder);
  assert.equal(
    requests(/^listVersions$/)
      .map(({ api }) => api)
      .sort(),
    ['api-a1', 'api-a2', 'api-b0', 'api-b1'],
  );
  emulator.requests.clear();
  await edict(['apply', '--refresh'], folder);
  assert.equal(requests(/^listVersions$/), [], 'the record knows it now');
});

test('a first rollout of many APIs costs one read for each, and `plan` makes only some and says so', async () => {
  const many = Array.from({ length: 600 }, (_, index) => `n${String(index).padStart(4, '0')}`);
  for (const name of many) emulator.state.catalog.addApi({ id: `api-${name}`, name });
  emulator.state.changeManually('api-n0599', 'env-test', 'online');
  emulator.state.changeManually('api-n0599', 'env-test', 'offline');
  write(many);
  const planned = await edict(['plan'], folder);
  assert.match(planned.stdout, '800 new publications are looked up before they are published, and held if they were online before.');
  assert.match(planned.stdout, '1200 going online, 8 unmanaged, 0 unchanged');
  assert.is(requests(/^listVersions$/).length, 200);
  assert.match((await edict(['plan', '--format', 'markdown'], folder)).stdout, '800 new publications are looked up before');
  assert.is((await edict(['plan', '--out', 'all.plan'], folder)).code, 0);
  emulator.requests.clear();
  const stale = await edict(['apply', '--plan', 'all.plan'], folder);
  assert.equal([stale.code, requests(/^listVersions$/).length, calls().length], [1, 600, 0], stale.stderr);
  assert.match(stale.stderr, 'n0599');
  assert.is((await edict(['plan', '--out', 'all.plan'], folder)).code, 0);
  const applied = await edict(['apply', '--plan', 'all.plan'], folder);
  assert.equal([applied.code, calls().length, calls().filter((api) => api === 'api-n0599').length], [4, 1199, 1], applied.stdout);
  assert.match(applied.stdout, 'n0599 in test is held: online: it was online before');
  assert.is(requests(/^listVersions$/).length, 600, 'each API once, also by the plans and the apply after it');
});

test('an approval releases what is held, and a new revision does', async () => {
  takeOffline();
  await edict(['apply'], folder);
  const { stdout } = await edict(['plan'], folder);
  const [, command = ''] = /^.*?edict (approve .*)$/m.exec(stdout) ?? [];
  const approved = await edict(command.replace('NAME', 'ada').replace('TEXT', 'CHG-7').split(' '), folder);
  assert.is(approved.code, 0, approved.stderr);
  emulator.requests.clear();
  assert.is((await edict(['apply'], folder)).code, 0);
  assert.equal(calls(), ['api-a1', 'api-a2']);
  emulator.state.changeManually('api-a1', 'env-test', 'offline');
  loseStore();
  assert.is((await edict(['apply'], folder)).code, 4);
  const file = join(folder, 'edict.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('a1: { id: api-a1,', 'a1: { id: api-a1, revision: r2,'));
  emulator.requests.clear();
  assert.is((await edict(['apply'], folder)).code, 0);
  assert.equal(calls(), ['api-a1', 'api-a1'], 'both environments');
});

test('what somebody puts online again, or the file declares offline, is held no more', async () => {
  takeOffline();
  assert.is((await edict(['apply'], folder)).code, 4);
  emulator.requests.clear();
  emulator.state.changeManually('api-a1', 'env-test', 'online');
  emulator.state.changeManually('api-a2', 'env-release', 'online');
  assert.match((await edict(['apply', '--refresh'], folder)).stdout, 'In sync. 12 publications');
  emulator.state.changeManually('api-a1', 'env-test', 'offline');
  loseStore();
  assert.is((await edict(['apply'], folder)).code, 4);
  const file = join(folder, 'edict.yaml');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace('id: api-a1, environments: { test: online', 'id: api-a1, environments: { test: offline'),
  );
  assert.is((await edict(['apply', '--refresh'], folder)).code, 0);
  assert.equal(calls(), []);
});

test('where the versions may not be read, what is new is held, with the missing permission, until it may', async () => {
  takeOffline();
  refuse('listVersions');
  for (const args of [['plan', '--detailed-exitcode'], ['apply'], ['apply', '--refresh']]) {
    const { code, stdout, stderr } = await edict(args, folder);
    assert.is(code, 4, `${stdout}${stderr}`);
    assert.match(stdout, 'nobody knows whether it was online before: edict may not list the versions of its API');
    if (args[0] === 'plan') assert.match(stdout, 'grant the permission to list the versions of the API');
  }
  assert.match((await edict(['status'], folder)).stdout, '6 held, 6 unchanged');
  assert.equal(calls(), []);
  emulator.faults.clear();
  const { code, stdout } = await edict(['apply', '--refresh'], folder);
  assert.equal([code, calls()], [4, ['api-b0', 'api-b0', 'api-b1', 'api-b1']], stdout);
  assert.match(stdout, '2 held');
});

test('a daemon publishes what is new once it may read the versions, and holds the rest', async () => {
  takeOffline();
  write(undefined, { top: 'refresh: 200ms\n' });
  refuse('listVersions');
  await using daemon = await startLoggedDaemon(folder, { resyncMs: 100 });
  await until('all that is new is held', () => daemon.events('plan:computed').some((plan) => plan['held'] === 6));
  assert.equal(calls(), []);
  emulator.faults.clear();
  await until('it has published what was never online', () => calls().length === 4);
  await until('the rest is held', () => daemon.events('plan:computed').at(-1)?.['held'] === 2);
  await daemon.stop();
  assert.equal(calls(), ['api-b0', 'api-b0', 'api-b1', 'api-b1']);
});

test('a look that fails for a while is repeated by a daemon, and reads no API twice', async () => {
  takeOffline();
  emulator.faults.add({
    times: 1,
    status: 500,
    errorCode: 'APIG.9999',
    errorMsg: 'System error',
    operation: 'listVersions',
    apiId: 'api-b1',
  });
  await using daemon = await startLoggedDaemon(folder);
  await until('it is done', () => daemon.events('reconcile:finished').length > 0);
  await daemon.stop();
  assert.is(requests(/^listVersions$/).length, 5, 'four APIs, and one of them again');
  assert.equal(calls(), ['api-b0', 'api-b0', 'api-b1', 'api-b1']);
});

test('what a newer file adds while a daemon looks at the gateway is looked up before it is published', async () => {
  takeOffline();
  const isLooking = () => requests(/^listVersions$/).length > 0;
  write(['a0', 'b0'], { top: 'refresh: 1h\n' });
  emulator.faults.latencyMs = 300;
  await using daemon = await startLoggedDaemon(folder);
  await until('the look has begun', isLooking);
  write(['a0', 'a1', 'b0'], { top: 'refresh: 1h\n' });
  await until('the next look has begun', () => requests(/^listVersions$/).some(({ api }) => api === 'api-a1'));
  write([...names, 'b0', 'b1'], { top: 'refresh: 1h\n' });
  await until('the rest is published', () => calls().length >= 4);
  await until('it is done', () => daemon.events('plan:computed').at(-1)?.['held'] === 2);
  await daemon.stop();
  assert.equal(calls(), ['api-b0', 'api-b0', 'api-b1', 'api-b1']);
  assert.equal(
    requests(/^listVersions$/)
      .map(({ api }) => api)
      .sort(),
    ['api-a1', 'api-a2', 'api-b0', 'api-b1'],
    'one look for each',
  );
});

test('first contact lasts until a file is applied, whichever command or process reads that file', async () => {
  takeOffline();
  write(['b0']);
  const planned = join(folder, 'first.plan');
  assert.is((await edict(['plan', '--out', planned], folder)).code, 0);
  emulator.state.changeManually('api-b0', 'env-test', 'online');
  // It looks at the gateway, and ends because what it was to publish is online.
  assert.is((await edict(['apply', '--plan', planned], folder)).code, 1);
  emulator.state.changeManually('api-b0', 'env-test', 'offline');
  for (const refresh of ['refresh: never\n', 'refresh: 5m\n']) {
    write(['a1', 'a2'], { top: refresh });
    const { code, stdout, stderr } = await edict(['apply'], folder);
    assert.equal([code, calls()], [4, []], `${stdout}${stderr}`);
  }
});

test('what a file adds after first contact costs no look at its versions', async () => {
  write(['a0']);
  assert.is((await edict(['apply'], folder)).code, 0);
  emulator.requests.clear();
  write(['a0', 'b0']);
  assert.is((await edict(['apply'], folder)).code, 0);
  assert.equal([calls(), requests(/^listVersions$/)], [['api-b0', 'api-b0'], []]);
});

test('a record that was deleted with `state rm` is looked up in the same way', async () => {
  assert.is((await edict(['apply'], folder)).code, 0);
  emulator.requests.clear();
  emulator.state.changeManually('api-a1', 'env-test', 'offline');
  assert.is((await edict(['state', 'rm', 'a1', 'test'], folder)).code, 0);
  const { code, stdout } = await edict(['apply'], folder);
  assert.equal([code, calls()], [4, []], stdout);
  assert.match(stdout, 'it was online before');
});

test.run();
