import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { signRequest } from '../../src/gateway/auth/request-signature.ts';
import { publishAt, sendTo, smallSeed } from './emulated-call.ts';
import { sendByVendor } from './vendor-client.ts';

const action = '/v2/p/apic/instances/i/apis/action';
const list = '/v2/p/apic/instances/i/apis/publish/a';
const permanent = { access: 'AK', secret: 'SK' };
const temporary = { access: 'AKT', secret: 'SKT', securityToken: 'temporary token' };
const reading = { access: 'AKR', secret: 'SKR' };
const keys = [permanent, temporary, { ...reading, permitted: false }];
const online = { action: 'online', api_id: 'a', env_id: 'e', remark: 'Grüße' };

let emulator: Emulator;

test.before.each(async () => {
  emulator = await startEmulator({ seed: { ...smallSeed, keys } });
});

test.after.each(() => emulator.close());

interface Changes {
  readonly key?: { access: string; secret: string; securityToken?: string };
  readonly atMs?: number;
  readonly sentBody?: string;
  readonly sentHeaders?: Record<string, string>;
}

/** Publishes with a signature of the signer of edict, and sends `changes` instead of the signed parts. */
async function publishSigned({ key = permanent, atMs = Date.now(), sentBody, sentHeaders = {} }: Changes = {}) {
  const request = {
    method: 'POST',
    url: emulator.url + action,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(online),
  };
  const headers = {
    ...request.headers,
    ...signRequest(
      request,
      {
        accessKeyId: key.access,
        secretAccessKey: key.secret,
        ...(key.securityToken === undefined ? {} : { securityToken: key.securityToken }),
      },
      new Date(atMs),
    ),
    ...sentHeaders,
  };
  const answer = await fetch(request.url, { method: 'POST', headers, body: sentBody ?? request.body });
  const body = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, code: body['error_code'], message: body['error_msg'] };
}

const refused = {
  status: 401,
  code: 'APIGW.0301',
  message: 'Incorrect IAM authentication information: verify aksk signature fail',
};

for (const [what, key] of [
  ['permanent', permanent],
  ['temporary', temporary],
] as const) {
  test(`the client of the vendor publishes and reads with a ${what} key`, async () => {
    const published = await sendByVendor(emulator, key, { method: 'POST', url: action, data: online });
    assert.is(published['httpStatusCode'], 201);
    assert.is(emulator.state.publications()[0]?.effective?.remark, 'Grüße');
    const queryParams = { offset: 0, limit: 5, env_name: 'RELEASE', 'more (to/come)': "~ö'*" };
    const read = await sendByVendor(emulator, key, { method: 'GET', url: list, queryParams });
    assert.equal([read['httpStatusCode'], read['total']], [200, 1]);
  });

  test(`the signer of edict publishes with a ${what} key`, async () => {
    assert.is((await publishSigned({ key })).status, 201);
  });
}

test('the client of the vendor is rejected with a wrong secret', async () => {
  const error = await sendByVendor(emulator, { ...permanent, secret: 'wrong' }, { method: 'POST', url: action, data: online }).catch(
    (thrown: Record<string, unknown>) => thrown,
  );
  assert.equal([error['httpStatusCode'], error['errorCode']], [401, 'APIGW.0301']);
  assert.equal(emulator.state.publications(), []);
});

for (const [what, changes] of [
  ['an unknown key', { key: { ...permanent, access: 'other' } }],
  ['a wrong secret', { key: { ...permanent, secret: 'wrong' } }],
  ['another body with the same value', { sentBody: JSON.stringify(online, null, 1) }],
  ['a signature with another format', { sentHeaders: { Authorization: 'SDK-HMAC-SHA256 Access=AK' } }],
  ['a date other than the signed one', { sentHeaders: { 'X-Sdk-Date': '20200101T000000Z' } }],
  ['a temporary key without its token', { key: { access: 'AKT', secret: 'SKT' } }],
  ['a temporary key with another token', { key: { ...temporary, securityToken: 'other' } }],
  [
    'a temporary key whose token is not signed',
    { key: { access: 'AKT', secret: 'SKT' }, sentHeaders: { 'X-Security-Token': 'temporary token' } },
  ],
  ['a token that a permanent key does not have', { key: { ...permanent, securityToken: 'x' } }],
  ['a clock 16 minutes behind', { atMs: Date.now() - 16 * 60_000 }],
  ['a clock 16 minutes ahead', { atMs: Date.now() + 16 * 60_000 }],
] as const) {
  test(`rejects ${what}`, async () => {
    assert.equal(await publishSigned(changes), refused);
    assert.equal(emulator.state.publications(), []);
  });
}

for (const minutes of [-14, 14]) {
  test(`accepts a clock that is ${minutes} minutes off`, async () => {
    assert.is((await publishSigned({ atMs: Date.now() + minutes * 60_000 })).status, 201);
  });
}

test('a key without permission may not publish', async () => {
  const { status, code } = await publishSigned({ key: reading });
  assert.equal([status, code], [403, 'APIG.1005']);
});

test('six failures in a row lock the key, and no other', async () => {
  for (let failure = 1; failure <= 6; failure += 1) await publishSigned({ key: { ...permanent, secret: 'wrong' } });
  const { status, message } = await publishSigned();
  assert.is(status, 401);
  assert.match(String(message), 'AK access failed to reach the limit');
  assert.ok(emulator.state.auth.keys().find(({ access }) => access === 'AK')?.lockedUntilMs);
  assert.is((await publishSigned({ key: temporary })).status, 201);
});

test('a request without token and signature, or with another kind of Authorization, lacks a token', async () => {
  for (const headers of [{ 'x-auth-token': '' }, { 'x-auth-token': '', authorization: 'Bearer x' }]) {
    const answer = await sendTo(emulator, action, { body: online, headers });
    assert.equal([answer.status, ((await answer.json()) as Record<string, unknown>)['error_code']], [401, 'APIG.1002']);
  }
});

test('a token takes precedence over a signature', async () => {
  assert.is((await publishAt(emulator, {}, { authorization: 'SDK-HMAC-SHA256 Access=x' })).status, 201);
});

test.run();
