import type { Diagnostic } from '../../model/errors.ts';
import { pluralize } from '../../render/format.ts';

/** A diagnostic with its cause: see `PathDiagnostic`. */
export interface CausedDiagnostic {
  readonly diagnostic: Diagnostic;
  readonly cause: string;
}

/** How many further places a message names. */
const maxPlaces = 3;

/**
 * Returns one diagnostic for each cause, with the number of further places and the first of them in its message, and one for each place: of
 * several errors in one value the first one found is the most basic. Keeps the order.
 */
export function mergeRepeated(all: readonly CausedDiagnostic[]): readonly Diagnostic[] {
  const ruleAt = new Map<string, string>();
  const byCause = new Map<string, { readonly first: Diagnostic; readonly others: Map<string, Diagnostic> }>();
  for (const { diagnostic, cause } of all) {
    const { file, line, column, rule } = diagnostic;
    const place = `${file}:${line}:${column}`;
    const known = ruleAt.get(place);
    if (known !== undefined && known !== rule) continue;
    ruleAt.set(place, rule);
    const key = `${rule} ${cause}`;
    const same = byCause.get(key);
    if (!same) byCause.set(key, { first: diagnostic, others: new Map() });
    else if (`${same.first.file}:${same.first.line}` !== `${file}:${line}`) same.others.set(`${file}:${line}`, diagnostic);
  }
  return [...byCause.values()].map(({ first, others }) => withPlaces(first, [...others.values()]));
}

function withPlaces(diagnostic: Diagnostic, others: readonly Diagnostic[]): Diagnostic {
  if (others.length === 0) return diagnostic;
  const isOneFile = others.every(({ file }) => file === diagnostic.file);
  const places = others.slice(0, maxPlaces).map(({ file, line }) => (isOneFile ? String(line) : `${file}:${line}`));
  const word = others.length === 1 ? 'line' : 'lines';
  const more = others.length - places.length;
  const also =
    more > 0
      ? `at ${pluralize(others.length, 'other line')}, such as ${places.join(', ')}`
      : isOneFile
        ? `at ${word} ${places.join(', ')}`
        : `at ${places.join(', ')}`;
  return { ...diagnostic, message: `${diagnostic.message}; also ${also}` };
}
