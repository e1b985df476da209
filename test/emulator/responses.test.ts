import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type EmulatedResponse, errorResponse, invalidParameterResponse, unknownApiResponse } from '../../src/emulator/responses.ts';

/** Returns status and body of an error of the front gateway without the request ID. */
function withoutId({ status, body, requestId }: EmulatedResponse): unknown[] {
  const { request_id, ...rest } = body as Record<string, unknown>;
  assert.match(String(request_id), /^[0-9a-f]{32}$/);
  assert.is(request_id, requestId);
  return [status, rest];
}

test('an error of the service has a code and a message, as on its page', () => {
  for (const errorCode of ['APIG.1005', 'APIC.7302', 'APIG.9008'])
    assert.equal(errorResponse({ status: 403, errorCode, errorMsg: 'm' }), {
      status: 403,
      body: { error_code: errorCode, error_msg: 'm' },
    });
});

test('an error of the front gateway has a request ID of its own, too', () => {
  for (const errorCode of ['APIG.0308', 'APIGW.0301', 'APIC.0101']) {
    const why = { status: 403, errorCode, errorMsg: 'm' };
    assert.equal(withoutId(errorResponse(why)), [403, { error_code: errorCode, error_msg: 'm' }]);
    assert.not.equal(errorResponse(why), errorResponse(why));
  }
});

test('a wrong parameter is named as documented', () => {
  const error_msg = 'Invalid parameter value,parameterName:action. Please refer to the support documentation';
  assert.equal(invalidParameterResponse('action'), { status: 400, body: { error_code: 'APIG.2011', error_msg } });
});

test('a wrong URL is not a missing API', () => {
  const [status, body] = withoutId(unknownApiResponse());
  assert.is(status, 404);
  assert.is((body as Record<string, unknown>)['error_code'], 'APIG.0101');
});

test.run();
