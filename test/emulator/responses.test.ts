import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type EmulatedResponse, errorResponse, invalidParameterResponse, unknownApiResponse } from '../../src/emulator/responses.ts';

/** Returns status and body without the request ID. */
function withoutId({ status, body }: EmulatedResponse): unknown[] {
  const { request_id, ...rest } = body as Record<string, unknown>;
  assert.match(String(request_id), /^[0-9a-f]{32}$/);
  return [status, rest];
}

test('an error has a code, a message and a request ID of its own', () => {
  const why = { status: 403, errorCode: 'c', errorMsg: 'm' };
  assert.equal(withoutId(errorResponse(why)), [403, { error_code: 'c', error_msg: 'm' }]);
  assert.not.equal(errorResponse(why), errorResponse(why));
});

test('a wrong parameter is named as documented', () => {
  const error_msg = 'Invalid parameter value,parameterName:action. Please refer to the support documentation';
  assert.equal(withoutId(invalidParameterResponse('action')), [400, { error_code: 'APIG.2011', error_msg }]);
});

test('a wrong URL is not a missing API', () => {
  const [status, body] = withoutId(unknownApiResponse());
  assert.is(status, 404);
  assert.is((body as Record<string, unknown>)['error_code'], 'APIG.0101');
});

test.run();
