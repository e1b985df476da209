import type { Range, YamlNode } from './tree.ts';

export type KeyPath = readonly string[];

/** The ranges at a path: the value, and its key (`null` at the root and in a list). Offsets count from the start of the text. */
export interface SourceRange {
  readonly key: Range | null;
  readonly value: Range;
  readonly node: YamlNode;
}

/** Returns the range of the longest prefix of `path` that exists in the tree. */
export function locate(root: YamlNode, path: KeyPath): SourceRange {
  let base = 0;
  let node = root;
  let key: Range | null = null;
  for (const step of path) {
    if (node.kind === 'map') {
      const entry = node.entries.get(step);
      if (!entry) break;
      base += entry.base;
      key = shiftRange(entry.key, base);
      node = entry.node;
    } else if (node.kind === 'seq') {
      const item = node.items[Number(step)];
      if (!item) break;
      key = null;
      node = item;
    } else break;
  }
  return { key, value: shiftRange(node, base), node };
}

function shiftRange(range: Range, by: number): Range {
  return { start: range.start + by, end: range.end + by };
}

/** Converts offsets to lines and columns, both counting from 1. */
export class LineIndex {
  readonly #text: string;
  readonly #starts: number[] = [0];

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  /** Returns the position of an offset; one beyond the end counts as the end. */
  positionAt(offset: number): { readonly line: number; readonly column: number } {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: Math.min(offset, this.#text.length) - (this.#starts[low] ?? 0) + 1 };
  }

  /** Returns the text of a line without its line end. */
  lineText(line: number): string {
    const start = this.#starts[line - 1] ?? this.#text.length;
    const end = this.#starts[line] ?? this.#text.length + 1;
    return this.#text.slice(start, this.#text.charAt(end - 2) === '\r' && end - 2 >= start ? end - 2 : end - 1);
  }
}
