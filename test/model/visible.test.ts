import { styleText } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { escapeJson, hasRunnerCommand, toJson, visible, visibleLine, visibleLines } from '../../src/model/visible.ts';

const paint = (text: string): string => styleText('red', text, { validateStream: false });

for (const [text, shown] of [
  ['orders', 'orders'],
  ['Überschuss 版本 🎉 ⚠️', 'Überschuss 版本 🎉 ⚠️'],
  ['a\tb\r\nc', 'a\\tb\\r\\nc'],
  ['\u001b[31m', '\\u{1b}[31m'],
  ['\u009b2J\u007f\u0085', '\\u{9b}2J\\u{7f}\\u{85}'],
  ['a\u200bb\u2028c\u2029', 'a\\u{200b}b\\u{2028}c\\u{2029}'],
  ['\u202egnp\u2069\u200f', '\\u{202e}gnp\\u{2069}\\u{200f}'],
  ['\u3164\u034f', '\\u{3164}\\u{34f}'],
  ['\u{e0041}', '\\u{e0041}'],
  ['\ud83c', '\\u{d83c}'],
] as const) {
  test(`${JSON.stringify(text)} is shown as ${shown}`, () => {
    assert.is(visible(text), shown);
    assert.is(visible(shown), shown);
    assert.is(visibleLine(text), text.startsWith('\u001b') ? text : shown);
  });
}

test('edict’s own colors stay in a line, others do not', () => {
  assert.is(visibleLine(`${paint('a')}\n\u001b[8m\u001b[38;5;1m`), `${paint('a')}\\n\\u{1b}[8m\\u{1b}[38;5;1m`);
});

test('lines stay lines, and none is a command of a CI system', () => {
  const text = `${paint('a')}\n\n::error::x\n \t ::add-mask::y\na ::b\n##[group]x ##vso[task]y # [z] ### h\n`;
  assert.is(
    visibleLines(text),
    `${paint('a')}\n\n\\u{3a}:error::x\n \\t ::add-mask::y\na ::b\n#\\u{23}[group]x #\\u{23}vso[task]y # [z] ### h\n`,
  );
  assert.is(visibleLines('\u2003::x'), '\u2003\\u{3a}:x');
  for (const [line, is] of [
    ['::x', true],
    [' ::x', true],
    ['+::x', false],
    ['# ##[x]', true],
    ['## [x]', false],
  ] as const) {
    assert.is(hasRunnerCommand(`a\n${line}\n`), is, line);
  }
});

test('JSON has nothing invisible, and is the same value', () => {
  const value = { 'a\u202e': ['\u001b\u009b\u2028\u{e0041}\ud800 \n\t', '##[add-mask]x'], b: 'Ü 🎉' };
  for (const indent of [undefined, 2]) {
    const json = toJson(value, indent);
    assert.equal(JSON.parse(json), value);
    assert.not.match(json.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}]|##\[/u);
    assert.match(json, '🎉');
    assert.is(escapeJson(json), json);
  }
});

test('long texts take linear time', () => {
  const length = 200_000;
  for (const text of [
    ' '.repeat(length),
    '\n'.repeat(length),
    '::'.repeat(length),
    '#'.repeat(length),
    `##${'a'.repeat(length)}`,
    ' :'.repeat(length),
    '\n :'.repeat(length),
  ]) {
    const startedAtMs = performance.now();
    visibleLines(text);
    escapeJson(text);
    assert.ok(performance.now() - startedAtMs < 20_000, JSON.stringify(text.slice(0, 4)));
  }
});

test.run();
