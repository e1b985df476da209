import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { startLoggedDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, seedOf, until } from '../support/edict-process.ts';

/*
 * A gateway that the store knows nothing of: a fresh volume, an empty CI cache, another folder, a lost store. Its publications that are online
 * must be adopted, and never published again.
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
  writeFileSync(join(target, 'edict.yaml'), stdout.replace('calls: 10,', 'calls: 1000,'));
}

test('while a gateway cannot be observed there is no plan, and the hint names what asked for the observation', async () => {
  await importInto(folder);
  emulator.faults.add({ status: 500, errorCode: 'APIG.9999', errorMsg: 'System error', share: 1, operation: '*' });
  const fails = async (remedy: string, ...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await edict(args, folder);
    assert.is(code, 1, args.join(' '));
    assert.match(stderr, `nothing was sent; ${remedy}`, args.join(' '));
  };
  const held = 'with --no-refresh what may be online already is held for approval';
  for (const command of ['plan', 'apply']) {
    await fails(held, command);
    // There is no record to start from.
    await fails(held, command, '--refresh');
  }
  emulator.faults.clear();
  await edict(['apply'], folder);
  emulator.faults.add({ status: 500, errorCode: 'APIG.9999', errorMsg: 'System error', share: 1, operation: '*' });
  for (const command of ['plan', 'apply']) await fails('without --refresh the plan starts from the record alone', command, '--refresh');
  assert.is(calls(), 0);
});

test('a gateway that cannot be reached at first contact is said to be that by every command, which asks nobody to approve', async () => {
  await importInto(folder);
  emulator.faults.add({ status: 500, errorCode: 'APIG.9999', errorMsg: 'System error', share: 1, operation: '*' });
  await using daemon = await startLoggedDaemon(folder, { listen: { host: '127.0.0.1', port: 0 } });
  await until('it was not reached', () => daemon.events('gateway:observe_failed').length > 0);
  const status = await edict(['status'], folder);
  assert.is(status.code, 0, status.stderr);
  assert.match(status.stdout, 'The gateway could not be observed: APIG.9999 System error; it is looked at again automatically.');
  const waited = await edict(['wait', '--timeout', '1s'], folder);
  assert.is(waited.code, 5, waited.stdout);
  assert.match(waited.stdout, 'the gateway could not be observed: APIG.9999 System error; it is looked at again automatically');
  const explained = await edict(['explain', 'a0', 'test'], folder);
  const { daemon: page } = (await (await fetch(`${daemon.url}/api/v1/status`)).json()) as { daemon: { headline: string } };
  const { headline } = page;
  const { files } = (await (await fetch(`${daemon.url}/api/v1/files`)).json()) as { files: { headline: string }[] };
  const sentence = 'The gateway could not be observed: APIG.9999 System error; it is looked at again automatically.';
  assert.equal([headline, files.map((file) => file.headline)], [sentence, [sentence]]);
  const json = await edict(['status', '--format', 'json'], folder);
  const texts = [status.stdout, waited.stdout, waited.stderr, explained.stdout, headline, json.stdout];
  for (const text of texts) assert.not.match(text, /edict approve|whole file is held|"approveCommand": "/);
  emulator.faults.clear();
  assert.is((await edict(['wait', '--timeout', '2m'], folder)).code, 0);
  await daemon.stop();
  assert.is(calls(), 0);
});

test('import and apply of a live gateway make no call, and the plan lists what is adopted', async () => {
  await importInto(folder);
  const planned = await edict(['plan'], folder);
  assert.equal([planned.code, calls()], [0, 0], planned.stderr);
  assert.is(
    planned.stdout,
    'In sync. 62 publications match the file.\n\n62 publications adopted from the gateway without a call; they are taken to have their declared revisions.\n',
  );
  const applied = await edict(['apply'], folder);
  assert.equal([applied.code, calls()], [0, 0], applied.stderr);
  assert.match(applied.stdout, 'In sync. 62 publications');
});

test('what a held file declares is not pruned when it leaves the file again', async () => {
  const write = (api: string): void =>
    writeFileSync(
      join(folder, 'edict.yaml'),
      `edict: 1
gateway: { endpoint: "${emulator.url}", project: project, instance: instance, propagationDelay: 1ms }
environments: { test: env-test }
guards: { maxRemoved: 0 }
prune: true
apis:
  ${api}: { id: api-${api}, environments: { test: online } }
`,
    );
  write('a0');
  await edict(['apply'], folder);
  write('a1');
  assert.is((await edict(['apply', '--refresh'], folder)).code, 4, 'held, and a1 is known to be online');
  write('a0');
  const { code, stdout } = await edict(['apply'], folder);
  assert.equal([code, calls()], [0, 0], stdout);
  assert.match(stdout, /^In sync \(61 unmanaged\)\./);
});

test('without a recorded state, what is online is adopted, and what was online before is held', async () => {
  await importInto(folder);
  await edict(['apply'], folder);
  rmSync(join(folder, '.edict'), { recursive: true });
  assert.match((await edict(['apply'], folder)).stdout, 'In sync. 62 publications');
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  await importInto(elsewhere);
  emulator.state.changeManually('api-a3', 'env-test', 'offline');
  const applied = await edict(['apply'], elsewhere);
  assert.equal([applied.code, calls()], [4, 0], applied.stderr);
  assert.match(applied.stdout, /it was online before \(last published /);
});

test('plan, apply and run say that a missing or empty store has no recorded state', async () => {
  await importInto(folder);
  const store = join(folder, '.edict/state.db');
  const said = `no recorded state at ${store}; looking at the gateway`;
  assert.match((await edict(['plan'], folder)).stderr, said);
  mkdirSync(join(folder, '.edict'));
  writeFileSync(store, '');
  assert.match((await edict(['plan', '--format', 'json'], folder)).stderr, said);
  assert.match((await edict(['apply'], folder)).stderr, said);
  for (const command of ['plan', 'apply']) assert.not.match((await edict([command, '--refresh'], folder)).stderr, 'no recorded state');
  rmSync(join(folder, '.edict'), { recursive: true });
  await using daemon = await startLoggedDaemon(folder);
  await until('it says so', () => daemon.events('gateway:unrecorded')[0]?.['store'] === `sqlite:${store}`);
  await daemon.stop();
  assert.is(calls(), 0);
});

test('a daemon with an empty store makes no call', async () => {
  await importInto(folder);
  await using daemon = await startLoggedDaemon(folder);
  await until('it is in sync', () => daemon.events('reconcile:finished').length > 0);
  await daemon.stop();
  assert.is(calls(), 0);
});

test('without credentials the plan says first that it is not checked, and is neither saved nor approved', async () => {
  await importInto(folder);
  const planned = await edict(['plan'], folder, {});
  assert.match(planned.stdout, /^Not checked against the gateway: there are no credentials/);
  assert.not.match(planned.stderr, 'looking at the gateway');
  assert.match(JSON.parse((await edict(['plan', '--format', 'json'], folder, {})).stdout).uncheckedReason, 'no credentials');
  const saved = await edict(['plan', '--out', 'release.plan'], folder, {});
  assert.is(saved.code, 1);
  assert.match(saved.stderr, 'the plan is not checked against the gateway: there are no credentials');
  const approved = await edict(['approve', '0'.repeat(12), '--by', 'ada', '--reason', 'CHG-7'], folder, {});
  assert.match(approved.stderr, 'the plan is not checked against the gateway: there are no credentials');
});

const refused = { share: 1, status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions', operation: 'listApis' } as const;
const approve = async (target: string) => {
  const { approvalDigest } = JSON.parse((await edict(['plan', '--format', 'json'], target)).stdout) as { approvalDigest: string };
  return edict(['approve', approvalDigest, '--by', 'ada', '--reason', 'nothing is online there'], target);
};

/** Runs the approve command that `stdout` shows, with a name and a reason in place of its placeholders. */
const paste = (stdout: string, target: string) => {
  const [, command = ''] = /^.*?edict (approve .*)$/m.exec(stdout) ?? [];
  return edict(command.replace('NAME', 'ada').replace('TEXT', 'CHG-7').split(' '), target);
};

