import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type LoginRequest, logIn } from '../../../src/gateway/auth/iam-client.ts';
import { Secret } from '../../../src/gateway/auth/secret.ts';
import { CredentialsError } from '../../../src/gateway/errors.ts';
import { type Answer, answeringServer, json, tokenAnswer } from '../answering-server.ts';

const nowMs = Date.parse('2026-01-01T12:00:00Z');

function loginAt(iam: string): LoginRequest {
  return { iam, user: { name: 'ada', domain: 'acme' }, password: () => new Secret('hunter2'), project: 'project-1', timeoutMs: 500 };
}

/** Logs in at a server that responds with `answer`. */
async function logInWith(answer: Answer, signal = AbortSignal.timeout(5_000)) {
  const iam = await answeringServer(answer);
  try {
    const [token, error] = await logIn(loginAt(iam.url), signal, nowMs).then(
      (done) => [done, null] as const,
      (thrown: unknown) => [null, thrown as CredentialsError] as const,
    );
    return { token, error, requests: iam.requests };
  } finally {
    await iam.close();
  }
}

test('a login returns a token and its lifetime by the clock of the identity service', async () => {
  const { token, requests } = await logInWith((response) => tokenAnswer(response, 'new-token'));
  assert.is(token?.value.reveal(), 'new-token');
  assert.is(token?.lifetimeMs, 86_400_000);
  assert.is(requests[0]?.method, 'POST');
  assert.is(requests[0]?.path, '/v3/auth/tokens?nocatalog=true');
  assert.is(requests[0]?.headers['content-type'], 'application/json');
});

test('without issued_at the local clock counts', async () => {
  const { token } = await logInWith((response) =>
    json(response, 201, { token: { expires_at: '2026-01-01T13:00:00.000000Z' } }, { 'x-subject-token': 'new-token' }),
  );
  assert.is(token?.lifetimeMs, 3_600_000);
});

const body = { token: { expires_at: '2026-01-02T00:00:00Z' } };
const refusal = { error: { code: 401, message: 'The username or password hunter2 is wrong.', title: 'Unauthorized' } };

const injectedHeader = 'HTTP/1.1 201 Created\r\nX-Subject-Token: a\rX-Auth-Token: b\r\nContent-Length: 2\r\n\r\n{}';
const deepBody = `{"token":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;

const cases: readonly (readonly [string, Answer, string, number | null, RegExp])[] = [
  ['a wrong password', (r) => json(r, 401, refusal), 'CREDENTIALS_REJECTED', 401, /username or password \*\*\* is wrong/],
  ['a wrong password with Retry-After', (r) => json(r, 401, refusal, { 'retry-after': '5' }), 'CREDENTIALS_REJECTED', 401, /wrong/],
  ['a bad request', (r) => json(r, 400, { error_code: 'IAM.0011', error_msg: 'bad' }), 'CREDENTIALS_REJECTED', 400, /bad/],
  ['no permission', (r) => json(r, 403, {}), 'CREDENTIALS_REJECTED', 403, /answered 403/],
  ['a wrong URL', (r) => r.writeHead(404).end('<h1>Not here</h1>'), 'CREDENTIALS_REJECTED', 404, /Not here/],
  ['too many requests', (r) => json(r, 429, {}), 'IAM_THROTTLED', 429, /answered 429/],
  ['a pause', (r) => json(r, 503, {}, { 'retry-after': '5' }), 'IAM_THROTTLED', 503, /answered 503/],
  ['an error', (r) => json(r, 500, {}), 'IAM_UNAVAILABLE', 500, /answered 500/],
  ['a lost response', (r) => r.writeHead(502).end('<h1>Bad Gateway</h1>'), 'IAM_UNAVAILABLE', 502, /Bad Gateway/],
  ['a redirect', (r) => r.writeHead(302, { location: 'https://login.example' }).end(), 'IAM_UNAVAILABLE', 302, /login\.example/],
  ['a broken connection', (r) => r.destroy(), 'IAM_UNAVAILABLE', null, /broke/],
  ['a timeout', () => {}, 'IAM_UNAVAILABLE', null, /500 ms/],
  ['half a body', (r) => r.writeHead(201, { 'x-subject-token': 't' }).end('{"tok'), 'IAM_UNAVAILABLE', 201, /not JSON/],
  ['a body without an end', (r) => json(r, 201, { token: {} }, { 'x-subject-token': 't' }), 'IAM_UNAVAILABLE', 201, /expires_at/],
  [
    'an end that is no time',
    (r) => json(r, 201, { token: { expires_at: 'soon' } }, { 'x-subject-token': 't' }),
    'IAM_UNAVAILABLE',
    201,
    /no time/,
  ],
  ['no token', (r) => json(r, 201, body), 'IAM_UNAVAILABLE', 201, /without a token/],
  [
    'a token that is larger than a head may be',
    (r) => json(r, 201, body, { 'x-subject-token': 'x'.repeat(100_000) }),
    'IAM_UNAVAILABLE',
    null,
    /not HTTP/,
  ],
  ['a second header in the token', (r) => void r.socket?.end(injectedHeader), 'IAM_UNAVAILABLE', null, /not HTTP/],
  [
    'a body over 16 MiB',
    (r) => r.writeHead(201, { 'x-subject-token': 't' }).end('x'.repeat(16 * 1024 * 1024 + 1)),
    'IAM_UNAVAILABLE',
    201,
    /16 MiB/,
  ],
  [
    'a body that is nested a hundred thousand times',
    (r) => r.writeHead(201, { 'x-subject-token': 't' }).end(deepBody),
    'IAM_UNAVAILABLE',
    201,
    /deeper/,
  ],
  ['a body that never ends', (r) => void r.writeHead(201, { 'x-subject-token': 't' }).write('{'), 'IAM_UNAVAILABLE', null, /500 ms/],
  [
    'control characters',
    (r) => json(r, 500, { error_msg: 'a\u001b[2J\u202eb\nc' }),
    'IAM_UNAVAILABLE',
    500,
    /a\\u\{1b\}\[2J\\u\{202e\}b c/,
  ],
  ['a token that fits no header', (r) => json(r, 201, body, { 'x-subject-token': 'two words' }), 'IAM_UNAVAILABLE', 201, /without a token/],
];

for (const [title, answer, code, status, message] of cases) {
  test(`${title} is ${code}`, async () => {
    const { error, requests } = await logInWith(answer);
    assert.instance(error, CredentialsError);
    assert.equal([error?.code, error?.status], [code, status]);
    assert.match(error?.message ?? '', message);
    assert.match(error?.message ?? '', /^the identity service /);
    assert.not.match(error?.message ?? '', /\p{C}/u);
    assert.not.match(inspect(error, { depth: 9 }), /hunter2/);
    assert.is(requests.length, 1);
  });
}

test('a refused connection is IAM_UNAVAILABLE', async () => {
  const error: unknown = await logIn(loginAt('http://127.0.0.1:1'), AbortSignal.timeout(5_000), nowMs).catch((thrown: unknown) => thrown);
  assert.is((error as CredentialsError).code, 'IAM_UNAVAILABLE');
});

test.run();
