import type { components } from '../../../generated/edict-apply.d.ts';
import type { ApplyResult } from '../../app/apply.ts';
import type { Change } from '../../model/change.ts';
import type { EdictEvent } from '../../model/events.ts';
import { formatTimestamp } from '../../render/format.ts';
import { staleChangeJson } from './saved-plan-text.ts';

/*
 * The lines of `apply --format json`, as described by spec/apply.schema.json.
 */

type Schemas = components['schemas'];

export type AttemptFinishedEvent = EdictEvent & { readonly type: 'attempt:finished' };

/** Returns the line of a finished attempt. */
export function applyAttemptJson({
  attemptId,
  change,
  outcome,
  durationMs,
}: AttemptFinishedEvent): Schemas['Succeeded' | 'NoEffect' | 'Unsuccessful'] {
  const { api, apiId, environment, environmentId, action, reason } = change;
  const head = { type: 'attempt', attempt: attemptId, api, apiId, environment, environmentId, action, reason } as const;
  if (outcome.kind === 'succeeded') return { ...head, outcome: outcome.kind, versionId: outcome.versionId, durationMs };
  if (!('failure' in outcome)) return { ...head, outcome: outcome.kind, durationMs };
  const { code, status, message, hint, requestId, retryAfterMs } = outcome.failure;
  return { ...head, outcome: outcome.kind, code, status, message, hint, requestId, retryAfterMs, durationMs };
}

/** Returns the line of a held or deferred change. */
export function blockedChangeJson({ api, apiId, environment, environmentId, action, reason, held, deferred }: Change): Schemas['NotMade'] {
  const blocker = held ?? deferred;
  if (blocker === null) throw new TypeError(`${api} in ${environment} is neither held nor deferred`);
  const { rule, message } = blocker;
  const until = held || deferred?.untilMs == null ? null : formatTimestamp(deferred.untilMs);
  return { type: held ? 'held' : 'deferred', api, apiId, environment, environmentId, action, reason, rule, message, until };
}

/** Returns the last line. `approveCommand` approves the held changes. */
export function applySummaryJson({ plan, summary, unsent, superseded }: ApplyResult, approveCommand: string | null): Schemas['Summary'] {
  const { excluded, savedPlanDiff } = plan;
  const fileHeld = plan.fileHeld && { rule: plan.fileHeld.rule, message: plan.fileHeld.message, hint: plan.fileHeld.hint };
  const savedPlan = savedPlanDiff && {
    applied: savedPlanDiff.appliedCount,
    notInPlan: savedPlanDiff.notInPlan,
    superseded: superseded.map(staleChangeJson),
  };
  const { online, offline, unchanged, held, deferred, failed, durationMs } = summary;
  const counts = { online, offline, unchanged, held, deferred, failed };
  return { type: 'summary', format: 1, ...counts, durationMs, unsent, excluded, savedPlan, fileHeld, approveCommand };
}
