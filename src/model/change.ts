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
 * Why a publication must move: it was `new`ly declared, its `state`, `revision` or `version` differs from the record, its API
 * was `edited` since, it was `removed` from the file, an earlier attempt is `unresolved`, or somebody else moved it: `drift`.
 */
export type ChangeReason = 'new' | 'state' | 'revision' | 'version' | 'edited' | 'removed' | 'unresolved' | 'drift';

/** One publication that must move. */
export interface Change extends PublicationNames {
  readonly key: PublicationKey;
  readonly action: Action;
  readonly reason: ChangeReason;
  /** The recorded state; `null` if there is none. */
  readonly from: PublicationState | null;
  readonly to: PublicationState;
  readonly revision: string | null;
  readonly remark: string | null;
  /** The kept version that an `online` makes effective, instead of making a new one; `null`: it makes a new one. */
  readonly version: string | null;
  /** What somebody else has done against the file; `null` if nobody did. */
  readonly drift: Drift | null;
  /** Why edict refuses to make this change until a person agrees; `null` if it does not. */
  readonly held: Hold | null;
  /** Why edict makes it later; `null` if it does not wait. */
  readonly deferred: Deferral | null;
  /** Whose agreement has released it; `null` if it needed none. */
  readonly approval: ApprovalRef | null;
  /** Where the file asks for it; `null` for a publication that left the file. */
  readonly source: SourceLocation | null;
}

/** The ordered set of changes that leads from the recorded to the desired state. */
export interface Plan {
  readonly gateway: GatewayIdentity;
  /** What the plan is about; see `narrow`. */
  readonly targets: TargetPatterns;
  readonly changes: readonly Change[];
  readonly unchanged: number;
  /** Why the whole file is held until a person agrees; `null` if nothing speaks against it. */
  readonly fileHeld: FileHold | null;
  /** A person's word, beside the file, that no call is made for the time being; `null` if there is none. */
  readonly suspension: Suspension | null;
  /** Whose agreement has released what was held; `null` if nobody's. */
  readonly approval: ApprovalRef | null;
  /** How many changes are left out, since they are not targeted. */
  readonly excluded: number;
  /** How it differs from the saved plan that it is kept to; `null` if it is kept to none. */
  readonly savedPlanDiff: SavedPlanDiff | null;
  /** What somebody else has made and the plan leaves, since the file says `drift: report` or there is a truce. */
  readonly drifted: readonly RecordedPublication[];
  /** What is online with an older draft than the newest, and the plan leaves. */
  readonly outdated: readonly RecordedPublication[];
}
