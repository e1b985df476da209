import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { type Finished, fileOf, scratchFolder, secretToken, seedOf, startEdict, until } from '../support/edict-process.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';

const password = 'password-that-nobody-may-see';
const login = { HW_USER_NAME: 'user', HW_USER_PASSWORD: password, HW_DOMAIN_NAME: 'domain' };
let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  emulator = await startEmulator({ seed: { ...seedOf('orders', 'invoices'), users: [{ name: 'user', password, domain: 'domain' }] } });
  folder = scratchFolder();
  await recordEmptyGatewayIn(folder, emulator.url);
});
test.after.each(() => emulator.close());

const write = (states: Readonly<Record<string, string>>): void => writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, states));

/** Returns each line of a text as JSON. */
const lines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

function assertNoSecret({ stdout, stderr }: Finished): void {
  const stored = globSync('.edict/*', { cwd: folder }).map((file) => readFileSync(join(folder, file), 'latin1'));
  for (const text of [stdout, stderr, ...stored]) for (const secret of [secretToken, password]) assert.not.ok(text.includes(secret));
}

test('makes the missing calls, and none the second time', async () => {
  write({ orders: 'online', invoices: 'offline' });
  const first = await startEdict(['apply'], folder).finished;
  assert.is(first.code, 0);
  assert.match(first.stdout, /^Applied in .*: 1 online, 0 offline, 1 unchanged\.\n$/);
  assert.match((await edict(['apply'], folder)).stdout, /^(?:In sync|No changes)/);
  assert.is(emulator.requests.all().length, 1);
  assertNoSecret(first);
});

test('with JSON stdout is one object a line, the last one the summary', async () => {
  write({ orders: 'online', invoices: 'online' });
  const { stdout, code } = await edict(['apply', '--format', 'json'], folder);
  const records = lines(stdout);
  assert.equal(
    records.map((record) => record['type']),
    ['attempt', 'attempt', 'summary'],
  );
  assert.equal([records[2]?.['online'], records[2]?.['failed'], code], [2, 0, 0]);
});

