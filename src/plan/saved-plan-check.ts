import type { Attempt } from '../model/attempt.ts';
import type { Change, Plan } from '../model/change.ts';
import type { DesiredPublication, DesiredState } from '../model/desired-state.ts';
import type { PublicationKey } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';
import type { Divergence, StaleChange } from '../model/saved-plan-diff.ts';
import { isActionable } from './diff.ts';
import { changeFingerprint } from './policies.ts';
import { type LastAttempts, type Precondition, preconditionOf, type SavedChange, type SavedPlan } from './saved-plan.ts';

/** The current state, which is compared with the preconditions of a saved plan. */
export interface CurrentState {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly lastAttempts: LastAttempts;
}

/**
 * Returns the changes that are also in a saved plan, with the same effect and preconditions that still hold. A pure function.
 * A change that was held when the plan was saved stays held until it is approved. `savedPlanDiff` says which saved changes are
 * stale, how many were applied, and how many needed changes are not in the saved plan.
 *
 * @param targeted the targeted part of `whole`, the plan of the whole file
 */
export function restrictToSaved(
  { targeted, whole }: { readonly targeted: Plan; readonly whole: Plan },
  saved: SavedPlan,
  current: CurrentState,
): Plan {
  const changesByKey = new Map(whole.changes.map((change) => [change.key, change]));
  const staleChanges: StaleChange[] = [];
  const validKeys = new Set<PublicationKey>();
  let appliedCount = 0;
  for (const planned of saved.changes.values()) {
    const { key } = planned;
    const lastAttempt = current.lastAttempts.get(key);
    const comparison: ChangeComparison = {
      planned,
      current: changesByKey.get(key),
      desired: current.desired.publications.get(key),
      precondition: preconditionOf(current.recorded.get(key)),
      lastAttempt,
      isLastAttemptNewer:
        lastAttempt !== undefined && lastAttempt.id !== planned.lastAttemptId && lastAttempt.startedAtMs >= saved.createdAtMs,
    };
    const divergences = findDivergences(comparison);
    if (divergences === 'done') appliedCount += 1;
    else if (divergences.length === 0) validKeys.add(key);
    else staleChanges.push(toStaleChange(comparison, divergences));
  }
  const changes = whole.changes
    .filter(({ key }) => validKeys.has(key))
    .map((change) => ({ ...change, held: change.held ?? saved.changes.get(change.key)?.held ?? null }));
  const notInPlan = targeted.changes.filter(({ key }) => !saved.changes.has(key)).length;
  return { ...targeted, changes, savedPlanDiff: { staleChanges, appliedCount, notInPlan } };
}

/**
 * Returns a restricted plan without the changes that are now held or deferred and were not when the plan was saved: its
 * reviewers saw them as changes to make. A plan that was confirmed on a terminal keeps them, for its result. Call it last, after approvals
 * were applied.
 */
export function excludeNewlyHeld(plan: Plan, saved: SavedPlan): Plan {
  const { savedPlanDiff } = plan;
  if (!savedPlanDiff || saved.isConfirmed) return plan;
  const staleChanges = [...savedPlanDiff.staleChanges];
  const changes = plan.changes.filter((change) => {
    const planned = saved.changes.get(change.key);
    const divergences: Divergence[] = [];
    if (change.held && !planned?.held) divergences.push({ kind: 'held', message: change.held.message });
    else if (!change.held && change.deferred && !planned?.deferred)
      divergences.push({ kind: 'deferred', message: change.deferred.message });
    if (divergences.length > 0) staleChanges.push({ ...namesOf(change), divergences, attempt: null });
    return divergences.length === 0;
  });
  return { ...plan, changes, savedPlanDiff: { ...savedPlanDiff, staleChanges } };
}

/** Returns whether `plan`, restricted to a saved plan, makes the same changes for the same reasons as when that was shown. */
export function isSamePlan({ changes, savedPlanDiff }: Plan, saved: SavedPlan): boolean {
  const { staleChanges, appliedCount, notInPlan } = savedPlanDiff ?? { staleChanges: [], appliedCount: 0, notInPlan: 0 };
  const isSame = (change: Change): boolean => {
    const shown = saved.changes.get(change.key);
    return shown?.reason === change.reason && isActionable(shown) === isActionable(change);
  };
  return staleChanges.length + appliedCount + notInPlan === 0 && changes.every(isSame);
}

/**
 * Returns whether the preconditions of a saved change still hold for the recorded state, read immediately before the call. An
 * attempt at exactly this change may have started or failed in the meantime.
 */
export function isStillValid(planned: SavedChange, recorded: RecordedPublication | undefined): boolean {
  const { unknownAttempt, ...precondition } = preconditionOf(recorded);
  const isOwn =
    unknownAttempt === null ||
    unknownAttempt.attemptId === planned.precondition.unknownAttempt?.attemptId ||
    (unknownAttempt.action === planned.action &&
      unknownAttempt.revision === planned.revision &&
      unknownAttempt.version === planned.version);
  return isOwn && recordDivergences(planned, { ...precondition, unknownAttempt: null }).length === 0;
}

