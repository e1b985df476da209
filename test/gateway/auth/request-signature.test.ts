import { createRequire } from 'node:module';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalRequest, computeSignature, signRequest } from '../../../src/gateway/auth/request-signature.ts';

const key = { accessKeyId: 'AKTEST', secretAccessKey: 'SKTEST' };
const date = new Date('2023-06-29T08:00:00.789Z');
const request = {
  method: 'POST',
  url: 'https://roma.cn-north-4.myhuaweicloud.com/v2/73d69ae0cfcf460190522d06b60f05ad/apic/instances/f0fa1789-3b76-433b-a787-9892951c620e/apis/action',
  headers: { 'content-type': 'application/json', 'X-Project-Id': '73d69ae0cfcf460190522d06b60f05ad' },
  body: '{"action":"online","api_id":"5f918d104dc84480a75166ba99efff21","env_id":"DEFAULT_ENVIRONMENT_RELEASE_ID"}',
};
const signature = 'eb3175a5ec10e665511a4f11094de9555a03b3e72ae4c4313448cce44d678f23';
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

test('a known request has the signature that the signer of the vendor makes', () => {
  assert.equal(signRequest(request, key, date), {
    'X-Sdk-Date': '20230629T080000Z',
    Authorization: `SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders=content-type;host;x-project-id;x-sdk-date, Signature=${signature}`,
  });
});

test('the canonical form of the known request ends with the hash of its body', () => {
  const headers = { ...request.headers, Host: 'roma.cn-north-4.myhuaweicloud.com', 'X-Sdk-Date': '20230629T080000Z' };
  const names = ['content-type', 'host', 'x-project-id', 'x-sdk-date'];
  assert.equal(canonicalRequest({ ...request, headers }, names).split('\n'), [
    'POST',
    '/v2/73d69ae0cfcf460190522d06b60f05ad/apic/instances/f0fa1789-3b76-433b-a787-9892951c620e/apis/action/',
    '',
    'content-type:application/json',
    'host:roma.cn-north-4.myhuaweicloud.com',
    'x-project-id:73d69ae0cfcf460190522d06b60f05ad',
    'x-sdk-date:20230629T080000Z',
    '',
    'content-type;host;x-project-id;x-sdk-date',
    '27c18b0c14b3789a9c252e65c8f0f42434922c282436c7513462cf0aefe2af9a',
  ]);
  assert.is(computeSignature({ ...request, headers }, names, 'SKTEST'), signature);
});

test('a temporary key adds its token and signs it', () => {
  const signed = signRequest(request, { ...key, securityToken: 'temporary' }, date);
  assert.is(signed['X-Security-Token'], 'temporary');
  assert.match(String(signed['Authorization']), 'SignedHeaders=content-type;host;x-project-id;x-sdk-date;x-security-token,');
});

interface VendorSigner {
  sign(
    request: {
      method: string;
      endpoint: string;
      headers: Record<string, string>;
      queryParams: Record<string, unknown>;
      data?: Record<string, unknown>;
    },
    credentials: { getAk(): string; getSk(): string },
  ): Record<string, string>;
}

// The types of the vendor do not compile.
const { AKSKSigner } = createRequire(import.meta.url)('@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner') as { AKSKSigner: VendorSigner };

for (const [what, method, query, data] of [
  ['a call with a body', 'POST', {}, { action: 'online', remark: 'Grüße ✓' }],
  ['a call with a query', 'GET', { offset: '0', limit: '20', env_name: "a b/c+d=e&f~'(g)*!", Z: '', a: 'ü' }, undefined],
  ['a call with both', 'PUT', { b: ['2', '1'], a: '1' }, { version_id: 'v' }],
] as const) {
  test(`signs ${what} like the client core of the vendor`, () => {
    const url = 'http://127.0.0.1:9400/v2/p/apic/instances/i/apis';
    const headers = { 'content-type': 'application/json', 'X-Project-Id': 'p', Accept: 'application/json' };
    const theirs = AKSKSigner.sign(
      {
        method,
        endpoint: url,
        headers: { ...headers, 'X-Sdk-Date': '20230629T080000Z' },
        queryParams: { ...query },
        ...(data && { data }),
      },
      { getAk: () => 'AKTEST', getSk: () => 'SKTEST' },
    );
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) for (const one of [value].flat()) search.append(name, one);
    const ours = signRequest({ method, url: `${url}?${search}`, headers, body: data ? JSON.stringify(data) : '' }, key, date);
    assert.is(ours['Authorization'], theirs['Authorization']);
  });
}

test('a port is part of the host', () => {
  const { Authorization: one } = signRequest({ ...request, url: 'http://127.0.0.1:9400/x' }, key, date);
  const { Authorization: other } = signRequest({ ...request, url: 'http://127.0.0.1:9401/x' }, key, date);
  assert.is.not(one, other);
});

for (const [url, path, query] of [
  ['http://h', '/', ''],
  ['http://h/a/', '/a/', ''],
  ['http://h/a%20b/%C3%BC!', '/a%20b/%C3%BC%21/', ''],
  ['http://h/a?b=2&a=1&b=1', '/a/', 'a=1&b=1&b=2'],
  ["http://h/a?name=~'(x)*&empty", '/a/', 'empty=&name=~%27%28x%29%2A'],
  ['http://h/a?a=1&a-b=2&A=3', '/a/', 'A=3&a=1&a-b=2'],
  ['http://h/a?name=a+b%2Fc', '/a/', 'name=a%20b%2Fc'],
] as const) {
  test(`formats ${url} as ${path} and ${query || 'no query'}`, () => {
    const lines = canonicalRequest({ method: 'get', url, headers: {}, body: '' }, []).split('\n');
    assert.equal(lines, ['GET', path, query, '', '', emptyHash]);
  });
}

test('a signed header that the request lacks is empty, and white space around a value does not count', () => {
  const lines = canonicalRequest({ method: 'GET', url: 'http://h/', headers: { B: ' x ' }, body: '' }, ['a', 'b']).split('\n');
  assert.equal(lines.slice(3, 5), ['a:', 'b:x']);
});

test('rejects an invalid URL', () => {
  assert.throws(
    () => signRequest({ ...request, url: 'roma' }, key, date),
    (error: Error) => error instanceof TypeError,
  );
});

test.run();
