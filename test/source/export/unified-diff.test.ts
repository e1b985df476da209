import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyEdits, formatUnifiedDiff, type TextEdit } from '../../../src/source/export/unified-diff.ts';
import { fc, runs } from '../../support/fast-check.ts';
import { gitApplied } from '../../support/git-apply.ts';

test('a changed line has three lines of context on each side', () => {
  const text = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', ''].join('\n');
  assert.is(
    formatUnifiedDiff('edict.yaml', text, [{ start: 8, end: 9, text: 'E' }]),
    '--- a/edict.yaml\n+++ b/edict.yaml\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n',
  );
});

test('no edits give an empty diff', () => {
  assert.is(formatUnifiedDiff('edict.yaml', 'a\n', []), '');
  assert.is(applyEdits('a\n', []), 'a\n');
});

test('an edit that changes nothing is not in the diff, also beside another one', () => {
  const text = ' z\nbb: c\nbb: c\n  - d\n+y\n\\\n@@ -1 +1 @@\n\n\n  - d\n--- a\n-x\n';
  const edits = [
    { start: 12, end: 20, text: '' },
    { start: text.length, end: text.length, text: '' },
    { start: 0, end: 1, text: ' ' },
  ];
  assert.is(gitApplied(text, formatUnifiedDiff('edict.yaml', text, edits), 'edict.yaml'), applyEdits(text, edits));
  assert.is(formatUnifiedDiff('edict.yaml', text, edits.slice(1)), '');
});

test("Git applies the diff whatever the file's name is", () => {
  for (const name of [
    'my file.yaml',
    '"edict".yaml',
    'a\\b.yaml',
    'größe 海.yaml',
    '-edict.yaml',
    "it's.yaml",
    'tab\there.yaml',
    'line\nbreak.yaml',
  ]) {
    const diff = formatUnifiedDiff(name, 'a\nb\n', [{ start: 0, end: 1, text: 'c' }]);
    assert.is(gitApplied('a\nb\n', diff, name), 'c\nb\n', name);
  }
});

const line = fc.constantFrom('', 'a', 'bb: c', '  - d', '-x', '+y', ' z', '\\', '@@ -1 +1 @@', '--- a', 'é\r');
const texts = fc
  .tuple(fc.array(line, { minLength: 1, maxLength: 40 }), fc.boolean())
  .map(([lines, isEnded]) => lines.join('\n') + (isEnded ? '\n' : ''));

/** Edits anywhere in a text, in any order, that do not overlap: within lines, across lines, and whole new lines. */
const cases = texts.chain((text) =>
  fc.tuple(
    fc.constant(text),
    fc
      .uniqueArray(fc.nat({ max: text.length }), { minLength: 1, maxLength: 8 })
      .chain((cuts) =>
        fc.tuple(
          fc.constant(cuts.sort((a, b) => a - b)),
          fc.array(fc.constantFrom('', 'new', 'new\n', 'x\ny'), { minLength: 8, maxLength: 8 }),
        ),
      )
      .map(([cuts, news]): TextEdit[] =>
        cuts.flatMap((start, index) => (index % 2 === 0 ? [{ start, end: cuts[index + 1] ?? start, text: news[index] ?? '' }] : [])),
      ),
  ),
);

test('git apply of the diff gives the same text as the edits', () => {
  fc.assert(
    fc.property(cases, fc.constantFrom('edict.yaml', 'my file.yaml'), ([text, edits], name) => {
      const now = applyEdits(text, edits);
      fc.pre(now !== text);
      assert.is(gitApplied(text, `Some words before it.\n  - and a list\n${formatUnifiedDiff(name, text, edits.toReversed())}`, name), now);
    }),
    { numRuns: runs(2000) },
  );
});

test.run();