/** A saved change and the current state of its publication. */
interface ChangeComparison {
  readonly planned: SavedChange;
  readonly current: Change | undefined;
  readonly desired: DesiredPublication | undefined;
  readonly precondition: Precondition;
  readonly lastAttempt: Attempt | undefined;
  /** Whether `lastAttempt` started after the plan was saved. */
  readonly isLastAttemptNewer: boolean;
}

function findDivergences(comparison: ChangeComparison): readonly Divergence[] | 'done' {
  const { planned, current, precondition, lastAttempt, isLastAttemptNewer } = comparison;
  const isAwaited = lastAttempt !== undefined && lastAttempt.id === planned.precondition.unknownAttempt?.attemptId;
  const isOwn =
    lastAttempt !== undefined && (isLastAttemptNewer || isAwaited) && attemptFingerprint(lastAttempt) === changeFingerprint(planned);
  const hasSucceeded = lastAttempt?.outcome === 'succeeded';
  const isDone =
    !current && hasSucceeded && (isOwn || isAwaited) && precondition.state === planned.action && precondition.unknownAttempt === null;
  if (isDone) return 'done';
  const isInFlight = isOwn && precondition.unknownAttempt?.attemptId === lastAttempt.id;
  const divergences = [
    ...recordDivergences(planned, isInFlight ? { ...precondition, unknownAttempt: null } : precondition),
    ...fileDivergences(comparison),
  ];
  if (divergences.length === 0 && isLastAttemptNewer && hasSucceeded) return [{ kind: 'reverted' }];
  return divergences.length === 0 && !current ? [{ kind: 'notNeeded' }] : divergences;
}

function recordDivergences({ action, version, precondition: was }: SavedChange, current: Precondition): Divergence[] {
  if (was.unknownAttempt && isExplainedByOutcome(was.unknownAttempt, current)) return [];
  const divergences: Divergence[] = [];
  // A version that was unknown has not changed by being observed.
  const isOtherVersion = was.versionId !== null && current.versionId !== null && was.versionId !== current.versionId;
  if (was.state !== current.state) divergences.push({ kind: 'recordedState', was: was.state, now: current.state });
  else if (was.revision !== current.revision) divergences.push({ kind: 'recordedRevision', was: was.revision, now: current.revision });
  else if (isOtherVersion) divergences.push({ kind: 'effectiveVersion', was: was.versionId, now: current.versionId });
  const isDraft = action === 'online' && version === null;
  if (isDraft && was.editedAtMs !== null && current.editedAtMs !== null && was.editedAtMs !== current.editedAtMs) {
    divergences.push({ kind: 'edited', was: was.editedAtMs, now: current.editedAtMs });
  }
  const currentAttemptId = current.unknownAttempt?.attemptId ?? null;
  const previousAttemptId = was.unknownAttempt?.attemptId ?? null;
  if (currentAttemptId !== null && currentAttemptId !== previousAttemptId)
    divergences.push({ kind: 'unknownOutcome', was: previousAttemptId, now: currentAttemptId });
  return divergences;
}

/** A plan that was saved while an attempt had an unknown outcome remains valid for either outcome. */
function isExplainedByOutcome({ action, revision, version }: NonNullable<Precondition['unknownAttempt']>, current: Precondition): boolean {
  const isVersion = version === null ? current.revision === revision : current.versionId === version;
  return current.unknownAttempt === null && current.state === action && (action === 'offline' || isVersion);
}

function fileDivergences({ planned, current, desired }: ChangeComparison): Divergence[] {
  const wanted = current ?? (desired && { ...desired, action: desired.state });
  if (!wanted || (current && changeFingerprint(current) === changeFingerprint(planned))) return [];
  const divergences: Divergence[] = [];
  const compare = (
    kind: 'desiredState' | 'desiredRevision' | 'desiredRemark' | 'desiredVersion',
    was: string | null,
    is: string | null,
  ) => {
    if (was !== is) divergences.push({ kind, was, now: is });
  };
  compare('desiredState', planned.action, wanted.action);
  if (divergences.length > 0) return divergences;
  compare('desiredRevision', planned.revision, wanted.revision);
  compare('desiredRemark', planned.remark, wanted.remark);
  compare('desiredVersion', planned.version, wanted.version);
  return divergences;
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

/** Returns `plan`, computed later in the run that began with `first`, without counting the run's own changes as applied before. */
export function excludeOwnChanges(plan: Plan, first: Plan): Plan {
  return { ...plan, savedPlanDiff: plan.savedPlanDiff && { ...plan.savedPlanDiff, appliedCount: first.savedPlanDiff?.appliedCount ?? 0 } };
}
