import type { components } from '../../../generated/edict-plan.d.ts';
import type { Plan } from '../../model/change.ts';
import { assertNever } from '../../model/errors.ts';
import type { Divergence, SavedPlanDiff, StaleChange } from '../../model/saved-plan-diff.ts';
import { formatTargets, formatTimestamp, pluralize } from '../../render/format.ts';

/** Returns what a plan is about, how much that leaves out, and how a saved plan compares; `null` if it is about everything. */
export function formatScope(plan: Plan): string | null {
  return [formatTargets(plan), plan.savedPlanDiff && formatSavedPlanDiff(plan.savedPlanDiff)].filter(Boolean).join(' ') || null;
}

/** Returns a moved change as other programs read it. */
export function staleChangeJson(moved: StaleChange): components['schemas']['Moved'] {
  const { api, apiId, environment, environmentId, action, divergences, attempt } = moved;
  return {
    api,
    apiId,
    environment,
    environmentId,
    action,
    moved: divergences.map(({ kind }) => kind),
    attempt: attempt?.id ?? null,
    message: formatStaleChange(moved),
  };
}

/** Returns what is to be said of a plan that is kept to a saved one; `null` if nothing. */
function formatSavedPlanDiff({ appliedCount, notInPlan }: SavedPlanDiff): string | null {
  const parts: string[] = [];
  if (appliedCount > 0)
    parts.push(`${pluralize(appliedCount, 'change')} of the saved plan ${appliedCount === 1 ? 'was' : 'were'} made before.`);
  if (notInPlan > 0) parts.push(`${pluralize(notInPlan, 'newer change')} ${notInPlan === 1 ? 'is' : 'are'} not in the saved plan.`);
  return parts.length === 0 ? null : parts.join(' ');
}

/** Returns what has moved under a change of a saved plan, in one line: `orders in release: recorded offline when planned, online now`. */
export function formatStaleChange({ api, environment, divergences, attempt }: StaleChange): string {
  const by = attempt ? ` (attempt ${attempt.id} at ${formatTimestamp(attempt.atMs)})` : '';
  const line = `${api} in ${environment}: ${divergences.map((move) => `${formatDivergence(move)}${concernsRecordedState(move) ? by : ''}`).join('; ')}`;
  // A saved file can hold anything, and a terminal obeys what it is shown.
  return line.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
}

function formatDivergence(move: Divergence): string {
  switch (move.kind) {
    case 'recorded state':
      return move.was === null
        ? `never recorded when planned, ${move.now} now`
        : `recorded ${move.was} when planned, ${move.now ?? 'not recorded'} now`;
    case 'recorded revision':
      return `recorded with ${formatRevision(move.was)} when planned, with ${formatRevision(move.now)} now`;
    case 'effective version':
      return `version ${move.was} was effective when planned, ${move.now} is now`;
    case 'edited':
      return `edited at the gateway at ${formatTimestamp(move.now)}, after the edit of ${formatTimestamp(move.was)} that was planned with`;
    case 'unresolved':
      return `attempt ${move.now} has no known outcome`;
    case 'done and undone':
      return 'changed since it was planned, and back';
    case 'wanted state':
      return `the file asks for ${move.now} now, not for ${move.was}`;
    case 'wanted revision':
      return `the file asks for ${formatRevision(move.now)} now, not for ${formatRevision(move.was)}`;
    case 'wanted remark':
      return 'the file has another remark now';
    case 'wanted version':
      return `the file asks for ${move.now === null ? 'no version' : `version ${move.now}`} now, not for ${move.was ?? 'none'}`;
    case 'not needed':
      return 'nothing is to be done any more';
    case 'held':
      return `held now: ${move.message}`;
    case 'waits':
      return `waits now: ${move.message}`;
    default:
      return assertNever(move);
  }
}

/** Returns whether an attempt can be why. */
function concernsRecordedState({ kind }: Divergence): boolean {
  return kind === 'recorded state' || kind === 'recorded revision' || kind === 'effective version' || kind === 'done and undone';
}

function formatRevision(name: string | null): string {
  return name === null ? 'no revision' : `revision ${name}`;
}
