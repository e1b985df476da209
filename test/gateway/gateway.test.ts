import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/app/context.ts';
import type { Credentials } from '../../src/gateway/auth/credentials.ts';
import { openCredentials } from '../../src/gateway/auth/env-credentials.ts';
import { type GatewayOptions, openGateway, openGatewayReader } from '../../src/gateway/gateway.ts';
import type { Change } from '../../src/model/change.ts';
import type { Failure, Outcome } from '../../src/model/outcome.ts';
import { publicationKey } from '../../src/model/publication.ts';
import { givenToken } from '../support/credentials.ts';
import { type Answer, answeringServer, changeTo, created, json, type SeenRequest, settingsFor, tokenAnswer } from './answering-server.ts';

const path = '/v2/project-1/apic/instances/instance-1/apis/action';
const user = { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'hunter2', HW_DOMAIN_NAME: 'acme' };

interface Sent {
  readonly outcome: Outcome;
  readonly requests: readonly SeenRequest[];
}

interface How {
  readonly change?: Change;
  readonly credentials?: Credentials;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly marker?: string | null;
  readonly isWanted?: () => boolean;
}

const plainly = { marker: null, isStillDesired: () => true, canSend: () => true };

/** Sends one change to a gateway that responds with `answer`. */
async function sendTo(
  answer: Answer,
  {
    change = changeTo('online'),
    credentials = givenToken('t0ken'),
    timeoutMs = 2_000,
    signal,
    marker = null,
    isWanted: isStillDesired = () => true,
  }: How = {},
): Promise<Sent> {
  const server = await answeringServer(answer);
  const gateway = openGateway(settingsFor(server.url, { timeoutMs }), credentials);
  try {
    return {
      outcome: await gateway.send(change, { marker, isStillDesired, canSend: () => true }, signal ?? new AbortController().signal),
      requests: server.requests,
    };
  } finally {
    await gateway.close();
    await server.close();
  }
}

/** Sends changes, one after the other, to a gateway that is its own identity service; token number n is `token-n`. */
async function sendWithLogin(count: number, answer: Answer, onLogin?: Answer, options?: GatewayOptions) {
  let logins = 0;
  let calls = 0;
  const server = await answeringServer((response, request) => {
    if (request.path === path) {
      calls += 1;
      answer(response, request, calls);
    } else {
      logins += 1;
      (onLogin ?? newToken)(response, request, logins);
    }
  });
  const settings = settingsFor(server.url);
  const gateway = openGateway(
    settings,
    await openCredentials(user, settings, { assertAllowed: () => {}, clock: systemClock, ...options }),
    options,
  );
  const outcomes: Outcome[] = [];
  for (let each = 0; each < count; each += 1) outcomes.push(await gateway.send(changeTo('online'), plainly, new AbortController().signal));
  await gateway.close();
  await server.close();
  return {
    outcomes,
    logins,
    calls,
    tokens: server.requests.filter((each) => each.path === path).map(({ headers }) => headers['x-auth-token']),
  };
}

const newToken: Answer = (response, _, count) => tokenAnswer(response, `token-${count}`);

function failureOf(outcome: Outcome): Failure {
  return 'failure' in outcome ? outcome.failure : (assert.unreachable(`no failure in ${JSON.stringify(outcome)}`) as never);
}

const tokenRefused = { error_code: 'APIG.1002', error_msg: 'Incorrect token or token resolution failed' };

test('sends the documented call', async () => {
  const { outcome, requests } = await sendTo(created);
  assert.equal(outcome, { kind: 'succeeded', versionId: 'version-1', publishId: 'publish-1' });
  assert.is(requests.length, 1);
  assert.is(requests[0]?.method, 'POST');
  assert.is(requests[0]?.path, path);
  assert.is(requests[0]?.headers['x-auth-token'], 't0ken');
  assert.is(requests[0]?.headers['content-type'], 'application/json');
  assert.equal(JSON.parse(requests[0]?.body ?? ''), { action: 'online', api_id: 'api-1', env_id: 'env-1' });
});

