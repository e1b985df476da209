import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { edited, type TextEdit, unifiedDiff } from '../../src/desired/text-edit.ts';
import { gitApplied } from '../support/git-apply.ts';

test('a changed line stands between three lines of context', () => {
  const text = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', ''].join('\n');
  assert.is(
    unifiedDiff('edict.yaml', text, [{ start: 8, end: 9, text: 'E' }]),
    '--- a/edict.yaml\n+++ b/edict.yaml\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n',
  );
});

test('nothing to edit is no diff', () => {
  assert.is(unifiedDiff('edict.yaml', 'a\n', []), '');
  assert.is(edited('a\n', []), 'a\n');
});

const line = fc.constantFrom('', 'a', 'bb: c', '  - d', '-x', '+y', ' z', '\\', '@@ -1 +1 @@', '--- a', 'é\r');
const texts = fc
  .tuple(fc.array(line, { minLength: 1, maxLength: 40 }), fc.boolean())
  .map(([lines, isEnded]) => lines.join('\n') + (isEnded ? '\n' : ''));

/** Edits anywhere in a text, in any order, that do not overlap: within lines, over lines, and whole new lines. */
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

test('git makes of the diff what the edits make', () => {
  fc.assert(
    fc.property(cases, fc.constantFrom('edict.yaml', 'my file.yaml'), ([text, edits], name) => {
      const now = edited(text, edits);
      fc.pre(now !== text && text !== '' && now !== '');
      assert.is(gitApplied(text, `Some words before it.\n  - and a list\n${unifiedDiff(name, text, edits.toReversed())}`, name), now);
    }),
    { numRuns: 150 },
  );
});

test.run();
