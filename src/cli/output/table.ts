import { stripVTControlCharacters } from 'node:util';

/** Returns rows of cells as lines with aligned columns. Color codes do not count towards the width. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  const width = (cell: string): number => stripVTControlCharacters(cell).length;
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell));
  return rows.map((row) =>
    row
      .map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd(),
  );
}
