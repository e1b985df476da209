import type { DiagnosticRule } from '../model/errors.ts';
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
}
