import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { edict } from '../../support/edict-command.ts';
import { fileOf, scratchFolder } from '../../support/edict-process.ts';

interface StatusJson {
  readonly summary: Readonly<Record<string, number>>;
  readonly publications: readonly {
    readonly api: string;
    readonly desired: { readonly state: string } | null;
    readonly recorded: { readonly state: string; readonly versionId: string } | null;
    readonly next: { readonly action: string; readonly reason: string } | null;
    readonly lastAttempt: { readonly outcome: string } | null;
  }[];
}

test('shows desired state, recorded state and next step, also of removed publications', async () => {
  const folder = scratchFolder();
  const write = (states: Readonly<Record<string, string>>): void =>
    writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', states));
  write({ orders: 'online', carts: 'online' });
  await edict(['apply', '--emulate'], folder);
  write({ orders: 'offline', invoices: 'online' });

  const { stdout } = await edict(['status', '--emulate', '--format', 'json'], folder);
  const { publications, summary } = JSON.parse(stdout) as StatusJson;
  assert.equal(
    publications.map(({ api, desired, recorded, next, lastAttempt }) => [
      api,
      desired?.state,
      recorded?.state,
      next?.action,
      lastAttempt?.outcome,
    ]),
    [
      ['orders', 'offline', 'online', 'offline', 'succeeded'],
      ['invoices', 'online', undefined, 'online', undefined],
      ['carts', undefined, 'online', undefined, 'succeeded'],
    ],
  );
  assert.equal([summary['online'], summary['offline'], summary['held']], [1, 1, 0]);
  assert.match(publications[0]?.recorded?.versionId ?? '', /^[0-9a-f]{32}$/);

  const text = (await edict(['status', '--emulate'], folder)).stdout;
  assert.match(text, /^orders +test +offline +online +\S+Z +goes offline \(desired offline, recorded online\)$/m);
  assert.match(text, /^ {2}· carts +test$/m);
  assert.match(text, /^API +test$/m);
  assert.match(text, /^orders +▼ going offline$/m);
  assert.match(text, /^1 going online, 1 going offline, /);
});

