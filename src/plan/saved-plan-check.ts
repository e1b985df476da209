import type { Change, Plan } from '../model/change.ts';
import type { Attempt } from '../model/ports.ts';
import type { DesiredPublication, DesiredState, PublicationKey, RecordedPublication, RecordedState } from '../model/publication.ts';
import type { Divergence, StaleChange } from '../model/saved-plan-diff.ts';
import { changeFingerprint } from './policies.ts';
import { type LastAttempts, type Precondition, preconditionOf, type SavedChange, type SavedPlan } from './saved-plan.ts';

/** What there is now beside the plan, to be compared with what a saved one rests on. */
export interface CurrentState {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly lastAttempts: LastAttempts;
}

/**
 * Returns what of `part` a saved plan has too: the same work on the same basis. A pure function. What was held when the plan
 * was saved stays held until somebody agrees. `kept` tells what of the saved plan has moved, what is done, and what is newer.
 *
 * @param part what is targeted of `whole`, all that the file needs now
 */
export function restrictToSaved(part: Plan, whole: Plan, saved: SavedPlan, present: CurrentState): Plan {
  const now = new Map(whole.changes.map((change) => [change.key, change]));
  const staleChanges: StaleChange[] = [];
  const open = new Set<PublicationKey>();
  let appliedCount = 0;
  for (const planned of saved.changes.values()) {
    const { key } = planned;
    const lastAttempt = present.lastAttempts.get(key);
    const standing: ChangeComparison = {
      planned,
      current: now.get(key),
      desired: present.desired.publications.get(key),
      precondition: preconditionOf(present.recorded.get(key)),
      lastAttempt,
      isLastAttemptNewer:
        lastAttempt !== undefined && lastAttempt.id !== planned.lastAttemptId && lastAttempt.startedAtMs >= saved.createdAtMs,
    };
    const moves = findDivergences(standing);
    if (moves === 'done') appliedCount += 1;
    else if (moves.length === 0) open.add(key);
    else staleChanges.push(toStaleChange(standing, moves));
  }
  const changes = whole.changes
    .filter(({ key }) => open.has(key))
    .map((change) => ({ ...change, held: change.held ?? saved.changes.get(change.key)?.held ?? null }));
  const notInPlan = part.changes.filter(({ key }) => !saved.changes.has(key)).length;
  return { ...part, changes, savedPlanDiff: { staleChanges, appliedCount, notInPlan } };
}

/**
 * Returns a kept plan without the changes that are held or must wait now and were not when it was saved: those who saw the
 * plan have seen them made. To be asked last, when agreements have been looked at.
 */
export function excludeNewlyHeld(plan: Plan, saved: SavedPlan): Plan {
  const { savedPlanDiff } = plan;
  if (!savedPlanDiff) return plan;
  const staleChanges = [...savedPlanDiff.staleChanges];
  const changes = plan.changes.filter((change) => {
    const planned = saved.changes.get(change.key);
    const divergences: Divergence[] = [];
    if (change.held && !planned?.held) divergences.push({ kind: 'held', message: change.held.message });
    else if (!change.held && change.deferred && !planned?.deferred) divergences.push({ kind: 'waits', message: change.deferred.message });
    if (divergences.length > 0) staleChanges.push({ ...namesOf(change), divergences, attempt: null });
    return divergences.length === 0;
  });
  return { ...plan, changes, savedPlanDiff: { ...savedPlanDiff, staleChanges } };
}

/**
 * Returns whether the record of a publication, read at the moment of acting, still is what a saved change rests on. An
 * attempt at exactly this work may have begun or come to nothing meanwhile.
 */
export function isStillValid(planned: SavedChange, recorded: RecordedPublication | undefined): boolean {
  const { unknownAttempt, ...basis } = preconditionOf(recorded);
  const isOwn =
    unknownAttempt === null ||
    unknownAttempt.attemptId === planned.precondition.unknownAttempt?.attemptId ||
    (unknownAttempt.action === planned.action &&
      unknownAttempt.revision === planned.revision &&
      unknownAttempt.version === planned.version);
  return isOwn && recordDivergences(planned, { ...basis, unknownAttempt: null }).length === 0;
}

/** A saved change, and all that there is to be said of it now. */
interface ChangeComparison {
  readonly planned: SavedChange;
  readonly current: Change | undefined;
  readonly desired: DesiredPublication | undefined;
  readonly precondition: Precondition;
  readonly lastAttempt: Attempt | undefined;
  /** Whether `last` began after the plan was made. */
  readonly isLastAttemptNewer: boolean;
}

