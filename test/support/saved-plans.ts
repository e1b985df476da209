import type { PreviousState } from '../../src/model/approval.ts';
import type { Attempt } from '../../src/model/attempt.ts';
import type { Plan } from '../../src/model/change.ts';
import type { DesiredState } from '../../src/model/desired-state.ts';
import { publicationKey } from '../../src/model/publication.ts';
import type { RecordedState } from '../../src/model/recorded-state.ts';
import { computePlan } from '../../src/plan/planner.ts';
import { type LastAttempts, type SavedPlan, toSavedPlan } from '../../src/plan/saved-plan.ts';
import { allTargets } from '../../src/plan/targets.ts';
import { attempt } from './states.ts';

/** The time of every plan here, in milliseconds since 1970. */
export const plannedAtMs = 1_000_000;

/** No earlier file is known. */
export const noPast: PreviousState = { declared: new Map(), otherGateways: [], moved: null, approvals: [], suspension: null };

/** Returns the last attempts of these publications. */
export function lastAttempts(...attempts: readonly Attempt[]): LastAttempts {
  return new Map(attempts.map((one) => [publicationKey(one.apiId, one.environmentId), one]));
}

/** Returns an attempt at a first `online` of `api` in `environment` that succeeded after the plan was made; `over` replaces parts. */
export function attemptAt(api: string, environment: string, over: Partial<Attempt> = {}): Attempt {
  const [startedAtMs, finishedAtMs] = [plannedAtMs + 1000, plannedAtMs + 1001];
  return attempt(api, environment, { id: 42, startedAtMs, finishedAtMs, outcome: 'succeeded', versionId: 'new', ...over });
}

/** Returns the saved plan of these states. */
export function savedFrom(desired: DesiredState, recorded: RecordedState, attempts: LastAttempts = new Map(), past = noPast): SavedPlan {
  const plan = computePlan({ desired, recorded, previous: past, targets: allTargets, nowMs: plannedAtMs });
  return toSavedPlan(plan, { recorded, attempts }, { isConfirmed: false, isEmulated: false, isRefreshed: false, createdAtMs: plannedAtMs });
}

/** Returns the remaining part of a saved plan. */
export function keptTo(
  saved: SavedPlan,
  desired: DesiredState,
  recorded: RecordedState,
  lastAttempts: LastAttempts = new Map(),
  past: PreviousState = noPast,
): Plan {
  return computePlan({
    desired,
    recorded,
    previous: past,
    targets: allTargets,
    nowMs: plannedAtMs + 5000,
    savedPlanInput: { saved, lastAttempts },
  });
}
