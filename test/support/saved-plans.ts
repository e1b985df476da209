import { guardedPlan } from '../../src/core/guarded-plan.ts';
import type { Past } from '../../src/core/guards.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { Attempt } from '../../src/core/ports.ts';
import { type DesiredState, publicationKey, type RecordedState } from '../../src/core/publication.ts';
import { type LastAttempts, type SavedPlan, savedPlanOf } from '../../src/core/saved-plan.ts';
import { everything } from '../../src/core/targets.ts';
import { attempt } from './states.ts';

/** When every plan here was made, in milliseconds since 1970. */
export const plannedAtMs = 1_000_000;

/** Nothing is known of earlier files. */
export const noPast: Past = { declared: new Map(), elsewhere: [], approvals: [], suspension: null };

/** Returns the last attempts of these publications. */
export function lastAttempts(...attempts: readonly Attempt[]): LastAttempts {
  return new Map(attempts.map((one) => [publicationKey(one.apiId, one.environmentId), one]));
}

/** Returns an attempt at a first `online` of `api` in `environment` that succeeded after the plan was made; `over` replaces parts. */
export function attemptAt(api: string, environment: string, over: Partial<Attempt> = {}): Attempt {
  const [beganAtMs, settledAtMs] = [plannedAtMs + 1000, plannedAtMs + 1001];
  return attempt(api, environment, { id: 42, beganAtMs, settledAtMs, outcome: 'succeeded', versionId: 'new', ...over });
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