function findDivergences(standing: ChangeComparison): readonly Divergence[] | 'done' {
  const { planned, current, precondition, lastAttempt, isLastAttemptNewer } = standing;
  const isAwaited = lastAttempt !== undefined && lastAttempt.id === planned.precondition.unknownAttempt?.attemptId;
  const isOwn =
    lastAttempt !== undefined && (isLastAttemptNewer || isAwaited) && attemptFingerprint(lastAttempt) === changeFingerprint(planned);
  const hasSucceeded = lastAttempt?.outcome === 'succeeded';
  const isDone =
    !current && hasSucceeded && (isOwn || isAwaited) && precondition.state === planned.action && precondition.unknownAttempt === null;
  if (isDone) return 'done';
  const isOnTheWay = isOwn && precondition.unknownAttempt?.attemptId === lastAttempt.id;
  const moves = [
    ...recordDivergences(planned, isOnTheWay ? { ...precondition, unknownAttempt: null } : precondition),
    ...fileDivergences(standing),
  ];
  if (moves.length === 0 && isLastAttemptNewer && hasSucceeded) return [{ kind: 'done and undone' }];
  return moves.length === 0 && !current ? [{ kind: 'not needed' }] : moves;
}

function recordDivergences({ action, version, precondition: was }: SavedChange, now: Precondition): Divergence[] {
  if (was.unknownAttempt && isExplainedByOutcome(was.unknownAttempt, now)) return [];
  const moves: Divergence[] = [];
  // A version that was not known has not changed by being seen.
  const isAnother = was.versionId !== null && now.versionId !== null && was.versionId !== now.versionId;
  if (was.state !== now.state) moves.push({ kind: 'recorded state', was: was.state, now: now.state });
  else if (was.revision !== now.revision) moves.push({ kind: 'recorded revision', was: was.revision, now: now.revision });
  else if (isAnother) moves.push({ kind: 'effective version', was: was.versionId, now: now.versionId });
  const isDraft = action === 'online' && version === null;
  if (isDraft && was.editedAtMs !== null && now.editedAtMs !== null && was.editedAtMs !== now.editedAtMs) {
    moves.push({ kind: 'edited', was: was.editedAtMs, now: now.editedAtMs });
  }
  const doubted = now.unknownAttempt?.attemptId ?? null;
  const before = was.unknownAttempt?.attemptId ?? null;
  if (doubted !== null && doubted !== before) moves.push({ kind: 'unresolved', was: before, now: doubted });
  return moves;
}

/** A plan that rests on an attempt without a known outcome rests on either outcome. */
function isExplainedByOutcome({ action, revision, version }: NonNullable<Precondition['unknownAttempt']>, now: Precondition): boolean {
  const isVersion = version === null ? now.revision === revision : now.versionId === version;
  return now.unknownAttempt === null && now.state === action && (action === 'offline' || isVersion);
}

function fileDivergences({ planned, current, desired }: ChangeComparison): Divergence[] {
  const asked = current ?? (desired && { ...desired, action: desired.state });
  if (!asked || (current && changeFingerprint(current) === changeFingerprint(planned))) return [];
  const moves: Divergence[] = [];
  const compare = (
    kind: 'wanted state' | 'wanted revision' | 'wanted remark' | 'wanted version',
    was: string | null,
    is: string | null,
  ) => {
    if (was !== is) moves.push({ kind, was, now: is });
  };
  compare('wanted state', planned.action, asked.action);
  if (moves.length > 0) return moves;
  compare('wanted revision', planned.revision, asked.revision);
  compare('wanted remark', planned.remark, asked.remark);
  compare('wanted version', planned.version, asked.version);
  return moves;
}

function toStaleChange({ planned, lastAttempt, isLastAttemptNewer }: ChangeComparison, divergences: readonly Divergence[]): StaleChange {
  return {
    ...namesOf(planned),
    divergences,
    attempt: lastAttempt && isLastAttemptNewer ? { id: lastAttempt.id, atMs: lastAttempt.startedAtMs } : null,
  };
}

function namesOf({ api, apiId, environment, environmentId, action }: SavedChange | Change): Omit<StaleChange, 'divergences' | 'attempt'> {
  return { api, apiId, environment, environmentId, action };
}

function attemptFingerprint({ requestedVersionId, ...attempt }: Attempt): string {
  return changeFingerprint({ ...attempt, version: requestedVersionId });
}

/** Returns `plan`, made later in a run that began with `first`, without what that run itself has made among what was made before. */
export function excludeOwnChanges(plan: Plan, first: Plan): Plan {
  return { ...plan, savedPlanDiff: plan.savedPlanDiff && { ...plan.savedPlanDiff, appliedCount: first.savedPlanDiff?.appliedCount ?? 0 } };
}
