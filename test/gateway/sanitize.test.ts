import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sanitize, sanitizePage } from '../../src/gateway/sanitize.ts';
import { growth, linear } from '../support/growth.ts';

test('returns one line in which control characters are visible', () => {
  assert.is(sanitize(' a\r\n\tb\u001b[31mc\u0000\u202ed\u2028 ', []), 'a b\\u{1b}[31mc\\u{0}\\u{202e}d');
});

test('truncates a long text', () => {
  const cut = sanitize('x'.repeat(5_000), []);
  assert.is(cut.length, 300);
  assert.ok(cut.endsWith('x…'));
  assert.is(sanitize('abcdef', [], 4), 'abc…');
  assert.is(sanitize('abcd', [], 4), 'abcd');
});

test('leaves no half of a character at the truncation', () => {
  assert.ok(sanitize('💥'.repeat(200), []).isWellFormed());
  assert.ok(sanitize(`x${'💥'.repeat(200)}`, []).isWellFormed());
});

test('leaves no half of a secret at the truncation', () => {
  const secret = `s${'e'.repeat(600)}t`;
  for (const before of [0, 250, 290, 299, 3_900, 4_090]) {
    const filler = '<b>'.repeat(before / 3);
    assert.not.match(sanitize('x'.repeat(before) + secret, [secret]), /se/);
    assert.not.match(sanitizePage(filler + secret, [secret]), /se/);
  }
});

test('reads a proxy error page without its markup', () => {
  const page =
    '<html><head><title>502 Bad Gateway</title><style>h1 {color: red}</style></head>\r\n<body><h1>502</h1><hr>nginx</body></html>';
  assert.is(sanitizePage(page, []), '502 Bad Gateway 502 nginx');
});

test('a page crafted to be slow is sanitized quickly', () => {
  for (const work of [
    (size: number) => sanitizePage('<'.repeat(size), []),
    (size: number) => sanitizePage('<style '.repeat(size / 5), []),
    (size: number) => sanitize('\u0000'.repeat(size), ['secret']),
  ]) {
    assert.ok(growth(work, 100_000) < linear);
  }
});

test.run();
