import type { Hold } from '../model/approval.ts';
import type { Attempt } from '../model/attempt.ts';
import type { Change, Plan } from '../model/change.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import type { PublicationKey, PublicationNames, PublicationState } from '../model/publication.ts';
import type { RecordedPublication, RecordedState, UnknownAttempt } from '../model/recorded-state.ts';
import type { TargetPatterns } from '../model/settings.ts';

/** A plan as it was shown, to be applied as it is or not at all. It restricts a later plan and never adds to it. */
export interface SavedPlan {
  /** Whether a person has just confirmed it: the next plan must have the same changes, no more and no fewer. */
  readonly isConfirmed: boolean;
  readonly gateway: GatewayIdentity;
  /** Whether the gateway was emulated. */
  readonly isEmulated: boolean;
  /** Whether the gateway was observed before planning. */
  readonly isRefreshed: boolean;
  readonly targets: TargetPatterns;
  /** When the recorded state that it is based on was read, in milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly changes: ReadonlyMap<PublicationKey, SavedChange>;
}

/** One change of a saved plan, with its precondition. */
export interface SavedChange
  extends PublicationNames,
    Pick<Change, 'key' | 'action' | 'reason' | 'from' | 'revision' | 'remark' | 'version' | 'held' | 'deferred'> {
  readonly precondition: Precondition;
  /** The newest attempt on it when the plan was saved; `null` if there was none. */
  readonly lastAttemptId: number | null;
}

/** The recorded state of a publication when the plan was saved; all `null` if nothing was recorded. */
export interface Precondition {
  readonly state: PublicationState | null;
  readonly revision: string | null;
  readonly versionId: string | null;
  readonly editedAtMs: number | null;
  readonly unknownAttempt: Pick<UnknownAttempt, 'attemptId' | 'action' | 'revision' | 'version'> | null;
}

export type LastAttempts = ReadonlyMap<PublicationKey, Attempt>;

/** Returns the precondition of a change to a publication. */
export function preconditionOf(recorded: RecordedPublication | undefined): Precondition {
  const { state = null, revision = null, versionId = null, editedAtMs = null, unknownAttempt = null } = recorded ?? {};
  if (unknownAttempt === null) return { state, revision, versionId, editedAtMs, unknownAttempt };
  const { attemptId, action, revision: attemptRevision, version } = unknownAttempt;
  return { state, revision, versionId, editedAtMs, unknownAttempt: { attemptId, action, revision: attemptRevision, version } };
}

/**
 * Returns `plan`, computed from `recorded`, in the form in which it is saved. Attempts newer than `recorded` only make it
 * stale.
 */
export function toSavedPlan(
  { gateway, targets, changes }: Plan,
  { recorded, attempts }: { readonly recorded: RecordedState; readonly attempts: LastAttempts },
  origin: Pick<SavedPlan, 'isConfirmed' | 'isEmulated' | 'isRefreshed' | 'createdAtMs'>,
): SavedPlan {
  const savedChanges = changes.map(
    ({ key, api, apiId, environment, environmentId, action, reason, from, revision, remark, version, held, deferred }): SavedChange => ({
      ...{ key, api, apiId, environment, environmentId, action, reason, from, revision, remark, version, deferred },
      held: held && toPlainHold(held),
      precondition: preconditionOf(recorded.get(key)),
      lastAttemptId: attempts.get(key)?.id ?? null,
    }),
  );
  return { gateway, targets, ...origin, changes: new Map(savedChanges.map((change) => [change.key, change])) };
}

/** Drops `affected`, which only a file hold has. */
function toPlainHold({ rule, message, hint }: Hold): Hold {
  return { rule, message, hint };
}