test('sends a remark if there is one, in every script', async () => {
  const { requests } = await sendTo(created, { change: changeTo('offline', { remark: 'geschloßen 关闭 "x"' }) });
  assert.equal(JSON.parse(requests[0]?.body ?? ''), { action: 'offline', api_id: 'api-1', env_id: 'env-1', remark: 'geschloßen 关闭 "x"' });
});

test('an offline response has no version', async () => {
  const answer = { api_id: 'api-1', env_id: 'env-1', api_name: 'orders', publish_time: '0001-01-01T00:00:00Z' };
  const { outcome } = await sendTo((response) => json(response, 201, answer), { change: changeTo('offline') });
  assert.equal(outcome, { kind: 'succeeded', versionId: null, publishId: null });
});

const about = { api_id: 'api-1', env_id: 'env-1' };

const answers: readonly (readonly [string, Answer, Outcome['kind'], string | null])[] = [
  ['a missing API', (r) => json(r, 404, { error_code: 'APIG.3002', error_msg: 'API x does not exist' }), 'rejected', 'APIG.3002'],
  ['a change that is already in effect', (r) => json(r, 400, { error_code: 'APIG.3309', error_msg: 'x' }), 'succeeded', null],
  ['internal error of the gateway', (r) => json(r, 500, { error_code: 'APIG.9999', error_msg: 'System error' }), 'unknown', 'APIG.9999'],
  ['a wrong address', (r) => json(r, 404, { error_code: 'APIGW.0101', error_msg: 'no such API' }), 'rejected', 'APIGW.0101'],
  ['a code that contradicts its status', (r) => json(r, 401, { error_code: 'APIG.1005', error_msg: 'x' }), 'rejected', 'APIG.1005'],
  ['another API', (r) => json(r, 201, { ...about, api_id: 'api-2' }), 'unknown', 'INVALID_RESPONSE'],
  ['another environment', (r) => json(r, 201, { ...about, env_id: 'env-2' }), 'unknown', 'INVALID_RESPONSE'],
  ['a response that violates the specification', (r) => json(r, 201, { api_id: 'api-1' }), 'unknown', 'INVALID_RESPONSE'],
  ['broken JSON', (r) => r.writeHead(201).end('{"api_id":'), 'unknown', 'INVALID_RESPONSE'],
  ['an empty 201', (r) => r.writeHead(201).end(), 'unknown', 'INVALID_RESPONSE'],
  ['a 200', (r) => json(r, 200, about), 'unknown', 'INVALID_RESPONSE'],
  ['a 204', (r) => r.writeHead(204).end(), 'unknown', 'INVALID_RESPONSE'],
  [
    'half a response',
    (r) => r.writeHead(201, { 'content-length': 99 }).write('{"api_id"', () => r.destroy()),
    'unknown',
    'CONNECTION_LOST',
  ],
  ['a reset', (r) => r.socket?.resetAndDestroy(), 'unknown', 'CONNECTION_LOST'],
  ['a huge body', (r) => json(r, 201, { ...about, remark: 'x'.repeat(17_000_000) }), 'unknown', 'INVALID_RESPONSE'],
  ['a huge error', (r) => r.writeHead(404).end('x'.repeat(17_000_000)), 'rejected', 'HTTP_404'],
  ['a redirect', (r) => r.writeHead(307, { location: 'https://elsewhere.example/' }).end(), 'unknown', 'REDIRECTED'],
  ['a proxy that lost the response', (r) => r.writeHead(502).end('<h1>Bad Gateway</h1>'), 'unknown', 'HTTP_502'],
  ['a proxy that timed out', (r) => r.writeHead(504).end(), 'unknown', 'HTTP_504'],
  ['a proxy without a backend', (r) => r.writeHead(503).end('<h1>Maintenance</h1>'), 'unknown', 'HTTP_503'],
  ['a 401 for a fixed token', (r) => json(r, 401, tokenRefused), 'unauthorized', 'APIG.1002'],
];

