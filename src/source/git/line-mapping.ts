import { createHash } from 'node:crypto';

/** Returns the line of the earlier text that became `line`, both counting from 1; `null` for a line that is new or changed. */
export type LineMapping = (line: number) => number | null;

/** How often ranges are divided. More would be needed only by a text that is made for it, and cost time in proportion to its square. */
const maxDepth = 24;

/**
 * Maps the lines of a text to those of an earlier version of it. Lines that occur once in both texts are matched first, then their
 * neighbours (a patience diff), which takes time in proportion to the texts. Line ends do not count.
 */
export function mapLines(before: string, after: string): LineMapping {
  const [old, current] = [splitLines(before), splitLines(after)];
  const mapped = new Map<number, number>();
  // The queue has at most one range for each line.
  const ranges: LineRanges[] = [{ oldFrom: 0, oldTo: old.length, from: 0, to: current.length, depth: 0 }];
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    const { depth } = range;
    let { oldFrom, oldTo, from, to } = range;
    for (; oldFrom < oldTo && from < to && old[oldFrom] === current[from]; oldFrom += 1, from += 1) mapped.set(from + 1, oldFrom + 1);
    for (; oldFrom < oldTo && from < to && old[oldTo - 1] === current[to - 1]; oldTo -= 1, to -= 1) mapped.set(to, oldTo);
    const anchors = depth < maxDepth ? longestIncreasing(uniquePairs(old, current, { oldFrom, oldTo, from, to, depth })) : [];
    if (anchors.length === 0) continue;
    for (const anchor of [...anchors, { oldLine: oldTo, line: to }]) {
      ranges.push({ oldFrom, oldTo: anchor.oldLine, from, to: anchor.line, depth: depth + 1 });
      ({ oldLine: oldFrom, line: from } = anchor);
    }
  }
  return (line) => mapped.get(line) ?? null;
}

/** Ranges of lines in both texts, counting from 0, ends exclusive. */
interface LineRanges {
  readonly oldFrom: number;
  readonly oldTo: number;
  readonly from: number;
  readonly to: number;
  readonly depth: number;
}

interface LinePair {
  readonly oldLine: number;
  readonly line: number;
}

/** Maps compare longer texts of equal length character by character. */
const maxLineLength = 10_000;

/** Returns the lines of a text, of which only equality is of interest: a long one is represented by its hash. */
function splitLines(text: string): readonly string[] {
  return text.split('\n').map((written) => {
    const line = written.endsWith('\r') ? written.slice(0, -1) : written;
    return line.length > maxLineLength ? createHash('sha256').update(line).digest('base64') : line;
  });
}

/** Returns the pairs of equal lines that occur once in each range, in the order of the current text. */
function uniquePairs(old: readonly string[], current: readonly string[], { oldFrom, oldTo, from, to }: LineRanges): LinePair[] {
  const places = new Map<string, { oldLine: number; line: number; oldCount: number; count: number }>();
  for (let line = from; line < to; line += 1) {
    const place = places.get(current[line] ?? '');
    if (place) place.count += 1;
    else places.set(current[line] ?? '', { oldLine: -1, line, oldCount: 0, count: 1 });
  }
  for (let oldLine = oldFrom; oldLine < oldTo; oldLine += 1) {
    const place = places.get(old[oldLine] ?? '');
    if (!place) continue;
    place.oldCount += 1;
    place.oldLine = oldLine;
  }
  return [...places.values()].filter(({ oldCount, count }) => oldCount === 1 && count === 1);
}

/** Returns the longest part of `pairs` whose old lines increase too. */
function longestIncreasing(pairs: readonly LinePair[]): readonly LinePair[] {
  interface Link {
    readonly pair: LinePair;
    readonly previous: Link | null;
  }
  const tails: Link[] = [];
  for (const pair of pairs) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((tails[middle]?.pair.oldLine ?? 0) < pair.oldLine) low = middle + 1;
      else high = middle;
    }
    tails[low] = { pair, previous: tails[low - 1] ?? null };
  }
  const longest: LinePair[] = [];
  for (let link = tails.at(-1) ?? null; link !== null; link = link.previous) longest.push(link.pair);
  return longest.reverse();
}
