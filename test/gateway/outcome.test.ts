import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionError, CredentialsError, InvalidResponseError, ReadOnlyTransportError, ServiceError } from '../../src/gateway/errors.ts';
import { toOutcome, toReadFailure } from '../../src/gateway/outcome.ts';

function refused(status: number, errorCode: string | null, retryAfterMs: number | null = null): ServiceError {
  return new ServiceError({ status, errorCode, errorMsg: 'said', requestId: 'r1', retryAfterMs, rateLimit: null });
}

test('a failure has a message and a hint', () => {
  assert.equal(toOutcome(refused(404, 'APIG.3030'), 'online'), {
    kind: 'rejected',
    failure: {
      code: 'APIG.3030',
      status: 404,
      message: 'said',
      hint: 'check gateway.instance and gateway.project',
      requestId: 'r1',
      retryAfterMs: null,
    },
  });
});

for (const [title, error, action, kind] of [
  ['a change that is already in effect', refused(400, 'APIG.3309'), 'online', 'succeeded'],
  ['an offline without a publication', refused(404, 'APIG.3015'), 'offline', 'succeeded'],
  ['an online without a publication', refused(404, 'APIG.3015'), 'online', 'rejected'],
  ['a rejected token', refused(401, 'APIG.1002'), 'online', 'unauthorized'],
  ['a busy gateway', refused(409, 'APIC.7701'), 'online', 'retryable'],
  ['a lost online', new ConnectionError('CONNECTION_LOST', 'x'), 'online', 'unknown'],
  ['a lost offline', new ConnectionError('CONNECTION_LOST', 'x'), 'offline', 'unknown'],
  ['no connection', new ConnectionError('CONNECTION_FAILED', 'x'), 'online', 'retryable'],
  ['a 500 that claims no connection', refused(500, 'CONNECTION_FAILED'), 'online', 'unknown'],
  ['a 500 that claims that nothing was sent', refused(500, 'REQUEST_NOT_SENT'), 'online', 'unknown'],
  ['a 201 that violates the specification', new InvalidResponseError('x', { status: 201 }), 'online', 'unknown'],
  ['a 404 too long to read', new InvalidResponseError('x', { status: 404 }), 'online', 'rejected'],
  ['a redirect', new InvalidResponseError('x', { status: 302 }), 'online', 'unknown'],
  ['a rejected login', new CredentialsError('x', { code: 'CREDENTIALS_REJECTED', status: 401 }), 'online', 'unauthorized'],
  ['no identity service', new CredentialsError('x', { code: 'IAM_UNAVAILABLE' }), 'online', 'retryable'],
] as const) {
  test(`${title} is ${kind}`, () => {
    assert.is(toOutcome(error, action).kind, kind);
  });
}

test('a pause is as long as the gateway asks, if it does', () => {
  const pause = (error: ServiceError): unknown => {
    const outcome = toOutcome(error, 'online');
    return 'failure' in outcome && [outcome.kind, outcome.failure.retryAfterMs];
  };
  assert.equal(pause(refused(429, 'APIG.0308', 42_000)), ['throttled', 42_000]);
  assert.equal(pause(refused(429, null)), ['throttled', null]);
  assert.equal(pause(refused(500, 'APIG.9008')), ['throttled', null]);
  assert.equal(pause(refused(503, null, 5_000)), ['unknown', 5_000]);
  assert.equal(pause(refused(404, 'APIG.3002', 5_000)), ['rejected', 5_000]);
});

test('an internal error of the gateway may have taken effect for a change, and a read is retried', () => {
  assert.is(toOutcome(refused(500, 'APIG.9999'), 'online').kind, 'unknown');
  assert.is(toReadFailure(refused(500, 'APIG.9999'))?.kind, 'retryable');
  assert.is(toReadFailure(refused(403, 'APIG.1005'))?.kind, 'rejected');
  assert.is(toReadFailure(refused(404, 'APIG.3015')), null, 'an API that was never published has no version');
});

test('a bug is rethrown as it is', () => {
  assert.throws(
    () => toOutcome(new ReadOnlyTransportError('POST'), 'online'),
    (error: unknown) => error instanceof ReadOnlyTransportError,
  );
  assert.throws(() => toOutcome(new TypeError('oops'), 'online'), /oops/);
});

test.run();
