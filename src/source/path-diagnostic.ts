import { type DiagnosticRule, maxDiagnostics } from '../model/errors.ts';
import type { KeyPath } from './yaml/source-ranges.ts';

/** An error at a path of the file, before its line is known. */
export interface PathDiagnostic {
  /** Omitted: the rule of the check that found it. */
  readonly rule?: DiagnosticRule;
  readonly path: KeyPath;
  /** Which part of the entry at `path` is wrong. */
  readonly target: 'key' | 'value';
  readonly message: string;
  readonly hint: string | null;
  /** The same for all diagnostics that one correction removes, such as a name that is misspelt everywhere. Omitted: `message`. */
  readonly cause?: string;
  /** Where else the cause is. */
  readonly others?: OtherPlaces;
}

/** Further places of a cause: how many there are, and the first of them. */
export interface OtherPlaces {
  count: number;
  readonly paths: KeyPath[];
}

/** How many further places of a cause are remembered. */
const maxPaths = 3;

/** How many further places of all causes are counted. */
const maxRepeats = 50_000;

/**
 * The first errors that are found, one more than are reported; each cause once. A hostile file has millions: a check stops when the list is full, because a message
 * with the nearest name costs far more than the error does its author.
 */
export class FirstDiagnostics {
  readonly list: PathDiagnostic[] = [];
  readonly #others = new Map<string, OtherPlaces>();
  #repeats = 0;

  get isFull(): boolean {
    return this.list.length > maxDiagnostics || this.#repeats > maxRepeats;
  }

  /** Returns whether a cause is known, and counts the further place at `path` then. The message of a known cause need not be made again. */
  repeats(cause: string, path: KeyPath): boolean {
    const others = this.#others.get(cause);
    if (!others) return false;
    this.#repeats += 1;
    others.count += 1;
    if (others.paths.length < maxPaths) others.paths.push(path);
    return true;
  }

  /** Adds those that have room. */
  push(...diagnostics: readonly PathDiagnostic[]): void {
    for (const diagnostic of diagnostics) {
      const cause = diagnostic.cause ?? diagnostic.message;
      if (this.isFull || this.repeats(cause, diagnostic.path)) continue;
      const others: OtherPlaces = { count: 0, paths: [] };
      this.#others.set(cause, others);
      this.list.push({ ...diagnostic, cause, others });
    }
  }
}