test('an API that does not exist fails, the rest is done, and the exit code is 5', async () => {
  write({ orders: 'online', nowhere: 'online' });
  const { code, stdout } = await edict(['apply'], folder);
  assert.is(code, 5);
  assert.match(stdout, /1 online, 0 offline, 0 unchanged, 1 failed/);
  assert.match(stdout, /x nowhere +test +online +APIG\.3002 +API api-nowhere does not exist; check the API's id/);
});

test('a held change is not sent, is shown, and the exit code is 4', async () => {
  const text = fileOf(emulator.url, { orders: 'online' }).replace('test: online', 'release: online');
  writeFileSync(join(folder, 'edict.yaml'), text);
  await edict(['apply'], folder);
  writeFileSync(join(folder, 'edict.yaml'), text.replace('release: online', 'release: offline'));
  const { code, stdout } = await edict(['apply'], folder);
  assert.is(code, 4);
  assert.match(stdout, 'orders in release is held: offline: environment release is protected');
  assert.is((await edict(['plan', '--detailed-exitcode'], folder)).code, 4);
  assert.is((await edict(['plan'], folder)).code, 0);
  assert.is(emulator.requests.all().length, 1);
});

test('plan --detailed-exitcode reports whether there are changes', async () => {
  write({ orders: 'online' });
  assert.is((await edict(['plan', '--detailed-exitcode'], folder)).code, 2);
  await edict(['apply'], folder);
  assert.is((await edict(['plan', '--detailed-exitcode'], folder)).code, 0);
});

test('an invalid or missing file is exit code 3, with JSON as one document', async () => {
  write({ orders: 'onlin' });
  for (const command of ['validate', 'plan', 'apply', 'status']) {
    const { code, stdout } = await edict([command, '--format', 'json'], folder);
    assert.is(code, 3, command);
    assert.is((JSON.parse(stdout) as { valid: boolean }).valid, false);
  }
  const absent = await edict(['apply', 'nowhere.yaml', '--format', 'json'], folder);
  assert.is(absent.code, 3);
  assert.match(stdoutError(absent), 'nowhere.yaml does not exist');
  assert.is(emulator.requests.all().length, 0);
});

function stdoutError({ stdout }: Finished): string {
  return (JSON.parse(stdout) as { error: { message: string } }).error.message;
}

test('without credentials nothing is sent, and the variables to set are named', async () => {
  write({ orders: 'online' });
  const { code, stderr } = await edict(['apply'], folder, {});
  assert.is(code, 1);
  assert.match(stderr, 'HW_AUTH_TOKEN');
  assert.not.match(stderr, /\n\s+at /);
  assert.is(emulator.requests.all().length, 0);
});

test('a login at the identity service works, and its password appears nowhere', async () => {
  write({ orders: 'online', invoices: 'online' });
  const done = await startEdict(['apply'], folder, login).finished;
  assert.is(done.code, 0, done.stderr + done.stdout);
  assert.is(emulator.requests.all().filter((request) => request.operation === 'createToken').length, 1);
  assertNoSecret(done);
});

test('a rejected login is made once, and its password appears nowhere', async () => {
  write({ orders: 'online', invoices: 'online' });
  const { ...refused } = await startEdict(['apply'], folder, { ...login, HW_DOMAIN_NAME: 'other' }).finished;
  assert.is(refused.code, 5);
  assert.match(refused.stdout, 'CREDENTIALS_REJECTED');
  assert.is(emulator.requests.all().length, 1);
  assertNoSecret(refused);
});

test('an invalid option is exit code 1 with a hint', async () => {
  const { code, stderr } = await edict(['apply', '--stat', 'x'], folder);
  assert.is(code, 1);
  assert.match(stderr, 'Did you mean --state?');
});

test('the records of an emulated gateway and of a real one do not mix', async () => {
  write({ orders: 'online' });
  await edict(['apply', '--emulate'], folder);
  const { code, stderr } = await edict(['apply', '--state', 'sqlite:.edict/emulated.db'], folder);
  assert.is(code, 1);
  assert.match(stderr, 'holds the record of an emulated gateway');
  assert.is(emulator.requests.all().length, 0);
});

test('a second process on the same store is rejected with the pid of the first', async () => {
  write({ orders: 'online' });
  const daemon = startEdict(['run', '--log-format', 'json'], folder);
  await until('the daemon runs', () => daemon.events('daemon:started').length > 0);
  const { code, stderr } = await edict(['apply'], folder);
  daemon.child.kill('SIGTERM');
  await daemon.finished;
  assert.is(code, 1);
  assert.match(stderr, `pid ${daemon.child.pid}`);
});

test('an API that is offline at the gateway already counts as done', async () => {
  write({ orders: 'online' });
  await edict(['apply'], folder);
  emulator.state.takeOffline('api-orders', 'env-test');
  write({ orders: 'offline' });
  const { code, stdout } = await edict(['apply'], folder);
  assert.is(code, 0, stdout);
});

test('the outcome of an internal gateway error is resolved by observation, and the call is retried', async () => {
  emulator.faults.add({ times: 2, status: 500, errorCode: 'APIG.9999', errorMsg: 'System error' });
  write({ orders: 'online' });
  const { code, stdout } = await edict(['apply'], folder);
  assert.is(code, 0, stdout);
  const calls = emulator.requests.all().filter(({ operation }) => operation === 'changePublication');
  assert.is(calls.length, 3);
});

test('read-only commands need no store and create none', async () => {
  folder = scratchFolder();
  write({ orders: 'online' });
  for (const command of ['plan', 'status', 'history', 'validate']) assert.is((await edict([command], folder)).code, 0, command);
  assert.not.ok(existsSync(join(folder, '.edict')));
});

test.run();
