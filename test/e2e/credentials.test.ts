import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { startLoggedDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const keys = [
  { access: 'AK', secret: 'SK' },
  { access: 'TEMP', secret: 'SKT', securityToken: 'temporary' },
];
let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  const users = [{ name: 'ada', password: 'right', domain: 'acme' }];
  emulator = await startEmulator({ seed: { ...seedOf(...names), anyToken: false, tokens: [{ value: 'good' }], keys, users } });
  folder = scratchFolder();
  await recordEmptyGatewayIn(folder, emulator.url);
  // Nothing is read at first contact, so that the first requests are changes.
  writeFileSync(join(folder, 'edict.yaml'), `${allOnline()}refresh: never\n`);
});
test.after.each(() => emulator.close());

const allOnline = (): string => fileOf(emulator.url, Object.fromEntries(names.map((name) => [name, 'online'])));

/** Leaves a file that does not forbid to observe the gateway, and no store. */
function forgetGateway(): void {
  rmSync(join(folder, '.edict'), { recursive: true });
  writeFileSync(join(folder, 'edict.yaml'), allOnline());
}

const requests = (): string[] => emulator.requests.all().map(({ operation, status }) => `${operation} ${status}`);
const online = (): number => emulator.state.publications().filter(({ effective }) => effective !== null).length;

for (const [what, env] of [
  ['a key', { HW_ACCESS_KEY: 'AK', HW_SECRET_KEY: 'SK' }],
  ['a temporary key', { HW_ACCESS_KEY: 'TEMP', HW_SECRET_KEY: 'SKT', HW_SECURITY_TOKEN: 'temporary' }],
] as const) {
  test(`publishes and reads with ${what}`, async () => {
    emulator.faults.add({ times: 1, status: 500, errorCode: 'APIG.9999', errorMsg: 'x', applied: true });
    assert.is((await edict(['apply'], folder, env)).code, 0);
    assert.is(online(), names.length);
    assert.ok(requests().includes('listVersions 200'));
  });
}

test('a wrong key makes one call, since several failures in a row lock it', async () => {
  const env = { HW_ACCESS_KEY: 'AK', HW_SECRET_KEY: 'wrong' };
  const { code, stdout, stderr } = await startEdict(['apply'], folder, env).finished;
  assert.is(code, 5, stdout);
  assert.equal(requests(), ['changePublication 401']);
  assert.match(stderr, /requests paused: APIGW\.0301 .*verify aksk signature fail/);
  const { stdout: status } = await edict(['status'], folder, env);
  assert.match(status, /APIGW\.0301/);
});

test('the daemon stops calling when its token is rejected, reports it everywhere, and resumes when the token file changes', async () => {
  const file = join(folder, 'token');
  writeFileSync(file, 'old\n');
  const env = { HW_AUTH_TOKEN_FILE: file };
  await using daemon = await startLoggedDaemon(folder, { debounceMs: 20, resyncMs: 300, env });
  await until('calls have stopped', () => daemon.events('requests:paused').length === 1);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(requests(), ['changePublication 401']);
  const { stdout } = await edict(['status'], folder, env);
  assert.match(stdout, /No calls since .*: APIG\.1002 .*pid \d+/);
  const { daemon: status } = JSON.parse((await edict(['status', '--format', 'json'], folder, env)).stdout) as {
    daemon: { paused: { reason: string } };
  };
  assert.is(status.paused.reason, 'credentials');
  writeFileSync(file, 'good\n');
  await until('all are online', () => online() === names.length);
  assert.is(daemon.events('requests:resumed').length, 1);
  await daemon.stop();
});

test('SIGHUP retries rejected credentials once', async () => {
  const env = { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'wrong', HW_DOMAIN_NAME: 'acme' };
  await using daemon = await startLoggedDaemon(folder, { resyncMs: 300, env });
  await until('calls have stopped', () => daemon.events('requests:paused').length === 1);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(requests(), ['createToken 401']);
  daemon.hangUp();
  await until('it has retried', () => requests().length === 2);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(requests(), ['createToken 401', 'createToken 401']);
  await daemon.stop();
});

