import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict, type Finished, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';

let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('orders', 'carts', 'users') });
  folder = scratchFolder();
});
test.after.each(() => emulator.close());

const run = (...args: readonly string[]): Promise<Finished> => edict(args, folder);

/** Writes a file of which each API is a line that a person would write. */
function write(apis: readonly string[], more = 'guards: { maxOffline: 100%, maxLost: 100% }'): void {
  const gateway = `gateway: { endpoint: "${emulator.url}", project: project, instance: instance, limit: { calls: 1000, per: 1s }, lag: 300ms }`;
  const environments = 'environments: { test: env-test, release: { id: env-release, protected: true } }';
  writeFileSync(join(folder, 'edict.yaml'), `edict: 1\n${gateway}\n${environments}\n${more}\napis:\n${apis.join('\n')}\n`);
}

async function apply(): Promise<void> {
  const { code, stdout, stderr } = await run('apply');
  assert.is(code, 0, stdout + stderr);
}

/** Returns the version in effect of an API; `null` while it is offline. */
function effective(api: string, environment = 'test'): string | null {
  const of = emulator.world.publications().find((one) => one.api === `api-${api}` && one.environment === `env-${environment}`);
  return of?.effective?.versionId ?? null;
}

/** Has git apply all that the command has printed. */
function gitApply(printed: string): void {
  execFileSync('git', ['apply', '--whitespace=error-all', '-'], { cwd: folder, input: printed, env: { PATH: process.env['PATH'] } });
}

async function assertInSync(): Promise<void> {
  assert.match((await run('plan', '--refresh')).stdout, /^In sync\./);
}

test('undoes a whole apply, and the printed change to the file makes it last', async () => {
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

  const shown = await run('undo');
  assert.is(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^Undo of apply [0-9a-f]{8}, begun /);
  assert.match(shown.stdout, `undo: back to version ${orders}`);
  assert.match(shown.stdout, /3 changes: 2 online, 1 offline/);
  assert.match(shown.stdout, 'The file says otherwise of 3 publications: the next apply, or a daemon, makes that again');
  assert.equal([effective('orders') === orders, effective('carts')], [false, null]);

  const before = emulator.world.changes;
  const done = await run('undo', '--apply');
  assert.is(done.code, 0, done.stdout + done.stderr);
  assert.match(done.stdout, /^Undone in .*: 2 online, 1 offline/);
  assert.equal([effective('orders'), effective('carts'), effective('users')], [orders, carts, null]);
  assert.is(emulator.world.changes - before, 3);

  const again = await run('plan');
  assert.match(again.stdout, /3 changes: 2 online, 1 offline/);
  gitApply(done.stdout);
  const text = readFileSync(join(folder, 'edict.yaml'), 'utf8');
  assert.match(text, `test: { state: online, version: ${orders} }   # the shop`);
  assert.match(text, `test: { state: online, version: ${carts}, remark: retired }`);
  assert.match(text, 'users: { id: api-users, environments: { test: offline } }');
  await assertInSync();

  const { attempts } = JSON.parse((await run('history', '--format', 'json')).stdout) as { attempts: { reason: string }[] };
  assert.equal(
    attempts.slice(0, 3).map(({ reason }) => reason),
    ['undo', 'undo', 'undo'],
  );
});

test('the file of before, brought back with git, is in sync with what was undone', async () => {
  write(['  orders: { id: api-orders, revision: r1, environments: { test: online } }']);
  await apply();
  write(['  orders: { id: api-orders, revision: r2, environments: { test: online } }']);
  await apply();
  await run('undo', '--apply');
  write(['  orders: { id: api-orders, revision: r1, environments: { test: online } }']);
  await assertInSync();
});

test('what has moved since is told and not touched', async () => {
  const line = (api: string, revision: string) => `  ${api}: { id: api-${api}, revision: ${revision}, environments: { test: online } }`;
  write(['orders', 'carts', 'users'].map((api) => line(api, 'r1')));
  await apply();
  const first = effective('users');
  write(['orders', 'carts', 'users'].map((api) => line(api, 'r2')));
  await apply();
  const { attempts } = JSON.parse((await run('history', '--format', 'json')).stdout) as { attempts: { passId: string }[] };
  const id = attempts[0]?.passId.slice(0, 6) ?? '';
  write([line('orders', 'r3'), line('carts', 'r2'), line('users', 'r2')]);
  await apply();
  emulator.world.changeByHand('api-carts', 'env-test', 'online');
  const [orders, carts] = [effective('orders'), effective('carts')];
  const { code, stdout } = await run('undo', id, '--apply');
  assert.is(code, 0, stdout);
  assert.match(stdout, /~ carts +test +somebody else has moved it since attempt \d/);
  assert.match(stdout, /~ orders +test +attempt 7 has moved it since, at /);
  assert.equal([effective('orders'), effective('carts'), effective('users')], [orders, carts, first]);
});

