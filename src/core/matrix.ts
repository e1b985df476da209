import type { Change, Plan } from './plan.ts';
import type { Attempt } from './ports.ts';
import type {
  DesiredPublication,
  DesiredState,
  PublicationKey,
  PublicationNames,
  RecordedPublication,
  RecordedState,
} from './publication.ts';

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
export const standings = ['failed', 'held', 'changing', 'waiting', 'frozen', 'drifted', 'stale', 'kept', 'in sync'] as const;
export type Standing = (typeof standings)[number];

/** What of a publication's newest attempt says how it stands. */
export type LastAttempt = Pick<Attempt, 'id' | 'action' | 'revision' | 'outcome' | 'code' | 'message' | 'beganAtMs'>;

/** One publication: what is wanted, what is recorded, what comes next. */
export interface Cell extends PublicationNames {
  readonly key: PublicationKey;
  /** `null`: the file does not have it. */
  readonly desired: DesiredPublication | null;
  /** `null`: nothing was ever recorded of it. */
  readonly recorded: RecordedPublication | null;
  /** `null`: it is left as it is. */
  readonly change: Change | null;
  /** `null`: none was ever made. */
  readonly last: LastAttempt | null;
  readonly standing: Standing;
}

/** What cells are made of. */
export interface Matrix {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly changes: ReadonlyMap<PublicationKey, Change>;
  readonly stale: ReadonlySet<PublicationKey>;
  readonly lastAttempts: ReadonlyMap<PublicationKey, LastAttempt>;
}

/** Returns what the cells of a plan are made of. */
export function matrixOf(
  desired: DesiredState,
  recorded: RecordedState,
  { changes, stale }: Pick<Plan, 'changes' | 'stale'>,
  lastAttempts: Matrix['lastAttempts'],
): Matrix {
  return {
    ...{ desired, recorded, lastAttempts },
    changes: new Map(changes.map((change) => [change.key, change])),
    stale: new Set(stale.map(({ key }) => key)),
  };
}

/** Returns the keys of every publication that is declared or recorded, those of the file first, in its order. */
export function keysOf({ desired, recorded }: Pick<Matrix, 'desired' | 'recorded'>): Set<PublicationKey> {
  return new Set([...desired.publications.keys(), ...recorded.keys()]);
}

/** Returns one cell; `null` if there is no such publication. */
export function cellOf(key: PublicationKey, { desired, recorded, changes, stale, lastAttempts }: Matrix): Cell | null {
  const wanted = desired.publications.get(key) ?? null;
  const was = recorded.get(key) ?? null;
  const named = wanted ?? was;
  if (!named) return null;
  const { api, apiId, environment, environmentId } = named;
  const change = changes.get(key) ?? null;
  const last = lastAttempts.get(key) ?? null;
  const standing = change
    ? standingOfChange(change, last)
    : was?.drift
      ? 'drifted'
      : stale.has(key)
        ? 'stale'
        : wanted
          ? 'in sync'
          : 'kept';
  return { key, api, apiId, environment, environmentId, desired: wanted, recorded: was, change, last, standing };
}

function standingOfChange(change: Change, last: LastAttempt | null): Standing {
  if (change.held) return 'held';
  if (change.waits) return change.waits.rule === 'order' ? 'waiting' : 'frozen';
  return hasFailed(change, last) ? 'failed' : 'changing';
}

/** Returns whether this very change was tried last, and did not succeed. */
export function hasFailed(change: Pick<Change, 'action' | 'revision'>, last: LastAttempt | null): boolean {
  if (!last || last.action !== change.action || last.revision !== change.revision) return false;
  return last.outcome !== null && last.outcome !== 'succeeded' && last.outcome !== 'dropped' && last.outcome !== 'absent';
}
