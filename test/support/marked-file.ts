import type { Diagnostic, InvalidFileError } from '../../src/model/errors.ts';
import { type ParseInput, parseDesiredState } from '../../src/source/parser.ts';

/** The lines of a valid file before `apis`, or in their place. */
export const head = `edict: 1
gateway:
  endpoint: https://roma.example.com
  project: p
  instance: i
environments:
  test: e1
  release: { id: e2 }
`;

/** Returns a text without its marks `«…»`, and the position of each, which the error there must have. */
export function unmarked(marked: string): { text: string; places: Pick<Diagnostic, 'line' | 'column' | 'length'>[] } {
  const places: { line: number; column: number; length: number }[] = [];
  const lines = marked.split('\n').map((line, index) => {
    let rest = line;
    for (let start = rest.indexOf('«'); start !== -1; start = rest.indexOf('«')) {
      const end = rest.indexOf('»');
      places.push({ line: index + 1, column: start + 1, length: end - start - 1 });
      rest = rest.slice(0, start) + rest.slice(start + 1, end) + rest.slice(end + 1);
    }
    return rest;
  });
  return { text: lines.join('\n'), places };
}

/** Returns every error in a text; none if it is valid. Rethrows anything else. */
export function diagnosticsIn(text: string, over: Partial<ParseInput> = {}): readonly Diagnostic[] {
  try {
    parseDesiredState({ text, file: 'edict.yaml', variables: {}, ...over });
    return [];
  } catch (error) {
    if ((error as InvalidFileError).diagnostics === undefined) throw error;
    return (error as InvalidFileError).diagnostics;
  }
}