test('a version that is no longer kept cannot be brought back, and what went offline comes back as a new one', async () => {
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
    emulator.world.publications().find((one) => one.environment === 'env-release')?.versions[0],
  ];
  for (let count = 0; count < 9; count += 1) emulator.world.publish('api-orders', 'env-test', '');
  emulator.world.switchVersion('api-orders', current ?? '');
  for (let count = 0; count < 10; count += 1) emulator.world.publish('api-orders', 'env-release', '');
  emulator.world.takeOffline('api-orders', 'env-release');
  const { stdout } = await run('undo', '--apply');
  assert.match(stdout, /~ orders +test +it cannot be brought back: version [0-9a-f]{32}, which was effective before, is no longer kept/);
  assert.match(
    stdout,
    "orders in release: the version from before is no longer kept, so going online makes a new version, of today's draft.",
  );
  assert.is(effective('orders'), current);
  assert.ok(![null, kept?.versionId].includes(effective('orders', 'release')));
  gitApply(stdout);
  const plan = await run('plan', '--refresh', '--detailed-exitcode');
  assert.is(plan.code, 0, plan.stdout);
  assert.match(plan.stdout, /^Seen at the gateway, no call is made \(1\)\n {2}~ orders +test +[^\n]*\n\nIn sync\./);
});

test('a protected environment holds an undo until a person agrees to just that', async () => {
  write(['  orders: { id: api-orders, environments: { release: online } }']);
  await apply();
  const version = effective('orders', 'release');
  const held = await run('undo', 'last', '--apply');
  assert.is(held.code, 4, held.stdout);
  assert.match(held.stdout, 'environment release is protected');
  assert.is(effective('orders', 'release'), version);
  const command = /edict (approve \S+ --undo \S+)/.exec(held.stdout)?.[1]?.split(' ') ?? [];
  const approved = await run(...command, '--by', 'ada', '--why', 'CHG-9');
  assert.is(approved.code, 0, approved.stderr);
  assert.match(approved.stdout, /To make it: run `edict undo \S+ --apply`/);
  const done = await run('undo', 'last', '--apply');
  assert.is(done.code, 0, done.stdout);
  assert.is(effective('orders', 'release'), null);
});

test('maxOffline holds an undo as it holds an apply', async () => {
  const lines = ['orders', 'carts', 'users'].map((api) => `  ${api}: { id: api-${api}, environments: { test: online } }`);
  write(lines, 'guards: { maxOffline: 1, maxLost: 100% }');
  await apply();
  const { code, stdout } = await run('undo', '--apply');
  assert.is(code, 4, stdout);
  assert.match(stdout, 'guards.maxOffline allows 1');
  assert.is(emulator.world.changes, 3);
});

test('what else the file asks for is not made by an undo', async () => {
  write(['  orders: { id: api-orders, environments: { test: online } }']);
  await apply();
  write(['  orders: { id: api-orders, environments: { test: online } }', '  carts: { id: api-carts, environments: { test: online } }']);
  assert.is((await run('undo', '--apply')).code, 0);
  assert.equal([effective('orders'), effective('carts')], [null, null]);
});

test('a publication that left the file comes back, and the printed change puts it into the file again', async () => {
  const removed = 'removed: offline\nguards: { maxOffline: 100%, maxLost: 100% }';
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
  const { stdout, code } = await run('undo', '--apply');
  assert.is(code, 0, stdout);
  assert.equal([effective('orders'), effective('carts')], [orders, carts]);
  gitApply(stdout);
  await assertInSync();
});

test('while a daemon is at work nothing is undone, and it is said what to do', async () => {
  write(['  orders: { id: api-orders, environments: { test: online } }']);
  await apply();
  const daemon = startEdict(['run', '--log-format', 'json'], folder);
  try {
    await until('the daemon runs', () => daemon.events('plan:made').length > 0);
    const { code, stderr } = await run('undo', '--apply');
    assert.is(code, 1);
    assert.match(stderr, `pid ${daemon.child.pid}`);
    assert.match(stderr, 'make the change to the file that `edict undo` prints');
    const shown = await run('undo');
    assert.is(shown.code, 0, shown.stderr);
    gitApply(shown.stdout);
    await until('the daemon has made it', () => effective('orders') === null);
  } finally {
    daemon.child.kill('SIGTERM');
    await daemon.finished;
  }
});

