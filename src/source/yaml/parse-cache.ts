import { parseYamlInSegments, type SegmentCache } from './segments.ts';
import type { YamlTree } from './tree.ts';

interface CachedTree {
  readonly segments: SegmentCache;
  text: string;
  tree: YamlTree;
}

/** Caches the trees of files by name, so that content that is unchanged since the last parse is not parsed again. */
export class ParseCache {
  readonly #files = new Map<string, CachedTree>();

  /** Returns the tree of this file's text, as `parseYamlInSegments` does. */
  parse(file: string, text: string): YamlTree {
    const known = this.#files.get(file);
    if (known?.text === text) return known.tree;
    const segments = known?.segments ?? new Map();
    const tree = parseYamlInSegments(text, segments);
    this.#files.set(file, { segments, text, tree });
    return tree;
  }

  /** Removes all files but these from the cache. */
  retainOnly(files: ReadonlySet<string>): void {
    for (const file of this.#files.keys()) if (!files.has(file)) this.#files.delete(file);
  }
}
