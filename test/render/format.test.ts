import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change, ChangeReason, Plan } from '../../src/model/change.ts';
import { formatDurationMs, formatReason, formatTargets, formatTimestampWithAge, pluralize } from '../../src/render/format.ts';

const durations: readonly [number, string][] = [
  [0, '0 s'],
  [400, '0.4 s'],
  [1000, '1 s'],
  [9949, '9.9 s'],
  [12_400, '12 s'],
  [59_000, '59 s'],
  [60_000, '1 min'],
  [250_000, '4 min 10 s'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
];
for (const [ms, words] of durations) test(`${ms} ms are ${words}`, () => assert.is(formatDurationMs(ms), words));

const noonMs = Date.UTC(2026, 10, 20, 12);
const ages: readonly [number, string][] = [
  [20_000, 'just now'],
  [12 * 60_000, '12 min ago'],
  [119 * 60_000, '119 min ago'],
  [26 * 3_600_000, '26 h ago'],
  [9 * 86_400_000, '9 days ago'],
  [-5 * 60_000, 'in 5 min'],
];
for (const [ms, words] of ages) {
  test(`an age of ${ms} ms is ${words}`, () => {
    assert.is(formatTimestampWithAge(noonMs, noonMs + ms), `2026-11-20T12:00:00Z (${words})`);
  });
}

test('counts have their noun, and large ones have separators', () => {
  assert.equal(
    [pluralize(0, 'call'), pluralize(1, 'call'), pluralize(2, 'call'), pluralize(1234567, 'call')],
    ['0 calls', '1 call', '2 calls', '1,234,567 calls'],
  );
});

test('every reason has a text', () => {
  const reasons: ChangeReason[] = ['new', 'state', 'revision', 'version', 'edited', 'drift', 'prune', 'unknown'];
  const words = reasons.map((reason) =>
    formatReason({ reason, action: 'online', from: 'offline', revision: 'r7', version: 'v7' } as Change),
  );
  assert.is(new Set(words).size, reasons.length);
  assert.match(words[2] ?? '', 'r7');
});

test('a full plan does not mention targets, and a targeted one does not mention what it leaves out', () => {
  const words = (apis: string[], environments: string[], excluded: number): string | null =>
    formatTargets({ targets: { apis, environments }, excluded } as Partial<Plan> as Plan);
  assert.is(words([], [], 0), null);
  assert.is(words(['shop-*', 'users'], ['test'], 3), 'Only --api shop-*, --api users, --environment test: 3 changes left out.');
  assert.is(words([], ['test'], 1), 'Only --environment test: 1 change left out.');
  assert.is(words(['users'], [], 0), 'Only --api users: no change left out.');
});

test.run();
