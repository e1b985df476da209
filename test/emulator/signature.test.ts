import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isSignatureValid, parseAuthorization, parseSdkDateMs, type ReceivedHttpRequest } from '../../src/emulator/signature.ts';
import { signRequest } from '../../src/gateway/auth/request-signature.ts';

const signature = 'eb3175a5ec10e665511a4f11094de9555a03b3e72ae4c4313448cce44d678f23';
const authorization = `SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders=content-type;host;x-project-id;x-sdk-date, Signature=${signature}`;
const known: ReceivedHttpRequest = {
  method: 'POST',
  url: '/v2/73d69ae0cfcf460190522d06b60f05ad/apic/instances/f0fa1789-3b76-433b-a787-9892951c620e/apis/action',
  headers: {
    'content-type': 'application/json',
    host: 'roma.cn-north-4.myhuaweicloud.com',
    'x-project-id': '73d69ae0cfcf460190522d06b60f05ad',
    'x-sdk-date': '20230629T080000Z',
  },
  body: Buffer.from('{"action":"online","api_id":"5f918d104dc84480a75166ba99efff21","env_id":"DEFAULT_ENVIRONMENT_RELEASE_ID"}'),
};
const read = parseAuthorization(authorization);
assert.ok(read);

test('accepts the signature that the signer of the vendor makes', () => {
  assert.ok(isSignatureValid(known, read, 'SKTEST'));
});

for (const [what, change] of [
  ['method', { method: 'PUT' }],
  ['path', { url: `${known.url}s` }],
  ['query', { url: `${known.url}?a=1` }],
  ['signed header', { headers: { ...known.headers, 'x-project-id': 'other' } }],
  ['missing signed header', { headers: { ...known.headers, 'x-project-id': undefined } }],
  ['body', { body: Buffer.concat([known.body, Buffer.from(' ')]) }],
] as const) {
  test(`a request with another ${what} is not the signed one`, () => {
    assert.not(isSignatureValid({ ...known, ...change }, read, 'SKTEST'));
  });
}

test('another secret gives another signature', () => {
  assert.not(isSignatureValid(known, read, 'SKTESU'));
});

test('a header that was not signed may change', () => {
  assert.ok(isSignatureValid({ ...known, headers: { ...known.headers, 'user-agent': 'x' } }, read, 'SKTEST'));
});

for (const [path, query] of [
  ['/', ''],
  ['/a%20b/c', '?b=2&a=1&b=1&A=3'],
  ['/%C3%BC!/', "?name=~'(x)*+y%2Fz&empty&a-b=1&a=2"],
] as const) {
  test(`gives the same result as the signer of edict for ${path}${query}`, () => {
    const headers = { Accept: ' text/plain ' };
    const request = { method: 'GET', url: `http://127.0.0.1:9400${path}${query}`, headers, body: '' };
    const added = signRequest(request, { accessKeyId: 'ak', secretAccessKey: 'sk', securityToken: 't' }, new Date('2026-11-20T08:00:00Z'));
    const arrived = {
      method: 'GET',
      url: path + query,
      headers: { accept: 'text/plain', host: '127.0.0.1:9400', 'x-sdk-date': '20261120T080000Z', 'x-security-token': 't' },
      body: Buffer.alloc(0),
    };
    const written = parseAuthorization(added['Authorization'] ?? '');
    assert.equal(written?.signedHeaders, ['accept', 'host', 'x-sdk-date', 'x-security-token']);
    assert.ok(written && isSignatureValid(arrived, written, 'sk'));
  });
}

for (const names of ['x-sdk-date', 'host']) {
  test(`a signature over ${names} alone is invalid`, () => {
    assert.not(isSignatureValid(known, { ...read, signedHeaders: [names] }, 'SKTEST'));
  });
}

test('parses the header', () => {
  assert.equal(read, { access: 'AKTEST', signedHeaders: ['content-type', 'host', 'x-project-id', 'x-sdk-date'], signature });
  assert.equal(parseAuthorization(authorization.replaceAll(', ', ',')), read);
});

for (const text of ['', 'Bearer x', authorization.slice(0, -1), `${authorization}0`, authorization.replace('Access=AKTEST', 'Access=')]) {
  test(`"${text.slice(0, 60)}…" is not a signature`, () => {
    assert.is(parseAuthorization(text), null);
  });
}

for (const [text, iso] of [
  ['20230629T080000Z', '2023-06-29T08:00:00.000Z'],
  ['20261231T235959Z', '2026-12-31T23:59:59.000Z'],
] as const) {
  test(`${text} is ${iso}`, () => {
    assert.is(new Date(parseSdkDateMs(text)).toISOString(), iso);
  });
}

for (const text of ['', '2023-06-29T08:00:00Z', '20231329T080000Z', 'yesterday']) {
  test(`"${text}" is not a date of a signature`, () => {
    assert.ok(Number.isNaN(parseSdkDateMs(text)));
  });
}

test.run();