test('the command that a plan of a new gateway prints approves it, before anything has written a store', async () => {
  await importInto(folder);
  emulator.faults.add(refused);
  for (const args of [['plan'], ['plan', '--no-refresh'], ['plan', '--api', 'a7']]) {
    rmSync(join(folder, '.edict'), { recursive: true, force: true });
    const planned = await edict(args, folder);
    assert.not.ok(existsSync(join(folder, '.edict')));
    const approved = await paste(planned.stdout, folder);
    assert.is(approved.code, 0, `${planned.stdout}${approved.stderr}`);
    assert.match(approved.stdout, 'by ada: CHG-7');
  }
});

test('a gateway that refuses to be observed at first contact has the whole file held, with the reason and the missing permission', async () => {
  await importInto(folder);
  emulator.faults.add(refused);
  for (const args of [['plan', '--detailed-exitcode'], ['apply'], ['apply']]) {
    const { code, stdout, stderr } = await edict(args, folder);
    assert.equal([code, calls()], [4, 0], stderr);
    assert.match(stdout, 'there is no record of this gateway, and it could not be observed: APIG.1005 No permissions');
    assert.match(stdout, 'grant the permission to list the APIs of the instance');
  }
  const status = await edict(['status'], folder);
  assert.match(status.stdout, 'there is no record of this gateway, and it could not be observed: APIG.1005 No permissions');
  assert.match(status.stdout, 'grant the permission to list the APIs of the instance');
  const { fileHeld } = JSON.parse((await edict(['plan', '--format', 'json'], folder)).stdout) as { fileHeld: { rule: string } };
  assert.is(fileHeld.rule, 'first-contact');
});

