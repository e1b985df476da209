import type { ApprovalRef, FileHold, Hold } from './approval.ts';
import type { Deferral } from './deferral.ts';
import type {
  Action,
  Drift,
  GatewayIdentity,
  PublicationKey,
  PublicationNames,
  PublicationState,
  RecordedPublication,
  SourceLocation,
  Suspension,
} from './publication.ts';
import type { SavedPlanDiff } from './saved-plan-diff.ts';
import type { TargetPatterns } from './targets.ts';

/**
 * Why a publication must change: it is `new` in the file; its `state`, `revision` or `version` differs from the recorded
 * state; its API was `edited` after it was published; it was removed from the file (`prune`); the outcome of an earlier attempt
 * is `unknown`; or it was changed outside edict (`drift`).
 */
export type ChangeReason = 'new' | 'state' | 'revision' | 'version' | 'edited' | 'prune' | 'unknown' | 'drift';

/** One publication that must change. */
export interface Change extends PublicationNames {
  readonly key: PublicationKey;
  readonly action: Action;
  readonly reason: ChangeReason;
  /** The recorded state; `null` if nothing is recorded. */
  readonly from: PublicationState | null;
  readonly to: PublicationState;
  readonly revision: string | null;
  readonly remark: string | null;
  /** The existing version that an `online` switches to; `null`: it publishes a new version. */
  readonly version: string | null;
  /** The drift that this change corrects; `null` if it corrects none. */
  readonly drift: Drift | null;
  /** Why the change needs approval; `null` if it is not held. */
  readonly held: Hold | null;
  /** Why the change is made later; `null` if it is not deferred. */
  readonly deferred: Deferral | null;
  /** The approval that released it; `null` if it needed none. */
  readonly approval: ApprovalRef | null;
  /** Where the file declares it; `null` for a publication that was removed from the file. */
  readonly source: SourceLocation | null;
}

/** The sorted changes that take the recorded state to the desired state. */
export interface Plan {
  readonly gateway: GatewayIdentity;
  /** The patterns that limit the plan; see `filterPlan`. */
  readonly targets: TargetPatterns;
  readonly changes: readonly Change[];
  readonly unchanged: number;
  /** Why the whole file needs approval; `null` if it is not held. */
  readonly fileHeld: FileHold | null;
  /** A suspension set with a command, outside the file; `null` if there is none. */
  readonly suspension: Suspension | null;
  /** The approval that released the held changes; `null` if there is none. */
  readonly approval: ApprovalRef | null;
  /** How many changes are left out because they are not targeted. */
  readonly excluded: number;
  /** How it differs from the saved plan that restricts it; `null` without a saved plan. */
  readonly savedPlanDiff: SavedPlanDiff | null;
  /** Drifted publications that the plan leaves in place, because of `drift: report` or because the drift is flapping. */
  readonly drifted: readonly RecordedPublication[];
  /** Publications whose API was edited after it was published and that the plan does not publish again. */
  readonly outdated: readonly RecordedPublication[];
}
