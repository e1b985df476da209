/** A part of a text that has only so much room. */
export interface Part {
  /** What it says at least. */
  readonly least: string;
  /** Returns the most that it can say in `room` characters; `least` if even that is more. */
  readonly most: (room: number) => string;
}

/** Returns a part that says the same however much room there is. */
export function fixed(text: string): Part {
  return { least: text, most: () => text };
}

/** Returns parts, one below the other, in at most `limit` characters; the first ones have the first choice of the room. */
export function fit(parts: readonly Part[], limit: number): string {
  const told = parts.filter(({ least }) => least !== '');
  let left = limit - told.reduce((sum, { least }) => sum + least.length + between.length, 0);
  const texts = told.map(({ least, most }) => {
    const text = left > 0 ? most(least.length + left) : least;
    left -= text.length - least.length;
    return text;
  });
  return `${texts.join(between)}\n`;
}

const between = '\n\n';

/** Returns the first of `texts` that has room, each made only if it is needed; the last one if none has. */
export function firstFitting(texts: readonly [...(() => string)[], () => string], room: number): string {
  let text = '';
  for (const make of texts) {
    text = make();
    if (text.length <= room) break;
  }
  return text;
}

/** Rows under a heading. */
export interface Table {
  readonly heading: string;
  readonly columns: readonly string[];
  /** How many rows there are, and the cells of each, made only as far as there is room. */
  readonly size: number;
  readonly row: (index: number) => readonly string[];
}

/** Returns the whole table, however long it is. */
export function wholeTable(table: Table): string {
  return `${table.heading}\n\n${headOf(table)}\n${rowsOf(table, 0, Number.POSITIVE_INFINITY).lines.join('\n')}`;
}

/**
 * Returns a table whose first `open` rows are shown and whose others are folded, as many as there is room for. `rest` says
 * where the others are; at least that is said. A table without rows is an empty part.
 */
export function foldedTable(table: Table, open: number, rest: string): Part {
  if (table.size === 0) return fixed('');
  const least = `${table.heading}\n\n${rest}`;
  const most = (room: number): string => {
    const head = headOf(table);
    // Beside the rows: the heading, the head twice, the fold, and the word about what is left.
    const fold = `\n\n<details><summary>${table.size} more</summary>\n\n${head}\n\n\n</details>\n\n`;
    const aside = `${table.heading}\n\n${head}\n${fold}And ${table.size} more. ${rest}`;
    const roomForRows = room - aside.length;
    const shown = rowsOf(table, 0, roomForRows, open);
    if (shown.lines.length === 0) return least;
    const folded = rowsOf(table, shown.lines.length, roomForRows - shown.length);
    const told = shown.lines.length + folded.lines.length;
    return [
      table.heading,
      `${head}\n${shown.lines.join('\n')}`,
      ...(folded.lines.length > 0
        ? [`<details><summary>${folded.lines.length} more</summary>`, `${head}\n${folded.lines.join('\n')}`, '</details>']
        : []),
      ...(told < table.size ? [`And ${table.size - told} more. ${rest}`] : []),
    ].join(between);
  };
  return { least, most };
}

function headOf({ columns }: Table): string {
  return `| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`;
}

/** Returns the lines of the rows from `from` on, as many as `room` and `most` allow. */
function rowsOf(
  { size, row }: Table,
  from: number,
  room: number,
  most: number = size,
): { readonly lines: string[]; readonly length: number } {
  const lines: string[] = [];
  let length = 0;
  for (let index = from; index < size && lines.length < most; index += 1) {
    const line = `| ${row(index).join(' | ')} |`;
    if (length + line.length + 1 > room) break;
    lines.push(line);
    length += line.length + 1;
  }
  return { lines, length };
}
