import type { Change, Plan } from '../model/change.ts';
import type { Attempt } from '../model/ports.ts';
import type {
  DesiredPublication,
  DesiredState,
  PublicationKey,
  PublicationNames,
  RecordedPublication,
  RecordedState,
} from '../model/publication.ts';

/**
 * How a publication stands, at a glance; each has one of these, the first that holds.
 *
 * - `held`: a change that edict refuses to make until a person agrees.
 * - `frozen`: a change that a freeze or a suspension puts off.
 * - `waiting`: a change that waits for its turn in the order.
 * - `failed`: a change whose last attempt did not succeed.
 * - `changing`: a change that is made now.
 * - `drifted`: somebody else moved it, and that is left as it is.
 * - `stale`: its API was edited since it was published, and that is left as it is.
 * - `kept`: it is recorded, and the file does not have it.
 * - `in sync`: it is as the file says.
 */
export const publicationStatuses = ['failed', 'held', 'changing', 'waiting', 'frozen', 'drifted', 'stale', 'kept', 'in sync'] as const;
export type PublicationStatus = (typeof publicationStatuses)[number];

/** What of a publication's newest attempt says how it stands. */
export type AttemptSummary = Pick<Attempt, 'id' | 'action' | 'revision' | 'outcome' | 'code' | 'message' | 'startedAtMs'>;

/** One publication: what is wanted, what is recorded, what comes next. */
export interface StatusCell extends PublicationNames {
  readonly key: PublicationKey;
  /** `null`: the file does not have it. */
  readonly desired: DesiredPublication | null;
  /** `null`: nothing was ever recorded of it. */
  readonly recorded: RecordedPublication | null;
  /** `null`: it is left as it is. */
  readonly change: Change | null;
  /** `null`: none was ever made. */
  readonly lastAttempt: AttemptSummary | null;
  readonly status: PublicationStatus;
}

/** What cells are made of. */
export interface StatusInput {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly changes: ReadonlyMap<PublicationKey, Change>;
  readonly outdated: ReadonlySet<PublicationKey>;
  readonly lastAttempts: ReadonlyMap<PublicationKey, AttemptSummary>;
}

/** Returns what the cells of a plan are made of. */
export function statusInput(
  desired: DesiredState,
  recorded: RecordedState,
  { changes, outdated }: Pick<Plan, 'changes' | 'outdated'>,
  lastAttempts: StatusInput['lastAttempts'],
): StatusInput {
  return {
    ...{ desired, recorded, lastAttempts },
    changes: new Map(changes.map((change) => [change.key, change])),
    outdated: new Set(outdated.map(({ key }) => key)),
  };
}

/** Returns the keys of every publication that is declared or recorded, those of the file first, in its order. */
export function publicationKeys({ desired, recorded }: Pick<StatusInput, 'desired' | 'recorded'>): Set<PublicationKey> {
  return new Set([...desired.publications.keys(), ...recorded.keys()]);
}

/** Returns one cell; `null` if there is no such publication. */
export function computeStatusCell(
  key: PublicationKey,
  { desired, recorded, changes, outdated, lastAttempts }: StatusInput,
): StatusCell | null {
  const wanted = desired.publications.get(key) ?? null;
  const was = recorded.get(key) ?? null;
  const named = wanted ?? was;
  if (!named) return null;
  const { api, apiId, environment, environmentId } = named;
  const change = changes.get(key) ?? null;
  const lastAttempt = lastAttempts.get(key) ?? null;
  const status = change
    ? statusOfChange(change, lastAttempt)
    : was?.drift
      ? 'drifted'
      : outdated.has(key)
        ? 'stale'
        : wanted
          ? 'in sync'
          : 'kept';
  return { key, api, apiId, environment, environmentId, desired: wanted, recorded: was, change, lastAttempt, status };
}

function statusOfChange(change: Change, last: AttemptSummary | null): PublicationStatus {
  if (change.held) return 'held';
  if (change.deferred) return change.deferred.rule === 'order' ? 'waiting' : 'frozen';
  return hasFailed(change, last) ? 'failed' : 'changing';
}

/** Returns whether this very change was tried last, and did not succeed. */
export function hasFailed(change: Pick<Change, 'action' | 'revision'>, last: AttemptSummary | null): boolean {
  if (!last || last.action !== change.action || last.revision !== change.revision) return false;
  return last.outcome !== null && last.outcome !== 'succeeded' && last.outcome !== 'dropped' && last.outcome !== 'absent';
}
