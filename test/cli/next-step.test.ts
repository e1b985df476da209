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
    ['`protected`', 'the record online', 'check that it is meant'],
  ],
  [
    'refused for good',
    { file: {}, tried: { outcome: 'stalled', code: 'X', message: 'no' }, hint: 'mend it' },
    'change',
    ['X no', 'mend it', 'edict apply'],
  ],
  [
    'refused for good under a daemon',
    { file: {}, tried: { outcome: 'stalled' }, hint: 'mend it', condition: idle },
    'change',
    ['mend it', 'not by itself', 'kill -HUP 4711'],
  ],
  ['failed under a daemon', { file: {}, tried: { outcome: 'retry' }, condition: idle }, 'change', ['by itself', 'five minutes']],
  ['refused credentials', { file: {}, tried: { outcome: 'refused' }, condition: idle }, 'change', ['when the credentials change']],
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
  ['an attempt in doubt', { file: {}, record: { unresolved } }, 'unresolved', ['attempt 12', 'marker cafe', 'did not happen']],
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
    const words = [step.what, step.why, step.when ?? '', ...step.advice].join('\n');
    for (const part of said) assert.match(words, part);
  });
}

test('what nothing is going to happen to has no time', () => {
  assert.equal([next({ file: {}, record: {} }).when, next({ file: {}, record: {} }).advice], [null, []]);
});

test('the command that it names is for the same file and record', () => {
  const odd = explanation({ publication: wanted("o'rders", 'test') });
  const own = settingsFrom('a b.yaml', { emulate: true, state: 'sqlite:s.db', refresh: true });
  assert.equal(nextStepOf(odd, own).advice, [
    "`edict apply --api 'o'\\''rders' --environment test --refresh 'a b.yaml' --emulate --state sqlite:s.db`",
  ]);
});

test.run();