test('what is held at first contact is shown as held, not as pending', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf('https://roma.example.com', { orders: 'online', carts: 'online' })}refresh: never\n`);
  const { summary } = JSON.parse((await edict(['status', '--format', 'json'], folder)).stdout) as StatusJson;
  assert.equal([summary['online'], summary['held']], [0, 2]);
  const { stdout } = await edict(['status'], folder);
  assert.match(stdout, /^orders +■ held$/m);
  assert.match(stdout, 'The whole file is held: there is no record of this gateway');
});

test('shows and counts only the targets', async () => {
  const folder = scratchFolder();
  const states = { 'shop-a': 'online', 'shop-b': 'offline', users: 'online' };
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', states));
  const { stdout } = await edict(['status', '--emulate', '--format', 'json', '--api', 'shop-*'], folder);
  const { publications, summary, targets } = JSON.parse(stdout) as StatusJson & { targets: unknown };
  assert.equal(
    publications.map(({ api }) => api),
    ['shop-a', 'shop-b'],
  );
  assert.equal([summary['online'], summary['unchanged'], summary['excluded'], targets], [1, 1, 1, { apis: ['shop-*'], environments: [] }]);
  const text = (await edict(['status', '--emulate', '--api', 'shop-*', '--environment', 'test'], folder)).stdout;
  assert.not.match(text, 'users');
  assert.match(text, /^1 going online, 1 unchanged\. Only --api shop-\*, --environment test: 1 change left out\.\n/);
  const wrong = await edict(['status', '--emulate', '--environment', 'tset'], folder);
  assert.equal([wrong.code, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, '--environment "tset" matches nothing in the file or the record\n  nearest to "tset": test, ');
});

test('an invalid file does not hide the recorded state, in text and as JSON', async () => {
  const folder = scratchFolder();
  const path = join(folder, 'edict.yaml');
  const valid = `${fileOf('https://roma.example.com', { orders: 'online', users: 'online' })}`;
  writeFileSync(path, valid);
  await edict(['apply', '--emulate'], folder);
  writeFileSync(path, valid.replace(/ {2}users.*\n/, ''));
  await edict(['apply', '--emulate'], folder);
  writeFileSync(path, `${valid}nonsense: true\n`);
  const { code, stdout, stderr } = await edict(['status', '--emulate'], folder);
  assert.is(code, 3);
  assert.match(stderr, 'unknown key `nonsense`');
  assert.match(
    stdout,
    /^The desired state is unknown until the file is fixed\. Recorded state of the emulated gateway in place of https:\/\/roma\.example\.com, instance instance:\n\nAPI +test\norders +\? online\n\nUnmanaged: online at the gateway, not in the file \(1\)\n +· users +test\n/,
  );
  assert.match(stdout, '\n1 publication recorded, 1 unmanaged.\n');
  assert.not.match(stdout, /in sync|unchanged/i);
  const json = await edict(['status', '--emulate', '--format', 'json', '--api', 'ord*'], folder);
  const document = JSON.parse(json.stdout) as Record<string, unknown> & { publications: Record<string, unknown>[] };
  assert.is(json.code, 3);
  assert.equal(
    document.publications.map(({ api, desired, status }) => [api, desired, status]),
    [['orders', null, 'unknown']],
  );
  assert.equal(document['summary'], null);
  assert.is(document['valid'], false);
  assert.match(JSON.stringify(document['errors']), 'unknown key `nonsense`');
});

test('an emulated gateway is named as one', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders: 'online' }));
  await edict(['apply', '--emulate'], folder);
  const { stdout, stderr } = await edict(['status'], folder);
  assert.match(stderr, 'using the store of the emulated gateway');
  assert.is(stdout.split('\n')[1], 'Emulated gateway in place of https://roma.example.com, instance instance.');
  assert.is((JSON.parse((await edict(['status', '--format', 'json'], folder)).stdout) as { emulated: boolean }).emulated, true);
  const plan = await edict(['plan'], folder, {});
  assert.match(plan.stdout, /\nEmulated gateway in place of/);
  const named = /^Emulated gateway in place of https:\/\/roma\.example\.com, instance instance\.?$/m;
  const isEmulated = async (...args: readonly string[]): Promise<boolean> =>
    JSON.parse((await edict([...args, '--format', 'json'], folder)).stdout).emulated;
  for (const args of [['explain', 'orders', 'test'], ['history']] as const) {
    assert.match((await edict(args, folder)).stdout, named, args[0]);
    assert.is(await isEmulated(...args), true, args[0]);
  }
  assert.match((await edict(['explain', 'orders', 'test'], folder)).stdout, /\nNext: no change; in sync\n/);
  assert.match((await edict(['suspend', '--emulate'], folder)).stdout, 'no calls are made to the emulated gateway in place of');
  assert.is(await isEmulated('resume', '--emulate'), true);
  const real = await edict(['suspend'], folder);
  assert.match(
    real.stderr,
    'this is the real gateway; its store is new, and commands use it from now on: add --emulate for the emulated gateway',
  );
  assert.match(real.stdout, /^Suspended: no calls are made to https:/);
  assert.is((await edict(['suspend'], folder)).stderr, '', 'said once');
});

test('a missing file does not hide the recorded state; an empty store has none', async () => {
  const folder = scratchFolder();
  const path = join(folder, 'edict.yaml');
  const none = await edict(['status', '--emulate'], folder);
  assert.equal([none.code, none.stdout], [3, '']);
  writeFileSync(path, fileOf('https://roma.example.com', { orders: 'online' }));
  await edict(['apply', '--emulate'], folder);
  rmSync(path);
  const { code, stdout, stderr } = await edict(['status', '--emulate'], folder);
  assert.is(code, 3);
  assert.match(stderr, 'edict.yaml does not exist');
  assert.match(stdout, 'orders  ? online');
});

test('with an invalid file and several gateways in the store, the instance says which', async () => {
  const folder = scratchFolder();
  const path = join(folder, 'edict.yaml');
  for (const instance of ['one', 'two']) {
    writeFileSync(
      path,
      fileOf('https://roma.example.com', { [instance]: 'online' }).replace('instance: instance', `instance: ${instance}`),
    );
    await edict(['apply', '--emulate'], folder);
  }
  writeFileSync(path, 'edict: 1\n');
  const unclear = await edict(['status', '--emulate'], folder);
  assert.equal([unclear.code, unclear.stdout], [3, '']);
  assert.match(unclear.stderr, 'missing key `gateway`');
  assert.match(unclear.stderr, '--gateway ID (the store has one, two)');
  assert.match((await edict(['status', '--emulate', '--gateway', 'two'], folder)).stdout, /API +test\ntwo +\? online/);
  const explained = await edict(['explain', 'two', 'test', '--emulate', '--gateway', 'two'], folder);
  assert.match(explained.stdout, /Record: online/);
});

test('each of several files is shown, and an invalid one does not hide the others', async () => {
  const folder = scratchFolder();
  mkdirSync(join(folder, 'gateways'));
  writeFileSync(join(folder, 'gateways/one.yaml'), fileOf('https://one.example.com', { orders: 'online' }));
  writeFileSync(join(folder, 'gateways/two.yaml'), fileOf('https://two.example.com', { carts: 'online' }));
  const both = await edict(['status', 'gateways', '--state', 'sqlite:state.db'], folder);
  assert.is(both.code, 0, both.stderr);
  assert.match(
    both.stdout,
    /^gateways\/one\.yaml\nThe gateway was not checked yet: 1 unknown, [\s\S]*orders[\s\S]*\n\ngateways\/two\.yaml\nThe gateway was not checked yet: 1 unknown, [\s\S]*carts/,
  );
  writeFileSync(join(folder, 'gateways/broken.yaml'), 'edict: 1\nrefresh: never\napis: [\n');
  const broken = await edict(['status', 'gateways/', '--state', 'sqlite:state.db', '--format', 'json'], folder);
  assert.is(broken.code, 3);
  const { format, files } = JSON.parse(broken.stdout) as { format: number; files: { file: string; valid?: boolean; summary?: object }[] };
  assert.equal(
    [format, files.map(({ file, valid, summary }) => [file, valid, summary !== undefined])],
    [
      1,
      [
        ['gateways/broken.yaml', false, false],
        ['gateways/one.yaml', undefined, true],
        ['gateways/two.yaml', undefined, true],
      ],
    ],
  );
  assert.match(
    (await edict(['status', 'gateways/', '--state', 'sqlite:state.db'], folder)).stdout,
    /broken\.yaml\n[\s\S]*broken\.yaml:\d+:\d+[\s\S]*carts/,
  );
  const named = await edict(['status', 'gateways/one.yaml', 'gateways/none.yaml', '--state', 'sqlite:state.db'], folder);
  assert.is(named.code, 3);
  assert.match(named.stdout, 'gateways/none.yaml does not exist');
});

test.run();