test('the hold of first contact ends as soon as the gateway may be observed, without a call', async () => {
  await importInto(folder);
  emulator.faults.add(refused);
  assert.is((await edict(['apply'], folder)).code, 4);
  emulator.faults.clear();
  assert.match((await edict(['apply'], folder)).stdout, 'In sync. 62 publications');
  assert.is(calls(), 0);
});

test('the hold of first contact is released by an approval, for exactly this file', async () => {
  await importInto(folder);
  for (const { api, environment } of emulator.state.publications()) emulator.state.changeManually(api, environment, 'offline');
  emulator.faults.add(refused);
  assert.is((await edict(['apply'], folder)).code, 4);
  const approved = await approve(folder);
  assert.is(approved.code, 0, approved.stderr);
  const applied = await edict(['apply'], folder);
  assert.equal([applied.code, calls()], [0, 62], applied.stderr);
  assert.match((await edict(['apply'], folder)).stdout, /^No changes; 62 settling, 0 unchanged; gateway never checked\./);
});

test('a file that says `refresh: never` is held at first contact, without a request, until a person approves or has it observed', async () => {
  await importInto(folder);
  const file = join(folder, 'edict.yaml');
  writeFileSync(file, `refresh: never\n${readFileSync(file, 'utf8').replace(/^refresh:.*\n/m, '')}`);
  emulator.requests.clear();
  for (const args of [['plan', '--detailed-exitcode'], ['apply'], ['apply'], ['plan', '--detailed-exitcode']]) {
    const { code, stdout, stderr } = await edict(args, folder);
    assert.is(code, 4, stderr);
    assert.match(stdout, 'there is no record of this gateway, and it could not be observed: the file says `refresh: never`');
    assert.match(stdout, 'observe it with --refresh, or approve if none of these is online there');
  }
  assert.equal(emulator.requests.all(), []);
  assert.match((await edict(['apply', '--refresh'], folder)).stdout, /^(?:In sync|No changes).* 62 publications match/);
  assert.equal([(await edict(['apply'], folder)).code, calls()], [0, 0]);
});

test('what a person approves of a file with `refresh: never` is published, and what is new later is held again', async () => {
  await importInto(folder);
  for (const { api, environment } of emulator.state.publications()) emulator.state.changeManually(api, environment, 'offline');
  const file = join(folder, 'edict.yaml');
  const whole = `refresh: never\n${readFileSync(file, 'utf8').replace(/^refresh:.*\n/m, '')}`;
  writeFileSync(file, whole.replace(/^ {2}a7:\n(?: {4}.*\n)+/m, ''));
  assert.is((await edict(['apply'], folder)).code, 4);
  const approved = await approve(folder);
  assert.is(approved.code, 0, approved.stderr);
  const applied = await edict(['apply'], folder);
  assert.equal([applied.code, calls()], [0, 60], applied.stdout);
  writeFileSync(file, whole);
  const later = await edict(['apply'], folder);
  assert.equal([later.code, calls()], [4, 60], later.stderr);
  assert.match(later.stdout, 'it is new, and may be online already: the file says `refresh: never`');
});

test('with `refresh: never`, what is not in the record is held, whether a file adds it or it was removed from the record', async () => {
  await importInto(folder);
  const file = join(folder, 'edict.yaml');
  const whole = `refresh: never\n${readFileSync(file, 'utf8').replace(/^refresh:.*\n/m, '')}`;
  writeFileSync(file, whole.replace(/^ {2}a7:\n(?: {4}.*\n)+/m, ''));
  assert.is((await edict(['apply', '--refresh'], folder)).code, 0);

  writeFileSync(file, whole);
  for (const args of [['apply'], ['state', 'rm', 'a8', 'test'], ['apply']]) await edict(args, folder);
  const { code, stdout } = await edict(['apply'], folder);
  assert.equal([code, calls()], [4, 0], stdout);
  for (const held of ['a7', 'a8']) assert.match(stdout, held);
  assert.is((await edict(['apply', '--refresh'], folder)).code, 0);
  assert.is(calls(), 0);
});

