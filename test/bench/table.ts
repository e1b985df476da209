/** The target of a measurement. */
export interface Target {
  readonly words: string;
  readonly isReached: boolean;
}

/** One line of a table: the measurement, the numbers, and the target if there is one. */
export interface Row {
  readonly cells: readonly string[];
  readonly target?: Target;
}

/** Returns a target of at most `limit`. */
export function atMost(value: number, limit: number, words: string): Target {
  return { words: `<= ${words}`, isReached: value <= limit };
}

/** Returns a target of at least `limit`. */
export function atLeast(value: number, limit: number, words: string): Target {
  return { words: `>= ${words}`, isReached: value >= limit };
}

/** Returns the lines of a table: numbers aligned to the right, followed by the targets. */
export function table(title: string, head: readonly string[], rows: readonly Row[]): string {
  const verdict = ({ target }: Row): string => (target ? `${target.words}  ${target.isReached ? 'ok' : 'MISSED'}` : '');
  const targetHead = rows.some((row) => row.target) ? ['target'] : [];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row.cells[column]?.length ?? 0)));
  const line = (cells: readonly string[], end: string): string => {
    const padded = widths.map((width, column) => (column === 0 ? (cells[0] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width)));
    return `  ${[...padded, end].join('   ').trimEnd()}\n`;
  };
  return `${title}\n${line(head, targetHead.join(''))}${rows.map((row) => line(row.cells, verdict(row))).join('')}\n`;
}

/** Returns how many targets in tables of `table` are missed. */
export function countMissed(tables: string): number {
  return tables.match(/ {2}MISSED$/gm)?.length ?? 0;
}

/** Returns the median of `values`. Throws an Error if there is none. */
export function median(values: readonly number[]): number {
  const middle = values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}

/** Returns a number with separators: `12,345`. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}

/** Returns milliseconds in a suitable unit: `0.53 s`, `48 ms`, `1.2 ms`. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms.toFixed(Math.abs(ms) >= 10 ? 0 : 1)} ms`;
}
