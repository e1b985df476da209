import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codeFrame } from '../../../src/cli/output/errors.ts';
import { noColor } from '../../../src/cli/output/terminal.ts';
import { excerptAt } from '../../../src/model/errors.ts';
import { diagnosticsIn } from '../../support/marked-file.ts';

/** Returns the frame of the part between `«` and `»`. */
function frameOf(marked: string): string[] {
  const start = marked.indexOf('«');
  const text = marked.replace(/[«»]/g, '');
  return codeFrame(
    { line: 7, column: start + 1, length: marked.indexOf('»') - start - 1, excerpt: excerptAt(text, start + 1), hint: null },
    noColor,
  );
}

for (const [name, marked, shown, marks] of [
  ['ASCII', 'id: «a b»', 'id: a b', '    ^^^'],
  ['wide characters before it', 'remark: 订单 «x»', 'remark: 订单 x', '             ^'],
  ['wide characters in it', '«订单服务»: x', '订单服务: x', '^^^^^^^^'],
  ['full-width forms', 'id«：»c1', 'id：c1', '  ^^'],
  ['astral characters before it', '"💥💥": «x»', '"💥💥": x', '        ^'],
  ['an astral character in it', 'a: «💥»', 'a: 💥', '   ^^'],
  ['combining characters before it', 'e\u0301e\u0301: «x»', 'e\u0301e\u0301: x', '    ^'],
  ['tabs before it', 'a:\t«x»', 'a: x', '   ^'],
  ['a tab in it', '«\t»x: y', ' x: y', '^'],
  ['an invisible character in it', 'a«\u200B»b: c', 'a\\u{200b}b: c', ' ^^^^^^^^'],
  ['the end of the line', 'a:«»', 'a:', '  ^'],
] as const) {
  test(`carets are under ${name}`, () => {
    assert.equal(frameOf(marked), [`  7 | ${shown}`, `    | ${marks}`]);
  });
}

test('a long line is cut around the place, never inside a character', () => {
  for (const before of [0, 1, 2, 3, 70, 79, 80, 81, 159, 160, 161, 500, 501]) {
    const [line = '', marks = ''] = frameOf(`${'💥'.repeat(before)}«x»${'💥'.repeat(500)}`);
    assert.ok(line.isWellFormed() && !line.includes('\\u{'), `${before}: ${line}`);
    const at = marks.indexOf('^') - '    | '.length;
    const shownBefore = line.slice('  7 | '.length, line.indexOf('x'));
    assert.is(at, [...shownBefore].length * 2, `${before}`);
  }
});

test('carets and columns do not count a byte order mark', () => {
  const [diagnostic] = diagnosticsIn('\uFEFFedcit: 1\n');
  assert.equal([diagnostic?.line, diagnostic?.column, diagnostic?.excerpt.text], [1, 1, 'edcit: 1']);
});

test.run();