test('--no-refresh at first contact is held too, and the printed command approves it', async () => {
  await importInto(folder);
  emulator.requests.clear();
  for (const command of ['plan', 'apply']) {
    const { code, stdout } = await edict([command, '--no-refresh', ...(command === 'plan' ? ['--detailed-exitcode'] : [])], folder);
    assert.is(code, 4, stdout);
    assert.match(stdout, 'it could not be observed: the command says --no-refresh');
    assert.match(stdout, /edict approve [\w:]+ --no-refresh/);
  }
  assert.equal(emulator.requests.all(), []);
  const { approvalDigest } = JSON.parse((await edict(['plan', '--no-refresh', '--format', 'json'], folder)).stdout) as {
    approvalDigest: string;
  };
  const approved = await edict(['approve', approvalDigest, '--no-refresh', '--by', 'ada', '--reason', 'CHG-7'], folder);
  assert.is(approved.code, 0, approved.stderr);
  assert.equal(emulator.requests.all(), []);
  assert.match((await edict(['apply'], folder)).stdout, 'In sync. 62 publications');
  assert.is(calls(), 0);
});

test('a daemon that may not observe a new gateway makes no call until it may', async () => {
  await importInto(folder);
  emulator.faults.add(refused);
  await using daemon = await startLoggedDaemon(folder);
  await until('the file is held', () => daemon.events('plan:computed').some((plan) => plan['held'] === 62));
  assert.match(
    (await edict(['status'], folder)).stdout,
    'it could not be observed: APIG.1005 No permissions; grant the permission to list',
  );
  emulator.faults.clear();
  daemon.hangUp();
  await until('it is adopted', () => daemon.events('plan:computed').some((plan) => plan['unchanged'] === 62));
  await daemon.stop();
  assert.is(calls(), 0);
});

test('what the file adds is looked up before it is published, also right after an observation that it was not a part of', async () => {
  await importInto(folder);
  const file = join(folder, 'edict.yaml');
  const whole = readFileSync(file, 'utf8');
  const without = (name: string): string => whole.replace(new RegExp(`^ {2}${name}:\\n(?: {4}.*\\n)+`, 'm'), '');
  writeFileSync(file, without('a7'));
  assert.is((await edict(['apply'], folder)).code, 0);
  writeFileSync(file, whole);
  assert.match((await edict(['plan'], folder)).stdout, 'In sync. 62 publications');
  assert.match(
    (await edict(['plan', '--no-refresh'], folder)).stdout,
    'it is new, and may be online already: the command says --no-refresh',
  );
  assert.match((await edict(['apply'], folder)).stdout, 'In sync. 62 publications');
  assert.is((await edict(['state', 'rm', 'a7', 'test'], folder)).code, 0);
  assert.match((await edict(['apply'], folder)).stdout, 'In sync. 62 publications');
  rmSync(join(folder, '.edict'), { recursive: true });
  writeFileSync(file, without('a9'));
  await using daemon = await startLoggedDaemon(folder, { debounceMs: 20 });
  await until('it is in sync', () => daemon.events('plan:computed').some((plan) => plan['unchanged'] === 60));
  writeFileSync(file, whole);
  await until('it is in sync again', () => daemon.events('plan:computed').some((plan) => plan['unchanged'] === 62));
  await daemon.stop();
  assert.is(calls(), 0);
});

test('a known gateway that refuses to be listed is observed no more, with a warning, and `status` names the permission', async () => {
  await importInto(folder);
  const file = join(folder, 'edict.yaml');
  writeFileSync(file, `refresh: 100ms\n${readFileSync(file, 'utf8').replace(/^refresh:.*\n/m, '')}`);
  assert.is((await edict(['apply'], folder)).code, 0);
  emulator.faults.add(refused);
  await using daemon = await startLoggedDaemon(folder, { resyncMs: 100 });
  await until('it was refused', () => daemon.events('gateway:observe_failed').length > 0);
  const [warning] = daemon.events('gateway:observe_failed');
  assert.equal([warning?.['level'], /is not observed again until the file changes/.test(String(warning?.['reason']))], ['warn', true]);
  emulator.requests.clear();
  await sleep(500);
  assert.equal(emulator.requests.all(), []);
  const status = await edict(['status'], folder);
  assert.is(status.code, 0);
  assert.match(status.stdout, 'could not be observed: APIG.1005 No permissions; grant the permission to list the APIs of the instance.');
  emulator.faults.clear();
  daemon.hangUp();
  await until('it is observed again', () => emulator.requests.all().length > 0);
  await daemon.stop();
});

