import type { ApprovalRef, FileHold, Hold } from './approval.ts';
import type { SourceLocation, Suspension } from './desired-state.ts';
import { EdictError, exitCodes } from './errors.ts';
import type { GatewayIdentity } from './gateway.ts';
import type { UnmanagedPublication } from './observation.ts';
import type { Action, PublicationKey, PublicationNames, PublicationState } from './publication.ts';
import type { Drift, RecordedPublication } from './recorded-state.ts';
import type { SavedPlanDiff } from './saved-plan-diff.ts';
import type { TargetPatterns } from './settings.ts';

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
  /** Whether it is for an emulated gateway: its digests are no digests of a plan for the real one; omitted: it is not. */
  readonly isEmulated?: boolean;
  /** The patterns that limit the plan; see `filterPlan`. */
  readonly targets: TargetPatterns;
  readonly changes: readonly Change[];
  /** How many publications match the file, as far as is known. */
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
  /**
   * Drifted publications that the plan leaves in place: because of `drift: report`, because the drift is flapping, or because the gateway does
   * not have their API. Of the last ones nothing need be recorded; their state is `null` then.
   */
  readonly drifted: readonly RecordedPublication[];
  /** Publications that match the file, and that edict changed so recently that the gateway's lists may not show it yet. */
  readonly settling: readonly RecordedPublication[];
  /** Publications that are online at the gateway, and that the file does not declare and the plan leaves in place. */
  readonly unmanaged: readonly UnmanagedPublication[];
  /** Those of `unmanaged` that the last applied file declared. */
  readonly newlyUnmanaged: readonly UnmanagedPublication[];
  readonly lastChecked: LastChecked;
  /** The IDs of APIs that the gateway does not list: no call brings their publications online. */
  readonly missingApiIds: readonly string[];
  /** Publications whose API was edited after it was published and that the plan does not publish again. */
  readonly outdated: readonly RecordedPublication[];
}

/** The part of a plan that an approval is about. */
export type PlanHolds = Pick<Plan, 'gateway' | 'isEmulated' | 'targets' | 'changes' | 'fileHeld' | 'approval'>;

/** Nobody has approved the gateway of a file yet, so that nothing may be sent there. */
export class GatewayHeldError extends EdictError {
  readonly holds: PlanHolds;

  constructor(message: string, holds: PlanHolds, hint: string) {
    super('GATEWAY_HELD', message, { exitCode: exitCodes.held, hint });
    this.holds = holds;
  }
}

/** When the gateway was last observed completely. */
export interface LastChecked {
  /** In milliseconds since 1970; `null`: never. */
  readonly atMs: number | null;
  /** Whether that is within the file's `refresh`, so that a plan without changes may be called in sync. */
  readonly isCurrent: boolean;
}

/** Why a change is made later, without an approval. `rule` is stable; `message` is the reason for people, without the end time. */
export interface Deferral {
  readonly rule: 'freeze' | 'suspended' | 'rollout' | 'removal' | 'first-contact';
  readonly message: string;
  /** When it ends, in milliseconds since 1970; `null` if it does not end at a known time. */
  readonly untilMs: number | null;
  /** The probe whose success ends it; omitted if none does. */
  readonly probe?: ProbeTarget;
}

/** A published API that is probed at its own URL before the rollout proceeds to the next environment. */
export interface ProbeTarget extends PublicationNames {
  readonly key: PublicationKey;
  readonly url: string;
  /** The expected HTTP status; `null`: any from 200 to 299. */
  readonly expectedStatus: number | null;
  readonly timeoutMs: number;
  /** When the recorded state last changed, in milliseconds since 1970. A result for an earlier state does not count. */
  readonly sinceMs: number;
}

/** The result of a probe. */
export interface ProbeResult extends Pick<ProbeTarget, 'key' | 'url' | 'sinceMs'> {
  readonly isExpected: boolean;
  /** The result for people: `answered 503, expected 200 to 299`. */
  readonly message: string;
}

/** The latest result of each probed publication. */
export type ProbeResults = ReadonlyMap<PublicationKey, ProbeResult>;
