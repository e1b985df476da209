import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allTargets } from '../../src/plan/targets.ts';
import { formatHeadline } from '../../src/render/headline.ts';

const none = {
  ...{ online: 0, offline: 0, held: 0, deferred: 0, unknown: 0, failed: 0 },
  ...{ drifted: 0, settling: 0, unchanged: 64, unmanaged: 0, excluded: 0 },
};
const current = { fileHeld: null, lastChecked: { atMs: 0, isCurrent: true } };
const hold = { rule: 'first-contact', message: 'm', hint: 'h', affected: [] } as const;

for (const [what, plan, summary, expected] of [
  ['nothing', current, none, 'In sync. 64 publications match the file.'],
  ['a single publication', current, { ...none, unchanged: 1 }, 'In sync. 1 publication matches the file.'],
  ['only unmanaged', current, { ...none, unmanaged: 280 }, 'In sync (280 unmanaged). 64 publications match the file.'],
  ['settling', current, { ...none, settling: 2, unchanged: 62 }, 'No changes; 2 settling, 62 unchanged.'],
  [
    'a gateway that was checked long ago',
    { ...current, lastChecked: { atMs: Date.UTC(2026, 0, 2), isCurrent: false } },
    none,
    'No changes; gateway not checked since 2026-01-02T00:00:00Z. 64 publications match the file, as far as is recorded.',
  ],
  [
    'a gateway that was never checked',
    { ...current, lastChecked: { atMs: null, isCurrent: false } },
    none,
    'No changes; gateway never checked. 64 publications match the file, as far as is recorded.',
  ],
  [
    'changes for a gateway that was never checked',
    { ...current, lastChecked: { atMs: null, isCurrent: false } },
    { ...none, online: 5, unchanged: 0 },
    '5 going online, 0 unchanged; gateway never checked.',
  ],
  ['drift', current, { ...none, drifted: 3, unmanaged: 2, held: 1 }, '1 held, 3 drifted, 2 unmanaged, 64 unchanged.'],
  [
    'everything',
    current,
    { ...none, failed: 1, held: 1, drifted: 1, unknown: 1, online: 10, offline: 2, deferred: 1, settling: 1 },
    '1 failed, 1 held, 1 drifted, 1 unknown, 10 going online, 2 going offline, 1 deferred, 1 settling, 64 unchanged.',
  ],
  [
    'a held file',
    { ...current, fileHeld: hold },
    { ...none, online: 62, unchanged: 0 },
    'The whole file is held: 62 going online, 0 unchanged.',
  ],
] as const) {
  test(`the first sentence of a plan with ${what}`, () => {
    assert.is(formatHeadline({ ...plan, targets: allTargets.patterns } as never, summary), expected);
  });
}

test('a plan of some publications does not say that all are in sync', () => {
  const targets = { apis: ['orders'], environments: [] };
  assert.is(
    formatHeadline({ ...current, targets } as never, { ...none, unchanged: 1 }),
    'No changes in what is selected. 1 publication matches the file.',
  );
});

test.run();
