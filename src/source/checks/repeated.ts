import type { Diagnostic } from '../../model/errors.ts';
import { pluralize } from '../../render/format.ts';

type Place = Pick<Diagnostic, 'file' | 'line'>;

/** A diagnostic with its cause, see `PathDiagnostic`, and the further places of the cause: how many there are, and the first of them. */
export interface CausedDiagnostic {
  readonly diagnostic: Diagnostic;
  readonly cause: string;
  readonly others: { readonly count: number; readonly places: readonly Place[] };
}

/** How many further places a message names. */
const maxPlaces = 3;

interface MergedCause {
  readonly first: Diagnostic;
  count: number;
  readonly places: Place[];
}

/**
 * Returns one diagnostic for each cause, with the number of further places and the first of them in its message, and one for each place: of
 * several errors in one value the first one found is the most basic. Keeps the order.
 */
export function mergeRepeated(all: readonly CausedDiagnostic[]): readonly Diagnostic[] {
  const ruleAt = new Map<string, string>();
  const byCause = new Map<string, MergedCause>();
  for (const { diagnostic, cause, others } of all) {
    const { file, line, column, rule } = diagnostic;
    const place = `${file}:${line}:${column}`;
    const known = ruleAt.get(place);
    if (known !== undefined && known !== rule) continue;
    ruleAt.set(place, rule);
    const key = `${rule} ${cause}`;
    const same = byCause.get(key);
    if (!same) byCause.set(key, { first: diagnostic, count: others.count, places: [...others.places] });
    else {
      same.count += others.count + 1;
      same.places.push({ file, line }, ...others.places);
    }
  }
  return [...byCause.values()].map(withPlaces);
}

function withPlaces({ first, count, places }: MergedCause): Diagnostic {
  if (count === 0) return first;
  const isOneFile = places.every(({ file }) => file === first.file);
  const names = new Set(places.map(({ file, line }) => (isOneFile ? String(line) : `${file}:${line}`)));
  if (count <= maxPlaces) names.delete(isOneFile ? String(first.line) : `${first.file}:${first.line}`);
  if (names.size === 0) return { ...first, message: `${first.message}; also in the same line` };
  const shown = [...names].slice(0, maxPlaces).join(', ');
  const word = names.size === 1 ? 'line' : 'lines';
  const also =
    count > maxPlaces
      ? `at ${pluralize(count, 'other place')}, such as ${isOneFile ? `${word} ` : ''}${shown}`
      : `at ${isOneFile ? `${word} ` : ''}${shown}`;
  return { ...first, message: `${first.message}; also ${also}` };
}
