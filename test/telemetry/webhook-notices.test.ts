import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change, Plan } from '../../src/model/change.ts';
import { type Diagnostic, InvalidFileError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import type { Failure, Outcome } from '../../src/model/outcome.ts';
import { diffStates } from '../../src/plan/diff.ts';
import type { WebhookNotice } from '../../src/telemetry/webhook-documents.ts';
import { Notices } from '../../src/telemetry/webhook-notices.ts';
import { everyEvent } from '../support/every-event.ts';
import { fc, runs } from '../support/fast-check.ts';
import { growth, linear } from '../support/growth.ts';
import { assertConforms } from '../support/json-schemas.ts';
import { change, desiredState, reconcileSummary, recorded, wanted } from '../support/states.ts';

const nowMs = Date.UTC(2026, 10, 30, 12);
const orders = change('orders', 'test');
const failure: Failure = { code: 'X', status: 500, message: 'no', hint: 'look', requestId: null, retryAfterMs: null };
const hold = { rule: 'protected', message: 'protected', hint: 'check' } as const;
const diagnostic: Diagnostic = {
  rule: 'invalid-value',
  file: 'edict.yaml',
  line: 3,
  column: 5,
  length: 1,
  message: 'bad',
  hint: null,
  excerpt: { text: 'secret', column: 1 },
};

const attemptFinished = (outcome: Outcome, of: Change = orders): EdictEvent => {
  return { type: 'attempt:finished', reconcileId: 'p', attemptId: 1, change: of, outcome, isRecorded: true, durationMs: 1 };
};
const resolved = (outcome: Outcome): EdictEvent => ({ type: 'attempt:recovered', reconcileId: 'p', attemptId: 1, change: orders, outcome });
const succeeded: Outcome = { kind: 'succeeded', versionId: null, publishId: null };
const made = (over: Partial<Plan> = {}): EdictEvent => {
  return {
    type: 'plan:computed',
    reconcileId: 'p',
    cause: 'file',
    recorded: new Map(),
    plan: { ...diffStates(desiredState([]), new Map()), ...over },
  };
};
const summary = reconcileSummary({ durationMs: 1 });
const finished: EdictEvent = { type: 'reconcile:finished', reconcileId: 'p', summary };
const invalidFile: EdictEvent = { type: 'file:invalid', error: new InvalidFileError('edict.yaml', [diagnostic]) };
const missedFile: EdictEvent = { type: 'file:unreadable', message: 'edict.yaml does not exist' };
const validFile: EdictEvent = { type: 'file:loaded', desired: desiredState([wanted('orders', 'test')]) };
const unreachable: EdictEvent = { type: 'gateway:observe_failed', reconcileId: 'p', reason: 'r' };
const seen: EdictEvent = { type: 'gateway:observed', reconcileId: 'p', listedApiCount: 1, changedCount: 0, adoptedCount: 0 };
const stopped = (reason: 'pause' | 'outage' | 'credentials'): EdictEvent => ({ type: 'requests:paused', reason, message: 'm' });
const resumed: EdictEvent = { type: 'requests:resumed' };
const target = { ...orders, url: 'https://x', expectedStatus: null, timeoutMs: 1, sinceMs: 1 };
const probed = (isExpected: boolean): EdictEvent => ({ type: 'probe:answered', target, isExpected, message: 's', afterMs: 1 });
const storeFailed: EdictEvent = { type: 'store:error', reconcileId: 'p', message: 'full' };
const begun: EdictEvent = { type: 'attempt:started', reconcileId: 'p', attemptId: 1, change: orders };
const unknown = (isRetried: boolean): EdictEvent => {
  return { type: 'attempt:unknown', reconcileId: 'p', attemptId: 1, change: orders, reason: 'r', isRetried };
};
const noted = (kind: 'adopted' | 'externalChange' | 'drift' | 'apiDeleted' | 'flapping', api = 'orders'): EdictEvent => {
  const of = {
    ...recorded(api, 'test'),
    previousSinceMs: 1,
    previousState: 'online',
    currentState: 'offline',
    untilMs: null,
    replacementId: null,
  } as const;
  return { type: 'publication:drift', reconcileId: 'p', notice: { ...of, kind } };
};
const leaseLost: EdictEvent = { type: 'lease:lost', isRebalanced: false };
const standsBy: EdictEvent = { type: 'lease:standby', reason: 'r' };
const drift = { from: 'online', fromSinceMs: 1, detectedAtMs: 2, backoffUntilMs: null } as const;
const drifted = (api: string, backoffUntilMs: number | null = null) =>
  recorded(api, 'test', { state: 'offline', drift: { ...drift, backoffUntilMs } });

/** Returns the notices for events, one list for each event. */
function noticesOf(...events: readonly EdictEvent[]): WebhookNotice[][] {
  const notices = new Notices(
    () => 'edict approve',
    () => nowMs,
  );
  return events.map((event) => [...notices.of(event)]);
}

/** Returns notices in short: the kind, what fails, and whether it fires or is resolved. */
function inShort(notices: readonly WebhookNotice[]): string {
  return notices
    .map((one) => {
      const what = one.kind === 'failed' ? ` ${one.subject}` : one.kind === 'drifted' && one.flapping ? ' flapping' : '';
      return `${one.kind}${what}${'status' in one ? ` ${one.status}` : ` ${one.count}`}`;
    })
    .join(', ');
}

const begins = (what: string) => `${what} firing`;
const ends = (what: string) => `${what} resolved`;

const table: readonly (readonly [name: string, ...steps: (readonly [EdictEvent, string])[]])[] = [
  [
    'an invalid file, until a valid one',
    [invalidFile, begins('invalid')],
    [missedFile, ''],
    [made(), ''],
    [validFile, ends('invalid')],
    [validFile, ''],
    [missedFile, begins('invalid')],
    [{ type: 'file:removed' }, ends('invalid')],
  ],
  ['a file that is given up', [{ type: 'file:failed', message: 'm', hint: null }, begins('invalid')]],
  [
    'a change that the gateway rejects, until it is made',
    [attemptFinished({ kind: 'rejected', failure }), begins('failed publication')],
    [attemptFinished({ kind: 'rejected', failure }), ''],
    [finished, ''],
    [attemptFinished(succeeded), ends('failed publication')],
    [finished, 'applied 1'],
  ],
  [
    'a change that is retried, from its second failure in a row',
    [attemptFinished({ kind: 'retryable', failure }), ''],
    [attemptFinished(succeeded), ''],
    [attemptFinished({ kind: 'retryable', failure }), ''],
    [attemptFinished({ kind: 'unknown', failure }), begins('failed publication')],
    [attemptFinished(succeeded), ends('failed publication')],
  ],
  [
    'several changes that fail are one condition',
    [attemptFinished({ kind: 'rejected', failure }, change('a', 'test')), begins('failed publication')],
    [attemptFinished({ kind: 'rejected', failure }, change('b', 'test')), ''],
    [attemptFinished({ kind: 'retryable', failure }, change('c', 'test')), ''],
    [attemptFinished(succeeded, change('a', 'test')), ''],
    [attemptFinished(succeeded, change('b', 'test')), ends('failed publication')],
    [attemptFinished({ kind: 'retryable', failure }, change('c', 'test')), begins('failed publication')],
  ],
  [
    'a failing change that the next plan does not have, holds or defers',
    [attemptFinished({ kind: 'rejected', failure }), begins('failed publication')],
    [made({ changes: [orders] }), ''],
    [made({ changes: [{ ...orders, deferred: { rule: 'freeze', message: '', untilMs: null } }] }), ends('failed publication')],
    [attemptFinished({ kind: 'rejected', failure }), begins('failed publication')],
    [made({ changes: [{ ...orders, held: hold }] }), `${ends('failed publication')}, ${begins('held')}`],
    [attemptFinished({ kind: 'rejected', failure }), begins('failed publication')],
    [made(), `${ends('failed publication')}, ${ends('held')}`],
  ],
  [
    'throttling, refused credentials and a change that was not sent are no failures of a publication',
    [attemptFinished({ kind: 'throttled', failure }), ''],
    [attemptFinished({ kind: 'unauthorized', failure }), ''],
    [attemptFinished({ kind: 'superseded' }), ''],
    [attemptFinished({ kind: 'throttled', failure }), ''],
  ],
  [
    'an attempt with an unknown outcome that waits for a person',
    [unknown(true), ''],
    [unknown(false), begins('held')],
    [made({ changes: [{ ...orders, reason: 'unknown' }] }), ''],
    [resolved({ kind: 'notApplied' }), ends('held')],
    [unknown(false), begins('held')],
    [resolved(succeeded), ends('held')],
    [unknown(false), begins('held')],
    [made({ changes: [orders] }), ends('held')],
  ],
  [
    'a gateway that cannot be observed, from the second time in a row',
    [unreachable, ''],
    [seen, ''],
    [unreachable, ''],
    [unreachable, begins('failed gateway')],
    [unreachable, ''],
    [seen, ends('failed gateway')],
  ],
  [
    'an outage and refused credentials, and no pause',
    [stopped('pause'), ''],
    [stopped('outage'), begins('failed outage')],
    [stopped('outage'), ''],
    [stopped('credentials'), begins('failed credentials')],
    [resumed, `${ends('failed outage')}, ${ends('failed credentials')}`],
    [resumed, ''],
  ],
  [
    'a probe, from its second wrong answer in a row',
    [probed(false), ''],
    [probed(true), ''],
    [probed(false), ''],
    [probed(false), begins('failed probe')],
    [probed(true), ends('failed probe')],
    [probed(false), ''],
    [probed(false), begins('failed probe')],
    [made({ changes: [{ ...orders, deferred: { rule: 'rollout', message: '', untilMs: null, probe: target } }] }), ''],
    [made({ changes: [orders] }), ends('failed probe')],
  ],
  [
    'a store, until it takes an attempt or gives a plan',
    [storeFailed, begins('failed store')],
    [storeFailed, ''],
    [begun, ends('failed store')],
    [storeFailed, begins('failed store')],
    [made(), ends('failed store')],
  ],
  [
    'a drift, until it is corrected',
    [noted('drift'), ''],
    [made({ changes: [{ ...orders, reason: 'drift' }] }), begins('drifted')],
    [attemptFinished(succeeded, { ...orders, reason: 'drift' }), ends('drifted')],
    [finished, 'applied 1'],
  ],
  [
    'drift that is only reported, and drift that flaps',
    [made({ drifted: [drifted('a')] }), begins('drifted')],
    [made({ drifted: [drifted('a'), drifted('b')] }), ''],
    [noted('flapping'), ''],
    [made({ drifted: [drifted('a'), drifted('b', 9)] }), begins('drifted flapping')],
    [made({ drifted: [drifted('a', 9), drifted('b', 9)] }), ends('drifted')],
    [made(), ends('drifted flapping')],
  ],
  [
    'changes outside edict that are not drift, when the reconciliation is over',
    [noted('adopted'), ''],
    [noted('externalChange'), ''],
    [noted('externalChange'), ''],
    [noted('apiDeleted', 'carts'), ''],
    [finished, 'external 2'],
    [finished, ''],
  ],
  [
    'a plan that holds something else needs another approval',
    [made({ changes: [{ ...orders, held: hold }] }), begins('held')],
    [made({ changes: [{ ...orders, held: hold }, change('carts', 'test')] }), ''],
    [made({ changes: [{ ...change('carts', 'test'), held: hold }] }), `${ends('held')}, ${begins('held')}`],
    [made(), ends('held')],
  ],
  [
    'a lease that is lost resolves everything but an invalid file and the store, and standing by the store too',
    [invalidFile, begins('invalid')],
    [attemptFinished({ kind: 'rejected', failure }), begins('failed publication')],
    [stopped('outage'), begins('failed outage')],
    [storeFailed, begins('failed store')],
    [leaseLost, `${ends('failed publication')}, ${ends('failed outage')}`],
    [standsBy, ends('failed store')],
    [validFile, ends('invalid')],
  ],
  [
    'a file that leaves its folder resolves everything',
    [attemptFinished({ kind: 'rejected', failure }), begins('failed publication')],
    [made({ changes: [orders], drifted: [drifted('a')] }), begins('drifted')],
    [{ type: 'file:removed' }, `${ends('failed publication')}, ${ends('drifted')}`],
  ],
  ['a notification that is not delivered', [{ type: 'webhook:failed', to: 'x', reason: 'r', droppedCount: 1 }, '']],
];
for (const [name, ...steps] of table) {
  test(`notices: ${name}`, () => {
    const said = noticesOf(...steps.map(([event]) => event));
    assert.equal(
      said.map(inShort),
      steps.map(([, expected]) => expected),
    );
    for (const notice of said.flat()) assertNotice(notice);
  });
}

function assertNotice(notice: WebhookNotice): void {
  const origin = { format: 1, id: 'i', at: '2026-01-01T00:00:00Z', file: 'f', gateway: null, emulated: false, undelivered: 0 };
  assertConforms('notification', { ...origin, notice });
}

test('a resolved notice repeats the firing one', () => {
  const [[firing], [over]] = noticesOf(attemptFinished({ kind: 'rejected', failure }), attemptFinished(succeeded)) as [
    WebhookNotice[],
    WebhookNotice[],
  ];
  const expected = {
    kind: 'failed',
    summary: 'orders in test fails: no',
    subject: 'publication',
    publication: { api: 'orders', apiId: 'api-orders', environment: 'test', environmentId: 'env-test' },
    code: 'X',
    message: 'no',
    hint: 'look',
    since: '2026-11-30T12:00:00.000Z',
  };
  assert.equal(firing, { ...expected, status: 'firing' });
  assert.equal(over, { ...expected, status: 'resolved' });
});

test('the notices of every event match the schema', () => {
  const notices = new Notices(
    () => null,
    () => nowMs,
  );
  for (const event of Object.values(everyEvent).flat()) for (const notice of notices.of(event)) assertNotice(notice);
  for (const notice of notices.rest()) assertNotice(notice);
});

test('an outage that affects 10,000 publications is one notice, and its end another', () => {
  assert.ok(growth(meetsOutage, 1_000) < linear);
});

/** Simulates an outage that affects `size` publications. */
function meetsOutage(size: number): void {
  const all = Array.from({ length: size }, (_, index) => change(`a${index}`, 'test'));
  const events = [
    made({ changes: all }),
    ...all.map((of) => attemptFinished({ kind: 'rejected', failure }, of)),
    ...all.map((of) => attemptFinished(succeeded, of)),
    finished,
  ];
  assert.is(inShort(noticesOf(...events).flat()), `failed publication firing, failed publication resolved, applied ${size}`);
}

/** Everything that may start or end a condition. */
const anyEvents: readonly EdictEvent[] = [
  ...Object.values(everyEvent).flat(),
  ...['a', 'b'].flatMap((api) => [
    attemptFinished({ kind: 'rejected', failure }, change(api, 'test')),
    attemptFinished({ kind: 'retryable', failure }, change(api, 'test')),
    attemptFinished(succeeded, change(api, 'test')),
    made({ changes: [change(api, 'test')], drifted: [drifted(api), drifted('c', 9)] }),
    made({ changes: [{ ...change(api, 'test'), held: hold }] }),
  ]),
  made(),
  probed(true),
  unknown(false),
];

test('conditions fire and resolve alternately in any sequence of events', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...anyEvents), { maxLength: 300 }), (events) => {
      const firing = new Map<string, WebhookNotice>();
      for (const notice of noticesOf(...events).flat()) {
        if (!('status' in notice)) continue;
        const { status, ...condition } = notice;
        const name = inShort([{ ...notice, status: 'firing' }]) + (notice.kind === 'held' ? String(notice.approvalDigest === null) : '');
        assert.is(firing.has(name), status === 'resolved', name);
        if (status === 'resolved') {
          assert.equal({ ...firing.get(name), status }, { ...condition, status });
          firing.delete(name);
        } else firing.set(name, notice);
      }
    }),
    { numRuns: runs(300) },
  );
});

test('nothing is firing after a plan without changes, a valid file and a response of the gateway', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...anyEvents), { maxLength: 100 }), (events) => {
      const notices = noticesOf(...events, validFile, seen, resumed, made()).flat();
      const count = (status: string) => notices.filter((one) => 'status' in one && one.status === status).length;
      assert.is(count('firing'), count('resolved'));
    }),
    { numRuns: runs(300) },
  );
});

test.run();
