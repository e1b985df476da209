import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { Emit, EngineEvent } from '../core/events.ts';
import { heldDigest } from '../core/guards.ts';
import type { LogOptions } from '../core/log-options.ts';
import { type Change, firstDueMs } from '../core/plan.ts';
import { lineOf, untoldHint } from './log-line.ts';

/** Returns a log on stderr. One event is one line; a line is written before the call returns, so that no crash loses it. */
export async function openLogger({ level, format }: LogOptions): Promise<Logger> {
  const stderr: DestinationStream = destination({ fd: 2, sync: true });
  const stream = format === 'pretty' ? (await import('./pretty.ts')).openPretty(process.stderr) : stderr;
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

/** Returns a listener that logs every event of the engine under its stable name, in the field `event`. */
export function logEvents(log: Logger): Emit {
  return (event) => {
    const { level, message } = lineOf(event);
    log[level]({ event: event.type, ...fieldsOf(event) }, message);
  };
}

function fieldsOf(event: EngineEvent): Record<string, unknown> {
  switch (event.type) {
    case 'file:accepted': {
      const { gateway, publications } = event.desired;
      return { endpoint: gateway.endpoint, instance: gateway.instance, publications: publications.size };
    }
    case 'file:rejected':
      return { mistakes: event.error.mistakes };
    case 'plan:made': {
      const { changes, unchanged, untargeted, suspicion, approval } = event.plan;
      const held = changes.filter((change) => change.held).length;
      const waiting = changes.filter((change) => change.waits && !change.held).length;
      const digest = heldDigest(event.plan);
      const dueMs = firstDueMs(event.plan);
      return {
        pass: event.passId,
        changes: changes.length,
        held,
        unchanged,
        ...(waiting > 0 && { waiting }),
        ...(dueMs !== null && { firstDue: new Date(dueMs).toISOString() }),
        ...(untargeted > 0 && { untargeted }),
        ...(suspicion && { suspicion: suspicion.rule, reason: `${suspicion.message}; ${suspicion.hint}` }),
        ...(digest !== null && { heldDigest: digest }),
        ...(approval && { approvedBy: approval.by, approvedWhy: approval.why }),
      };
    }
    case 'attempt:begun':
      return { pass: event.passId, attempt: event.attemptId, ...named(event.change) };
    case 'attempt:settled': {
      const { outcome } = event;
      const result = 'failure' in outcome ? outcome.failure : outcome.kind === 'succeeded' ? { version: outcome.versionId } : {};
      return {
        pass: event.passId,
        attempt: event.attemptId,
        ...named(event.change),
        outcome: outcome.kind,
        ...result,
        tookMs: event.tookMs,
      };
    }
    case 'retry:scheduled':
      return { pass: event.passId, ...named(event.change), afterMs: event.afterMs, reason: event.reason };
    case 'attempt:resolved': {
      const version = event.outcome.kind === 'succeeded' ? { version: event.outcome.versionId } : {};
      return { pass: event.passId, attempt: event.attemptId, ...named(event.change), outcome: event.outcome.kind, ...version };
    }
    case 'attempt:untold': {
      const hint = event.isRepeated ? {} : { hint: untoldHint };
      return { pass: event.passId, attempt: event.attemptId, ...named(event.change), reason: event.reason, ...hint };
    }
    case 'gateway:seen':
      return { pass: event.passId, listed: event.listed, changed: event.changed };
    case 'gateway:unseen':
      return { pass: event.passId, reason: event.reason };
    case 'publication:noted': {
      const { api, apiId, environment, environmentId, kind, was, now, heirId } = event.note;
      return { pass: event.passId, api, apiId, environment, environmentId, kind, was, now, ...(heirId !== null && { heirId }) };
    }
    case 'calls:stopped':
      return { why: event.why, reason: event.message };
    case 'calls:resumed':
    case 'token:taken':
    case 'lease:taken':
    case 'lease:ended':
    case 'file:added':
    case 'file:removed':
      return {};
    case 'file:failed':
      return { reason: event.message, ...(event.hint && { hint: event.hint }) };
    case 'lease:waited':
      return { reason: event.reason };
    case 'rate:changed':
      return { calls: event.calls, perMs: event.perMs, limit: event.limit };
    case 'probe:answered': {
      const { target, said, afterMs } = event;
      const { api, apiId, environment, environmentId, url } = target;
      return { api, apiId, environment, environmentId, url, said, ...(afterMs !== null && { afterMs }) };
    }
    case 'pass:started':
      return { pass: event.passId, cause: event.cause };
    case 'pass:finished':
      return { pass: event.passId, ...event.summary };
    case 'history:pruned':
      return { attempts: event.attempts, before: new Date(event.beforeMs).toISOString() };
    case 'store:failed':
      return { pass: event.passId || undefined, reason: event.message };
    case 'file:missed':
    case 'store:waited':
      return { reason: event.message };
    case 'notify:failed':
      return { to: event.to, reason: event.reason, dropped: event.dropped };
    case 'trace:failed':
      return { ...(event.to && { to: event.to }), reason: event.reason };
    case 'daemon:stopped':
      return { signal: event.signal, left: event.left };
  }
}

function named({ api, apiId, environment, environmentId, action, reason }: Change): Record<string, unknown> {
  return { api, apiId, environment, environmentId, action, reason };
}
