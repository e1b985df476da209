import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isHeaderValue, tokenAuth } from '../../../src/gateway/auth/credentials.ts';
import { headersOf } from '../../support/credentials.ts';

test('a token is sent as it is', () => {
  assert.equal(headersOf(tokenAuth('t0ken')), { 'X-Auth-Token': 't0ken' });
  assert.equal(tokenAuth('t0ken').secrets, ['t0ken']);
});

for (const [text, fits] of [
  ['MIIabc+/=-_.', true],
  ['', false],
  ['a b', false],
  ['a\nb', false],
  ['tökén', false],
] as const) {
  test(`${JSON.stringify(text)} ${fits ? 'can' : 'cannot'} be used in a header`, () => {
    assert.is(isHeaderValue(text), fits);
  });
}

test.run();
