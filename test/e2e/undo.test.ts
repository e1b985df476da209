import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../src/cli/program.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';
import { testContext } from '../support/streams.ts';

let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('orders', 'carts', 'users') });
  folder = scratchFolder();
  process.chdir(folder);
});
test.after.each(() => emulator.close());

/** Runs a command in this process, in the folder; with a token for the gateway unless `environment` says otherwise. */
async function run(
  args: readonly string[],
  env = token,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const { context, stdout, stderr } = testContext(env);
  const code = await runCli(args, context);
  return { code, stdout: stdout(), stderr: stderr() };
}
const token: Readonly<Record<string, string>> = { HW_AUTH_TOKEN: 'token' };

/** Writes a file with a line for each API, as a person would write it. */
function write(apis: readonly string[], more = 'guards: { maxOffline: 100%, maxRemoved: 100% }'): void {
  const gateway = `gateway: { endpoint: "${emulator.url}", project: project, instance: instance, limit: { calls: 1000, per: 100ms }, propagationDelay: 300ms }`;
  const environments = 'environments: { test: env-test, release: { id: env-release, protected: true } }';
  writeFileSync(join(folder, 'edict.yaml'), `edict: 1\n${gateway}\n${environments}\n${more}\napis:\n${apis.join('\n')}\n`);
}

async function apply(): Promise<void> {
  const { code, stdout, stderr } = await run(['apply']);
  assert.is(code, 0, stdout + stderr);
}

/** Returns the effective version of an API; `null` while it is offline. */
function effective(api: string, environment = 'test'): string | null {
  const of = emulator.state.publications().find((one) => one.api === `api-${api}` && one.environment === `env-${environment}`);
  return of?.effective?.versionId ?? null;
}

/** Applies the printed patch with git. */
function gitApply(printed: string): void {
  execFileSync('git', ['apply', '--whitespace=error-all', '-'], { cwd: folder, input: printed, env: { PATH: process.env['PATH'] } });
}

async function assertInSync(): Promise<void> {
  assert.match((await run(['plan', '--refresh'])).stdout, /^(?:In sync|No changes)/);
}

/** Returns the output of `edict undo` with `args`, and checks that it sends nothing but reads and writes neither file nor record. */
async function undo(...args: readonly string[]): Promise<string> {
  const contents = () => ['edict.yaml', '.edict/state.db'].map((name) => readFileSync(join(folder, name)));
  const [before, sent] = [contents(), emulator.requests.all().length];
  const { code, stdout, stderr } = await run(['undo', ...args]);
  assert.is(code, 0, stdout + stderr);
  const operations = emulator.requests.since(sent).map(({ operation }) => operation);
  assert.ok(
    operations.every((operation) => operation === 'listVersions'),
    operations.join(),
  );
  assert.ok(contents().every((content, index) => before[index]?.equals(content)));
  return stdout;
}

/** Applies the patch of `edict undo` with `args` with git, and returns it. */
async function undoInFile(...args: readonly string[]): Promise<string> {
  const printed = await undo(...args);
  gitApply(printed);
  return printed;
}

async function history(): Promise<
  readonly { readonly id: number; readonly reconcileId: string; readonly api: string; readonly reason: string }[]
> {
  return (JSON.parse((await run(['history', '--format', 'json'])).stdout) as { attempts: Awaited<ReturnType<typeof history>> }).attempts;
}

test('undo prints a patch that git applies, and the next apply restores the previous states and versions', async () => {
  const users = '  users: { id: api-users, environments: { test: offline } }';
  write([
    '  orders:\n    id: api-orders\n    revision: r1\n    environments:\n      test: online   # the shop',
    '  carts: { id: api-carts, environments: { test: online } }',
    users,
  ]);
  await apply();
  const [orders, carts] = [effective('orders'), effective('carts')];
  write([
    '  orders:\n    id: api-orders\n    revision: r2\n    environments:\n      test: online   # the shop',
    '  carts: { id: api-carts, environments: { test: { state: offline, remark: retired } } }',
    users.replace('offline', 'online'),
  ]);
  await apply();
  assert.equal([effective('orders') === orders, effective('carts'), effective('users') === null], [false, null, false]);

  const printed = await undoInFile();
  assert.match(printed, /^Undo of apply [0-9a-f]{8}, started at /);
  assert.match(printed, 'Restores 3 publications:');
  assert.match(printed, new RegExp(`orders +test +online, version ${orders}`));
  assert.match(printed, /users +test +offline\n/);
  assert.match(printed, 'Nothing was changed. Change the file, then run edict apply, or let a daemon make the calls.');
  const text = readFileSync(join(folder, 'edict.yaml'), 'utf8');
  assert.match(text, `test: { state: online, version: ${orders} }   # the shop`);
  assert.match(text, `test: { state: online, version: ${carts}, remark: retired }`);
  assert.match(text, users);

  const before = emulator.state.changes;
  await apply();
  assert.equal([effective('orders'), effective('carts'), effective('users')], [orders, carts, null]);
  assert.is(emulator.state.changes - before, 3);
  await assertInSync();
  assert.equal(
    (await history()).slice(0, 3).map(({ reason }) => reason),
    ['state', 'version', 'state'],
  );
});