for (const [title, answer, kind, code] of answers) {
  test(`${title} is ${kind}, after one request`, async () => {
    const { outcome, requests } = await sendTo(answer);
    assert.is(outcome.kind, kind);
    assert.is('failure' in outcome ? outcome.failure.code : null, code);
    assert.is(requests.length, 1);
  });
}

test('a timeout may have taken effect', async () => {
  const { outcome } = await sendTo(() => {}, { timeoutMs: 100 });
  assert.is(outcome.kind, 'unknown');
  assert.is(failureOf(outcome).code, 'TIMEOUT');
});

test('a call that may no longer be sent when its connection is established is retried, and nothing has arrived', async () => {
  const server = await answeringServer(created);
  const gateway = openGateway(settingsFor(server.url), givenToken('t0ken'));
  const { signal } = new AbortController();
  const tooLate = { ...plainly, canSend: () => false };
  const one = await gateway.send(changeTo('online'), tooLate, signal);
  const moved = await gateway.send(changeTo('online', { version: 'v2' }), tooLate, signal);
  const two = [changeTo('online'), changeTo('online', { apiId: 'api-2', key: publicationKey('api-2', 'env-1') })];
  const { outcomes } = await gateway.sendBatch(two, tooLate, signal);
  for (const outcome of [one, moved, ...outcomes]) assert.equal([outcome.kind, failureOf(outcome).code], ['retryable', 'REQUEST_NOT_SENT']);
  assert.is(server.requests.length, 0);
  await gateway.close();
  await server.close();
});

test('nobody listening is tried again', async () => {
  const gateway = openGateway(settingsFor('http://127.0.0.1:1'), givenToken('t0ken'));
  const outcome = await gateway.send(changeTo('online'), plainly, new AbortController().signal);
  assert.is(outcome.kind, 'retryable');
  assert.is(failureOf(outcome).code, 'CONNECTION_FAILED');
  await gateway.close();
});

test('sends nothing if it was aborted before', async () => {
  const { outcome, requests } = await sendTo(created, { signal: AbortSignal.abort() });
  assert.is(outcome.kind, 'retryable');
  assert.is(failureOf(outcome).code, 'REQUEST_NOT_SENT');
  assert.is(requests.length, 0);
});

test('a call in flight is finished when it is aborted', async () => {
  const stop = new AbortController();
  const { outcome } = await sendTo(
    (response, request) => {
      stop.abort();
      created(response, request);
    },
    { signal: stop.signal },
  );
  assert.is(outcome.kind, 'succeeded');
});

test('a change that is no longer needed when its slot is free is superseded', async () => {
  const { outcome, requests } = await sendTo(created, { isWanted: () => false });
  assert.equal(outcome, { kind: 'superseded' });
  assert.is(requests.length, 0);
});

test('the marker stands in the remark, after the text', async () => {
  const remarkOf = ({ requests }: Sent): unknown => (JSON.parse(requests[0]?.body ?? '{}') as { remark?: unknown }).remark;
  assert.is(remarkOf(await sendTo(created, { marker: 'abc' })), '[edict abc]');
  assert.is(remarkOf(await sendTo(created, { marker: 'abc', change: changeTo('online', { remark: 'CHG-1' }) })), 'CHG-1 [edict abc]');
});

const tooMany = {
  error_code: 'APIG.0308',
  error_msg: 'The throttling threshold has been reached: policy ip over ratelimit,limit:5,time:1 minute',
  request_id: 'r1',
};

test('waits as long as Retry-After says', async () => {
  const { outcome } = await sendTo((response) => json(response, 429, tooMany, { 'retry-after': '7' }));
  assert.is(outcome.kind, 'throttled');
  assert.is(failureOf(outcome).retryAfterMs, 7_000);
  assert.is(failureOf(outcome).requestId, 'r1');
});

