import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { errorRules } from '../../src/gateway/error-rules.ts';
import {
  ConnectionError,
  CredentialsError,
  GatewayError,
  InvalidResponseError,
  ReadOnlyTransportError,
  ServiceError,
} from '../../src/gateway/errors.ts';

test('a documented error carries the message of the gateway', () => {
  const error = new ServiceError({
    status: 404,
    errorCode: 'APIG.3002',
    errorMsg: 'API x does not exist',
    requestId: 'r1',
    retryAfterMs: null,
    rateLimit: null,
  });
  assert.is(error.name, 'ServiceError');
  assert.is(error.code, 'APIG.3002');
  assert.is(error.status, 404);
  assert.is(error.errorCode, 'APIG.3002');
  assert.is(error.errorMsg, 'API x does not exist');
  assert.is(error.message, 'API x does not exist');
  assert.is(error.requestId, 'r1');
});

test('an error without an error_code is named after its status', () => {
  assert.is(
    new ServiceError({ status: 502, errorCode: null, errorMsg: '', requestId: null, retryAfterMs: null, rateLimit: null }).code,
    'HTTP_502',
  );
});

test('a response cannot use a code of edict', () => {
  for (const { codes, statuses } of errorRules) {
    for (const errorCode of statuses.length === 0 ? codes : []) {
      const error = new ServiceError({ status: 500, errorCode, errorMsg: '', requestId: null, retryAfterMs: null, rateLimit: null });
      assert.equal([error.code, error.errorCode], ['HTTP_500', errorCode]);
    }
  }
});

for (const [status, code] of [
  [null, 'INVALID_RESPONSE'],
  [200, 'INVALID_RESPONSE'],
  [201, 'INVALID_RESPONSE'],
  [302, 'REDIRECTED'],
  [404, 'HTTP_404'],
  [502, 'HTTP_502'],
] as const) {
  test(`a response with status ${status} that violates the specification has the code ${code}`, () => {
    assert.is(new InvalidResponseError('', { status }).code, code);
  });
}

test('each is a GatewayError with its cause, except one for a dry run that sends', () => {
  const cause = new Error('deeper');
  assert.is(new ConnectionError('TIMEOUT', '', cause).cause, cause);
  assert.instance(new ConnectionError('TIMEOUT', ''), GatewayError);
  assert.instance(new CredentialsError('', { code: 'IAM_THROTTLED' }), GatewayError);
  assert.not.instance(new ReadOnlyTransportError('POST'), GatewayError);
});

test.run();
