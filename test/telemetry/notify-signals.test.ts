import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidFileError, type Mistake } from '../../src/core/errors.ts';
import type { EngineEvent } from '../../src/core/events.ts';
import type { Failure, Outcome } from '../../src/core/outcome.ts';
import { type Plan, plan } from '../../src/core/plan.ts';
import { type MatterId, type Signal, signalsOf } from '../../src/telemetry/notify-signals.ts';
import { change, desiredState, recorded, wanted } from '../support/states.ts';

const orders = change('orders', 'test');
const failure: Failure = { code: 'X', status: 500, message: 'no', hint: 'look', requestId: null, pauseMs: null };
const hold = { rule: 'protected', message: 'protected', hint: 'check' } as const;
const signals = (event: EngineEvent): readonly Signal[] => signalsOf(event, () => 'edict approve');
const settled = (outcome: Outcome): EngineEvent => ({
  type: 'attempt:settled',
  passId: 'p',
  attemptId: 1,
  change: orders,
  outcome,
  tookMs: 1,
});
const made = (over: Partial<Plan>): readonly Signal[] =>
  signals({ type: 'plan:made', passId: 'p', cause: 'file', recorded: new Map(), plan: { ...plan(desiredState([]), new Map()), ...over } });
const mistake: Mistake = { rule: 'value', file: 'edict.yaml', line: 3, column: 5, length: 1, message: 'bad', hint: null, text: 'secret' };

/** Returns what signals say in short: what is so and ends. */
function inShort(all: readonly Signal[]): string[] {
  return all.flatMap((signal) => {
    if (signal.type === 'rested') return ['rested'];
    if (signal.type === 'left') return [];
    const { group, name } = signal.id;
    const of = `${group} ${name}`.trim();
    if (signal.type === 'ended') return [`${of} ended${signal.isWell ? '' : ' unwell'}`];
    return [`${of} ${signal.type} ${signal.matter.kind}${signal.type === 'is' && signal.patience > 0 ? ` after ${signal.patience}` : ''}`];
  });
}

/** Returns what of a group a plan leaves. */
function left(all: readonly Signal[], group: MatterId['group'], names: readonly string[]): string[] {
  const gone = new Map<string, boolean>();
  for (const signal of all) {
    if (signal.type !== 'left' || signal.group !== group) continue;
    for (const name of names) if (!signal.isKept(name) && !gone.has(name)) gone.set(name, signal.isWell);
  }
  return [...gone].map(([name, isWell]) => `${name}${isWell ? '' : ' unwell'}`);
}

const { key } = orders;
const note = { ...recorded('orders', 'test'), wasSinceMs: 1, was: 'online', now: 'offline', untilMs: null, heirId: null } as const;
const target = { ...orders, url: 'https://x', status: null, timeoutMs: 1, sinceMs: 1 };

const table: readonly [string, EngineEvent, readonly string[]][] = [
  ['a valid file', { type: 'file:accepted', desired: desiredState([wanted('orders', 'test')]) }, ['file ended']],
  ['an invalid file', { type: 'file:rejected', error: new InvalidFileError('edict.yaml', [mistake]) }, ['file is invalid']],
  ['a file that is away', { type: 'file:missed', message: 'edict.yaml does not exist' }, ['file is invalid']],
  [
    'a change that was made',
    settled({ kind: 'succeeded', versionId: null, publishId: null }),
    [`publication ${key} ended`, `unresolved ${key} ended unwell`, `applied ${key} happened applied`],
  ],
  [
    'a change that turned out to have been made',
    {
      type: 'attempt:resolved',
      passId: 'p',
      attemptId: 1,
      change: orders,
      outcome: { kind: 'succeeded', versionId: null, publishId: null },
    },
    [`publication ${key} ended`, `unresolved ${key} ended unwell`, `applied ${key} happened applied`],
  ],
  ['a change that will not succeed', settled({ kind: 'stalled', failure }), [`publication ${key} is failed`]],
  ['a change that is tried again', settled({ kind: 'retry', failure }), [`publication ${key} is failed after 1`]],
  ['a change without a known outcome', settled({ kind: 'unknown', failure }), [`publication ${key} is failed after 1`]],
  ['a change that the gateway asks patience for', settled({ kind: 'wait', failure }), []],
  ['a change without credentials', settled({ kind: 'refused', failure }), []],
  ['a change that nobody wants any more', settled({ kind: 'dropped' }), []],
  [
    'an attempt that waits for a person',
    { type: 'attempt:untold', passId: 'p', attemptId: 1, change: orders, reason: 'r', isRepeated: false },
    [`unresolved ${key} is held`],
  ],
  [
    'an attempt that is repeated by itself',
    { type: 'attempt:untold', passId: 'p', attemptId: 1, change: orders, reason: 'r', isRepeated: true },
    [],
  ],
  ['a gateway that is not seen', { type: 'gateway:unseen', passId: 'p', reason: 'r' }, ['gateway is failed after 4']],
  ['a gateway that is seen', { type: 'gateway:seen', passId: 'p', listed: 1, changed: 0 }, ['gateway ended']],
  ['an outage', { type: 'calls:stopped', why: 'outage', message: 'm' }, ['calls outage is failed after 1']],
  ['refused credentials', { type: 'calls:stopped', why: 'credentials', message: 'm' }, ['calls credentials is failed']],
  ['a pause', { type: 'calls:stopped', why: 'pause', message: 'm' }, []],
  ['calls that go on', { type: 'calls:resumed' }, ['calls outage ended', 'calls credentials ended']],
  ['a probe that fails', { type: 'probe:answered', target, isExpected: false, said: 's', afterMs: 1 }, [`probe ${key} is failed after 1`]],
  ['a probe that does not', { type: 'probe:answered', target, isExpected: true, said: 's', afterMs: null }, [`probe ${key} ended`]],
  ['a store that fails', { type: 'store:failed', passId: 'p', message: 'full' }, ['store is failed after 1']],
  ['a store that takes an attempt', { type: 'attempt:begun', passId: 'p', attemptId: 1, change: orders }, ['store ended']],
  ['a drift', { type: 'publication:noted', passId: 'p', note: { ...note, kind: 'drift' } }, [`drift drift ${key} is drifted`]],
  ['a fight', { type: 'publication:noted', passId: 'p', note: { ...note, kind: 'fight' } }, [`drift fight ${key} is drifted`]],
  ['another’s change', { type: 'publication:noted', passId: 'p', note: { ...note, kind: 'outside' } }, [`outside ${key} happened drifted`]],
  ['an adoption', { type: 'publication:noted', passId: 'p', note: { ...note, kind: 'adopted' } }, []],
  [
    'the end of a pass',
    {
      type: 'pass:finished',
      passId: 'p',
      summary: { online: 0, offline: 0, unchanged: 0, held: 0, waiting: 0, failed: 0, tookMs: 1 },
    },
    ['rested'],
  ],
  ['a notification that is not delivered', { type: 'notify:failed', to: 'x', reason: 'r', dropped: 1 }, []],
];
for (const [name, event, expected] of table) test(`${name} tells what it must`, () => assert.equal(inShort(signals(event)), expected));

