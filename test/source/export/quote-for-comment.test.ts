import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { quoteForComment } from '../../../src/source/export/identifiers.ts';
import { fc, runs } from '../../support/fast-check.ts';
import { names } from '../../support/gateway-listings.ts';

for (const [text, expected] of [
  ['orders', '"orders"'],
  ['', '""'],
  ['say "hi" \\', '"say \\"hi\\" \\\\"'],
  ['a\r\napis: {}', '"a\\r\\napis: {}"'],
  ['\u001b[31m', '"\\u001b[31m"'],
  ['a\u0085b\u2028c', '"a\\u{85}b\\u{2028}c"'],
  ['\u202Eright', '"\\u{202e}right"'],
  ['\uD800', '"\\ud800"'],
  ['注文 💥', '"注文 💥"'],
  ['x'.repeat(201), `"${'x'.repeat(200)}…"`],
  ['💥'.repeat(201), `"${'💥'.repeat(200)}…"`],
] as const) {
  test(`${JSON.stringify(text.slice(0, 20))} is shown on one line`, () => {
    assert.is(quoteForComment(text), expected);
  });
}

test('nothing of a foreign text moves the line or the cursor', () => {
  fc.assert(
    fc.property(names, (text) => {
      assert.not.match(quoteForComment(text), /[\p{C}\p{Zl}\p{Zp}]/u);
    }),
    { numRuns: runs(1000) },
  );
});

test.run();
