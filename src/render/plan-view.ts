import type { Plan } from '../model/change.ts';
import type { DriftNotice } from '../model/observation.ts';
import type { CommitLookup, DesiredState } from '../model/publication.ts';

/** What is known of who has written the lines of a file. */
export interface BlameInfo {
  /** Left out if nobody asked. */
  readonly commits?: CommitLookup;
}

/** A plan, and what the forms in which it is shown say besides. */
export interface PlanView extends BlameInfo {
  readonly desired: DesiredState;
  readonly plan: Plan;
  /** What was seen at the gateway on the way to it. */
  readonly notices: readonly DriftNotice[];
  /** The command that releases what is held; `null` if nothing is. */
  readonly approveCommand: string | null;
}