test('waits until the date in Retry-After, by the clock of the gateway', async () => {
  const dates = { date: 'Thu, 01 Jan 2026 00:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 00:00:20 GMT' };
  const { outcome } = await sendTo((response) => json(response, 429, tooMany, dates));
  assert.is(failureOf(outcome).retryAfterMs, 20_000);
});

test('waits for the window that the message names', async () => {
  const named = await sendTo((response) => json(response, 429, tooMany));
  assert.is(failureOf(named.outcome).retryAfterMs, 60_000);
  const unnamed = await sendTo((response) => response.writeHead(429).end());
  assert.is(failureOf(unnamed.outcome).retryAfterMs, null);
});

test('waits as long as the text of a throttled request says, and not as long as a text that another error quotes', async () => {
  const answered = async (status: number, error_code: string): Promise<number | null> => {
    const error_msg = 'API time:1 minute, wait up to one minute does not exist';
    return failureOf((await sendTo((response) => json(response, status, { error_code, error_msg }))).outcome).retryAfterMs;
  };
  for (const [status, code] of [
    [429, 'APIG.0308'],
    [429, 'APIG.123456'],
    [500, 'APIG.9008'],
  ] as const)
    assert.is(await answered(status, code), 60_000);
  for (const [status, code] of [
    [404, 'APIG.3002'],
    [403, 'APIG.1005'],
    [500, 'APIG.9999'],
    [503, 'APIG.123456'],
  ] as const)
    assert.is(await answered(status, code), null);
});

test('shows no token, wherever the gateway puts it', async () => {
  const echoes: Answer[] = [
    (r) => json(r, 400, { error_code: 'APIG.t0ken', error_msg: 'token t0ken', request_id: 't0ken' }, { 'x-request-id': 't0ken' }),
    (r) => r.writeHead(502).end('<p>X-Auth-Token: t0ken</p>'),
    (r) => json(r, 418, { seen: { 'X-Auth-Token': 't0ken' } }),
    (r) => r.writeHead(302, { location: 'https://elsewhere.example/?token=t0ken' }).end(),
    (r) => json(r, 201, { api_id: 't0ken', env_id: 'env-1' }),
    (r) => json(r, 201, { ...about, version_id: 'v t0ken', publish_id: 't0ken' }),
    (r) => r.writeHead(201).end('t0ken'),
  ];
  for (const echo of echoes) {
    const { outcome, requests } = await sendTo(echo);
    assert.is(requests[0]?.headers['x-auth-token'], 't0ken');
    assert.not.match(inspect(outcome, { depth: 9 }), 't0ken');
  }
});

test('an open gateway does not show its token', () => {
  const gateway = openGateway(settingsFor('http://127.0.0.1:1'), givenToken('t0ken'));
  assert.not.match(inspect(gateway, { depth: 9, showHidden: true }), 't0ken');
});

test('logs in once for many calls', async () => {
  const { outcomes, logins, tokens } = await sendWithLogin(3, created);
  for (const { kind } of outcomes) assert.is(kind, 'succeeded');
  assert.is(logins, 1);
  assert.equal(tokens, ['token-1', 'token-1', 'token-1']);
});

test('logs in again after a 401 and retries once', async () => {
  const { outcomes, logins, tokens } = await sendWithLogin(2, (response, request, count) =>
    count === 1 ? json(response, 401, tokenRefused) : created(response, request),
  );
  assert.equal(
    outcomes.map(({ kind }) => kind),
    ['succeeded', 'succeeded'],
  );
  assert.is(logins, 2);
  assert.equal(tokens, ['token-1', 'token-2', 'token-2']);
});

test('makes no call and no login after a second 401', async () => {
  const { outcomes, logins, calls } = await sendWithLogin(5, (response) => json(response, 401, tokenRefused));
  for (const outcome of outcomes) {
    assert.is(outcome.kind, 'unauthorized');
    assert.match(failureOf(outcome).hint ?? '', /credentials|HW_/);
  }
  assert.is(logins, 2);
  assert.is(calls, 2);
});

