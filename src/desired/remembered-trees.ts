import { type PieceCache, parseYamlInPieces } from './yaml-pieces.ts';
import type { YamlTree } from './yaml-tree.ts';

interface Remembered {
  readonly pieces: PieceCache;
  text: string;
  tree: YamlTree;
}

/** Trees of several files by their names, so that what has not changed since the last reading is not parsed again. */
export class RememberedTrees {
  readonly #files = new Map<string, Remembered>();

  /** Returns what `parseYamlInPieces` returns for the text of this file. */
  parse(file: string, text: string): YamlTree {
    const known = this.#files.get(file);
    if (known?.text === text) return known.tree;
    const pieces = known?.pieces ?? new Map();
    const tree = parseYamlInPieces(text, pieces);
    this.#files.set(file, { pieces, text, tree });
    return tree;
  }

  /** Forgets all files but these. */
  keep(files: ReadonlySet<string>): void {
    for (const file of this.#files.keys()) if (!files.has(file)) this.#files.delete(file);
  }
}
