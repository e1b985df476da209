import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnosticsIn, unmarked } from '../support/marked-file.ts';
import type { Mistake } from './base-file.ts';
import { characterMistakes } from './character-mistakes.ts';
import { habitMistakes } from './habit-mistakes.ts';
import { structureMistakes } from './structure-mistakes.ts';
import { syntaxMistakes } from './syntax-mistakes.ts';
import { valueMistakes } from './value-mistakes.ts';

const mistakes = [...syntaxMistakes, ...valueMistakes, ...structureMistakes, ...characterMistakes, ...habitMistakes];

interface Verdict {
  readonly isSingle: boolean;
  readonly isRightPlace: boolean;
  readonly isRightCause: boolean;
  /** All diagnostics, one per line. */
  readonly shown: string;
}

function judge({ marked, says }: Mistake): Verdict {
  const { text, places } = unmarked(marked);
  const found = diagnosticsIn(text);
  return {
    isSingle: found.length === says.length,
    isRightPlace: places.every(({ line, column }, index) => found[index]?.line === line && found[index].column === column),
    isRightCause: says.every((parts, index) => parts.every((part) => `${found[index]?.message}\n${found[index]?.hint}`.includes(part))),
    shown: found.map(({ line, column, message, hint }) => `${line}:${column} ${message}${hint === null ? '' : ` = ${hint}`}`).join('\n'),
  };
}

const verdicts = mistakes.map((mistake) => ({ ...mistake, ...judge(mistake) }));

for (const { name, marked, says, isSingle, isRightPlace, isRightCause, shown } of verdicts) {
  test(`diagnoses ${name}`, () => {
    const { places } = unmarked(marked);
    assert.is(places.length, says.length, 'each diagnostic has a place');
    const expected = places.map(({ line, column }, index) => `${line}:${column} ${says[index]?.join(' … ')}`).join('\n');
    const problem = !isSingle ? 'the number of diagnostics' : !isRightPlace ? 'the place' : !isRightCause ? 'the cause' : null;
    assert.is(problem, null, `${problem} is wrong; expected\n${expected}\nand found\n${shown}`);
  });
}

test('every mistake has a name of its own', () => {
  assert.is(new Set(mistakes.map(({ name }) => name)).size, mistakes.length);
});

const count = (is: (verdict: Verdict) => boolean): string => `${verdicts.filter(is).length} of ${verdicts.length}`;
process.stdout.write(
  `note: mistakes diagnosed at the right place: ${count((one) => one.isRightPlace)}, with the right cause: ${count((one) => one.isRightCause)}, ` +
    `by a single diagnostic: ${count((one) => one.isSingle)}, all three: ${count((one) => one.isSingle && one.isRightPlace && one.isRightCause)}\n`,
);

test.run();
