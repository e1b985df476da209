import { format, inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { redactSecrets, Secret } from '../../../src/gateway/auth/secret.ts';

test('forms within one another are redacted: JSON in a URL, in HTML, in base64', () => {
  const secret = 's3cr&t/"key"+';
  const said = JSON.stringify({ 'x-auth-token': secret });
  const twice = JSON.stringify({ said });
  const html = secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  for (const text of [
    said,
    twice,
    encodeURIComponent(said),
    encodeURIComponent(encodeURIComponent(said)),
    html,
    encodeURIComponent(secret).toLowerCase(),
  ]) {
    assert.match(redactSecrets(text, [secret]), '***', text);
    assert.not.match(redactSecrets(text, [secret]), 's3cr', text);
  }
  for (const before of ['', 'a', 'ab']) {
    for (const encoding of ['base64', 'base64url'] as const) {
      const encoded = Buffer.from(`${before}user:${secret}!`).toString(encoding);
      const found = redactSecrets(encoded, [secret]);
      assert.match(found, '***', encoded);
      assert.not.match(Buffer.from(found.replaceAll('*', ''), encoding).toString('latin1'), 's3cr&t', encoded);
    }
  }
});

test('a secret prints as asterisks in every way of printing it', () => {
  const secret = new Secret('hunter2');
  const holder = { secret, list: [secret] };
  for (const text of [
    `${secret}`,
    String(secret),
    JSON.stringify(holder),
    inspect(holder, { depth: 9, showHidden: true }),
    format('%o %s %j', holder, secret, holder),
  ]) {
    assert.not.match(text, 'hunter2');
    assert.match(text, '***');
  }
  assert.is(secret.reveal(), 'hunter2');
});

for (const [given, want] of [
  ['token abc/"d was refused', 'token *** was refused'],
  ['{"token":"abc\\/\\"d"}', '{"token":"***"}'],
  ['{"token":"abc/\\"d"}', '{"token":"***"}'],
  ['/path?token=abc%2F%22d&abc/"d', '/path?token=***&***'],
  ['nothing here', 'nothing here'],
] as const) {
  test(`removes a secret from ${given}`, () => {
    assert.is(redactSecrets(given, ['abc/"d']), want);
  });
}

test('removes every secret, and ignores an empty one', () => {
  assert.is(redactSecrets('one two', ['one', '', 'two']), '*** ***');
});

test.run();
