import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from '../../../src/app/settings.ts';
import { computeNextStep, type NextStep } from '../../../src/cli/output/next-step.ts';
import { explanation } from '../../support/explanations.ts';
import { gatewaySettings, recorded, unknownAttemptOf, wanted } from '../../support/states.ts';

const settings = parseSettings(undefined, {});
const startedAtMs = Date.UTC(2026, 10, 20, 9, 30);
const idle = { updatedAtMs: startedAtMs, pid: 4711, calls: 10, perMs: 1000, paused: null };
const unknownAttempt = unknownAttemptOf({ attemptId: 12, marker: 'cafe' });
const drift = { from: null, fromSinceMs: null, detectedAtMs: startedAtMs, backoffUntilMs: null };

type Given = Parameters<typeof explanation>[0];

function next(given: Given): NextStep {
  return computeNextStep(explanation(given), settings);
}

/** The expected explanation: the kind, and texts that it must contain. */
const situations: readonly [name: string, given: Given, kind: NextStep['kind'], said: readonly string[]][] = [
  [
    'new, without a daemon',
    { file: {} },
    'pending',
    ['as a new version', 'no edict process works', 'edict apply --api orders --environment test'],
  ],
  ['new, with a daemon', { file: {}, condition: idle }, 'pending', ["at the daemon's next reconciliation"]],
  ['in sync', { file: {}, record: {} }, 'unchanged', ['matches the file']],
  [
    'a pinned version with a new revision',
    { file: { version: 'version', revision: 'r2' }, record: {} },
    'unchanged',
    ['revision r2 is published once'],
  ],
  ['a switch of versions', { file: { version: 'older' }, record: {} }, 'pending', ['by switching to version older']],
  [
    'held',
    { file: { state: 'offline' }, record: {}, protects: true },
    'held',
    ['`protected`', 'recorded online', 'check that it is intended', 'edict approve '],
  ],
  [
    'rejected',
    { file: {}, report: { outcome: 'rejected', code: 'X', message: 'no' }, hint: 'mend it' },
    'failed',
    ['X no', 'mend it', 'edict apply'],
  ],
  [
    'rejected, with a daemon',
    { file: {}, report: { outcome: 'rejected' }, hint: 'mend it', condition: idle },
    'failed',
    ['mend it', 'not retried automatically', 'kill -HUP 4711'],
  ],
  [
    'failed, with a daemon',
    { file: {}, report: { outcome: 'retryable' }, condition: idle },
    'failed',
    ['is retried', 'automatically', '5 min'],
  ],
  ['rejected credentials', { file: {}, report: { outcome: 'unauthorized' }, condition: idle }, 'failed', ['when the credentials change']],
  [
    'an earlier failure of another action',
    { file: { state: 'online' }, report: { action: 'offline', code: 'X' }, condition: idle },
    'pending',
    ['next reconciliation'],
  ],
  [
    'paused calls',
    { file: {}, condition: { ...idle, paused: { reason: 'outage', message: 'none', sinceMs: startedAtMs } } },
    'pending',
    ['since 2026-11-20T09:30:00Z', 'once a second'],
  ],
  [
    'an unknown outcome',
    { file: {}, record: { unknownAttempt } },
    'unknown',
    ['attempt 12', 'marker cafe', 'after the call ended, it did not, unless a new version without a marker may be its version'],
  ],
  [
    'an attempt in flight',
    { file: {}, record: { unknownAttempt }, report: { outcome: null, startedAtMs, finishedAtMs: null }, condition: idle },
    'unknown',
    ['attempt 12 (online) is in flight', 'started at 2026-11-20T09:30:00Z and takes at most 5 s'],
  ],
  [
    'an attempt whose process was killed',
    { file: {}, record: { unknownAttempt }, report: { outcome: null }, condition: idle, holder: null },
    'unknown',
    ['whether attempt 12 (online) took effect', 'pid 4711, which last wrote the record, is not running', 'edict apply'],
  ],
  [
    'an unknown outcome that cannot be confirmed',
    { file: {}, record: { unknownAttempt: { ...unknownAttempt, marker: null } } },
    'unknown',
    ['`gateway.unknownOutcome` is `hold`', 'a person decides', 'edict history --versions orders test', 'gateway.unknownOutcome: retry'],
  ],
  [
    'an unknown outcome that is retried',
    { file: {}, record: { unknownAttempt: { ...unknownAttempt, marker: null } }, gateway: gatewaySettings({ unknownOutcome: 'retry' }) },
    'unknown',
    ['sent again', 'edict apply'],
  ],
  [
    'an unknown outcome of a switch',
    { file: { version: 'v' }, record: { unknownAttempt: { ...unknownAttempt, version: 'v' } } },
    'unknown',
    ['if version v is effective'],
  ],
  [
    'an unknown outcome of going offline',
    { file: { state: 'offline' }, record: { unknownAttempt: { ...unknownAttempt, action: 'offline' } } },
    'unknown',
    ['no version is effective'],
  ],
  ['a reported drift', { file: {}, record: { state: 'offline', drift } }, 'drifted', ['drift: report', 'bring it back to online']],
  [
    'a corrected drift',
    { file: { driftPolicy: 'correct' }, record: { state: 'offline', drift } },
    'pending',
    ['taken offline outside edict'],
  ],
  [
    'flapping drift',
    { file: { driftPolicy: 'correct' }, record: { state: 'offline', drift: { ...drift, backoffUntilMs: startedAtMs } } },
    'flapping',
    ['not corrected until 2026-11-20T09:30:00Z', 'edict apply --refresh'],
  ],
  [
    'outdated',
    { file: {}, record: { publishedAtMs: startedAtMs, editedAtMs: startedAtMs + 9999 } },
    'outdated',
    ['older draft', '`revision`'],
  ],
  ['declared offline and never recorded online', { file: { state: 'offline' } }, 'unchanged', ['never seen it online']],
  ['removed from the file', { record: {} }, 'unmanaged', ['`prune` is false']],
  ['removed from the file, and offline', { record: { state: 'offline' } }, 'unmanaged', ['not online as far as edict knows']],
  ['removed from the file, to go offline', { record: { wasDeclared: true }, prune: true }, 'pending', ['no longer in the file']],
  ['removed from the file, and published outside edict', { record: { drift }, prune: true }, 'unmanaged', ['published outside edict']],
  [
    'the observed state takes precedence over the recorded one',
    { file: {}, record: {}, seen: { kind: 'observed', recorded: recorded('orders', 'test', { state: 'offline', drift }), versions: null } },
    'drifted',
    ['taken offline'],
  ],
];

