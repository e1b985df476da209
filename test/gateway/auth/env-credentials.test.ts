import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/app/context.ts';
import { openCredentials } from '../../../src/gateway/auth/env-credentials.ts';
import { IssuedCredentials } from '../../../src/gateway/auth/issued-credentials.ts';
import { EdictError } from '../../../src/model/errors.ts';
import { headersOf } from '../../support/credentials.ts';
import { scratchFolder } from '../../support/edict-process.ts';
import { eventually } from '../../support/eventually.ts';
import { answeringServer, settingsFor, tokenAnswer } from '../answering-server.ts';

const settings = settingsFor('http://127.0.0.1:1');
const signal = AbortSignal.timeout(10_000);
const user = { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'hunter2', HW_DOMAIN_NAME: 'acme' };

async function errorOf(env: Record<string, string>): Promise<EdictError> {
  try {
    await openCredentials(env, settings, { assertAllowed: () => {}, clock: systemClock });
  } catch (error) {
    assert.instance(error, EdictError);
    return error as EdictError;
  }
  return assert.unreachable('nothing was thrown') as never;
}

test('a given token wins over a user', async () => {
  const credentials = await openCredentials({ HW_AUTH_TOKEN: ' t0ken\n', ...user }, settings, {
    assertAllowed: () => {},
    clock: systemClock,
  });
  assert.equal(headersOf(await credentials.authenticate(signal)), { 'X-Auth-Token': 't0ken' });
});

test('an empty token is none', async () => {
  assert.instance(
    await openCredentials({ HW_AUTH_TOKEN: '', ...user }, settings, { assertAllowed: () => {}, clock: systemClock }),
    IssuedCredentials,
  );
});

test('a user logs in for the project of the file', async () => {
  const iam = await answeringServer((response) => tokenAnswer(response, 'new-token'));
  const credentials = await openCredentials(
    { ...user, HW_PROJECT_ID: 'other', HW_PROJECT_NAME: 'other' },
    { ...settings, iamEndpoint: iam.url },
    { assertAllowed: () => {}, clock: systemClock },
  );
  assert.is(iam.requests.length, 0);
  assert.equal(headersOf(await credentials.authenticate(signal)), { 'X-Auth-Token': 'new-token' });
  assert.equal(JSON.parse(iam.requests[0]?.body ?? ''), {
    auth: {
      identity: { methods: ['password'], password: { user: { name: 'ada', password: 'hunter2', domain: { name: 'acme' } } } },
      scope: { project: { id: 'project-1' } },
    },
  });
  await iam.close();
});

const ways =
  'set HW_AUTH_TOKEN (a token), or HW_ACCESS_KEY and HW_SECRET_KEY (a key), or HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME (a user to log in with)';

for (const [env, message, hint] of [
  [{}, 'there are no credentials: no token, no key and no user is set', ways],
  [
    { HW_USER_NAME: 'ada', HW_USER_PASSWORD: '' },
    'the credentials are incomplete: HW_USER_PASSWORD and HW_DOMAIN_NAME are not set',
    `set HW_USER_PASSWORD and HW_DOMAIN_NAME too (a user to log in with), or other credentials: ${ways}`,
  ],
  [
    { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'hunter2' },
    'the credentials are incomplete: HW_DOMAIN_NAME is not set',
    `set HW_DOMAIN_NAME too (a user to log in with), or other credentials: ${ways}`,
  ],
  [
    { HW_ACCESS_KEY: 'AKTEST' },
    'the credentials are incomplete: HW_SECRET_KEY is not set',
    `set HW_SECRET_KEY too (a key), or other credentials: ${ways}`,
  ],
] as const) {
  test(`says what is missing when there is ${Object.keys(env).join(' and ') || 'nothing'}`, async () => {
    const error = await errorOf(env);
    assert.equal([error.code, error.message, error.hint], ['CREDENTIALS_MISSING', message, hint]);
  });
}

