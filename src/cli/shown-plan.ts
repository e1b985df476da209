import type { Commits } from '../core/commit.ts';
import type { Planned } from '../reports.ts';

/** What is known of who has written the lines of a file. */
export interface Blamed {
  /** Left out if nobody asked. */
  readonly commits?: Commits;
}

/** A plan, and what the forms in which it is shown say besides. */
export interface Shown extends Planned, Blamed {
  /** The command that releases what is held; `null` if nothing is. */
  readonly release: string | null;
}
