import type { DiagnosticRule } from '../model/errors.ts';
import type { KeyPath } from './yaml/source-ranges.ts';

/** Something wrong at a place of the file, before its line is known. */
export interface PathDiagnostic {
  /** Left out: that of the check that has found it. */
  readonly rule?: DiagnosticRule;
  readonly path: KeyPath;
  /** Which part of the entry that `path` leads to is meant. */
  readonly target: 'key' | 'value';
  readonly message: string;
  readonly hint: string | null;
}
