import { parseYamlInSegments, type SegmentCache } from './segments.ts';
import type { YamlTree } from './tree.ts';

interface CachedTree {
  readonly segments: SegmentCache;
  text: string;
  tree: YamlTree;
}

/** Trees of several files by their names, so that what has not changed since the last reading is not parsed again. */
export class ParseCache {
  readonly #files = new Map<string, CachedTree>();

  /** Returns what `parseYamlInPieces` returns for the text of this file. */
  parse(file: string, text: string): YamlTree {
    const known = this.#files.get(file);
    if (known?.text === text) return known.tree;
    const segments = known?.segments ?? new Map();
    const tree = parseYamlInSegments(text, segments);
    this.#files.set(file, { segments, text, tree });
    return tree;
  }

  /** Forgets all files but these. */
  retainOnly(files: ReadonlySet<string>): void {
    for (const file of this.#files.keys()) if (!files.has(file)) this.#files.delete(file);
  }
}
