import type { MistakeRule } from '../core/errors.ts';
import type { Path } from './positions.ts';

/** Something wrong at a place of the file, before its line is known. */
export interface Finding {
  /** Left out: that of the check that has found it. */
  readonly rule?: MistakeRule;
  readonly path: Path;
  /** Which part of the entry that `path` leads to is meant. */
  readonly at: 'key' | 'value';
  readonly message: string;
  readonly hint: string | null;
}