test('publications changed since are named, and not in the patch', async () => {
  const line = (api: string, revision: string) => `  ${api}: { id: api-${api}, revision: ${revision}, environments: { test: online } }`;
  write(['orders', 'carts', 'users'].map((api) => line(api, 'r1')));
  await apply();
  const first = effective('users');
  write(['orders', 'carts', 'users'].map((api) => line(api, 'r2')));
  await apply();
  const id = (await history())[0]?.reconcileId.slice(0, 6) ?? '';
  write([line('orders', 'r3'), line('carts', 'r2'), line('users', 'r2')]);
  await apply();
  emulator.state.changeManually('api-carts', 'env-test', 'online');
  const [orders, carts] = [effective('orders'), effective('carts')];
  const printed = await undoInFile(id);
  assert.match(printed, 'Not restored (2)');
  assert.match(printed, /~ carts +test +changed outside edict since attempt \d/);
  assert.match(printed, /~ orders +test +attempt 7 has changed it since, at /);
  await apply();
  assert.equal([effective('orders'), effective('carts'), effective('users')], [orders, carts, first]);
});

test('a version that is no longer kept is not restored, and an API that went offline gets a new one', async () => {
  const line = (revision: string, release: string) =>
    `  orders: { id: api-orders, revision: ${revision}, environments: { test: online, release: ${release} } }`;
  const open = (): void => {
    const file = join(folder, 'edict.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(', protected: true', ''));
  };
  write([line('r0', 'online')]);
  await apply();
  write([line('r1', 'offline')]);
  open();
  await apply();
  const [current, kept] = [
    effective('orders'),
    emulator.state.publications().find((one) => one.environment === 'env-release')?.versions[0],
  ];
  for (let count = 0; count < 9; count += 1) emulator.state.publish('api-orders', 'env-test', '');
  emulator.state.switchVersion('api-orders', current ?? '');
  for (let count = 0; count < 10; count += 1) emulator.state.publish('api-orders', 'env-release', '');
  emulator.state.takeOffline('api-orders', 'env-release');
  const printed = await undoInFile();
  assert.match(printed, /~ orders +test +version [0-9a-f]{32}, which was effective before, is no longer kept/);
  assert.match(printed, /orders +release +online as a new version of the current draft: the previous version is no longer kept/);
  await apply();
  assert.is(effective('orders'), current);
  assert.ok(![null, kept?.versionId].includes(effective('orders', 'release')));
  await sleep(400); // the propagation delay of this file
  const plan = await run(['plan', '--refresh', '--detailed-exitcode']);
  assert.is(plan.code, 0, plan.stdout);
  assert.match(plan.stdout, /^In sync\. .*\n\nObserved at the gateway, no calls are made \(1\)\n {2}~ orders +test +[^\n]*\n$/);
});

test('the changes of an undo are held in a protected environment until a person approves', async () => {
  write(['  orders: { id: api-orders, environments: { release: online } }']);
  await apply();
  const version = effective('orders', 'release');
  await undoInFile('last');
  const held = await run(['apply']);
  assert.is(held.code, 4, held.stdout);
  assert.match(held.stdout, 'environment release is protected');
  assert.is(effective('orders', 'release'), version);
  const command = /edict (approve \S+)/.exec(held.stdout)?.[1]?.split(' ') ?? [];
  const approved = await run([...command, '--by', 'ada', '--reason', 'CHG-9']);
  assert.is(approved.code, 0, approved.stderr);
  await apply();
  assert.is(effective('orders', 'release'), null);
});

test('maxOffline holds the changes of an undo', async () => {
  const lines = ['orders', 'carts', 'users'].map((api) => `  ${api}: { id: api-${api}, environments: { test: online } }`);
  write(lines, 'guards: { maxOffline: 1, maxRemoved: 100% }');
  await apply();
  await undoInFile();
  const { code, stdout } = await run(['apply']);
  assert.is(code, 4, stdout);
  assert.match(stdout, 'guards.maxOffline allows 1');
  assert.is(emulator.state.changes, 3);
});

test('the rest of the file is left as it is', async () => {
  write(['  orders: { id: api-orders, environments: { test: online } }']);
  await apply();
  const carts = '  carts: { id: api-carts, environments: { test: online } }';
  write(['  orders: { id: api-orders, environments: { test: online } }', carts]);
  const text = readFileSync(join(folder, 'edict.yaml'), 'utf8');
  await undoInFile();
  assert.is(
    readFileSync(join(folder, 'edict.yaml'), 'utf8'),
    text.replace('api-orders, environments: { test: online }', 'api-orders, environments: { test: offline }'),
  );
});

test('a file that declares the previous state needs no change', async () => {
  write(['  orders: { id: api-orders, environments: { test: online } }']);
  await apply();
  write(['  orders: { id: api-orders, environments: { test: offline } }']);
  const printed = await undo();
  assert.match(printed, 'The file already declares this. To apply it, run edict apply, or let a daemon make the calls.');
  assert.not.match(printed, '+++');
  await apply();
  assert.is(effective('orders'), null);
});

test('a publication that left the file is added again', async () => {
  const removed = 'prune: true\nguards: { maxOffline: 100%, maxRemoved: 100% }';
  write(
    [
      '  orders: { id: api-orders, environments: { test: online } }',
      '  carts:\n    id: api-carts\n    environments: { test: online, release: online }',
    ],
    removed,
  );
  await apply();
  const [orders, carts] = [effective('orders'), effective('carts')];
  write(['  carts:\n    id: api-carts\n    environments: { release: online }'], removed);
  await apply();
  assert.equal([effective('orders'), effective('carts')], [null, null]);
  await undoInFile();
  await apply();
  assert.equal([effective('orders'), effective('carts')], [orders, carts]);
  await assertInSync();
});

test('an edit of more than a line or two is left to the user', async () => {
  const aliased = (state: string) => [
    `  orders: { id: api-orders, environments: &all { test: ${state} } }`,
    '  carts: { id: api-carts, environments: *all }',
  ];
  write(aliased('online'));
  await apply();
  const version = effective('carts');
  write(aliased('offline'));
  await apply();
  emulator.state.changeManually('api-orders', 'env-test', 'online');
  const printed = await undo();
  assert.match(printed, `Edit by hand: carts in test: { state: online, version: ${version} }`);
  assert.not.match(printed, '+++');
});

test('beside a daemon undo only reads too, and the daemon makes the calls for the changed file', async () => {
  write(['  orders: { id: api-orders, environments: { test: online } }']);
  await apply();
  const daemon = startEdict(['run', '--log-format', 'json'], folder);
  try {
    await until('the daemon runs', () => daemon.events('plan:computed').length > 0);
    const shown = await run(['undo']);
    assert.is(shown.code, 0, shown.stderr);
    gitApply(shown.stdout);
    await until('the daemon has made it', () => effective('orders') === null);
  } finally {
    daemon.child.kill('SIGTERM');
    await daemon.finished;
  }
});

test('the patch is for the file that declares the API', async () => {
  mkdirSync(join(folder, 'apis'));
  const team = (name: string, state: string): void =>
    writeFileSync(join(folder, `apis/${name}.yaml`), `apis:\n  ${name}:\n    id: api-${name}\n    environments:\n      test: ${state}\n`);
  write([]);
  const main = readFileSync(join(folder, 'edict.yaml'), 'utf8');
  writeFileSync(join(folder, 'edict.yaml'), main.replace('apis:\n', 'include: [apis/*.yaml]\n').trimEnd());
  for (const name of ['orders', 'carts', 'users']) team(name, 'online');
  await apply();
  const versions = [effective('orders'), effective('carts')];
  for (const name of ['orders', 'carts']) team(name, 'offline');
  await apply();
  const printed = await undoInFile();
  assert.match(printed, '--- a/apis/carts.yaml');
  assert.match(printed, '--- a/apis/orders.yaml');
  await apply();
  assert.equal([effective('orders'), effective('carts')], versions);
});

test('a publication that left an included file is restored there', async () => {
  mkdirSync(join(folder, 'apis'));
  const team = (environments: string): void =>
    writeFileSync(join(folder, 'apis/team.yaml'), `apis:\n  orders:\n    id: api-orders\n    environments: ${environments}\n`);
  write(
    ['  carts: { id: api-carts, environments: { test: online } }'],
    'prune: true\nguards: { maxOffline: 100%, maxRemoved: 100% }\ninclude: [apis/*.yaml]',
  );
  team('{ test: online }');
  await apply();
  const version = effective('orders');
  team('{}');
  await apply();
  assert.is(effective('orders'), null);
  assert.match(await undoInFile(), '--- a/apis/team.yaml');
  assert.match(readFileSync(join(folder, 'apis/team.yaml'), 'utf8'), `environments: { test: { state: online, version: ${version} } }`);
  await apply();
  assert.is(effective('orders'), version);
});

test('an undo is undone by the next one', async () => {
  write(['  orders: { id: api-orders, revision: r1, environments: { test: online } }']);
  await apply();
  const first = effective('orders');
  write(['  orders: { id: api-orders, revision: r2, environments: { test: online } }']);
  await apply();
  const second = effective('orders');
  await undoInFile();
  await apply();
  assert.is(effective('orders'), first);
  await undoInFile();
  await apply();
  assert.is(effective('orders'), second);
  await assertInSync();
});

test('one attempt is undone by its number', async () => {
  write(['orders', 'carts'].map((api) => `  ${api}: { id: api-${api}, environments: { test: online } }`));
  await apply();
  const carts = (await history()).find(({ api }) => api === 'carts')?.id;
  const { target: of, restorations } = JSON.parse(await undo(String(carts), 'edict.yaml', '--format', 'json')) as {
    target: { kind: string; id: string };
    restorations: { api: string; state: string }[];
  };
  assert.equal([of.kind, of.id, restorations.map(({ api, state }) => [api, state])], ['attempt', String(carts), [['carts', 'offline']]]);
  await undoInFile(String(carts));
  await apply();
  assert.equal([effective('orders') === null, effective('carts')], [false, null]);
});

test('a failed attempt has nothing to undo', async () => {
  write(['  orders: { id: api-orders, environments: { test: online } }']);
  emulator.faults.add({ times: 9, status: 400, errorCode: 'APIG.2011', errorMsg: 'Invalid parameter' });
  assert.is((await run(['apply'])).code, 5);
  emulator.faults.clear();
  assert.match(await undo('1'), 'It changed nothing: none of its calls succeeded.');
});

test('without credentials undo uses the recorded state alone, and says so', async () => {
  for (const revision of ['r1', 'r2']) {
    write([`  orders: { id: api-orders, revision: ${revision}, environments: { test: online } }`]);
    await apply();
  }
  const { code, stdout, stderr } = await run(['undo'], {});
  assert.is(code, 0, stderr);
  assert.match(stdout, /^Not checked at the gateway: versions may be gone, or changed outside edict \(there are no credentials/m);
  gitApply(stdout);
  await apply();
  assert.match(readFileSync(join(folder, 'edict.yaml'), 'utf8'), `version: ${effective('orders')}`);
});

test('an unknown attempt or apply is an error, and an apply without changes has nothing to undo', async () => {
  write(['  orders: { id: api-orders, environments: { test: online } }']);
  assert.match((await run(['undo'])).stdout, 'Nothing to undo: edict has changed nothing');
  for (const what of ['7', 'abcdef']) {
    const { code, stderr } = await run(['undo', what]);
    assert.is(code, 1);
    assert.match(stderr, `no attempt or apply ${what}`);
  }
  assert.match((await run(['undo', '!', 'edict.yaml'])).stderr, 'is not an attempt or an apply');
});

test('works on an emulated gateway too', async () => {
  const emulated = async (): Promise<string> => {
    const { code, stdout, stderr } = await run(['apply', '--emulate']);
    assert.is(code, 0, stdout + stderr);
    return stdout;
  };
  for (const revision of ['r1', 'r2']) {
    write([`  orders: { id: api-orders, revision: ${revision}, environments: { test: online } }`]);
    await emulated();
  }
  const shown = await run(['undo', 'edict.yaml', '--emulate', '--format', 'json']);
  const { restorations, file } = JSON.parse(shown.stdout) as { restorations: { state: string; version: string }[]; file: { diff: string } };
  assert.is(restorations[0]?.state, 'online');
  assert.match(file.diff, `version: ${restorations[0]?.version}`);
  gitApply(file.diff);
  assert.match(await emulated(), /^Applied in .*: 1 online/);
});

test.run();
