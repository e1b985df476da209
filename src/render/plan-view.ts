import type { Plan } from '../model/change.ts';
import type { CommitLookup, DesiredState } from '../model/desired-state.ts';
import type { DriftNotice } from '../model/observation.ts';

/** The commits that last changed the lines of a file. */
export interface BlameInfo {
  /** Omitted if blame was not requested. */
  readonly commits?: CommitLookup;
}

/** A plan with everything else that its text and JSON forms show. */
export interface PlanView extends BlameInfo {
  readonly desired: DesiredState;
  readonly plan: Plan;
  /** The notices of the observation before planning. */
  readonly notices: readonly DriftNotice[];
  /** Why a gateway without recorded state was not observed; `null`, the default, if it was observed or no observation was needed. */
  readonly uncheckedReason?: string | null;
  /** Whether all unmanaged publications are listed; default: the first ones. */
  readonly listsUnmanaged?: boolean;
  /** The file that it is a plan of; default: `edict.yaml`. */
  readonly file?: string;
  /** The command that prints the plan as JSON; default: that of `edict.yaml`. */
  readonly jsonCommand?: string;
  /** The command that approves what is held; `null` if nothing is. */
  readonly approveCommand: string | null;
}

/** Returns the first line of a plan of a gateway that was never observed; `null` for any other plan. */
export function formatUncheckedPlan({ uncheckedReason = null }: Pick<PlanView, 'uncheckedReason'>): string | null {
  return uncheckedReason === null
    ? null
    : `Not checked against the gateway: ${uncheckedReason}. Publications that are already online may be shown as changes.`;
}
