import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidResponseError, ServiceError } from '../../src/gateway/errors.ts';
import { type GatewayOperation, parseResponse } from '../../src/gateway/response.ts';

function bodyOf(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  operation: GatewayOperation = 'changePublication',
): unknown {
  const response = { status, headers: { get: (name: string) => headers[name] ?? null } };
  return parseResponse(operation, status < 300 ? { data: body, response } : { error: body, response }, { secrets: ['t0ken'], nowMs: 0 });
}

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return assert.unreachable('nothing was thrown');
}

const page = '{"api_id":"a","env_id":"e","publish_id":"p","publish_time":"2020-08-03T01:36:00.592970615Z","version_id":"v","remark":""}';

test('accepts the documented responses', () => {
  assert.equal(bodyOf(201, page), JSON.parse(page));
  assert.equal(bodyOf(201, '{"api_id":"a","env_id":"e"}'), { api_id: 'a', env_id: 'e' });
});

for (const [title, status, body, message] of [
  ['no body', 201, undefined, 'answered 201, but its body is not JSON'],
  ['half a body', 201, page.slice(0, 30), 'answered 201, but its body is not JSON'],
  ['a page', 201, '<html>', 'answered 201, but its body is not JSON'],
  ['no object', 201, '[]', 'answered 201, but its body must be object'],
  ['null', 201, 'null', 'answered 201, but its body must be object'],
  ['no api_id', 201, '{"env_id":"e"}', "answered 201, but its body must have required property 'api_id'"],
  ['a number for an ID', 201, '{"api_id":1,"env_id":"e"}', 'answered 201, but its body at api_id must be string'],
  ['a status of its own', 200, page, 'answered 200, where the specification has 201'],
  ['no content', 204, undefined, 'answered 204, where the specification has 201'],
  ['a redirect', 302, '', 'answered 302, where the specification has 201'],
] as const) {
  test(`${title} is not a response of the specification`, () => {
    const error = thrownBy(() => bodyOf(status, body));
    assert.instance(error, InvalidResponseError);
    assert.is((error as Error).message, message);
  });
}

test('a redirect names its target, without secrets', () => {
  const error = thrownBy(() => bodyOf(307, '', { location: 'https://login.example/?t=t0ken' })) as Error;
  assert.is(error.message, 'answered 307, a redirect to https://login.example/?t=***, where the specification has 201');
});

test('a key that the specification leaves open is not believed to be a text', () => {
  const identity = { error: { code: 401, message: 'no', title: 'Unauthorized' }, request_id: ['r'] };
  const error = thrownBy(() => bodyOf(401, identity, {}, 'createToken')) as ServiceError;
  assert.instance(error, ServiceError);
  assert.equal([error.errorCode, error.errorMsg, error.requestId], [null, 'answered 401: no', null]);
});

for (const status of [400, 401, 403, 404, 409, 429, 500, 503]) {
  test(`the documented error body is read with status ${status}`, () => {
    const error = thrownBy(() => bodyOf(status, { error_code: 'APIG.1', error_msg: 'no t0ken', request_id: 'r' })) as ServiceError;
    assert.instance(error, ServiceError);
    assert.equal([error.status, error.errorCode, error.errorMsg, error.requestId], [status, 'APIG.1', 'no ***', 'r']);
  });
}

for (const [title, body, message] of [
  ['nothing', undefined, 'answered 502'],
  ['null', null, 'answered 502'],
  ['a page', '<h1>502 Bad Gateway</h1><p>for t0ken</p>', 'answered 502: 502 Bad Gateway for ***'],
  ['other JSON', { detail: 'down, t0ken' }, 'answered 502: {"detail":"down, ***"}'],
  ['a code that is no text', { error_code: 7, error_msg: 'x' }, 'answered 502: {"error_code":7,"error_msg":"x"}'],
  ['an empty code', { error_code: ' ', error_msg: 'x' }, 'answered 502: x'],
] as const) {
  test(`${title} instead of the documented error body is classified by its status`, () => {
    const error = thrownBy(() => bodyOf(502, body)) as ServiceError;
    assert.equal([error.code, error.errorCode, error.message], ['HTTP_502', null, message]);
  });
}

test('a long message is truncated, and so is a code', () => {
  const error = thrownBy(() => bodyOf(400, { error_code: 'C'.repeat(999), error_msg: 'm'.repeat(9_999) })) as ServiceError;
  assert.is(error.message.length, 300);
  assert.is(error.code.length, 64);
});

test('the request ID is read from the header if the body has none', () => {
  const error = thrownBy(() => bodyOf(404, { error_code: 'A', error_msg: 'b' }, { 'x-request-id': 'r2' })) as ServiceError;
  assert.is(error.requestId, 'r2');
});

test('both forms of a rejected login are read', () => {
  const one = thrownBy(() => bodyOf(401, { error: { code: 401, message: 'wrong password', title: 'Unauthorized' } }, {}, 'createToken'));
  const other = thrownBy(() => bodyOf(401, { error_code: 'IAM.0011', error_msg: 'wrong password' }, {}, 'createToken'));
  assert.is((one as Error).message, 'answered 401: wrong password');
  assert.is((other as Error).message, 'wrong password');
});

test.run();
