/*
 * Telemetry turns the controller's events into logs, metrics, traces and webhook notices; this file is the log. It must never delay or fail a
 * reconciliation, feed anything back into the controller, or print secrets.
 */
import { type Logger, pino } from 'pino';
import type { Emit } from '../model/events.ts';
import type { LogOptions } from '../model/settings.ts';
import { LogDestination } from './log-destination.ts';
import { fieldsFor, messageFor } from './log-messages.ts';
import { RepeatFilter } from './repeat-filter.ts';

/** Opens a log on stderr with one line per event. Lines are written synchronously, so that a crash loses none while stderr is read. */
export async function openLogger({ level, format }: LogOptions): Promise<Logger> {
  const prettify = format === 'pretty' ? (await import('./pretty-log.ts')).createPrettifier(process.stderr) : null;
  const destination = new LogDestination({
    onDropped: (lines) => logger.warn({ event: 'log:dropped', lines }, 'log lines were dropped because stderr did not take them'),
  });
  process.once('exit', () => destination.flush());
  const write = (line: string): void => destination.write(prettify ? prettify(line) : line);
  const logger: Logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write });
  return logger;
}

/**
 * Returns a subscriber that logs every event, with its stable name in the field `event`. An error that repeats is logged with a growing
 * interval; `skipped` says how often it was left out before.
 */
export function logEvents(log: Logger, monotonicMs: () => number = () => performance.now()): Emit {
  const filter = new RepeatFilter(monotonicMs);
  return (event) => {
    const error = repeatableError(event);
    const skipped = error === null ? 0 : filter.pass(error);
    if (skipped === null) return;
    const { level, message } = messageFor(event);
    log[level]({ event: event.type, ...fieldsFor(event), ...(skipped > 0 && { skipped }) }, message);
  };
}

/** Returns a text that is the same for the same error; `null` for an event that is logged each time. */
function repeatableError(event: EdictEvent): string | null {
  if (event.type === 'gateway:observe_failed') return `${event.type} ${event.reason}`;
  return event.type === 'store:error' || event.type === 'reconcile:failed' ? `${event.type} ${event.message}` : null;
}

function eventFields(event: EdictEvent): Record<string, unknown> {
  switch (event.type) {
    case 'file:loaded': {
      const { gateway, publications } = event.desired;
      return { endpoint: gateway.endpoint, instance: gateway.instance, publications: publications.size };
    }
    case 'file:invalid':
      return { errors: event.error.diagnostics };
    case 'plan:computed': {
      const { changes, unchanged, excluded, fileHeld, approval } = event.plan;
      const held = changes.filter((change) => change.held).length;
      const deferred = changes.filter((change) => change.deferred && !change.held).length;
      const digest = approvalDigest(event.plan);
      const dueMs = nextDueAtMs(event.plan);
      return {
        reconcileId: event.reconcileId,
        changes: changes.length,
        held,
        unchanged,
        ...(deferred > 0 && { deferred }),
        ...(dueMs !== null && { firstDueAt: new Date(dueMs).toISOString() }),
        ...(excluded > 0 && { excluded }),
        ...(fileHeld && { fileHeld: fileHeld.rule, reason: `${fileHeld.message}; ${fileHeld.hint}` }),
        ...(digest !== null && { approvalDigest: digest }),
        ...(approval && { approvedBy: approval.by, approvalReason: approval.reason }),
      };
    }
    case 'attempt:started':
      return { reconcileId: event.reconcileId, attempt: event.attemptId, ...changeFields(event.change) };
    case 'attempt:finished': {
      const { outcome } = event;
      const result = 'failure' in outcome ? outcome.failure : outcome.kind === 'succeeded' ? { version: outcome.versionId } : {};
      return {
        reconcileId: event.reconcileId,
        attempt: event.attemptId,
        ...changeFields(event.change),
        outcome: outcome.kind,
        ...result,
        durationMs: event.durationMs,
      };
    }
    case 'retry:scheduled':
      return { reconcileId: event.reconcileId, ...changeFields(event.change), afterMs: event.afterMs, reason: event.reason };
    case 'attempt:recovered': {
      const version = event.outcome.kind === 'succeeded' ? { version: event.outcome.versionId } : {};
      return {
        reconcileId: event.reconcileId,
        attempt: event.attemptId,
        ...changeFields(event.change),
        outcome: event.outcome.kind,
        ...version,
      };
    }
    case 'attempt:unknown': {
      const hint = event.isRetried ? {} : { hint: unknownOutcomeHint };
      return { reconcileId: event.reconcileId, attempt: event.attemptId, ...changeFields(event.change), reason: event.reason, ...hint };
    }
    case 'gateway:observed':
      return { reconcileId: event.reconcileId, listed: event.listedApiCount, changed: event.changedCount };
    case 'gateway:observe_failed':
      return { reconcileId: event.reconcileId, reason: event.reason };
    case 'publication:drift': {
      const { api, apiId, environment, environmentId, kind, previousState, currentState, replacementId } = event.notice;
      return {
        reconcileId: event.reconcileId,
        api,
        apiId,
        environment,
        environmentId,
        kind,
        was: previousState,
        now: currentState,
        ...(replacementId !== null && { replacementId }),
      };
    }
    case 'requests:paused':
      return { reason: event.reason, message: event.message };
    case 'requests:resumed':
    case 'token:issued':
    case 'lease:acquired':
    case 'lease:lost':
    case 'file:added':
    case 'file:removed':
      return {};
    case 'file:failed':
      return { reason: event.message, ...(event.hint && { hint: event.hint }) };
    case 'lease:standby':
      return { reason: event.reason };
    case 'rate:changed':
      return { calls: event.calls, perMs: event.perMs, limit: event.limit };
    case 'probe:answered': {
      const { target, message, afterMs } = event;
      const { api, apiId, environment, environmentId, url } = target;
      return { api, apiId, environment, environmentId, url, result: message, ...(afterMs !== null && { afterMs }) };
    }
    case 'reconcile:started':
      return { reconcileId: event.reconcileId, cause: event.cause };
    case 'reconcile:finished':
      return { reconcileId: event.reconcileId, ...event.summary };
    case 'history:pruned':
      return { attempts: event.attemptCount, before: new Date(event.beforeMs).toISOString() };
    case 'store:error':
      return { reconcileId: event.reconcileId || undefined, reason: event.message };
    case 'reconcile:failed':
      return { reason: event.message, ...(event.hint !== null && { hint: event.hint }) };
    case 'file:unreadable':
    case 'store:waiting':
      return { reason: event.message };
    case 'webhook:failed':
      return { to: event.to, reason: event.reason, dropped: event.droppedCount };
    case 'trace:failed':
      return { ...(event.to && { to: event.to }), reason: event.reason };
    case 'daemon:stopped':
      return { signal: event.signal, unsent: event.unsentCount };
  }
}

function changeFields({ api, apiId, environment, environmentId, action, reason }: Change): Record<string, unknown> {
  return { api, apiId, environment, environmentId, action, reason };
}
