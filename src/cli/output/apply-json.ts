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
}: AttemptFinishedEvent): Schemas['Succeeded' | 'Unsent' | 'Unsuccessful'] {
  const { api, apiId, environment, environmentId, action, reason } = change;
  const head = { type: 'attempt', attempt: attemptId, api, apiId, environment, environmentId, action, reason } as const;
  if (outcome.kind === 'succeeded') return { ...head, outcome: outcome.kind, versionId: outcome.versionId, tookMs: durationMs };
  if (!('failure' in outcome)) return { ...head, outcome: outcome.kind, tookMs: durationMs };
  const { code, status, message, hint, requestId, retryAfterMs } = outcome.failure;
  return { ...head, outcome: outcome.kind, code, status, message, hint, requestId, pauseMs: retryAfterMs, tookMs: durationMs };
}

/** Returns the line of a held or deferred change. */
export function blockedChangeJson({ api, apiId, environment, environmentId, action, reason, held, deferred }: Change): Schemas['Unmade'] {
  const blocker = held ?? deferred;
  if (blocker === null) throw new TypeError(`${api} in ${environment} is neither held nor waits`);
  const { rule, message } = blocker;
  const until = held || deferred?.untilMs == null ? null : formatTimestamp(deferred.untilMs);
  return { type: held ? 'held' : 'waiting', api, apiId, environment, environmentId, action, reason, rule, message, until };
}

/** Returns the last line. `release` is the command that approves the held changes. */
export function applySummaryJson({ plan, summary, unsent, superseded }: ApplyResult, release: string | null): Schemas['Summary'] {
  const { fileHeld, excluded, savedPlanDiff } = plan;
  const held = fileHeld && { rule: fileHeld.rule, message: fileHeld.message, hint: fileHeld.hint };
  const saved = savedPlanDiff && {
    done: savedPlanDiff.appliedCount,
    newer: savedPlanDiff.notInPlan,
    dropped: superseded.map(staleChangeJson),
  };
  const { online, offline, unchanged, held: heldCount, deferred, failed, durationMs } = summary;
  const counts = { online, offline, unchanged, held: heldCount, waiting: deferred, failed };
  return { type: 'summary', format: 1, ...counts, tookMs: durationMs, left: unsent, untargeted: excluded, saved, suspicion: held, release };
}