test('what is new to the record of a known gateway is looked up first if the last observation is old, and held where that fails', async () => {
  await importInto(folder);
  const file = join(folder, 'edict.yaml');
  const whole = `refresh: 100ms\n${readFileSync(file, 'utf8').replace(/^refresh:.*\n/m, '')}`;
  writeFileSync(file, whole.replace(/^ {2}a7:\n(?: {4}.*\n)+/m, ''));
  assert.is((await edict(['apply'], folder)).code, 0);
  writeFileSync(file, whole);
  await sleep(110);
  emulator.faults.add(refused);
  for (const command of ['plan', 'apply']) {
    const { code, stdout, stderr } = await edict(command === 'plan' ? ['plan', '--detailed-exitcode'] : [command], folder);
    assert.is(code, 4, stderr);
    assert.match(stdout, 'it is new, and may be online already: APIG.1005 No permissions');
  }
  emulator.faults.clear();
  assert.match((await edict(['apply'], folder)).stdout, /^(?:In sync|No changes)/);
  assert.is(calls(), 0);
});

test('what the file declares offline and is online at first contact is held until a person approves; a later publication is drift', async () => {
  await importInto(folder);
  const file = join(folder, 'edict.yaml');
  const whole = readFileSync(file, 'utf8').replace(/^( *)limit:/m, '$1propagationDelay: 1ms\n$1limit:');
  const [online = ''] = /^ {2}a7:\n(?: {4}.*\n)+/m.exec(whole) ?? [];
  writeFileSync(file, whole.replace(online, online.replace(/: online/g, ': offline')));
  for (const args of [['plan', '--detailed-exitcode'], ['apply'], ['apply'], ['status']]) {
    const { code, stdout, stderr } = await edict(args, folder);
    assert.equal([code, calls()], [args[0] === 'status' ? 0 : 4, 0], stderr);
    assert.match(stdout, 'the file declares it offline, and it was online when the gateway was first observed');
  }
  const approved = await approve(folder);
  assert.is(approved.code, 0, approved.stderr);
  const applied = await edict(['apply'], folder);
  assert.equal([applied.code, calls()], [0, 2], applied.stdout);
  emulator.state.changeManually('api-a7', 'env-test', 'online');
  const later = await edict(['apply', '--refresh'], folder);
  assert.equal([later.code, calls()], [0, 2], later.stdout);
  assert.match((await edict(['plan'], folder)).stdout, 'published outside edict after it was offline');
});

test('a new volume and a copied store make no call, with an edit that adds and one that prunes nothing', async () => {
  await importInto(folder);
  const file = join(folder, 'edict.yaml');
  assert.is((await edict(['apply'], folder)).code, 0);
  assert.is((await edict(['state', 'copy', 'copy.db'], folder)).code, 0);
  const copied = await edict(['apply', '--state', 'sqlite:copy.db'], folder);
  assert.match(copied.stdout, 'In sync. 62 publications');
  const fewer = readFileSync(file, 'utf8').replace(/^ {2}a7:\n(?: {4}.*\n)+/m, '');
  for (const [volume, text] of Object.entries({
    one: readFileSync(file, 'utf8'),
    two: fewer,
    three: `prune: true\n${fewer.replace(/^prune:.*\n/m, '')}`,
  })) {
    writeFileSync(file, text);
    await using daemon = await startLoggedDaemon(folder, { state: `sqlite:${join(folder, volume, 'state.db')}` });
    await until('it is in sync', () => daemon.events('reconcile:finished').length > 0);
    await daemon.stop();
  }
  assert.is(calls(), 0);
});

test('a pipeline whose cache is empty each time makes no call', async () => {
  for (const run of ['first', 'second', 'third']) {
    const checkout = join(folder, run);
    mkdirSync(checkout);
    await importInto(checkout);
    assert.match((await edict(['apply'], checkout)).stdout, 'In sync. 62 publications');
  }
  assert.is(calls(), 0);
});

