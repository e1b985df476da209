import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { givenToken, isHeaderValue } from '../../src/gateway/credentials.ts';
import { Secret } from '../../src/gateway/secret.ts';

test('a given token is sent as it is, and cannot be renewed', async () => {
  const credentials = givenToken(new Secret('t0ken'));
  const header = await credentials.header(AbortSignal.timeout(1_000));
  assert.equal(header, { 'X-Auth-Token': 't0ken' });
  credentials.accepted(header);
  assert.is(credentials.refused(header), false);
});

test('credentials do not show their token', () => {
  assert.not.match(inspect(givenToken(new Secret('t0ken')), { depth: 9, showHidden: true }), 't0ken');
});

for (const [text, fits] of [
  ['MIIabc+/=-_.', true],
  ['', false],
  ['a b', false],
  ['a\nb', false],
  ['tökén', false],
] as const) {
  test(`${JSON.stringify(text)} ${fits ? 'can' : 'cannot'} stand in a header`, () => {
    assert.is(isHeaderValue(text), fits);
  });
}

test.run();
