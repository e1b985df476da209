import type { components } from '../../generated/edict-apply.d.ts';
import type { Applied } from '../app.ts';
import type { EngineEvent } from '../core/events.ts';
import type { Change } from '../core/plan.ts';
import { momentInWords } from '../words/phrases.ts';
import { movedJson } from './saved-words.ts';

/*
 * The lines of `apply --format json`: what spec/apply.schema.json describes.
 */

type Schemas = components['schemas'];

export type Settled = EngineEvent & { readonly type: 'attempt:settled' };

/** Returns the line of an attempt that has come to an end. */
export function attemptJson({ attemptId, change, outcome, tookMs }: Settled): Schemas['Succeeded' | 'Unsent' | 'Unsuccessful'] {
  const { api, apiId, environment, environmentId, action, reason } = change;
  const head = { type: 'attempt', attempt: attemptId, api, apiId, environment, environmentId, action, reason } as const;
  if (outcome.kind === 'succeeded') return { ...head, outcome: outcome.kind, versionId: outcome.versionId, tookMs };
  if (!('failure' in outcome)) return { ...head, outcome: outcome.kind, tookMs };
  const { code, status, message, hint, requestId, pauseMs } = outcome.failure;
  return { ...head, outcome: outcome.kind, code, status, message, hint, requestId, pauseMs, tookMs };
}

/** Returns the line of a change that is held or waits. */
export function unmadeJson({ api, apiId, environment, environmentId, action, reason, held, waits }: Change): Schemas['Unmade'] {
  const obstacle = held ?? waits;
  if (obstacle === null) throw new TypeError(`${api} in ${environment} is neither held nor waits`);
  const { rule, message } = obstacle;
  const until = held || waits?.untilMs == null ? null : momentInWords(waits.untilMs);
  return { type: held ? 'held' : 'waiting', api, apiId, environment, environmentId, action, reason, rule, message, until };
}

/** Returns the last line. `release` is the command that agrees to what is held. */
export function summaryJson({ plan, summary, left, dropped }: Applied, release: string | null): Schemas['Summary'] {
  const { suspicion, untargeted, kept } = plan;
  const held = suspicion && { rule: suspicion.rule, message: suspicion.message, hint: suspicion.hint };
  const saved = kept && { done: kept.done, newer: kept.newer, dropped: dropped.map(movedJson) };
  const { online, offline, unchanged, held: heldBack, waiting, failed, tookMs } = summary;
  const counts = { online, offline, unchanged, held: heldBack, waiting, failed };
  return { type: 'summary', format: 1, ...counts, tookMs, left, untargeted, saved, suspicion: held, release };
}
