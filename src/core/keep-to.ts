import { workOf } from './guards.ts';
import type { Move, Moved } from './kept.ts';
import type { Change, Plan } from './plan.ts';
import type { Attempt } from './ports.ts';
import type { DesiredPublication, DesiredState, PublicationKey, RecordedPublication, RecordedState } from './publication.ts';
import { type Basis, basisOf, type LastAttempts, type SavedChange, type SavedPlan } from './saved-plan.ts';

/** What there is now beside the plan, to be compared with what a saved one rests on. */
export interface Present {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly attempts: LastAttempts;
}

/**
 * Returns what of `part` a saved plan has too: the same work on the same basis. A pure function. What was held when the plan
 * was saved stays held until somebody agrees. `kept` tells what of the saved plan has moved, what is done, and what is newer.
 *
 * @param part what is targeted of `whole`, all that the file needs now
 */
export function keepTo(part: Plan, whole: Plan, saved: SavedPlan, present: Present): Plan {
  const now = new Map(whole.changes.map((change) => [change.key, change]));
  const moved: Moved[] = [];
  const open = new Set<PublicationKey>();
  let done = 0;
  for (const planned of saved.changes.values()) {
    const { key } = planned;
    const last = present.attempts.get(key);
    const standing: Standing = {
      planned,
      now: now.get(key),
      wanted: present.desired.publications.get(key),
      basis: basisOf(present.recorded.get(key)),
      last,
      isLater: last !== undefined && last.id !== planned.attempt && last.beganAtMs >= saved.madeAtMs,
    };
    const moves = movesUnder(standing);
    if (moves === 'done') done += 1;
    else if (moves.length === 0) open.add(key);
    else moved.push(movedOf(standing, moves));
  }
  const changes = whole.changes
    .filter(({ key }) => open.has(key))
    .map((change) => ({ ...change, held: change.held ?? saved.changes.get(change.key)?.held ?? null }));
  const newer = part.changes.filter(({ key }) => !saved.changes.has(key)).length;
  return { ...part, changes, kept: { moved, done, newer } };
}

/**
 * Returns a kept plan without the changes that are held or must wait now and were not when it was saved: those who saw the
 * plan have seen them made. To be asked last, when agreements have been looked at.
 */
export function withoutNewHolds(plan: Plan, saved: SavedPlan): Plan {
  const { kept } = plan;
  if (!kept) return plan;
  const moved = [...kept.moved];
  const changes = plan.changes.filter((change) => {
    const planned = saved.changes.get(change.key);
    const moves: Move[] = [];
    if (change.held && !planned?.held) moves.push({ what: 'held', message: change.held.message });
    else if (!change.held && change.waits && !planned?.waits) moves.push({ what: 'waits', message: change.waits.message });
    if (moves.length > 0) moved.push({ ...namesOf(change), moves, attempt: null });
    return moves.length === 0;
  });
  return { ...plan, changes, kept: { ...kept, moved } };
}

/**
 * Returns whether the record of a publication, read at the moment of acting, still is what a saved change rests on. An
 * attempt at exactly this work may have begun or come to nothing meanwhile.
 */
export function restsOn(planned: SavedChange, recorded: RecordedPublication | undefined): boolean {
  const { unresolved, ...basis } = basisOf(recorded);
  const isOwn =
    unresolved === null ||
    unresolved.attemptId === planned.basis.unresolved?.attemptId ||
    (unresolved.action === planned.action && unresolved.revision === planned.revision && unresolved.version === planned.version);
  return isOwn && movesOfRecord(planned, { ...basis, unresolved: null }).length === 0;
}

/** A saved change, and all that there is to be said of it now. */
interface Standing {
  readonly planned: SavedChange;
  readonly now: Change | undefined;
  readonly wanted: DesiredPublication | undefined;
  readonly basis: Basis;
  readonly last: Attempt | undefined;
  /** Whether `last` began after the plan was made. */
  readonly isLater: boolean;
}

