import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type NextStep, nextStepOf } from '../../src/cli/next-step.ts';
import { settingsFrom } from '../../src/config.ts';
import { explanation } from '../support/explanations.ts';
import { gatewaySettings, recorded, wanted } from '../support/states.ts';

const settings = settingsFrom(undefined, {});
const atMs = Date.UTC(2026, 10, 20, 9, 30);
const idle = { atMs, pid: 4711, calls: 10, perMs: 1000, stopped: null };
const unresolved = { attemptId: 12, action: 'online', revision: null, version: null, marker: 'cafe', overAtMs: null } as const;
const drift = { from: null, fromSinceMs: null, seenAtMs: atMs, truceUntilMs: null };

type Given = Parameters<typeof explanation>[0];

function next(given: Given): NextStep {
  return nextStepOf(explanation(given), settings);
}

/** What is said of a situation: the kind, and words that must be among what is said. */
const situations: readonly [name: string, given: Given, kind: NextStep['kind'], said: readonly string[]][] = [
  [
    'new, and nobody is at work',
    { file: {} },
    'change',
    ['as a new version', 'no edict is at work', 'edict apply --api orders --environment test'],
  ],
  ['new, and a daemon is at work', { file: {}, condition: idle }, 'change', ["at the daemon's next pass"]],
  ['in sync', { file: {}, record: {} }, 'in sync', ['as the file says']],
  ['a pin that a revision waits for', { file: { version: 'version', revision: 'r2' }, record: {} }, 'in sync', ['revision r2 waits']],
  ['a switch', { file: { version: 'older' }, record: {} }, 'change', ['by a switch to version older']],
  [
    'held',
    { file: { state: 'offline' }, record: {}, protects: true },
    'held',
    ['`protected`', 'the record online', 'check that it is meant', 'edict approve sha256:'],
  ],
  [
    'refused for good',
    { file: {}, tried: { outcome: 'stalled', code: 'X', message: 'no' }, hint: 'mend it' },
    'failing',
    ['X no', 'mend it', 'edict apply'],
  ],
  [
    'refused for good under a daemon',
    { file: {}, tried: { outcome: 'stalled' }, hint: 'mend it', condition: idle },
    'failing',
    ['mend it', 'not by itself', 'kill -HUP 4711'],
  ],
  [
    'failed under a daemon',
    { file: {}, tried: { outcome: 'retry' }, condition: idle },
    'failing',
    ['is tried again', 'by itself', '5 min'],
  ],
  ['refused credentials', { file: {}, tried: { outcome: 'refused' }, condition: idle }, 'failing', ['when the credentials change']],
  [
    'another failure before',
    { file: { state: 'online' }, tried: { action: 'offline', code: 'X' }, condition: idle },
    'change',
    ['next pass'],
  ],
  [
    'stopped calls',
    { file: {}, condition: { ...idle, stopped: { why: 'outage', message: 'none', sinceMs: atMs } } },
    'change',
    ['since 2026-11-20T09:30:00Z', 'once a second'],
  ],
  [
    'an attempt in doubt',
    { file: {}, record: { unresolved } },
    'unresolved',
    ['attempt 12', 'marker cafe', 'after the call was over, it did not'],
  ],
  [
    'an attempt under way',
    { file: {}, record: { unresolved }, tried: { outcome: null, beganAtMs: atMs, settledAtMs: null }, condition: idle },
    'unresolved',
    ['attempt 12 (online) is under way', 'began at 2026-11-20T09:30:00Z, and takes 5 s at most'],
  ],
  [
    'an attempt whose process was killed',
    { file: {}, record: { unresolved }, tried: { outcome: null }, condition: idle, holder: null },
    'unresolved',
    ['whether attempt 12 (online) happened', 'pid 4711, which last wrote the record, is not a process', 'edict apply'],
  ],
  [
    'an attempt in doubt that nobody can tell',
    { file: {}, record: { unresolved: { ...unresolved, marker: null } } },
    'unresolved',
    ['unresolved: hold', 'a person decides', 'edict history --versions orders test', 'gateway.unresolved: repeat'],
  ],
  [
    'an attempt in doubt that is repeated',
    { file: {}, record: { unresolved: { ...unresolved, marker: null } }, gateway: gatewaySettings({ unresolved: 'repeat' }) },
    'unresolved',
    ['sent again', 'edict apply'],
  ],
  [
    'a switch in doubt',
    { file: { version: 'v' }, record: { unresolved: { ...unresolved, version: 'v' } } },
    'unresolved',
    ['if version v is effective'],
  ],
  [
    'an offline in doubt',
    { file: { state: 'offline' }, record: { unresolved: { ...unresolved, action: 'offline' } } },
    'unresolved',
    ['no effective version'],
  ],
  ['a drift that is told', { file: {}, record: { state: 'offline', drift } }, 'drift', ['drift: report', 'brought back to online']],
  [
    'a drift that is corrected',
    { file: { drift: 'correct' }, record: { state: 'offline', drift } },
    'change',
    ['taken offline outside edict'],
  ],
  [
    'a fight',
    { file: { drift: 'correct' }, record: { state: 'offline', drift: { ...drift, truceUntilMs: atMs } } },
    'fight',
    ['left alone until 2026-11-20T09:30:00Z', 'edict apply --refresh'],
  ],
  ['stale', { file: {}, record: { publishedAtMs: atMs, editedAtMs: atMs + 9999 } }, 'stale', ['older draft', '`revision`']],
  ['never online and not wanted', { file: { state: 'offline' } }, 'left alone', ['never saw it online']],
  ['gone from the file', { record: {} }, 'left alone', ['removed: keep']],
  ['gone from the file, and offline', { record: { state: 'offline' } }, 'left alone', ['not online as far as edict knows']],
  ['gone from the file, to go offline', { record: {}, removed: 'offline' }, 'change', ['no longer in the file']],
  [
    'gone from the file, and put online by somebody else',
    { record: { drift }, removed: 'offline' },
    'left alone',
    ['somebody else put it online'],
  ],
  [
    'what the gateway shows goes before the record',
    { file: {}, record: {}, seen: { kind: 'seen', recorded: recorded('orders', 'test', { state: 'offline', drift }), versions: null } },
    'drift',
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
  ['for a moment under a daemon', atMs, idle, 'from 2026-11-20T09:30:00Z on, by itself'],
  ['for a moment', atMs, null, 'from 2026-11-20T09:30:00Z on, when somebody applies it: no edict is at work on this gateway'],
  ['for what has no time', null, idle, 'when that is over, by itself'],
] as const) {
  test(`a change that waits says why and until when: ${name}`, () => {
    const of = explanation({ file: {}, condition });
    const waits = { rule: 'freeze', message: 'frozen (launch)', untilMs } as const;
    const plan = { ...of.plan, changes: of.plan.changes.map((change) => ({ ...change, waits })) };
    const step = nextStepOf({ ...of, plan }, settings);
    assert.equal([step.kind, step.what, step.when, step.command], ['waiting', 'goes online later: frozen (launch)', when, null]);
  });
}

