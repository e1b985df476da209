import type { components } from '../../../generated/edict-plan.d.ts';
import type { Plan } from '../../model/change.ts';
import { assertNever } from '../../model/errors.ts';
import type { Divergence, SavedPlanDiff, StaleChange } from '../../model/saved-plan-diff.ts';
import { visible } from '../../model/visible.ts';
import { formatTargets, formatTimestamp, pluralize } from '../../render/format.ts';

/** Returns the plan's targets, the number of excluded changes, and the difference to a saved plan; `null` for a complete plan. */
export function formatScope(plan: Plan): string | null {
  return [formatTargets(plan), plan.savedPlanDiff && formatSavedPlanDiff(plan.savedPlanDiff)].filter(Boolean).join(' ') || null;
}

/** Returns a stale change as JSON. */
export function staleChangeJson(staleChange: StaleChange): components['schemas']['StaleChange'] {
  const { api, apiId, environment, environmentId, action, divergences, attempt } = staleChange;
  return {
    api,
    apiId,
    environment,
    environmentId,
    action,
    divergences: divergences.map(({ kind }) => kind),
    attempt: attempt?.id ?? null,
    message: formatStaleChange(staleChange),
  };
}

/** Returns how a plan differs from the saved one that it is restricted to; `null` if it does not. */
function formatSavedPlanDiff({ appliedCount, notInPlan }: SavedPlanDiff): string | null {
  const parts: string[] = [];
  if (appliedCount > 0)
    parts.push(`${pluralize(appliedCount, 'change')} of the saved plan ${appliedCount === 1 ? 'was' : 'were'} made already.`);
  if (notInPlan > 0) parts.push(`${pluralize(notInPlan, 'newer change')} ${notInPlan === 1 ? 'is' : 'are'} not in the saved plan.`);
  return parts.length === 0 ? null : parts.join(' ');
}

/** Returns why a change of a saved plan is stale, in one line: `orders in release: recorded offline when planned, online now`. */
export function formatStaleChange({ api, environment, divergences, attempt }: StaleChange): string {
  const cause = attempt ? ` (attempt ${attempt.id} at ${formatTimestamp(attempt.atMs)})` : '';
  return visible(
    `${api} in ${environment}: ${divergences.map((divergence) => `${formatDivergence(divergence)}${concernsRecordedState(divergence) ? cause : ''}`).join('; ')}`,
  );
}

function formatDivergence(divergence: Divergence): string {
  switch (divergence.kind) {
    case 'recordedState':
      return divergence.was === null
        ? `not recorded when planned, ${divergence.now} now`
        : `recorded ${divergence.was} when planned, ${divergence.now ?? 'not recorded'} now`;
    case 'recordedRevision':
      return `recorded with ${formatRevision(divergence.was)} when planned, with ${formatRevision(divergence.now)} now`;
    case 'effectiveVersion':
      return `version ${divergence.was} was effective when planned, ${divergence.now} is now`;
    case 'edited':
      return `edited at the gateway at ${formatTimestamp(divergence.now)}, after the edit of ${formatTimestamp(divergence.was)} that was planned with`;
    case 'unknownOutcome':
      return `the outcome of attempt ${divergence.now} is unknown`;
    case 'reverted':
      return 'changed and changed back since it was planned';
    case 'desiredState':
      return `the file says ${divergence.now} now, and said ${divergence.was} when planned`;
    case 'desiredRevision':
      return `the file has ${formatRevision(divergence.now)} now, and had ${formatRevision(divergence.was)} when planned`;
    case 'desiredRemark':
      return 'the file has another remark now';
    case 'desiredVersion':
      return `the file pins ${divergence.now === null ? 'no version' : `version ${divergence.now}`} now, and pinned ${divergence.was ?? 'none'} when planned`;
    case 'notNeeded':
      return 'no longer needed';
    case 'held':
      return `held now: ${divergence.message}`;
    case 'deferred':
      return `deferred now: ${divergence.message}`;
    default:
      return assertNever(divergence);
  }
}

/** Returns whether an attempt can have caused the divergence. */
function concernsRecordedState({ kind }: Divergence): boolean {
  return kind === 'recordedState' || kind === 'recordedRevision' || kind === 'effectiveVersion' || kind === 'reverted';
}

function formatRevision(name: string | null): string {
  return name === null ? 'no revision' : `revision ${name}`;
}
