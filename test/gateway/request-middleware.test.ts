import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionError, CredentialsError, InvalidResponseError, RequestNotSentError, ServiceError } from '../../src/gateway/errors.ts';
import type { RequestResult } from '../../src/gateway/interface.ts';
import { withRateLimit } from '../../src/gateway/request-middleware.ts';

const { signal } = new AbortController();
const refused = (status: number, errorCode: string | null, retryAfterMs: number | null = null): ServiceError =>
  new ServiceError({ status, errorCode, errorMsg: 'x', requestId: null, retryAfterMs, rateLimit: { calls: 5, perMs: 60_000 } });

async function endAfter(request: () => Promise<unknown>): Promise<RequestResult | undefined> {
  let result: RequestResult | undefined;
  const admit = async () => (end: RequestResult) => {
    result = end;
  };
  await withRateLimit(admit, signal, request).catch(() => {});
  return result;
}

for (const [title, error, end] of [
  ['an error is a response', refused(404, 'APIG.3002'), { kind: 'answered', retryAfterMs: null, rateLimit: { calls: 5, perMs: 60_000 } }],
  ['too many', refused(429, 'APIG.0308', 7000), { kind: 'throttled', retryAfterMs: 7000, rateLimit: { calls: 5, perMs: 60_000 } }],
  ['too many, as a 500', refused(500, 'APIG.9008'), { kind: 'throttled', retryAfterMs: null, rateLimit: { calls: 5, perMs: 60_000 } }],
  ['a broken connection', new ConnectionError('CONNECTION_LOST', 'x'), { kind: 'lost', retryAfterMs: null, rateLimit: null }],
  ['no connection', new ConnectionError('CONNECTION_FAILED', 'x'), { kind: 'lost', retryAfterMs: null, rateLimit: null }],
  ['nothing sent', new RequestNotSentError(), { kind: 'unsent', retryAfterMs: null, rateLimit: null }],
  [
    'a response with a code of edict',
    refused(400, 'REQUEST_NOT_SENT'),
    { kind: 'answered', retryAfterMs: null, rateLimit: { calls: 5, perMs: 60_000 } },
  ],
  ['an invalid response', new InvalidResponseError('x', { status: 201 }), { kind: 'answered', retryAfterMs: null, rateLimit: null }],
  [
    'no connection to the identity service',
    new CredentialsError('x', { code: 'IAM_UNAVAILABLE', cause: new ConnectionError('TIMEOUT', 'x') }),
    { kind: 'lost', retryAfterMs: null, rateLimit: null },
  ],
] as const) {
  test(`reports how a request ended: ${title}`, async () => {
    assert.equal(await endAfter(() => Promise.reject(error)), end);
  });
}

test('reports that a request got a response, and returns it', async () => {
  assert.equal(await endAfter(async () => 1), { kind: 'answered', retryAfterMs: null, rateLimit: null });
  assert.is(await withRateLimit(undefined, signal, async () => 7), 7);
});

test('sends nothing before it is admitted', async () => {
  const { promise, resolve } = Promise.withResolvers<() => void>();
  let isSent = false;
  const sending = withRateLimit(
    () => promise,
    signal,
    async () => {
      isSent = true;
    },
  );
  await Promise.resolve();
  assert.not.ok(isSent);
  resolve(() => {});
  await sending;
  assert.ok(isSent);
});

test.run();
