import { InvalidFileError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import type { DriftNotice } from '../../src/model/observation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { change, desiredState, reconcileSummary, recorded } from './states.ts';

type EventOf<T extends EdictEvent['type']> = Extract<EdictEvent, { type: T }>;

const orders = change('orders', 'test');
const of = { reconcileId: 'p', attemptId: 1, change: orders } as const;
const failure = { code: 'X', status: 500, message: 'm', hint: 'h', requestId: 'r', retryAfterMs: null };
const outcomes: readonly Outcome[] = [
  { kind: 'succeeded', versionId: 'v', publishId: null },
  { kind: 'superseded' },
  { kind: 'notApplied' },
  ...(['throttled', 'retryable', 'rejected', 'unauthorized', 'unknown'] as const).map((kind) => ({ kind, failure })),
];
const hold = { rule: 'maxRemoved', message: 'm', hint: 'h', affected: [] } as const;
const nothing = diffStates(desiredState([]), new Map());
const deferred = { rule: 'freeze', message: 'm', untilMs: 1 } as const;
const suspension = { by: 'ada', reason: 'INC-7', sinceMs: 1, untilMs: 2 };
const approval = { id: 1, by: 'ada', reason: 'CHG-7', expiresAtMs: 1 };
const note: DriftNotice = {
  ...recorded('orders', 'test'),
  kind: 'apiDeleted',
  previousState: 'online',
  previousSinceMs: 1,
  currentState: 'offline',
  untilMs: null,
  replacementId: 'h',
};
const summary = reconcileSummary();
const probe = { target: { ...orders, url: 'https://x', expectedStatus: null, timeoutMs: 1, sinceMs: 1 }, message: 's', afterMs: 1 };

/** Every event in each form in which it is logged. */
export const everyEvent: { readonly [T in EdictEvent['type']]: readonly EventOf<T>[] } = {
  'file:loaded': [{ type: 'file:loaded', desired: desiredState([]) }],
  'file:invalid': [{ type: 'file:invalid', error: new InvalidFileError('f', []) }],
  'file:held': [{ type: 'file:held', holds: { ...nothing, fileHeld: hold }, message: 'm' }],
  'file:unreadable': [{ type: 'file:unreadable', message: 'm' }],
  'git:unsupported': [{ type: 'git:unsupported', version: '2.30.2' }],
  'reconcile:started': [{ type: 'reconcile:started', reconcileId: 'p', cause: 'startup' }],
  'plan:computed': [
    {
      type: 'plan:computed',
      recorded: new Map(),
      reconcileId: 'p',
      cause: 'startup',
      plan: {
        ...nothing,
        changes: [
          orders,
          { ...orders, action: 'offline', to: 'offline' },
          { ...orders, reason: 'unknown' },
          { ...orders, deferred },
          { ...orders, held: hold },
        ],
        excluded: 1,
        ...{ drifted: [recorded('a', 'test')], settling: [recorded('b', 'test')], unmanaged: [recorded('c', 'test')] },
      },
    },
    { type: 'plan:computed', recorded: new Map(), reconcileId: 'p', cause: 'resync', plan: { ...nothing, approval } },
    { type: 'plan:computed', recorded: new Map(), reconcileId: 'p', cause: 'suspension', plan: { ...nothing, suspension } },
    {
      type: 'plan:computed',
      recorded: new Map(),
      reconcileId: 'p',
      cause: 'startup',
      plan: { ...nothing, fileHeld: hold, changes: [{ ...orders, held: hold }] },
    },
  ],
  'attempt:started': [{ type: 'attempt:started', ...of }],
  'attempt:finished': outcomes.map((outcome) => ({ type: 'attempt:finished', ...of, outcome, isRecorded: true, durationMs: 1 })),
  'retry:scheduled': [{ type: 'retry:scheduled', reconcileId: 'p', change: orders, afterMs: 1, reason: 'r' }],
  'attempt:recovered': [
    { type: 'attempt:recovered', ...of, outcome: { kind: 'succeeded', versionId: 'v', publishId: null } },
    { type: 'attempt:recovered', ...of, outcome: { kind: 'notApplied' } },
  ],
  'attempt:unknown': [true, false].map((isRetried) => ({ type: 'attempt:unknown', ...of, reason: 'r', isRetried })),
  'gateway:page_read': [{ type: 'gateway:page_read', readCount: 500, totalCount: 900 }],
  'gateway:observed': [0, 1].map((changedCount) => ({
    type: 'gateway:observed',
    reconcileId: 'p',
    listedApiCount: 1,
    changedCount,
    adoptedCount: changedCount,
  })),
  'gateway:observe_failed': [{ type: 'gateway:observe_failed', reconcileId: 'p', reason: 'r' }],
  'publication:drift': (
    ['adopted', 'foundOnline', 'foundOffline', 'unread', 'externalChange', 'drift', 'apiDeleted', 'flapping'] as const
  ).flatMap((kind) => {
    const ofKnown = { type: 'publication:drift', reconcileId: 'p', notice: { ...note, kind } } as const;
    if (kind !== 'apiDeleted') return [ofKnown];
    return [{ replacementId: null }, {}, { previousState: null }].map((over) => ({ ...ofKnown, notice: { ...ofKnown.notice, ...over } }));
  }),
  'requests:paused': (['pause', 'outage', 'credentials'] as const).map((reason) => ({ type: 'requests:paused', reason, message: 'm' })),
  'requests:resumed': [{ type: 'requests:resumed' }],
  'token:issued': [{ type: 'token:issued' }],
  'rate:changed': [5, 10].map((calls) => ({ type: 'rate:changed', calls, perMs: 1000, limit: 10 })),
  'probe:answered': [true, false].map((isExpected) => ({ type: 'probe:answered', ...probe, isExpected })),
  'reconcile:finished': [summary, { ...summary, online: 1 }, { ...summary, failed: 1 }].map((of) => {
    return { type: 'reconcile:finished', reconcileId: 'p', summary: of };
  }),
  'reconcile:failed': [{ type: 'reconcile:failed', message: 'm', hint: 'h' }],
  'file:added': [{ type: 'file:added' }],
  'file:removed': [{ type: 'file:removed' }],
  'file:failed': [{ type: 'file:failed', message: 'm', hint: 'h' }],
  'files:skipped': [{ type: 'files:skipped', skippedCount: 2, maxCount: 1000 }],
  'lease:standby': [{ type: 'lease:standby', reason: 'r' }],
  'lease:acquired': [{ type: 'lease:acquired' }],
  'lease:lost': [
    { type: 'lease:lost', isRebalanced: false },
    { type: 'lease:lost', isRebalanced: true },
  ],
  'gateway:unrecorded': [{ type: 'gateway:unrecorded', store: 'sqlite:/x' }],
  'store:unverified': [{ type: 'store:unverified', sslmode: 'disable' }],
  'store:waiting': [{ type: 'store:waiting', message: 'm' }],
  'history:pruned': [{ type: 'history:pruned', attemptCount: 3, beforeMs: 1 }],
  'store:error': [{ type: 'store:error', reconcileId: 'p', message: 'm' }],
  'webhook:failed': [{ type: 'webhook:failed', to: 'x', reason: 'r', droppedCount: 1 }],
  'trace:failed': ['x', ''].map((to) => ({ type: 'trace:failed', to, reason: 'r' })),
  'server:exposed': [{ type: 'server:exposed', url: 'http://0.0.0.0:9470' }],
  'token:refused': [0, 1000].map((waitMs) => ({ type: 'token:refused', address: `192.0.2.${waitMs % 7}`, count: 1, waitMs })),
  'daemon:stopped': [{ type: 'daemon:stopped', signal: 'SIGTERM', unsentCount: 0 }],
};
