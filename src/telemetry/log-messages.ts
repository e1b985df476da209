import type { Change, PlanHolds } from '../model/change.ts';
import type { EdictEvent } from '../model/events.ts';
import type { DriftNotice } from '../model/observation.ts';
import { nextDueAtMs } from '../plan/diff.ts';
import { approvalDigest } from '../plan/policies.ts';
import { summarizePlan } from '../plan/summary.ts';
import type { ApproveCommand } from '../render/command-line.ts';
import { withoutSource } from '../render/diagnostic.ts';
import { formatSuspension } from '../render/format.ts';
import { formatUnchecked } from '../render/headline.ts';

/** The level and message of an event. The message is constant; variable data is logged in fields. */
export interface LogMessage {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly message: string;
}

/** The hint for an attempt with an unknown outcome that needs a person. */
export const unknownOutcomeHint = 'check the API in the gateway’s console; `gateway.unknownOutcome: retry` publishes it again';

const driftMessages: Readonly<Record<DriftNotice['kind'], LogMessage>> = {
  // Their number is logged once for all.
  adopted: { level: 'debug', message: 'already online at the gateway, adopted without a call' },
  foundOnline: { level: 'warn', message: 'found online at first contact, declared offline in the file' },
  foundOffline: { level: 'warn', message: 'found offline at first contact, was online before, declared online in the file' },
  unread: { level: 'warn', message: 'not known whether it was online before first contact: its versions could not be read' },
  externalChange: { level: 'warn', message: 'changed outside edict' },
  drift: { level: 'warn', message: 'drift: changed outside edict, differs from the file' },
  apiDeleted: { level: 'error', message: 'the API no longer exists at the gateway' },
  flapping: { level: 'error', message: 'flapping: changed outside edict again after several corrections, not corrected for a time' },
};

/** The message for a declared API of which nothing is recorded: nothing tells that it ever existed. */
const missingApi: LogMessage = { level: 'error', message: 'the API does not exist at the gateway' };

/** Returns the level and message of an event. */
export function messageFor(event: EdictEvent): LogMessage {
  switch (event.type) {
    case 'file:loaded':
      return { level: 'info', message: 'file loaded' };
    case 'file:invalid':
      return { level: 'error', message: 'file invalid, the last valid file stays in force' };
    case 'file:unreadable':
      return { level: 'warn', message: 'file unreadable, the last valid file stays in force' };
    case 'file:held':
      return { level: 'error', message: 'the whole file is held, the last valid file stays in force' };
    case 'git:unsupported':
      return { level: 'debug', message: 'the installed Git is older than 2.38, no commits are recorded' };
    case 'reconcile:started':
      return { level: 'debug', message: 'reconciliation started' };
    case 'plan:computed': {
      if (event.plan.fileHeld) return { level: 'error', message: 'plan computed: the whole file is held' };
      const isRepeated = event.cause === 'resync' || event.cause === 'retry';
      const isQuiet = event.cause === 'rollout' || (isRepeated && event.plan.changes.every(({ held, deferred }) => deferred && !held));
      if (isQuiet) return { level: 'debug', message: 'plan computed' };
      return { level: event.plan.suspension ? 'warn' : 'info', message: 'plan computed' };
    }
    case 'attempt:started':
      return { level: 'debug', message: 'attempt started' };
    case 'attempt:finished':
      if (event.outcome.kind === 'succeeded') return { level: 'info', message: 'change applied' };
      if (event.outcome.kind === 'superseded') return { level: 'info', message: 'change superseded, not sent' };
      return {
        level: event.outcome.kind === 'rejected' || event.outcome.kind === 'unauthorized' ? 'error' : 'warn',
        message: 'change failed',
      };
    case 'retry:scheduled':
      return { level: 'info', message: 'retry scheduled' };
    case 'attempt:recovered':
      return event.outcome.kind === 'succeeded'
        ? { level: 'info', message: 'unknown outcome resolved: the attempt took effect' }
        : { level: 'info', message: 'unknown outcome resolved: the attempt had no effect' };
    case 'attempt:unknown':
      return event.isRetried
        ? { level: 'warn', message: 'outcome unknown: the gateway cannot say whether the attempt took effect, retrying' }
        : { level: 'error', message: 'outcome unknown: the gateway cannot say whether the attempt took effect, left for a person' };
    case 'gateway:page_read':
      return { level: 'debug', message: 'page of a list read' };
    case 'gateway:observed':
      return { level: event.changedCount > 0 ? 'info' : 'debug', message: 'gateway observed' };
    case 'gateway:observe_failed':
      return { level: 'warn', message: 'gateway not observed' };
    case 'publication:drift':
      return event.notice.kind === 'apiDeleted' && event.notice.previousState === null ? missingApi : driftMessages[event.notice.kind];
    case 'requests:paused':
      return { level: event.reason === 'pause' ? 'warn' : 'error', message: 'requests paused' };
    case 'requests:resumed':
      return { level: 'info', message: 'requests resumed' };
    case 'token:issued':
      return { level: 'debug', message: 'token issued' };
    case 'rate:changed':
      return { level: event.calls < event.limit ? 'warn' : 'info', message: 'rate changed' };
    case 'probe:answered':
      return event.isExpected
        ? { level: 'info', message: 'probe succeeded' }
        : { level: 'warn', message: 'probe failed, the next environment is deferred' };
    case 'reconcile:finished': {
      const { online, offline, failed, unknown, failedProbes } = event.summary;
      if (failed + unknown + failedProbes > 0) return { level: 'warn', message: 'reconciliation finished with failures' };
      return { level: online + offline > 0 ? 'info' : 'debug', message: 'reconciliation finished' };
    }
    case 'file:added':
      return { level: 'info', message: 'file added to the folder' };
    case 'file:removed':
      return { level: 'warn', message: 'file removed from the folder, its gateway is left as it is' };
    case 'file:failed':
      return { level: 'error', message: 'file failed and is not served, the others continue' };
    case 'files:skipped':
      return { level: 'error', message: 'files of the folder are not served: there are too many' };
    case 'lease:standby':
      return { level: 'info', message: 'standby: another process holds the lease' };
    case 'lease:acquired':
      return { level: 'info', message: 'lease acquired' };
    case 'lease:lost':
      return event.isRebalanced
        ? { level: 'info', message: 'lease handed to a replica that has fewer gateways' }
        : { level: 'warn', message: 'lease lost, nothing more is sent' };
    case 'store:unverified':
      return { level: 'warn', message: 'the server of the store is not verified' };
    case 'store:waiting':
      return { level: 'warn', message: 'waiting for the store' };
    case 'gateway:unrecorded':
      return { level: 'warn', message: 'no recorded state, looking at the gateway' };
    case 'history:pruned':
      return { level: 'info', message: 'old attempts deleted' };
    case 'reconcile:failed':
      return { level: 'error', message: 'reconciliation failed, retrying' };
    case 'store:error':
      return { level: 'error', message: 'store error, no call is sent without a record' };
    case 'webhook:failed':
      return { level: 'warn', message: 'notification not delivered' };
    case 'trace:failed':
      return { level: 'warn', message: 'traces not delivered' };
    case 'server:exposed':
      return { level: 'warn', message: 'the page can be reached from other machines, and reading needs no token' };
    case 'token:refused':
      return { level: 'warn', message: 'wrong token' };
    case 'daemon:stopped':
      return { level: 'info', message: 'stopped' };
  }
}