test('that the whole file is held is said of what is in sync, with the command that releases it', () => {
  const of = explanation({ file: {}, record: {} });
  const suspicion = { rule: 'lost', message: 'it lost 7 of 8', hint: 'check it', lost: ['x'] } as const;
  const step = nextStepOf({ ...of, plan: { ...of.plan, suspicion }, whole: { ...of.whole, suspicion } }, settings);
  assert.equal([step.kind, step.what], ['in sync', 'nothing, it is in sync; and the whole file is held']);
  assert.match(step.why, 'the file is held: it lost 7 of 8');
  assert.is(step.advice[0], 'check it');
  assert.match(step.command ?? '', /^edict approve sha256:[0-9a-f]{64} --by YOU --why REASON$/);
});

test('what nothing is going to happen to has no time', () => {
  const { when, advice, command } = next({ file: {}, record: {} });
  assert.equal([when, advice, command], [null, [], null]);
});

test('the command that it names is for the same file and record', () => {
  const odd = explanation({ publication: wanted("o'rders", 'test') });
  const own = settingsFrom('a b.yaml', { emulate: true, state: 'sqlite:s.db', refresh: true });
  assert.is(
    nextStepOf(odd, own).command,
    "edict apply --api 'o'\\''rders' --environment test --refresh 'a b.yaml' --emulate --state sqlite:s.db",
  );
});

test.run();
