import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'fast-string-width';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runValidate } from '../../../src/cli/commands/validate.ts';
import { codeFrame } from '../../../src/cli/output/errors.ts';
import { noColor } from '../../../src/cli/output/terminal.ts';
import { excerptAt } from '../../../src/model/errors.ts';
import { visible } from '../../../src/model/visible.ts';
import { scratchFolder } from '../../support/edict-process.ts';
import { diagnosticsIn } from '../../support/marked-file.ts';
import { testContext } from '../../support/streams.ts';

/** However narrow a terminal is, a frame has its gutter and 20 columns. */
const minWidth = 26;

/** Returns the frame of the part between `«` and `»`. */
function frameOf(marked: string, width?: number): string[] {
  const start = marked.indexOf('«');
  const text = marked.replace(/[«»]/g, '');
  return codeFrame(
    { line: 7, column: start + 1, length: marked.indexOf('»') - start - 1, excerpt: excerptAt(text, start + 1), hint: null },
    noColor,
    width,
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
  ['a joiner in it', 'a«\u200D»b: c', 'a\\u{200d}b: c', ' ^^^^^^^^'],
  ['symbols with a variation selector before it', '❤️❤️: «x»', '❤️❤️: x', '      ^'],
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

for (const [name, before, range] of [
  ['ASCII', 'x'.repeat(60), 'oops'],
  ['wide characters', '订单'.repeat(30), '订单'],
  ['astral characters', '💥'.repeat(50), '💥💥'],
  ['combining characters', 'e\u0301'.repeat(90), 'o\u0308'],
  ['tabs', '\t'.repeat(150), '\tx'],
  ['invisible characters', '\u200B'.repeat(60), '\u200B'],
  ['a range wider than the terminal', 'ab', 'y'.repeat(300)],
  ['nothing before the range', '', 'oops'],
] as const) {
  test(`a line with ${name} is cut to the width of the terminal, with the carets under the range`, () => {
    for (const width of [1, 30, 31, 40, 41, 80, 120, 200]) {
      const [line = '', marks = ''] = frameOf(`${before}«${range}»${'z'.repeat(120)}`, width);
      const columns = Math.max(width, minWidth);
      assert.ok(stringWidth(line) <= columns && stringWidth(marks) <= columns, `${width}: ${stringWidth(line)}\n${line}\n${marks}`);
      const shown = visible(range.replaceAll('\t', ' '));
      const at = marks.indexOf('^');
      const underlined = marks.length - at;
      const from = [...line].findLastIndex((_, index, all) => stringWidth(all.slice(0, index).join('')) === at);
      const part = [...line].slice(from).join('');
      assert.ok(part.startsWith(shown.slice(0, underlined)) || shown.startsWith(part), `${width}\n${line}\n${marks}`);
      if (stringWidth(shown) <= 10) assert.is(underlined, stringWidth(shown), `${width}\n${line}\n${marks}`);
    }
  });
}

test('a frame is as wide as the terminal, and elsewhere 120 columns', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), `edict: 1\n${'x'.repeat(300)}: 1\n`);
  for (const [isTTY, columns, width] of [
    [true, 50, 50],
    [true, 190, 190],
    [true, 0, 120],
    [false, 50, 120],
  ] as const) {
    const { context, stdout } = testContext();
    Object.assign(context.stdout, { isTTY, columns });
    assert.is(await runValidate(join(folder, 'edict.yaml'), { format: 'text' }, context), 3);
    const frame = stripVTControlCharacters(stdout())
      .split('\n')
      .filter((line) => /^ {2}[\d ]* \| /.test(line));
    assert.is(Math.max(...frame.map((line) => line.length)), width);
  }
});

test('carets and columns do not count a byte order mark', () => {
  const [diagnostic] = diagnosticsIn('\uFEFFedcit: 1\n');
  assert.equal([diagnostic?.line, diagnostic?.column, diagnostic?.excerpt.text], [1, 1, 'edcit: 1']);
});

test.run();
