import { InvalidFileError } from '../../src/core/errors.ts';
import type { EngineEvent } from '../../src/core/events.ts';
import type { Note } from '../../src/core/observe.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { plan } from '../../src/core/plan.ts';
import { change, desiredState, recorded } from './states.ts';

type EventOf<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>;

const orders = change('orders', 'test');
const of = { passId: 'p', attemptId: 1, change: orders } as const;
const failure = { code: 'X', status: 500, message: 'm', hint: 'h', requestId: 'r', pauseMs: null };
const outcomes: readonly Outcome[] = [
  { kind: 'succeeded', versionId: 'v', publishId: null },
  { kind: 'dropped' },
  { kind: 'absent' },
  ...(['wait', 'retry', 'stalled', 'refused', 'unknown'] as const).map((kind) => ({ kind, failure })),
];
const hold = { rule: 'lost', message: 'm', hint: 'h', lost: [] } as const;
const nothing = plan(desiredState([]), new Map());
const waits = { rule: 'freeze', message: 'm', untilMs: 1 } as const;
const approval = { id: 1, by: 'ada', why: 'CHG-7', expiresAtMs: 1 };
const note: Note = {
  ...recorded('orders', 'test'),
  kind: 'gone',
  was: 'online',
  wasSinceMs: 1,
  now: 'offline',
  untilMs: null,
  heirId: 'h',
};
const summary = { online: 0, offline: 0, unchanged: 0, held: 0, waiting: 0, failed: 0, tookMs: 1 };
const probe = { target: { ...orders, url: 'https://x', status: null, timeoutMs: 1, sinceMs: 1 }, said: 's', afterMs: 1 };

/** Every event in all the ways in which it is logged. */
export const everyEvent: { readonly [T in EngineEvent['type']]: readonly EventOf<T>[] } = {
  'file:accepted': [{ type: 'file:accepted', desired: desiredState([]) }],
  'file:rejected': [{ type: 'file:rejected', error: new InvalidFileError('f', []) }],
  'file:missed': [{ type: 'file:missed', message: 'm' }],
  'pass:started': [{ type: 'pass:started', passId: 'p', cause: 'start' }],
  'plan:made': [
    {
      type: 'plan:made',
      recorded: new Map(),
      passId: 'p',
      cause: 'start',
      plan: {
        ...nothing,
        changes: [
          { ...orders, waits },
          { ...orders, held: hold },
        ],
        untargeted: 1,
      },
    },
    { type: 'plan:made', recorded: new Map(), passId: 'p', cause: 'resync', plan: { ...nothing, approval } },
    {
      type: 'plan:made',
      recorded: new Map(),
      passId: 'p',
      cause: 'start',
      plan: { ...nothing, suspicion: hold, changes: [{ ...orders, held: hold }] },
    },
  ],
  'attempt:begun': [{ type: 'attempt:begun', ...of }],
  'attempt:settled': outcomes.map((outcome) => ({ type: 'attempt:settled', ...of, outcome, tookMs: 1 })),
  'retry:scheduled': [{ type: 'retry:scheduled', passId: 'p', change: orders, afterMs: 1, reason: 'r' }],
  'attempt:resolved': [
    { type: 'attempt:resolved', ...of, outcome: { kind: 'succeeded', versionId: 'v', publishId: null } },
    { type: 'attempt:resolved', ...of, outcome: { kind: 'absent' } },
  ],
  'attempt:untold': [true, false].map((isRepeated) => ({ type: 'attempt:untold', ...of, reason: 'r', isRepeated })),
  'gateway:seen': [0, 1].map((changed) => ({ type: 'gateway:seen', passId: 'p', listed: 1, changed })),
  'gateway:unseen': [{ type: 'gateway:unseen', passId: 'p', reason: 'r' }],
  'publication:noted': (['adopted', 'outside', 'drift', 'gone', 'fight'] as const).map((kind) => {
    return { type: 'publication:noted', passId: 'p', note: { ...note, kind } };
  }),
  'calls:stopped': (['pause', 'outage', 'credentials'] as const).map((why) => ({ type: 'calls:stopped', why, message: 'm' })),
  'calls:resumed': [{ type: 'calls:resumed' }],
  'token:taken': [{ type: 'token:taken' }],
  'rate:changed': [5, 10].map((calls) => ({ type: 'rate:changed', calls, perMs: 1000, limit: 10 })),
  'probe:answered': [true, false].map((isExpected) => ({ type: 'probe:answered', ...probe, isExpected })),
  'pass:finished': [summary, { ...summary, online: 1 }, { ...summary, failed: 1 }].map((of) => {
    return { type: 'pass:finished', passId: 'p', summary: of };
  }),
  'file:added': [{ type: 'file:added' }],
  'file:removed': [{ type: 'file:removed' }],
  'file:failed': [{ type: 'file:failed', message: 'm', hint: 'h' }],
  'lease:waited': [{ type: 'lease:waited', reason: 'r' }],
  'lease:taken': [{ type: 'lease:taken' }],
  'lease:ended': [
    { type: 'lease:ended', isShared: false },
    { type: 'lease:ended', isShared: true },
  ],
  'store:waited': [{ type: 'store:waited', message: 'm' }],
  'history:pruned': [{ type: 'history:pruned', attempts: 3, beforeMs: 1 }],
  'store:failed': [{ type: 'store:failed', passId: 'p', message: 'm' }],
  'notify:failed': [{ type: 'notify:failed', to: 'x', reason: 'r', dropped: 1 }],
  'trace:failed': ['x', ''].map((to) => ({ type: 'trace:failed', to, reason: 'r' })),
  'daemon:stopped': [{ type: 'daemon:stopped', signal: 'SIGTERM', left: 0 }],
};
