import type { Attempt } from '../model/attempt.ts';
import type { Change, Plan } from '../model/change.ts';
import type { DesiredPublication, DesiredState } from '../model/desired-state.ts';
import type { LastObservation, ReplacedApiIds, UnmanagedPublication } from '../model/observation.ts';
import { type PublicationKey, type PublicationNames, type PublicationState, pickNames } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';

/**
 * The status of a publication: the first of these that applies.
 *
 * - `held`: its change needs approval.
 * - `deferred`: its change is made later, because of a freeze, a suspension or the rollout.
 * - `failed`: the last attempt at its change did not succeed.
 * - `unknown`: an attempt has no known outcome, which is resolved before anything else is done; or it is not recorded, and the gateway is
 *   looked at before it is published, since it may be online there already; or the file is invalid, which declared it when it was valid.
 * - `pending`: its change is being made, or is next in the queue.
 * - `drifted`: it was changed outside edict and is left in place.
 * - `outdated`: its API was edited after it was published, and it is not published again.
 * - `unmanaged`: it is online at the gateway, but not in the file.
 * - `settling`: it matches the file, and was changed too recently for the gateway's lists to show it.
 * - `unchanged`: it matches the file.
 */
export const publicationStatuses = [
  'failed',
  'held',
  'unknown',
  'pending',
  'deferred',
  'drifted',
  'outdated',
  'unmanaged',
  'settling',
  'unchanged',
] as const;
export type PublicationStatus = (typeof publicationStatuses)[number];

/** The part of a publication's newest attempt that its status depends on. */
export type AttemptSummary = Pick<Attempt, 'id' | 'action' | 'revision' | 'outcome' | 'code' | 'message' | 'startedAtMs'>;

/** One publication: its desired state, its recorded state and its next change. */
export interface StatusCell extends PublicationNames {
  readonly key: PublicationKey;
  /** `null`: it is not in the file. */
  readonly desired: DesiredPublication | null;
  /** `null`: nothing is recorded. */
  readonly recorded: RecordedPublication | null;
  /** `null`: it needs no change. */
  readonly change: Change | null;
  /** `null`: there was no attempt. */
  readonly lastAttempt: AttemptSummary | null;
  readonly status: PublicationStatus;
  /** Whether the gateway does not list its API. */
  readonly isApiMissing: boolean;
  /** The ID under which that API was created again; `null` if none is known. */
  readonly replacementId: string | null;
  /** The state that the last valid file declares, while the file is invalid; omitted otherwise, and for what that one did not declare. */
  readonly lastDesired?: PublicationState;
}

/** The input from which status cells are computed. */
export interface StatusInput {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly changes: ReadonlyMap<PublicationKey, Change>;
  /** The publications that the plan leaves drifted. */
  readonly drifted: ReadonlySet<PublicationKey>;
  readonly outdated: ReadonlySet<PublicationKey>;
  readonly settling: ReadonlySet<PublicationKey>;
  readonly unmanaged: ReadonlyMap<PublicationKey, UnmanagedPublication>;
  readonly missingApiIds: ReadonlySet<string>;
  readonly replacedApiIds?: ReplacedApiIds;
  readonly lastAttempts: ReadonlyMap<PublicationKey, AttemptSummary>;
  /** The new publications for which the gateway is looked at before they are published; omitted if it was looked at, or is not to be. */
  readonly unseen?: ReadonlySet<PublicationKey>;
  /** The publications whose attempt is in flight, of which the store does not know the outcome either; omitted if that is not known. */
  readonly inFlight?: ReadonlySet<PublicationKey>;
}

/** Returns the input for the status cells of a plan. */
export function statusInput(
  {
    changes,
    drifted,
    outdated,
    settling,
    unmanaged,
    missingApiIds,
    replacedApiIds = {},
  }: Pick<Plan, 'changes' | 'drifted' | 'outdated' | 'settling' | 'unmanaged' | 'missingApiIds' | 'replacedApiIds'>,
  states: Pick<StatusInput, 'desired' | 'recorded' | 'lastAttempts' | 'inFlight' | 'unseen'>,
): StatusInput {
  return {
    ...states,
    changes: new Map(changes.map((change) => [change.key, change])),
    drifted: new Set(drifted.map(({ key }) => key)),
    outdated: new Set(outdated.map(({ key }) => key)),
    settling: new Set(settling.map(({ key }) => key)),
    unmanaged: new Map(unmanaged.map((publication) => [publication.key, publication])),
    missingApiIds: new Set(missingApiIds),
    replacedApiIds,
  };
}

/** Returns the keys of all declared, recorded and unmanaged publications: those of the file first, in its order. */
export function publicationKeys({
  desired,
  recorded,
  unmanaged,
}: Pick<StatusInput, 'desired' | 'recorded' | 'unmanaged'>): Set<PublicationKey> {
  return new Set([...desired.publications.keys(), ...recorded.keys(), ...unmanaged.keys()]);
}

