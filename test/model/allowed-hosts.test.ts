import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultIamEndpoint, endpointIn, formatAllowedHost, isAllowedHost, parseAllowedHost, serviceOf } from '../../src/model/gateway.ts';

for (const [text, origin] of [
  ['roma.example.com', 'https://roma.example.com'],
  ['ROMA.example.com', 'https://roma.example.com'],
  ['roma.example.com:443', 'https://roma.example.com'],
  ['roma.example.com:8443', 'https://roma.example.com:8443'],
  ['https://roma.example.com:8443/', 'https://roma.example.com:8443'],
  ['http://roma.example.com:8080', 'http://roma.example.com:8080'],
  ['http://roma.example.com', 'http://roma.example.com'],
  ['10.1.2.3', 'https://10.1.2.3'],
  ['[fd00::1]:8443', 'https://[fd00::1]:8443'],
] as const) {
  test(`${text} allows ${origin}, and is allowed by its shortest form`, () => {
    assert.is(parseAllowedHost(text), origin);
    assert.is(parseAllowedHost(formatAllowedHost(origin)), origin);
    assert.ok(isAllowedHost(origin, [origin]));
    assert.not.ok(isAllowedHost(origin, []));
  });
}

for (const text of [
  ...['', ' ', '*', '*.example.com', 'https://*', 'a b', 'roma.example.com/path', 'roma.example.com?x', 'roma.example.com#x'],
  ...['user@roma.example.com', 'https://user:password@roma.example.com', 'ftp://roma.example.com', 'roma.example.com:99999', 'https://'],
  ...['roma.example.com\\@x', 'a,b/c', '//roma.example.com', ':443'],
]) {
  test(`${JSON.stringify(text)} is no allowed host`, () => assert.is(parseAllowedHost(text), null));
}

for (const origin of [
  ...['roma', 'apig', 'iam'].map((service) => `https://${service}.cn-north-4.myhuaweicloud.com`),
  ...[
    'https://roma.eu-west-101.myhuaweicloud.eu',
    'https://apig.af-south-1.myhuaweicloud.com',
    'https://iam.my-kualalumpur-1.myhuaweicloud.com',
  ],
  ...['https://iam.myhuaweicloud.com', 'https://iam.myhuaweicloud.eu'],
  ...['http://127.0.0.1:9400', 'https://127.0.0.1', 'http://[::1]:80', 'http://localhost:9400', 'https://localhost'],
]) {
  test(`${origin} is allowed without an option`, () => assert.ok(isAllowedHost(new URL(origin).origin, [])));
}

for (const origin of [
  'http://roma.cn-north-4.myhuaweicloud.com',
  'https://roma.cn-north-4.myhuaweicloud.com:8443',
  'https://roma.cn-north-4.myhuaweicloud.com.attacker.example',
  'https://roma.cn-north-4.myhuaweicloud.com.',
  'https://roma.attacker.example',
  'https://romaXcn-north-4.myhuaweicloud.com',
  'https://roma.cn-north-4xmyhuaweicloud.com',
  'https://roma.cn-north-4.myhuaweicloud.cn',
  'https://roma.cn-north-4.myhuaweicloud.co',
  'https://roma.cn-north-4.evil-myhuaweicloud.com',
  'https://evil-roma.cn-north-4.myhuaweicloud.com',
  'https://roma.obs.cn-north-4.myhuaweicloud.com',
  'https://roma.obs.myhuaweicloud.com',
  'https://iam.obs.myhuaweicloud.com',
  'https://roma.myhuaweicloud.com',
  'https://obs.cn-north-4.myhuaweicloud.com',
  'https://myhuaweicloud.com',
  'https://xn--rma-8ka.cn-north-4.myhuaweicloud.com',
  'http://localhost.attacker.example',
  // A proxy may read what is sent there.
  'http://127.0.0.2:9400',
  'http://127.0.0.1.attacker.example',
  'http://attacker.localhost',
  'http://0.0.0.0',
  'http://169.254.169.254',
  'http://[::ffff:7f00:1]',
  'https://10.0.0.1',
]) {
  test(`${origin} is not`, () => assert.not.ok(isAllowedHost(origin, [])));
}

test('an allowed host is not allowed with another scheme, port, name or label', () => {
  const allowed = ['https://roma.example.com', 'http://roma.test:8080'];
  for (const origin of [
    ...['http://roma.example.com', 'https://roma.example.com:8443', 'https://x.roma.example.com', 'https://roma.example.com.'],
    ...['https://roma.test:8080', 'http://roma.test', 'https://roma.test', 'http://roma.test:8081'],
  ])
    assert.not.ok(isAllowedHost(new URL(origin).origin, allowed), origin);
});

for (const [endpoint, iam] of [
  ['https://roma.cn-north-4.myhuaweicloud.com', 'https://iam.cn-north-4.myhuaweicloud.com'],
  ['https://apig.ap-southeast-3.myhuaweicloud.com', 'https://iam.ap-southeast-3.myhuaweicloud.com'],
  ['https://roma.eu-west-101.myhuaweicloud.com', 'https://iam.eu-west-101.myhuaweicloud.eu'],
  ['https://apig.eu-west-101.myhuaweicloud.eu', 'https://iam.eu-west-101.myhuaweicloud.eu'],
  ['http://roma.cn-north-4.myhuaweicloud.com', null],
  ['https://roma.cn-north-4.myhuaweicloud.com:8443', null],
  ['https://roma.example.com', null],
  ['https://gateway.example.com', null],
  ['https://roma.cn-north-4.myhuaweicloud.com.example.com', null],
  ['http://127.0.0.1:1234', null],
] as const) {
  test(`the identity service of ${endpoint} is ${iam ?? 'not known'}`, () => {
    assert.is(defaultIamEndpoint(endpoint), iam);
  });
}

for (const [region, service, endpoint] of [
  ['cn-north-4', 'roma', 'https://roma.cn-north-4.myhuaweicloud.com'],
  ['cn-north-4', 'apig', 'https://apig.cn-north-4.myhuaweicloud.com'],
  ['eu-west-101', 'apig', 'https://apig.eu-west-101.myhuaweicloud.eu'],
] as const) {
  test(`${service} in ${region} is at ${endpoint}, which is known to be its own`, () => {
    assert.is(endpointIn(region, service), endpoint);
    assert.is(serviceOf(endpoint), service);
  });
}

test("an endpoint that is not the vendor's may be of any service", () => {
  for (const endpoint of ['https://apig.example.com', 'http://apig.cn-north-4.myhuaweicloud.com', '']) assert.is(serviceOf(endpoint), null);
});

test.run();