test('a user logs in by ID without an account', async () => {
  const iam = await answeringServer((response) => tokenAnswer(response, 'new-token'));
  const credentials = await openCredentials(
    { HW_USER_ID: 'user-1', HW_USER_PASSWORD: 'hunter2' },
    { ...settings, iamEndpoint: iam.url },
    { assertAllowed: () => {}, clock: systemClock },
  );
  await credentials.authenticate(signal);
  const { auth } = JSON.parse(iam.requests[0]?.body ?? '') as { auth: { identity: unknown } };
  assert.equal(auth.identity, { methods: ['password'], password: { user: { id: 'user-1', password: 'hunter2' } } });
  await iam.close();
});

test("the vendor's SDKs' names of a key are understood, and never mixed with the others", async () => {
  const env = { HUAWEICLOUD_SDK_AK: 'SDK-AK', HUAWEICLOUD_SDK_SK: 'sk', HUAWEICLOUD_SDK_SECURITY_TOKEN: 'st', HW_SECRET_KEY: 'other' };
  const open = (more: Record<string, string>) =>
    openCredentials({ ...env, ...more }, settings, { assertAllowed: () => {}, clock: systemClock });
  const signed = headersOf(await (await open({})).authenticate(signal));
  assert.match(signed['Authorization'] ?? '', 'Access=SDK-AK,');
  assert.is(signed['X-Security-Token'], 'st');
  const both = headersOf(await (await open({ HW_ACCESS_KEY: 'HW-AK' })).authenticate(signal));
  assert.match(both['Authorization'] ?? '', 'Access=HW-AK,');
  assert.is(both['X-Security-Token'], undefined);
});

for (const [uri, isAllowed] of [
  ['http://127.0.0.1:1/v1/credentials', true],
  ['http://169.254.1.2/v1/credentials', true],
  ['https://agent.example.com/v1/credentials', true],
  ['http://agent.example.com/v1/credentials', false],
  ['http://10.0.0.1/', false],
  ['file:///etc/passwd', false],
  ['agent', false],
] as const) {
  test(`the token of a pod is ${isAllowed ? '' : 'not '}sent to ${uri}`, async () => {
    const env = { HC_CONTAINER_CREDENTIALS_FULL_URI: uri, HC_CONTAINER_AUTHORIZATION_TOKEN: 't' };
    if (isAllowed) await openCredentials(env, settings, { assertAllowed: () => {}, clock: systemClock });
    else assert.is((await errorOf(env)).code, 'CREDENTIALS_INVALID');
  });
}

test('a server asks its metadata service only if it may', async () => {
  assert.is((await errorOf({ HW_ECS_METADATA: '1' })).code, 'CREDENTIALS_MISSING');
  await openCredentials({ HW_ECS_METADATA: 'true' }, settings, { assertAllowed: () => {}, clock: systemClock });
});

test('without an identity service a login is an error, and a token or a key is not', async () => {
  const open = (env: Record<string, string>) =>
    openCredentials(env, { ...settings, iamEndpoint: null }, { assertAllowed: () => {}, clock: systemClock });
  const error = await open(user).catch((thrown: unknown) => thrown);
  assert.instance(error, EdictError);
  assert.is((error as EdictError).code, 'IAM_UNKNOWN');
  await open({ HW_AUTH_TOKEN: 't' });
  await open({ HW_ACCESS_KEY: 'a', HW_SECRET_KEY: 's' });
});

test('a key signs what is sent, with the token of a temporary one', async () => {
  const keys = { HW_ACCESS_KEY: 'AKTEST', HW_SECRET_KEY: 'SKTEST' };
  const signed = async (env: Record<string, string>) =>
    headersOf(await (await openCredentials(env, settings, { assertAllowed: () => {}, clock: systemClock })).authenticate(signal));
  assert.equal(Object.keys(await signed(keys)).sort(), ['Authorization', 'X-Project-Id', 'X-Sdk-Date']);
  assert.is((await signed(keys))['X-Project-Id'], settings.project);
  assert.match(
    (await signed(keys))['Authorization'] ?? '',
    /^SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders=host;x-project-id;x-sdk-date, Signature=[0-9a-f]{64}$/,
  );
  const temporary = await signed({ ...keys, HW_SECURITY_TOKEN: 'temp' });
  assert.is(temporary['X-Security-Token'], 'temp');
  assert.match(temporary['Authorization'] ?? '', 'SignedHeaders=host;x-project-id;x-sdk-date;x-security-token');
});