for (const [name, given, kind, said] of situations) {
  test(`shows the next step: ${name}`, () => {
    const step = next(given);
    assert.is(step.kind, kind);
    const words = [step.summary, step.details, step.when ?? '', ...step.advice, step.command ?? ''].join('\n');
    for (const part of said) assert.match(words, part);
  });
}

for (const [name, untilMs, condition, when] of [
  ['until a time, with a daemon', startedAtMs, idle, 'from 2026-11-20T09:30:00Z on, automatically'],
  ['until a time', startedAtMs, null, 'from 2026-11-20T09:30:00Z on, at the next apply: no edict process works on this gateway'],
  ['without a time', null, idle, 'when that ends, automatically'],
] as const) {
  test(`a deferred change has its reason and end: ${name}`, () => {
    const of = explanation({ file: {}, condition });
    const deferred = { rule: 'freeze', message: 'frozen (launch)', untilMs } as const;
    const plan = { ...of.plan, changes: of.plan.changes.map((change) => ({ ...change, deferred })) };
    const step = computeNextStep({ ...of, plan }, settings);
    assert.equal([step.kind, step.summary, step.when, step.command], ['deferred', 'goes online later: frozen (launch)', when, null]);
  });
}

test('a publication in sync of a held file has the approve command', () => {
  const of = explanation({ file: {}, record: {} });
  const fileHeld = { rule: 'maxRemoved', message: 'it lost 7 of 8', hint: 'check it', affected: ['x'] } as const;
  const step = computeNextStep({ ...of, plan: { ...of.plan, fileHeld }, wholePlan: { ...of.wholePlan, fileHeld } }, settings);
  assert.equal([step.kind, step.summary], ['unchanged', 'no change; in sync; the whole file is held']);
  assert.match(step.details, 'the file is held: it lost 7 of 8');
  assert.is(step.advice[0], 'check it');
  assert.match(step.command ?? '', /^edict approve [0-9a-f]{12} --by NAME --reason TEXT$/);
});

test('a publication without a next step has no time', () => {
  const { when, advice, command } = next({ file: {}, record: {} });
  assert.equal([when, advice, command], [null, [], null]);
});

test('the command has the same file and store', () => {
  const odd = explanation({ publication: wanted("o'rders", 'test') });
  const own = parseSettings('a b.yaml', { emulate: true, state: 'sqlite:s.db', refresh: true });
  assert.is(
    computeNextStep(odd, own).command,
    "edict apply --api 'o'\\''rders' --environment test --refresh 'a b.yaml' --emulate --state sqlite:s.db",
  );
});

test.run();
