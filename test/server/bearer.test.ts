import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/model/errors.ts';
import { requireToken } from '../../src/server/api.ts';

test('the token authorizes a request', () => {
  requireToken('Bearer right', 'right');
  requireToken('bearer right', 'right');
});

for (const [given, token, code] of [
  [undefined, 'right', 'TOKEN'],
  ['Bearer wrong', 'right', 'TOKEN'],
  ['Bearer ', 'right', 'TOKEN'],
  ['Basic right', 'right', 'TOKEN'],
  ['Bearer right and more', 'right', 'TOKEN'],
  ['Bearer anything', null, 'TOKEN_NOT_CONFIGURED'],
  [undefined, null, 'TOKEN_NOT_CONFIGURED'],
] as const) {
  test(`${given ?? 'nothing'} does not${token === null ? ', if the daemon has no token' : ''}`, () => {
    assert.throws(
      () => requireToken(given, token),
      (error: unknown) => error instanceof EdictError && error.code === code && !error.message.includes('right'),
    );
  });
}

test.run();