test('a plan that holds something tells it with the command that releases it', () => {
  const [, shown] = made({ changes: [{ ...orders, held: hold }, change('carts', 'test')] }).flatMap((signal) =>
    signal.type === 'is' ? [signal.id, signal.matter] : [],
  );
  assert.is((shown as { kind: string }).kind, 'held');
  const { count, held } = shown as Extract<typeof shown, { kind: 'held' }>;
  assert.equal([count, held.command, held.reasons, held.publications.length], [1, 'edict approve', [hold], 1]);
  assert.match(String(held.digest), /^sha256:/);
});

test('of a file that is held as a whole one reason is told, and ten names', () => {
  const changes = Array.from({ length: 30 }, (_, index) => ({ ...change(`a${index}`, 'test'), held: hold }));
  const all = made({ changes, suspicion: { ...hold, rule: 'lost', lost: [] } });
  const held = all.flatMap((signal) => (signal.type === 'is' && signal.matter.kind === 'held' ? [signal.matter] : []));
  assert.equal(
    held.map((one) => [one.count, one.held.reasons.map(({ rule }) => rule), one.held.publications.length]),
    [[30, ['lost'], 10]],
  );
});

test('what a plan does not have any more is over; what it holds or lets wait fails no longer', () => {
  const waits = { rule: 'freeze', message: '', untilMs: null } as const;
  const [a, b, c] = [change('a', 'test'), { ...change('b', 'test'), held: hold }, { ...change('c', 'test'), waits }];
  const all = made({ changes: [a, b, c] });
  assert.equal(left(all, 'publication', [a.key, b.key, c.key, 'gone']), ['gone', `${b.key} unwell`, `${c.key} unwell`]);
  assert.equal(left(all, 'held', ['sha256:old']), ['sha256:old unwell']);
  assert.equal(left(all, 'unresolved', [a.key]), [`${a.key} unwell`]);
  assert.equal(left(made({ changes: [{ ...a, reason: 'unresolved' }] }), 'unresolved', [a.key]), []);
});

test('a drift that the plan knows goes on, and one that became a fight is told as such', () => {
  const drift = { from: 'online', fromSinceMs: 1, seenAtMs: 2, truceUntilMs: null } as const;
  const all = made({ drifted: [recorded('a', 'test', { drift }), recorded('b', 'test', { drift: { ...drift, truceUntilMs: 9 } })] });
  const [a, b] = ['api-a env-test', 'api-b env-test'];
  assert.equal(
    inShort(all).filter((text) => text.startsWith('drift')),
    [`drift drift ${a} is drifted`, `drift fight ${b} is drifted`],
  );
  assert.equal(left(all, 'drift', [`drift ${a}`, `drift ${b}`, `fight ${b}`]), [`drift ${b} unwell`]);
  const corrected = made({ changes: [{ ...change('a', 'test'), reason: 'drift' }] });
  assert.equal(left(corrected, 'drift', [`drift ${a}`, `fight ${a}`]), [`fight ${a} unwell`]);
});

test('a probe that no change waits for is over', () => {
  const waits = { rule: 'order', message: '', untilMs: null, probe: target } as const;
  assert.equal(left(made({ changes: [{ ...change('a', 'release'), waits }] }), 'probe', [key, 'other']), ['other unwell']);
});

test('of a file five mistakes are told, and not its text', () => {
  const [signal] = signals({ type: 'file:rejected', error: new InvalidFileError('edict.yaml', Array(9).fill(mistake)) });
  const { count, mistakes } = (signal as unknown as { matter: { count: number; mistakes: unknown[] } }).matter;
  assert.equal([count, mistakes.length], [9, 5]);
  assert.not.match(JSON.stringify(mistakes), 'secret');
});

test.run();
