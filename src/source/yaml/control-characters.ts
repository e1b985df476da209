import { describeCharacter } from './characters.ts';
import type { YamlProblem } from './tree.ts';

/**
 * Characters that no edict file needs: control characters, line breaks other than those of Unix and Windows, and marks of the text direction. With
 * them a comment or a name looks other to a reviewer than to edict, and they would reach terminals through patches.
 */
const forbidden = /[[\p{Cc}--[\n\r\t]]\p{Zl}\p{Zp}\p{Bidi_Control}]|\r(?!\n)/gv;

/** The most characters reported in one file. */
const maxReported = 20;

/** Returns the first control characters of a file, comments included, as problems. */
export function findControlCharacters(text: string): YamlProblem[] {
  const problems: YamlProblem[] = [];
  for (const { 0: character, index } of text.matchAll(forbidden)) {
    problems.push({
      rule: 'yaml',
      kind: 'character',
      start: index,
      end: index + 1,
      message: `the character ${describeCharacter(character)} is not allowed`,
      hint: character === '\0' ? 'remove it; if there are many, the file was not saved completely' : hint,
    });
    if (problems.length === maxReported) break;
  }
  return problems;
}

const hint = 'remove it: control characters and marks of the text direction can hide what a file says';
