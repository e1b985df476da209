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
}

/**
 * The first errors that are found, one more than are reported. A hostile file has millions: a check stops when the list is full, because a message
 * with the nearest name costs far more than the error does its author.
 */
export class FirstDiagnostics {
  readonly list: PathDiagnostic[] = [];

  get isFull(): boolean {
    return this.list.length > maxDiagnostics;
  }

  /** Adds those that have room. */
  push(...diagnostics: readonly PathDiagnostic[]): void {
    for (const diagnostic of diagnostics) if (!this.isFull) this.list.push(diagnostic);
  }
}
