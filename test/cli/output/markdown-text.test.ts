import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { escapeText, inlineCode, truncateMiddle } from '../../../src/cli/output/markdown.ts';

for (const [text, markdown] of [
  ['orders', '`orders`'],
  ['shop/orders_v2.1', '`shop/orders_v2.1`'],
  ['@everyone', '`@everyone`'],
  ['', ''],
  ['a|b', '<code>a&#124;b</code>'],
  ['a\\|b', '<code>a&#92;&#124;b</code>'],
  ['`', '<code>&#96;</code>'],
  ['<script>', '<code>&#60;script&#62;</code>'],
  ['a&lt;b', '<code>a&#38;lt;b</code>'],
  [' a', '<code> a</code>'],
  ['a\nb', '<code>a&#92;nb</code>'],
  ['\u202egnp', '<code>&#92;u&#123;202e&#125;gnp</code>'],
  ['шоп', '`шоп`'],
  ['🎉', '`🎉`'],
] as const) {
  test(`the code of ${JSON.stringify(text)} is ${markdown}`, () => {
    assert.is(inlineCode(text), markdown);
  });
}

for (const [text, markdown] of [
  ['environment release is protected: nothing goes', 'environment release is protected: nothing goes'],
  ['by @ada, see #12', 'by &#64;&#8203;ada, see &#35;&#8203;12'],
  ['a | b', 'a &#124; b'],
  ['**bold** _it_ [x](y)', '&#42;&#42;bold&#42;&#42; &#95;it&#95; &#91;x&#93;(y)'],
  [':tada:', ':&#8203;tada:'],
  ['it&amp;', 'it&#38;&#8203;amp;'],
  ['`code` <!--', '&#96;code&#96; &#60;&#33;--'],
] as const) {
  test(`${JSON.stringify(text)} in a sentence is ${markdown}`, () => {
    assert.is(escapeText(text), markdown);
  });
}

test('a long text is cut in the middle, between characters', () => {
  assert.is(truncateMiddle('abc', 3), 'abc');
  assert.is(truncateMiddle('abcdefgh', 5), 'ab…gh');
  assert.is(truncateMiddle('🎉🎉🎉🎉', 4), '🎉🎉🎉🎉');
  assert.is(truncateMiddle('🎉🎉🎉🎉', 3), '🎉…🎉');
});

test('the longest allowed name is not cut', () => {
  const name = 'n'.repeat(255);
  assert.is(inlineCode(name), `\`${name}\``);
});

test.run();