export interface FieldOptions {
  /** Default: no command is logged. */
  readonly approveCommand?: ApproveCommand;
  /** Whether the log is for the terminal of somebody who may read the file; default: no. */
  readonly isForTerminal?: boolean;
}

/** Returns the fields that an event is logged with. */
export function fieldsFor(
  event: EdictEvent,
  { approveCommand = () => null, isForTerminal = false }: FieldOptions = {},
): Record<string, unknown> {
  switch (event.type) {
    case 'file:loaded': {
      const { gateway, publications } = event.desired;
      return { endpoint: gateway.endpoint, instance: gateway.instance, publications: publications.size };
    }
    case 'file:invalid':
      return {
        errors: event.error.diagnostics.map((diagnostic) => {
          const { excerpt: _, ...shown } = diagnostic;
          return isForTerminal ? shown : withoutSource(diagnostic);
        }),
      };
    case 'plan:computed': {
      const { approval, suspension } = event.plan;
      const unchecked = formatUnchecked(event.plan);
      const { unchanged, ...counts } = summarizePlan(event.plan);
      const dueMs = nextDueAtMs(event.plan);
      return {
        reconcileId: event.reconcileId,
        unchanged,
        ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
        ...(unchecked !== null && { unchecked }),
        ...(dueMs !== null && { firstDueAt: new Date(dueMs).toISOString() }),
        ...holdFields(event.plan, approveCommand),
        ...(approval && { approvedBy: approval.by, approvalReason: approval.reason }),
        ...(suspension && { suspension: formatSuspension(suspension) }),
      };
    }
    case 'file:held':
      return holdFields(event.holds, approveCommand);
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
    case 'git:unsupported':
      return { version: event.version };
    case 'gateway:page_read':
      return { read: event.readCount, total: event.totalCount };
    case 'gateway:observed':
      return { reconcileId: event.reconcileId, listed: event.listedApiCount, changed: event.changedCount, adopted: event.adoptedCount };
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
    case 'files:skipped': {
      const hint = 'start another daemon for some of them, with a store of its own';
      return { skipped: event.skippedCount, limit: event.maxCount, hint };
    }
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
    case 'store:unverified':
      return { sslmode: event.sslmode, hint: 'use sslmode=verify-full, with sslrootcert=PATH for an authority of your own' };
    case 'gateway:unrecorded':
      return { store: event.store };
    case 'webhook:failed':
      return { to: event.to, reason: event.reason, dropped: event.droppedCount };
    case 'trace:failed':
      return { ...(event.to && { to: event.to }), reason: event.reason };
    case 'server:exposed':
      return { url: event.url, hint: 'set EDICT_READ_TOKEN, or put an authenticating proxy in front' };
    case 'token:refused':
      return { address: event.address, count: event.count, ...(event.waitMs > 0 && { waitMs: event.waitMs }) };
    case 'daemon:stopped':
      return { signal: event.signal, unsent: event.unsentCount };
  }
}

function holdFields(holds: PlanHolds, approveCommand: ApproveCommand): Record<string, unknown> {
  const { fileHeld } = holds;
  const digest = approvalDigest(holds);
  const command = approveCommand(holds);
  return {
    ...(fileHeld && { fileHeld: fileHeld.rule, reason: `${fileHeld.message}; ${fileHeld.hint}` }),
    ...(digest !== null && { approvalDigest: digest }),
    ...(command !== null && { approveCommand: command }),
  };
}

function changeFields({ api, apiId, environment, environmentId, action, reason }: Change): Record<string, unknown> {
  return { api, apiId, environment, environmentId, action, reason };
}
