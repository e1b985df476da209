import type { Commits } from '../core/commit.ts';
import type { Note } from '../core/observe.ts';
import type { Plan } from '../core/plan.ts';
import type { DesiredState } from '../core/publication.ts';

/** What is known of who has written the lines of a file. */
export interface Blamed {
  /** Left out if nobody asked. */
  readonly commits?: Commits;
}

/** A plan, and what the forms in which it is shown say besides. */
export interface Shown extends Blamed {
  readonly desired: DesiredState;
  readonly plan: Plan;
  /** What was seen at the gateway on the way to it. */
  readonly notes: readonly Note[];
  /** The command that releases what is held; `null` if nothing is. */
  readonly release: string | null;
}