/** A file that names its APIs and not their IDs. */
const writeNames = (names: readonly string[], more = ''): void => {
  const apis = names.map((name) => `  ${name}: { name: ${name}, environments: { test: online } }\n`);
  writeFileSync(
    join(folder, 'edict.yaml'),
    `edict: 1\n${more}gateway: { endpoint: "${emulator.url}", project: project, instance: instance }\nenvironments: { test: env-test }\napis:\n${apis.join('')}`,
  );
};

test('a file of names is held where the gateway refuses to be listed, with the missing permission and no command that cannot help', async () => {
  writeNames(['a0', 'a1']);
  emulator.faults.add(refused);
  const why = 'it has names without IDs, and they cannot be looked up at the gateway: APIG.1005 No permissions';
  const remedy = 'grant the permission to list the APIs of the instance, or write the IDs into the file';
  for (const args of [['plan', '--detailed-exitcode'], ['apply'], ['apply', '--dry-run'], ['plan', '--out', 'release.plan']]) {
    const { code, stdout, stderr } = await edict(args, folder);
    assert.equal([code, calls()], [args.includes('--dry-run') ? 0 : 4, 0], `${args}: ${stdout}${stderr}`);
    assert.match(`${stdout}${stderr}`, why, args.join(' '));
    assert.match(`${stdout}${stderr}`, remedy, args.join(' '));
    assert.not.match(`${stdout}${stderr}`, /edict approve|publish APIs/, args.join(' '));
  }
  assert.match((await edict(['plan'], folder)).stdout, /^The whole file is held: 2 held, 0 unchanged; gateway never checked\./);
  assert.match((await edict(['plan', '--format', 'markdown'], folder)).stdout, remedy);
  const json = JSON.parse((await edict(['plan', '--format', 'json'], folder)).stdout) as Record<string, Record<string, unknown>>;
  assert.equal([json['fileHeld']?.['rule'], json['approvalDigest'], json['approveCommand']], ['unresolvedNames', null, null]);
  assert.is((await edict(['wait', '--timeout', '0s'], folder)).code, 4);
  for (const args of [['status'], ['explain', 'a0', 'test'], ['wait', '--timeout', '0s']]) {
    const { stdout } = await edict(args, folder);
    assert.match(stdout, why, args.join(' '));
    assert.not.match(stdout, 'edict approve');
  }
  const digest = String(json['digest']);
  const approved = await edict(['approve', digest, '--by', 'ada', '--reason', 'r'], folder);
  assert.is(approved.code, 4);
  assert.match(approved.stderr, remedy);
  emulator.faults.clear();
  assert.match((await edict(['apply'], folder)).stdout, 'In sync');
  assert.not.match((await edict(['status'], folder)).stdout, 'cannot be looked up');
  assert.is(calls(), 0);
});

test('a new name that cannot be looked up holds the file, and what the last one declared stays in force', async () => {
  writeNames(['a0']);
  await using daemon = await startLoggedDaemon(folder, { debounceMs: 20 });
  await until('it is in sync', () => daemon.events('plan:computed').some((plan) => plan['unchanged'] === 1));
  emulator.faults.add(refused);
  writeNames(['a0', 'a1']);
  await until('it says why', () => daemon.events('file:unreadable').length > 0);
  assert.match(String(daemon.events('file:unreadable')[0]?.['reason']), 'grant the permission to list the APIs of the instance');
  const status = await edict(['status'], folder);
  assert.match(status.stdout, 'it has names without IDs, and they cannot be looked up at the gateway: APIG.1005 No permissions');
  emulator.faults.clear();
  await until('the name is looked up again', () => daemon.events('plan:computed').some((plan) => plan['unchanged'] === 2));
  await daemon.stop();
  assert.is(calls(), 0);
});

test('a file of names is planned without credentials, as one with IDs is', async () => {
  writeNames(['a0', 'a1']);
  const planned = await edict(['plan', '--detailed-exitcode'], folder, {});
  assert.is(planned.code, 2, planned.stderr);
  assert.match(planned.stdout, /^Not checked against the gateway: there are no credentials/);
  const saved = await edict(['plan', '--out', 'release.plan'], folder, {});
  assert.is(saved.code, 1);
  assert.match(saved.stderr, 'the plan is not checked against the gateway: there are no credentials');
  await edict(['apply'], folder);
  writeNames(['a0', 'a1', 'a2']);
  assert.match((await edict(['plan'], folder, {})).stdout, /^Not checked against the gateway: there are no credentials/);
});

test.run();
