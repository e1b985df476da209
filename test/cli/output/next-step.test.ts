import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from '../../../src/app/settings.ts';
import { computeNextStep, type NextStep } from '../../../src/cli/output/next-step.ts';
import { explanation } from '../../support/explanations.ts';
import { gatewaySettings, recorded, wanted } from '../../support/states.ts';

const settings = parseSettings(undefined, {});
const startedAtMs = Date.UTC(2026, 10, 20, 9, 30);
const idle = { updatedAtMs: startedAtMs, pid: 4711, calls: 10, perMs: 1000, paused: null };
const unknownAttempt = { attemptId: 12, action: 'online', revision: null, version: null, marker: 'cafe', endedAtMs: null } as const;
const drift = { from: null, fromSinceMs: null, detectedAtMs: startedAtMs, backoffUntilMs: null };

type Given = Parameters<typeof explanation>[0];

function next(given: Given): NextStep {
  return computeNextStep(explanation(given), settings);
}

/** What is said of a situation: the kind, and words that must be among what is said. */
const situations: readonly [name: string, given: Given, kind: NextStep['kind'], said: readonly string[]][] = [
  [
    'new, and nobody is at work',
    { file: {} },
    'pending',
    ['as a new version', 'no edict is at work', 'edict apply --api orders --environment test'],
  ],
  ['new, and a daemon is at work', { file: {}, condition: idle }, 'pending', ["at the daemon's next pass"]],
  ['in sync', { file: {}, record: {} }, 'unchanged', ['as the file says']],
  ['a pin that a revision waits for', { file: { version: 'version', revision: 'r2' }, record: {} }, 'unchanged', ['revision r2 waits']],
  ['a switch', { file: { version: 'older' }, record: {} }, 'pending', ['by a switch to version older']],
  [
    'held',
    { file: { state: 'offline' }, record: {}, protects: true },
    'held',
    ['`protected`', 'the record online', 'check that it is meant', 'edict approve sha256:'],
  ],
  [
    'refused for good',
    { file: {}, report: { outcome: 'rejected', code: 'X', message: 'no' }, hint: 'mend it' },
    'failed',
    ['X no', 'mend it', 'edict apply'],
  ],
  [
    'refused for good under a daemon',
    { file: {}, report: { outcome: 'rejected' }, hint: 'mend it', condition: idle },
    'failed',
    ['mend it', 'not by itself', 'kill -HUP 4711'],
  ],
  [
    'failed under a daemon',
    { file: {}, report: { outcome: 'retryable' }, condition: idle },
    'failed',
    ['is tried again', 'by itself', '5 min'],
  ],
  ['refused credentials', { file: {}, report: { outcome: 'unauthorized' }, condition: idle }, 'failed', ['when the credentials change']],
  [
    'another failure before',
    { file: { state: 'online' }, report: { action: 'offline', code: 'X' }, condition: idle },
    'pending',
    ['next pass'],
  ],
  [
    'stopped calls',
    { file: {}, condition: { ...idle, paused: { reason: 'outage', message: 'none', sinceMs: startedAtMs } } },
    'pending',
    ['since 2026-11-20T09:30:00Z', 'once a second'],
  ],
  [
    'an attempt in doubt',
    { file: {}, record: { unknownAttempt } },
    'unknown',
    ['attempt 12', 'marker cafe', 'after the call was over, it did not'],
  ],
  [
    'an attempt under way',
    { file: {}, record: { unknownAttempt }, report: { outcome: null, startedAtMs, finishedAtMs: null }, condition: idle },
    'unknown',
    ['attempt 12 (online) is under way', 'began at 2026-11-20T09:30:00Z, and takes 5 s at most'],
  ],
  [
    'an attempt whose process was killed',
    { file: {}, record: { unknownAttempt }, report: { outcome: null }, condition: idle, holder: null },
    'unknown',
    ['whether attempt 12 (online) happened', 'pid 4711, which last wrote the record, is not a process', 'edict apply'],
  ],
  [
    'an attempt in doubt that nobody can tell',
    { file: {}, record: { unknownAttempt: { ...unknownAttempt, marker: null } } },
    'unknown',
    ['`gateway.unknownOutcome` is `hold`', 'a person decides', 'edict history --versions orders test', 'gateway.unknownOutcome: retry'],
  ],
  [
    'an attempt in doubt that is repeated',
    { file: {}, record: { unknownAttempt: { ...unknownAttempt, marker: null } }, gateway: gatewaySettings({ unknownOutcome: 'retry' }) },
    'unknown',
    ['sent again', 'edict apply'],
  ],
  [
    'a switch in doubt',
    { file: { version: 'v' }, record: { unknownAttempt: { ...unknownAttempt, version: 'v' } } },
    'unknown',
    ['if version v is effective'],
  ],
  [
    'an offline in doubt',
    { file: { state: 'offline' }, record: { unknownAttempt: { ...unknownAttempt, action: 'offline' } } },
    'unknown',
    ['no effective version'],
  ],
  ['a drift that is told', { file: {}, record: { state: 'offline', drift } }, 'drifted', ['drift: report', 'brought back to online']],
  [
    'a drift that is corrected',
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
  ['declared offline and never recorded online', { file: { state: 'offline' } }, 'unchanged', ['never saw it online']],
  ['gone from the file', { record: {} }, 'unmanaged', ['`prune` is false']],
  ['gone from the file, and offline', { record: { state: 'offline' } }, 'unmanaged', ['not online as far as edict knows']],
  ['gone from the file, to go offline', { record: {}, prune: true }, 'pending', ['no longer in the file']],
  ['gone from the file, and put online by somebody else', { record: { drift }, prune: true }, 'unmanaged', ['somebody else put it online']],
  [
    'what the gateway shows goes before the record',
    { file: {}, record: {}, seen: { kind: 'seen', recorded: recorded('orders', 'test', { state: 'offline', drift }), versions: null } },
    'drifted',
    ['taken offline'],
  ],
];

for (const [name, given, kind, said] of situations) {
  test(`says what comes next: ${name}`, () => {
    const step = next(given);
    assert.is(step.kind, kind);
    const words = [step.what, step.why, step.when ?? '', ...step.advice, step.command ?? ''].join('\n');
    for (const part of said) assert.match(words, part);
  });
}

for (const [name, untilMs, condition, when] of [
  ['for a moment under a daemon', startedAtMs, idle, 'from 2026-11-20T09:30:00Z on, by itself'],
  ['for a moment', startedAtMs, null, 'from 2026-11-20T09:30:00Z on, when somebody applies it: no edict is at work on this gateway'],
  ['for what has no time', null, idle, 'when that is over, by itself'],
] as const) {
  test(`a change that waits says why and until when: ${name}`, () => {
    const of = explanation({ file: {}, condition });
    const deferred = { rule: 'freeze', message: 'frozen (launch)', untilMs } as const;
    const plan = { ...of.plan, changes: of.plan.changes.map((change) => ({ ...change, deferred })) };
    const step = computeNextStep({ ...of, plan }, settings);
    assert.equal([step.kind, step.what, step.when, step.command], ['deferred', 'goes online later: frozen (launch)', when, null]);
  });
}

test('that the whole file is held is said of what is in sync, with the command that releases it', () => {
  const of = explanation({ file: {}, record: {} });
  const fileHeld = { rule: 'maxRemoved', message: 'it lost 7 of 8', hint: 'check it', affected: ['x'] } as const;
  const step = computeNextStep({ ...of, plan: { ...of.plan, fileHeld }, wholePlan: { ...of.wholePlan, fileHeld } }, settings);
  assert.equal([step.kind, step.what], ['unchanged', 'nothing, it is in sync; and the whole file is held']);
  assert.match(step.why, 'the file is held: it lost 7 of 8');
  assert.is(step.advice[0], 'check it');
  assert.match(step.command ?? '', /^edict approve sha256:[0-9a-f]{64} --by NAME --reason TEXT$/);
});

test('what nothing is going to happen to has no time', () => {
  const { when, advice, command } = next({ file: {}, record: {} });
  assert.equal([when, advice, command], [null, [], null]);
});

test('the command that it names is for the same file and record', () => {
  const odd = explanation({ publication: wanted("o'rders", 'test') });
  const own = parseSettings('a b.yaml', { emulate: true, state: 'sqlite:s.db', refresh: true });
  assert.is(
    computeNextStep(odd, own).command,
    "edict apply --api 'o'\\''rders' --environment test --refresh 'a b.yaml' --emulate --state sqlite:s.db",
  );
});

test.run();