function movesUnder(standing: Standing): readonly Move[] | 'done' {
  const { planned, now, basis, last, isLater } = standing;
  const isAwaited = last !== undefined && last.id === planned.basis.unresolved?.attemptId;
  const isOwn = last !== undefined && (isLater || isAwaited) && workOfAttempt(last) === workOf(planned);
  const hasSucceeded = last?.outcome === 'succeeded';
  const isDone = !now && hasSucceeded && (isOwn || isAwaited) && basis.state === planned.action && basis.unresolved === null;
  if (isDone) return 'done';
  const isOnTheWay = isOwn && basis.unresolved?.attemptId === last.id;
  const moves = [...movesOfRecord(planned, isOnTheWay ? { ...basis, unresolved: null } : basis), ...movesOfFile(standing)];
  if (moves.length === 0 && isLater && hasSucceeded) return [{ what: 'done and undone' }];
  return moves.length === 0 && !now ? [{ what: 'not needed' }] : moves;
}

function movesOfRecord({ action, version, basis: was }: SavedChange, now: Basis): Move[] {
  if (was.unresolved && isOutcomeOf(was.unresolved, now)) return [];
  const moves: Move[] = [];
  // A version that was not known has not changed by being seen.
  const isAnother = was.versionId !== null && now.versionId !== null && was.versionId !== now.versionId;
  if (was.state !== now.state) moves.push({ what: 'recorded state', was: was.state, now: now.state });
  else if (was.revision !== now.revision) moves.push({ what: 'recorded revision', was: was.revision, now: now.revision });
  else if (isAnother) moves.push({ what: 'effective version', was: was.versionId, now: now.versionId });
  const isDraft = action === 'online' && version === null;
  if (isDraft && was.editedAtMs !== null && now.editedAtMs !== null && was.editedAtMs !== now.editedAtMs) {
    moves.push({ what: 'edited', was: was.editedAtMs, now: now.editedAtMs });
  }
  const doubted = now.unresolved?.attemptId ?? null;
  const before = was.unresolved?.attemptId ?? null;
  if (doubted !== null && doubted !== before) moves.push({ what: 'unresolved', was: before, now: doubted });
  return moves;
}

/** A plan that rests on an attempt without a known outcome rests on either outcome. */
function isOutcomeOf({ action, revision, version }: NonNullable<Basis['unresolved']>, now: Basis): boolean {
  const isVersion = version === null ? now.revision === revision : now.versionId === version;
  return now.unresolved === null && now.state === action && (action === 'offline' || isVersion);
}

function movesOfFile({ planned, now, wanted }: Standing): Move[] {
  const asked = now ?? (wanted && { ...wanted, action: wanted.state });
  if (!asked || (now && workOf(now) === workOf(planned))) return [];
  const moves: Move[] = [];
  const compare = (
    what: 'wanted state' | 'wanted revision' | 'wanted remark' | 'wanted version',
    was: string | null,
    is: string | null,
  ) => {
    if (was !== is) moves.push({ what, was, now: is });
  };
  compare('wanted state', planned.action, asked.action);
  if (moves.length > 0) return moves;
  compare('wanted revision', planned.revision, asked.revision);
  compare('wanted remark', planned.remark, asked.remark);
  compare('wanted version', planned.version, asked.version);
  return moves;
}

function movedOf({ planned, last, isLater }: Standing, moves: readonly Move[]): Moved {
  return { ...namesOf(planned), moves, attempt: last && isLater ? { id: last.id, atMs: last.beganAtMs } : null };
}

function namesOf({ api, apiId, environment, environmentId, action }: SavedChange | Change): Omit<Moved, 'moves' | 'attempt'> {
  return { api, apiId, environment, environmentId, action };
}

function workOfAttempt({ askedVersionId, ...attempt }: Attempt): string {
  return workOf({ ...attempt, version: askedVersionId });
}

/** Returns `plan`, made later in a run that began with `first`, without what that run itself has made among what was made before. */
export function sinceFirst(plan: Plan, first: Plan): Plan {
  return { ...plan, kept: plan.kept && { ...plan.kept, done: first.kept?.done ?? 0 } };
}