test('a key wins over a user, and a token over both', async () => {
  const all = { ...user, HW_ACCESS_KEY: 'AKTEST', HW_SECRET_KEY: 'SKTEST' };
  const names = async (env: Record<string, string>) =>
    Object.keys(
      headersOf(await (await openCredentials(env, settings, { assertAllowed: () => {}, clock: systemClock })).authenticate(signal)),
    ).sort();
  assert.equal(await names(all), ['Authorization', 'X-Project-Id', 'X-Sdk-Date']);
  assert.equal(await names({ ...all, HW_AUTH_TOKEN: 't' }), ['X-Auth-Token']);
});

test('a token in a file follows the file', async () => {
  const file = join(scratchFolder(), 'token');
  let ms = 0;
  writeFileSync(file, 'first\n');
  const credentials = await openCredentials({ HW_AUTH_TOKEN_FILE: file }, settings, {
    assertAllowed: () => {},
    clock: { now: Date.now, monotonicMs: () => ms },
  });
  const token = async () => headersOf(await credentials.authenticate(signal))['X-Auth-Token'];
  const first = await credentials.authenticate(signal);
  assert.equal(headersOf(first), { 'X-Auth-Token': 'first' });
  assert.not(credentials.report(first, 'rejected'));
  assert.is(((await token().catch((error: unknown) => error)) as EdictError).code, 'CREDENTIALS_REJECTED');
  writeFileSync(file, 'second\n');
  assert.not.equal(credentials.retryInMs(), 0, 'the file was looked at a moment ago');
  ms += 1000;
  await eventually(() => credentials.retryInMs() === 0, 10_000, 'the new token');
  assert.is(await token(), 'second');
});

test('a token that can be none is not sent either when the file changes later', async () => {
  const file = join(scratchFolder(), 'token');
  writeFileSync(file, 'first');
  let ms = 0;
  const credentials = await openCredentials({ HW_AUTH_TOKEN_FILE: file }, settings, {
    assertAllowed: () => {},
    clock: { now: Date.now, monotonicMs: () => ms },
  });
  ms += 1000;
  writeFileSync(file, 'half of it');
  const stuck = (await credentials.authenticate(signal).catch((error: unknown) => error)) as EdictError;
  assert.match(String(stuck), 'HW_AUTH_TOKEN_FILE holds a space');
});

test('after a password in a file was rejected, the one that replaced it meanwhile is tried', async () => {
  const file = join(scratchFolder(), 'password');
  writeFileSync(file, 'old');
  let ms = 0;
  const iam = await answeringServer((response, { body }) => {
    if (!body.includes('"old"')) return tokenAnswer(response, 'new-token');
    writeFileSync(file, 'new');
    response.writeHead(401).end('{"error":{"code":401,"message":"wrong","title":"Unauthorized"}}');
  });
  const credentials = await openCredentials(
    { HW_USER_NAME: 'ada', HW_DOMAIN_NAME: 'acme', HW_USER_PASSWORD_FILE: file },
    { ...settings, iamEndpoint: iam.url },
    { assertAllowed: () => {}, clock: { now: Date.now, monotonicMs: () => ms } },
  );
  const rejected = (await credentials.authenticate(signal).catch((error: unknown) => error)) as EdictError;
  assert.is(rejected.code, 'CREDENTIALS_REJECTED');
  ms += 1000;
  await eventually(() => credentials.retryInMs() === 0, 10_000, 'the new password');
  assert.equal(headersOf(await credentials.authenticate(signal)), { 'X-Auth-Token': 'new-token' });
  await iam.close();
});

test('a token that can be none is refused without being shown', async () => {
  const error = await errorOf({ HW_AUTH_TOKEN: 'two words' });
  assert.is(error.code, 'CREDENTIALS_INVALID');
  assert.not.match(`${error.message} ${error.hint}`, 'two words');
});

test.run();
