import type { EdictEvent } from '../model/events.ts';
import type { DriftNotice } from '../model/observation.ts';

/** The level and message of an event. The message is constant; variable data is logged in fields. */
export interface LogMessage {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly message: string;
}

/** The hint for an attempt with an unknown outcome that needs a person. */
export const unknownOutcomeHint = 'check the API in the gateway’s console; `gateway.unknownOutcome: retry` publishes it again';

const driftMessages: Readonly<Record<DriftNotice['kind'], LogMessage>> = {
  adopted: { level: 'info', message: 'already online at the gateway, adopted without a call' },
  externalChange: { level: 'warn', message: 'changed outside edict' },
  drift: { level: 'warn', message: 'drift: changed outside edict, against the file' },
  apiDeleted: { level: 'error', message: 'the API is no longer at the gateway' },
  flapping: { level: 'error', message: 'flapping: changed outside edict again after several corrections, not corrected for a time' },
};

/** Returns the level and message of an event. */
export function messageFor(event: EdictEvent): LogMessage {
  switch (event.type) {
    case 'file:loaded':
      return { level: 'info', message: 'file read' };
    case 'file:invalid':
      return { level: 'error', message: 'file invalid, the last valid one stays in force' };
    case 'file:unreadable':
      return { level: 'warn', message: 'file not readable, the last valid one stays in force' };
    case 'reconcile:started':
      return { level: 'debug', message: 'pass started' };
    case 'plan:computed': {
      if (event.plan.fileHeld) return { level: 'error', message: 'plan made: the whole file is held' };
      const isRepeated = event.cause === 'resync' || event.cause === 'retry';
      const isQuiet = event.cause === 'rollout' || (isRepeated && event.plan.changes.every(({ held, deferred }) => deferred && !held));
      return { level: isQuiet ? 'debug' : 'info', message: 'plan made' };
    }
    case 'attempt:started':
      return { level: 'debug', message: 'attempt begun' };
    case 'attempt:finished':
      if (event.outcome.kind === 'succeeded') return { level: 'info', message: 'change made' };
      if (event.outcome.kind === 'superseded') return { level: 'info', message: 'change superseded, not sent' };
      return {
        level: event.outcome.kind === 'rejected' || event.outcome.kind === 'unauthorized' ? 'error' : 'warn',
        message: 'change failed',
      };
    case 'retry:scheduled':
      return { level: 'info', message: 'will try again' };
    case 'attempt:recovered':
      return event.outcome.kind === 'succeeded'
        ? { level: 'info', message: 'found at the gateway: an attempt without a known outcome had happened' }
        : { level: 'info', message: 'not found at the gateway: an attempt without a known outcome had not happened' };
    case 'attempt:unknown':
      return event.isRetried
        ? { level: 'warn', message: 'nobody can tell whether an attempt happened, so it is repeated' }
        : { level: 'error', message: 'nobody can tell whether an attempt happened, so it waits for a person' };
    case 'gateway:observed':
      return { level: event.changedCount > 0 ? 'info' : 'debug', message: 'gateway observed' };
    case 'gateway:observe_failed':
      return { level: 'warn', message: 'gateway not observed, the record stays in force' };
    case 'publication:drift':
      return driftMessages[event.notice.kind];
    case 'requests:paused':
      return { level: event.reason === 'pause' ? 'warn' : 'error', message: 'no calls for the time being' };
    case 'requests:resumed':
      return { level: 'info', message: 'calls go on' };
    case 'token:issued':
      return { level: 'debug', message: 'logged in' };
    case 'rate:changed':
      return { level: event.calls < event.limit ? 'warn' : 'info', message: 'rate changed' };
    case 'probe:answered':
      return event.isExpected
        ? { level: 'info', message: 'probe answered as expected' }
        : { level: 'warn', message: 'probe not answered as expected, the next environment waits' };
    case 'reconcile:finished': {
      const { online, offline, failed } = event.summary;
      if (failed > 0) return { level: 'warn', message: 'pass finished with failures' };
      return { level: online + offline > 0 ? 'info' : 'debug', message: 'pass finished' };
    }
    case 'file:added':
      return { level: 'info', message: 'new file in the folder' };
    case 'file:removed':
      return { level: 'warn', message: 'file has left the folder, its gateway is left as it is' };
    case 'file:failed':
      return { level: 'error', message: 'file given up, the others go on' };
    case 'lease:standby':
      return { level: 'info', message: 'standing by' };
    case 'lease:acquired':
      return { level: 'info', message: 'lease taken, at work' };
    case 'lease:lost':
      return event.isRebalanced
        ? { level: 'info', message: 'lease given to an edict that has fewer gateways' }
        : { level: 'warn', message: 'lease ended, nothing more is sent' };
    case 'store:waiting':
      return { level: 'warn', message: 'waiting for the store' };
    case 'history:pruned':
      return { level: 'info', message: 'old attempts deleted' };
    case 'store:error':
      return { level: 'error', message: 'store failed, nothing was sent without its record' };
    case 'webhook:failed':
      return { level: 'warn', message: 'notification not delivered' };
    case 'trace:failed':
      return { level: 'warn', message: 'traces not delivered' };
    case 'daemon:stopped':
      return { level: 'info', message: 'stopped' };
  }
}
