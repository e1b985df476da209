import type { Hold } from '../model/approval.ts';
import type { Change, Plan } from '../model/change.ts';
import type { Attempt } from '../model/ports.ts';
import type {
  GatewayIdentity,
  PublicationKey,
  PublicationNames,
  PublicationState,
  RecordedPublication,
  RecordedState,
  UnknownAttempt,
} from '../model/publication.ts';
import type { TargetPatterns } from '../model/targets.ts';

/** A plan as it was once shown, to be carried out as it is or not at all. It narrows what is done and never adds to it. */
export interface SavedPlan {
  readonly gateway: GatewayIdentity;
  /** Whether the gateway was an emulated one. */
  readonly isEmulated: boolean;
  /** Whether the gateway was asked what is really published. */
  readonly isRefreshed: boolean;
  readonly targets: TargetPatterns;
  /** When the record was read that it rests on, in milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly changes: ReadonlyMap<PublicationKey, SavedChange>;
}

/** One change of a saved plan, with what it rests on. */
export interface SavedChange
  extends PublicationNames,
    Pick<Change, 'key' | 'action' | 'reason' | 'from' | 'revision' | 'remark' | 'version' | 'held' | 'deferred'> {
  readonly precondition: Precondition;
  /** The newest attempt on it when the plan was made; `null` if there was none. */
  readonly lastAttemptId: number | null;
}

/** What the record said of a publication; all `null` if it said nothing. */
export interface Precondition {
  readonly state: PublicationState | null;
  readonly revision: string | null;
  readonly versionId: string | null;
  readonly editedAtMs: number | null;
  readonly unknownAttempt: Pick<UnknownAttempt, 'attemptId' | 'action' | 'revision' | 'version'> | null;
}

export type LastAttempts = ReadonlyMap<PublicationKey, Attempt>;

/** Returns what a change to a publication rests on. */
export function preconditionOf(recorded: RecordedPublication | undefined): Precondition {
  const { state = null, revision = null, versionId = null, editedAtMs = null, unknownAttempt = null } = recorded ?? {};
  if (unknownAttempt === null) return { state, revision, versionId, editedAtMs, unknownAttempt };
  const { attemptId, action, revision: asked, version } = unknownAttempt;
  return { state, revision, versionId, editedAtMs, unknownAttempt: { attemptId, action, revision: asked, version } };
}

/** Returns `plan`, made from `recorded`, as it can be saved. Attempts that are newer than `recorded` only make it stale. */
export function toSavedPlan(
  { gateway, targets, changes }: Plan,
  recorded: RecordedState,
  attempts: LastAttempts,
  made: Pick<SavedPlan, 'isEmulated' | 'isRefreshed' | 'createdAtMs'>,
): SavedPlan {
  const saved = changes.map(
    ({ key, api, apiId, environment, environmentId, action, reason, from, revision, remark, version, held, deferred }): SavedChange => ({
      ...{ key, api, apiId, environment, environmentId, action, reason, from, revision, remark, version, deferred },
      held: held && toPlainHold(held),
      precondition: preconditionOf(recorded.get(key)),
      lastAttemptId: attempts.get(key)?.id ?? null,
    }),
  );
  return { gateway, targets, ...made, changes: new Map(saved.map((change) => [change.key, change])) };
}

/** A suspicion says more than why. */
function toPlainHold({ rule, message, hint }: Hold): Hold {
  return { rule, message, hint };
}
