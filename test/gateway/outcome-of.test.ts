import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionError, CredentialsError, InvalidAnswerError, ReadsOnlyError, RefusedError } from '../../src/gateway/gateway-error.ts';
import { outcomeOf } from '../../src/gateway/outcome-of.ts';

function refused(status: number, errorCode: string | null, pauseMs: number | null = null): RefusedError {
  return new RefusedError({ status, errorCode, errorMsg: 'said', requestId: 'r1', pauseMs });
}

test('a failure says what went wrong and what to do', () => {
  assert.equal(outcomeOf(refused(404, 'APIG.3030'), 'online'), {
    kind: 'stalled',
    failure: { code: 'APIG.3030', status: 404, message: 'said', hint: 'check gateway.instance and gateway.project', requestId: 'r1' },
  });
});

for (const [title, error, action, kind] of [
  ['what is already so', refused(400, 'APIG.3309'), 'online', 'succeeded'],
  ['offline where nothing is', refused(404, 'APIG.3015'), 'offline', 'succeeded'],
  ['online without a publication', refused(404, 'APIG.3015'), 'online', 'stalled'],
  ['a token that is refused for good', refused(401, 'APIG.1002'), 'online', 'stalled'],
  ['a busy gateway', refused(409, 'APIC.7701'), 'online', 'retry'],
  ['a lost online', new ConnectionError('CONNECTION_LOST', 'x'), 'online', 'unknown'],
  ['a lost offline', new ConnectionError('CONNECTION_LOST', 'x'), 'offline', 'unknown'],
  ['no connection', new ConnectionError('CONNECTION_FAILED', 'x'), 'online', 'retry'],
  ['a 201 that breaks the specification', new InvalidAnswerError('x', { status: 201 }), 'online', 'unknown'],
  ['a 404 too long to read', new InvalidAnswerError('x', { status: 404 }), 'online', 'stalled'],
  ['a redirect', new InvalidAnswerError('x', { status: 302 }), 'online', 'stalled'],
  ['a refused login', new CredentialsError('x', { code: 'CREDENTIALS_REFUSED', status: 401 }), 'online', 'stalled'],
  ['no identity service', new CredentialsError('x', { code: 'IAM_UNAVAILABLE' }), 'online', 'retry'],
] as const) {
  test(`${title} is ${kind}`, () => {
    assert.is(outcomeOf(error, action).kind, kind);
  });
}

test('a pause is as long as the gateway asks, or ten seconds', () => {
  const pause = (error: RefusedError): unknown => (outcomeOf(error, 'online') as { afterMs?: number }).afterMs;
  assert.is(pause(refused(429, 'APIG.0308', 42_000)), 42_000);
  assert.is(pause(refused(429, null)), 10_000);
  assert.is(pause(refused(500, 'APIG.9008')), 10_000);
});

test('what could be tried again waits if the gateway asks for a pause', () => {
  assert.is(outcomeOf(refused(503, null), 'online').kind, 'retry');
  assert.is(outcomeOf(refused(503, null, 5_000), 'online').kind, 'wait');
  assert.is(outcomeOf(refused(404, 'APIG.3002', 5_000), 'online').kind, 'stalled');
});

test('a bug stays a bug', () => {
  assert.throws(
    () => outcomeOf(new ReadsOnlyError('POST'), 'online'),
    (error: unknown) => error instanceof ReadsOnlyError,
  );
  assert.throws(() => outcomeOf(new TypeError('oops'), 'online'), /oops/);
});

test.run();
