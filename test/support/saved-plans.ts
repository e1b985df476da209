import { guardedPlan } from '../../src/core/guarded-plan.ts';
import type { Past } from '../../src/core/guards.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { Attempt } from '../../src/core/ports.ts';
import { type DesiredState, publicationKey, type RecordedState } from '../../src/core/publication.ts';
import { type LastAttempts, type SavedPlan, savedPlanOf } from '../../src/core/saved-plan.ts';
import { everything } from '../../src/core/targets.ts';
import { change } from './states.ts';

/** When every plan here was made, in milliseconds since 1970. */
export const plannedAtMs = 1_000_000;

/** Nothing is known of earlier files. */
export const noPast: Past = { declared: new Map(), elsewhere: [], approvals: [] };

/** Returns the last attempts of these publications. */
export function lastAttempts(...attempts: readonly Attempt[]): LastAttempts {
  return new Map(attempts.map((attempt) => [publicationKey(attempt.apiId, attempt.environmentId), attempt]));
}

/** Returns an attempt at a first `online` of `api` in `environment` that succeeded after the plan was made; `over` replaces parts. */
export function attemptAt(api: string, environment: string, over: Partial<Attempt> = {}): Attempt {
  const { apiId, environmentId, action, reason, revision, remark } = change(api, environment);
  return {
    ...{ api, apiId, environment, environmentId, action, reason, revision, remark },
    ...{ id: 42, passId: 'pass', marker: null, askedVersionId: null },
    ...{ beganAtMs: plannedAtMs + 1000, settledAtMs: plannedAtMs + 1001, outcome: 'succeeded' },
    ...{ code: null, status: null, message: null, requestId: null, versionId: 'new', publishId: null, approval: null, before: null },
    ...over,
  };
}

/** Returns the plan of these states, saved. */
export function savedFrom(desired: DesiredState, recorded: RecordedState, attempts: LastAttempts = new Map(), past = noPast): SavedPlan {
  const plan = guardedPlan(desired, recorded, past, everything, plannedAtMs);
  return savedPlanOf(plan, recorded, attempts, { emulated: false, refreshed: false, madeAtMs: plannedAtMs });
}

/** Returns what is left to do of a saved plan. */
export function keptTo(
  saved: SavedPlan,
  desired: DesiredState,
  recorded: RecordedState,
  attempts: LastAttempts = new Map(),
  past: Past = noPast,
): Plan {
  return guardedPlan(desired, recorded, past, everything, plannedAtMs + 5000, new Map(), { saved, attempts });
}
