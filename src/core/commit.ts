import type { SourceLocation } from './publication.ts';

/** The commit that a line of the file comes from. Its author's name is whatever somebody has written. */
export type Commit =
  | { readonly kind: 'committed'; readonly id: string; readonly author: string; readonly atMs: number }
  /** The line is not committed yet. */
  | { readonly kind: 'uncommitted' };

/** Returns the commit of the line at a place; `null` if it is not known. */
export type CommitLookup = (source: SourceLocation) => Commit | null;