test('a new token that was accepted is replaced when it expires', async () => {
  const { outcomes, logins } = await sendWithLogin(4, (response, request, count) =>
    count === 1 || count === 3 ? json(response, 401, tokenRefused) : created(response, request),
  );
  assert.equal(
    outcomes.map(({ kind }) => kind),
    ['succeeded', 'succeeded', 'succeeded', 'succeeded'],
  );
  assert.is(logins, 3);
});

test('a rejected login is never repeated, and nothing is sent', async () => {
  const { outcomes, logins, calls } = await sendWithLogin(5, created, (response) =>
    json(response, 401, { error: { code: 401, message: 'The password hunter2 is wrong.' } }),
  );
  for (const outcome of outcomes) {
    assert.is(outcome.kind, 'unauthorized');
    assert.is(failureOf(outcome).code, 'CREDENTIALS_REJECTED');
    assert.not.match(inspect(outcome, { depth: 9 }), 'hunter2');
  }
  assert.is(logins, 1);
  assert.is(calls, 0);
});

test('an unavailable identity service is retried, and nothing is sent', async () => {
  const { outcomes, logins, calls } = await sendWithLogin(3, created, (response, _, count) =>
    count < 3 ? response.writeHead(500).end() : tokenAnswer(response, 'token-3'),
  );
  assert.equal(
    outcomes.map(({ kind }) => kind),
    ['retryable', 'retryable', 'succeeded'],
  );
  assert.is(logins, 3);
  assert.is(calls, 1);
});

test('a 401 whose new login fails is retried later, since nothing took effect', async () => {
  const { outcomes } = await sendWithLogin(
    1,
    (response) => json(response, 401, tokenRefused),
    (response, _, count) => (count === 1 ? tokenAnswer(response, 'token-1') : response.writeHead(503).end()),
  );
  assert.is(outcomes[0]?.kind, 'retryable');
});

test('every request waits for the rate limiter and reports its response', async () => {
  let admitted = 0;
  let answered = 0;
  const acquire = async (): Promise<() => void> => {
    admitted += 1;
    return () => {
      answered += 1;
    };
  };
  const { calls } = await sendWithLogin(
    2,
    (response, request, count) => (count === 1 ? json(response, 401, tokenRefused) : created(response, request)),
    undefined,
    { acquire },
  );
  assert.is(calls, 3);
  assert.is(admitted, 5, 'three calls and two logins');
  assert.is(answered, 5);
});

test('concurrent calls share a login and as many connections as the limit allows', async () => {
  const warnings: Error[] = [];
  process.on('warning', (warning) => warnings.push(warning));
  const server = await answeringServer((response, request) =>
    request.path === path ? created(response, request) : tokenAnswer(response, 'token-1'),
  );
  const settings = settingsFor(server.url, { limit: { calls: 1_000, perMs: 1_000, concurrency: 4 } });
  const gateway = openGateway(settings, await openCredentials(user, settings, { assertAllowed: () => {}, clock: systemClock }));
  const { signal } = new AbortController();
  const outcomes = await Promise.all(Array.from({ length: 100 }, () => gateway.send(changeTo('online'), plainly, signal)));
  for (const { kind } of outcomes) assert.is(kind, 'succeeded');
  assert.is(server.requests.length, 101);
  assert.is(server.connections(), 5); // four for the gateway, one for the login
  assert.equal(warnings, []);
  await gateway.close();
  await server.close();
});

test('a dry run cannot send, and opens no connection', async () => {
  const server = await answeringServer(created);
  const settings = settingsFor(server.url);
  const reader = openGatewayReader(settings, givenToken('t0ken'));
  assert.equal(Object.keys(reader).sort(), [
    'close',
    'getApi',
    'identity',
    'listApiVersions',
    'listApis',
    'listEnvironments',
    'listVersions',
  ]);
  assert.not('send' in reader);
  assert.equal(reader.identity, { endpoint: server.url, project: 'project-1', instance: 'instance-1' });
  await reader.close();
  assert.is(server.connections(), 0);
  await server.close();
});

test.run();