/** Returns the status of one publication; `null` if it is neither declared nor online. */
export function computeStatusCell(key: PublicationKey, input: StatusInput): StatusCell | null {
  const { desired, recorded, changes, drifted, outdated, settling, unmanaged, missingApiIds, lastAttempts } = input;
  const declared = desired.publications.get(key) ?? null;
  const previous = recorded.get(key) ?? null;
  const publication = declared ?? previous ?? unmanaged.get(key);
  if (!publication || (!declared && !changes.has(key) && !unmanaged.has(key))) return null;
  const change = changes.get(key) ?? null;
  const lastAttempt = lastAttempts.get(key) ?? null;
  const status = change
    ? statusOfChange(change, input)
    : !declared
      ? 'unmanaged'
      : previous?.drift || drifted.has(key)
        ? 'drifted'
        : outdated.has(key)
          ? 'outdated'
          : settling.has(key)
            ? 'settling'
            : 'unchanged';
  const states = { desired: declared, recorded: previous, change, lastAttempt };
  return {
    key,
    ...pickNames(publication),
    ...states,
    status,
    isApiMissing: missingApiIds.has(publication.apiId),
    replacementId: input.replacedApiIds?.[publication.apiId] ?? null,
  };
}

/**
 * Returns the status of each publication while the file is invalid, so that the desired state is unknown: `unknown` is what edict left as
 * the last valid file, whose publications are in `declared`, said. Recorded ones first, in their order, then those that the last observation
 * found unmanaged.
 */
export function computeRecordedCells({
  recorded,
  lastAttempts,
  declared,
  observation,
}: Pick<StatusInput, 'recorded' | 'lastAttempts'> & {
  readonly declared: { has(key: PublicationKey): boolean };
  readonly observation: Pick<LastObservation, 'unmanaged' | 'missingApiIds' | 'replacedApiIds'> | null;
}): StatusCell[] {
  const { unmanaged = [], missingApiIds = [], replacedApiIds = {} } = observation ?? {};
  const cellOf = (of: PublicationNames & { readonly key: PublicationKey }): StatusCell => {
    const { key } = of;
    const [publication, lastAttempt] = [recorded.get(key) ?? null, lastAttempts.get(key) ?? null];
    // An observation after a failed attempt is newer.
    const hasFailed = isFailure(lastAttempt) && (publication?.recordedAtMs ?? 0) <= (lastAttempt?.startedAtMs ?? 0);
    const status = !declared.has(key) ? 'unmanaged' : hasFailed ? 'failed' : publication?.drift ? 'drifted' : 'unknown';
    const states = { desired: null, recorded: publication, change: null, lastAttempt };
    const lastDesired = declared.has(key) ? lastDeclaredState(publication, hasFailed ? lastAttempt : null) : null;
    const isApiMissing = missingApiIds.includes(of.apiId);
    return {
      key,
      ...pickNames(of),
      ...states,
      status,
      isApiMissing,
      replacementId: replacedApiIds[of.apiId] ?? null,
      ...(lastDesired && { lastDesired }),
    };
  };
  return [
    ...[...recorded.values()].filter(({ key, state }) => declared.has(key) || state === 'online').map(cellOf),
    ...unmanaged.filter(({ key }) => !recorded.has(key)).map(cellOf),
  ];
}

/**
 * Returns the state that the last valid file declared for a publication; `null` if nothing tells. The store keeps only which publications it
 * declared: the rest follows from what was attempted last, and from how the recorded state came about.
 */
function lastDeclaredState(recorded: RecordedPublication | null, failed: AttemptSummary | null): PublicationState | null {
  if (failed) return failed.action;
  if (recorded === null || recorded.drift === null) return null;
  // Drift from online to online is about the version.
  return recorded.state === 'online' && recorded.drift.from !== 'online' ? 'offline' : 'online';
}

/** Returns the status of a publication that must change. */
export function statusOfChange(
  change: Pick<Change, 'key' | 'action' | 'revision' | 'reason' | 'held' | 'deferred'>,
  { lastAttempts, inFlight, unseen }: Pick<StatusInput, 'lastAttempts' | 'inFlight' | 'unseen'>,
): 'held' | 'deferred' | 'failed' | 'unknown' | 'pending' {
  if (change.held) return 'held';
  if (change.reason === 'new' && unseen?.has(change.key)) return 'unknown';
  if (change.deferred) return 'deferred';
  const lastAttempt = lastAttempts.get(change.key) ?? null;
  if (hasFailed(change, lastAttempt)) return lastAttempt?.outcome === 'unknown' ? 'unknown' : 'failed';
  // An attempt is recorded before its request leaves, so that a plan that is computed meanwhile does not know its outcome.
  return change.reason === 'unknown' && !inFlight?.has(change.key) ? 'unknown' : 'pending';
}

/** Returns whether the last attempt was at this change and did not succeed. */
export function hasFailed(change: Pick<Change, 'action' | 'revision'>, lastAttempt: AttemptSummary | null): boolean {
  return lastAttempt?.action === change.action && lastAttempt.revision === change.revision && isFailure(lastAttempt);
}

function isFailure(attempt: AttemptSummary | null): boolean {
  const outcome = attempt?.outcome ?? null;
  return outcome !== null && outcome !== 'succeeded' && outcome !== 'superseded' && outcome !== 'notApplied';
}
