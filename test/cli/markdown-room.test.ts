import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { firstFitting, fit, fixed, foldedTable, type Table, wholeTable } from '../../src/cli/markdown-room.ts';
import { readMarkdown } from '../support/read-markdown.ts';

const table = (size: number): Table => ({ heading: '**Rows**', columns: ['API', 'why'], size, row: (index) => [`\`a${index}\``, 'so'] });

test('a table has a heading and all its rows', () => {
  assert.is(wholeTable(table(2)), '**Rows**\n\n| API | why |\n|---|---|\n| `a0` | so |\n| `a1` | so |');
});

test('the long tail is folded', () => {
  const { open, folded } = readMarkdown(foldedTable(table(30), 20, 'Elsewhere.').most(10_000));
  assert.equal([open.length, folded.length], [20, 10]);
  assert.equal(folded[0], ['a20', 'so']);
});

test('what is short is not folded', () => {
  assert.is(foldedTable(table(20), 20, 'Elsewhere.').most(10_000), wholeTable(table(20)));
});

test('in whatever room, a table stays within it, or says the least', () => {
  const part = foldedTable(table(300), 20, 'Elsewhere.');
  for (let room = 0; room < 7000; room += 7) {
    const text = part.most(room);
    assert.ok(text.length <= Math.max(room, part.least.length), String(room));
    const { open, folded } = readMarkdown(text);
    const left = /And (\d+) more\. Elsewhere\./.exec(text)?.[1];
    const told = open.length + folded.length;
    if (told > 0) assert.is(told + Number(left ?? 0), 300);
    else assert.is(text, part.least);
  }
});

test('no rows are no part', () => {
  const part = foldedTable(table(0), 20, 'Elsewhere.');
  assert.equal([part.least, part.most(1000)], ['', '']);
});

test('the first text with room is taken, and none after it is made', () => {
  const never = (): string => {
    throw new Error('made for nothing');
  };
  assert.is(firstFitting([() => 'long one', () => 'short', never], 5), 'short');
  assert.is(firstFitting([() => 'long one', () => 'short'], 2), 'short');
});

test('the first part has the first choice, and each says its least', () => {
  const greedy = { least: 'ab', most: (room: number) => 'a'.repeat(room) };
  assert.is(
    fit([greedy, fixed(''), { least: 'c', most: (room) => 'c'.repeat(room) }, fixed('end')], 20),
    `${'a'.repeat(10)}\n\nc\n\nend\n`,
  );
  assert.is(fit([greedy, fixed('end')], 3), 'ab\n\nend\n');
});

test.run();
