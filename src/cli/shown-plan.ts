import type { Planned } from '../reports.ts';

/** A plan, and what the forms in which it is shown say besides. */
export interface Shown extends Planned {
  /** The command that releases what is held; `null` if nothing is. */
  readonly release: string | null;
}
