import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { collapsibleTable, firstFitting, fitSections, fixedSection, renderTable, type Table } from '../../../src/cli/output/markdown.ts';
import { readMarkdown } from '../../support/read-markdown.ts';

const table = (rowCount: number): Table => ({
  heading: '**Rows**',
  columns: ['API', 'why'],
  rowCount,
  row: (index) => [`\`a${index}\``, 'so'],
});

test('a table has a heading and all its rows', () => {
  assert.is(renderTable(table(2)), '**Rows**\n\n| API | why |\n|---|---|\n| `a0` | so |\n| `a1` | so |');
});

test('further rows are collapsed', () => {
  const { open, folded } = readMarkdown(collapsibleTable(table(30), 20, 'Elsewhere.').render(10_000));
  assert.equal([open.length, folded.length], [20, 10]);
  assert.equal(folded[0], ['a20', 'so']);
});

test('a short table is not collapsed', () => {
  assert.is(collapsibleTable(table(20), 20, 'Elsewhere.').render(10_000), renderTable(table(20)));
});

test('a table fits any length, or is its minimum', () => {
  const part = collapsibleTable(table(300), 20, 'Elsewhere.');
  for (let space = 0; space < 7000; space += 7) {
    const text = part.render(space);
    assert.ok(text.length <= Math.max(space, part.minimum.length), String(space));
    const { open, folded } = readMarkdown(text);
    const left = /And (\d+) more\. Elsewhere\./.exec(text)?.[1];
    const listed = open.length + folded.length;
    if (listed > 0) assert.is(listed + Number(left ?? 0), 300);
    else assert.is(text, part.minimum);
  }
});

test('a table without rows is an empty section', () => {
  const part = collapsibleTable(table(0), 20, 'Elsewhere.');
  assert.equal([part.minimum, part.render(1000)], ['', '']);
});

test('the first text that fits is used, and no later one is rendered', () => {
  const never = (): string => {
    throw new Error('made for nothing');
  };
  assert.is(firstFitting([() => 'long one', () => 'short', never], 5), 'short');
  assert.is(firstFitting([() => 'long one', () => 'short'], 2), 'short');
});

test('earlier sections use the space first, and each has at least its minimum', () => {
  const greedy = { minimum: 'ab', render: (space: number) => 'a'.repeat(space) };
  assert.is(
    fitSections([greedy, fixedSection(''), { minimum: 'c', render: (space) => 'c'.repeat(space) }, fixedSection('end')], 20),
    `${'a'.repeat(10)}\n\nc\n\nend\n`,
  );
  assert.is(fitSections([greedy, fixedSection('end')], 3), 'ab\n\nend\n');
});

test.run();