test('the change is to the file in which the API stands', async () => {
  mkdirSync(join(folder, 'apis'));
  const team = (name: string, state: string): void =>
    writeFileSync(join(folder, `apis/${name}.yaml`), `apis:\n  ${name}:\n    id: api-${name}\n    environments:\n      test: ${state}\n`);
  write([]);
  const main = readFileSync(join(folder, 'edict.yaml'), 'utf8');
  writeFileSync(join(folder, 'edict.yaml'), main.replace('apis:\n', 'include: [apis/*.yaml]\n').trimEnd());
  for (const name of ['orders', 'carts', 'users']) team(name, 'online');
  await apply();
  for (const name of ['orders', 'carts']) team(name, 'offline');
  await apply();
  const { code, stdout } = await run('undo', '--apply');
  assert.is(code, 0, stdout);
  assert.match(stdout, '--- a/apis/carts.yaml');
  assert.match(stdout, '--- a/apis/orders.yaml');
  gitApply(stdout);
  await assertInSync();
});

test('an undo is undone by the next one', async () => {
  write(['  orders: { id: api-orders, revision: r1, environments: { test: online } }']);
  await apply();
  const first = effective('orders');
  write(['  orders: { id: api-orders, revision: r2, environments: { test: online } }']);
  await apply();
  const second = effective('orders');
  await run('undo', '--apply');
  assert.is(effective('orders'), first);
  await run('undo', '--apply');
  assert.is(effective('orders'), second);
  await assertInSync();
});

test('one attempt is undone by its number, and failed calls are exit code 5', async () => {
  write(['orders', 'carts'].map((api) => `  ${api}: { id: api-${api}, environments: { test: online } }`));
  await apply();
  emulator.faults.add({ times: 9, status: 400, errorCode: 'APIG.2011', errorMsg: 'Invalid parameter' });
  assert.is((await run('undo', '1', '--apply')).code, 5);
  emulator.faults.clear();
  const { attempts } = JSON.parse((await run('history', '--format', 'json')).stdout) as {
    attempts: { id: number; api: string; reason: string }[];
  };
  const carts = attempts.find(({ api, reason }) => api === 'carts' && reason === 'new')?.id;
  const failed = attempts.find(({ reason }) => reason === 'undo')?.id;
  assert.match((await run('undo', String(failed))).stdout, 'it has changed nothing, since no call of it succeeded');
  const done = await run('undo', String(carts), 'edict.yaml', '--apply', '--format', 'json');
  assert.is(done.code, 0, done.stdout);
  const lines = done.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(
    lines.map(({ type }) => type),
    ['attempt', 'summary'],
  );
  assert.is((lines.at(-1) as { undo: { kind: string } }).undo.kind, 'attempt');
  assert.equal([effective('orders') === null, effective('carts')], [false, null]);
});

test('what is not there is told, and where nothing was done there is nothing to undo', async () => {
  write(['  orders: { id: api-orders, environments: { test: online } }']);
  assert.match((await run('undo')).stdout, 'Nothing to undo: edict has changed nothing');
  for (const what of ['7', 'abcdef']) {
    const { code, stderr } = await run('undo', what);
    assert.is(code, 1);
    assert.match(stderr, `no attempt or apply ${what}`);
  }
  assert.match((await run('undo', '!', 'edict.yaml')).stderr, 'names no attempt or apply');
});

test('works on an emulated gateway too', async () => {
  for (const revision of ['r1', 'r2']) {
    write([`  orders: { id: api-orders, revision: ${revision}, environments: { test: online } }`]);
    assert.is((await run('apply', '--emulate')).code, 0);
  }
  const shown = await run('undo', 'edict.yaml', '--emulate', '--format', 'json');
  const { changes, file } = JSON.parse(shown.stdout) as { changes: { reason: string; version: string }[]; file: { diff: string } };
  assert.is(changes[0]?.reason, 'undo');
  assert.match(file.diff, `version: ${changes[0]?.version}`);
  const done = await run('undo', '--emulate', '--apply');
  assert.is(done.code, 0, done.stdout + done.stderr);
  assert.match(done.stdout, /^Undone in .*: 1 online/);
});

test.run();