test('a corrected password in a file is used', async () => {
  const file = join(folder, 'password');
  writeFileSync(file, 'wrong');
  const env = { HW_USER_NAME: 'ada', HW_USER_PASSWORD_FILE: file, HW_DOMAIN_NAME: 'acme' };
  await using daemon = await startLoggedDaemon(folder, { env });
  await until('calls have stopped', () => daemon.events('requests:paused').length === 1);
  writeFileSync(file, 'right');
  await until('all are online', () => online() === names.length);
  await daemon.stop();
  assert.equal(requests().slice(0, 2), ['createToken 401', 'createToken 201']);
});

for (const [what, env, request, hint] of [
  ['token', { HW_AUTH_TOKEN: 'bad' }, 'listApis 401', 'renew them'],
  ['key', { HW_ACCESS_KEY: 'AK', HW_SECRET_KEY: 'wrong' }, 'listApis 401', 'renew them'],
  ['password', { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'wrong', HW_DOMAIN_NAME: 'acme' }, 'createToken 401', 'check the HW_ variables'],
] as const) {
  test(`at first contact a wrong ${what} makes one request; plan and apply end with exit code 1 and the next step`, async () => {
    forgetGateway();
    for (const command of ['plan', 'apply']) {
      emulator.requests.clear();
      const { code, stderr } = await edict([command], folder, env);
      assert.is(code, 1, stderr);
      assert.match(stderr, 'the gateway cannot be observed: ');
      assert.match(stderr, hint);
      assert.equal(requests(), [request]);
    }
    assert.is((await edict(['plan'], folder, env)).code, 1);
    assert.equal(requests(), [request, request]);
  });
}

test('at first contact the daemon makes one login with a wrong password, reports it everywhere, and goes on when the file has the right one', async () => {
  forgetGateway();
  const file = join(folder, 'password');
  writeFileSync(file, 'wrong');
  const env = { HW_USER_NAME: 'ada', HW_USER_PASSWORD_FILE: file, HW_DOMAIN_NAME: 'acme' };
  await using daemon = await startLoggedDaemon(folder, { debounceMs: 20, resyncMs: 300, env });
  await until('requests are paused', () => daemon.events('requests:paused').length === 1);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(requests(), ['createToken 401']);
  assert.match((await edict(['status'], folder, env)).stdout, /No calls since .*: CREDENTIALS_REJECTED/);
  const { daemon: status } = JSON.parse((await edict(['status', '--format', 'json'], folder, env)).stdout) as {
    daemon: { paused: { reason: string } };
  };
  assert.is(status.paused.reason, 'credentials');
  writeFileSync(file, 'right');
  await until('all are online', () => online() === names.length);
  assert.is(daemon.events('requests:resumed').length, 1);
  await daemon.stop();
  assert.equal(requests().slice(0, 3), ['createToken 401', 'createToken 201', 'listApis 200']);
});

test('a daemon whose token expires stops observing, too, until the token changes', async () => {
  forgetGateway();
  const file = join(folder, 'token');
  writeFileSync(file, 'good');
  writeFileSync(join(folder, 'edict.yaml'), `${allOnline()}refresh: 200ms\n`);
  await using daemon = await startLoggedDaemon(folder, { env: { HW_AUTH_TOKEN_FILE: file } });
  await until('all are online', () => online() === names.length);
  emulator.faults.add({ share: 1, status: 401, errorCode: 'APIG.1002', errorMsg: 'expired', operation: '*' });
  await until('requests are paused', () => daemon.events('requests:paused').length === 1);
  const before = emulator.requests.all().length;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.is(emulator.requests.all().length, before);
  emulator.faults.clear();
  writeFileSync(file, 'good\n');
  daemon.hangUp();
  await until('it observes again', () => requests().slice(before).includes('listApis 200'));
  await daemon.stop();
});

test.run();
