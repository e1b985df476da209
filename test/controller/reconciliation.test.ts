import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Hold } from '../../src/model/approval.ts';
import type { Change } from '../../src/model/change.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { summarizeProgress } from '../../src/plan/summary.ts';
import { change, desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const test = suite('the result of a reconciliation');
const held: Hold = { rule: 'protected', message: 'protected', hint: '' };
const deferred = { rule: 'freeze', message: 'frozen', untilMs: 1 } as const;
const none = { made: new Map(), failed: new Set<never>(), unknown: new Set<never>() };
const madeOf = (...changes: readonly Change[]) => new Map(changes.map((one) => [one.key, one]));
const sumOf = ({ unmanaged: _, ...counts }: ReturnType<typeof summarizeProgress>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

test('every change is counted once: as made, failed, unknown, held, deferred or unsent', () => {
  const names = ['made', 'failed', 'unknown', 'held', 'deferred', 'unsent'];
  const plan = diffStates(desiredState([...names, 'same'].map((name) => wanted(name, 'test'))), recordedState([recorded('same', 'test')]));
  const of = (name: string): Change => plan.changes.find(({ api }) => api === name) as Change;
  const changes = plan.changes.map((one) => ({
    ...one,
    held: one.api === 'held' ? held : null,
    deferred: one.api === 'deferred' || one.api === 'held' ? deferred : null,
  }));
  const progress = {
    made: madeOf(of('made')),
    failed: new Set([of('failed').key, of('unknown').key]),
    unknown: new Set([of('unknown').key]),
  };
  const counts = summarizeProgress({ ...plan, changes }, progress);
  const { online, failed, unknown, held: heldCount, deferred: deferredCount, unsent, unchanged } = counts;
  assert.equal([online, failed, unknown, heldCount, deferredCount, unsent, unchanged], [1, 1, 1, 1, 1, 1, 1]);
  assert.is(sumOf(counts), 7);
});

test('what was made is counted once, whether the newest plan was computed before or after', () => {
  const desired = desiredState(['a', 'b', 'c'].map((name) => wanted(name, 'test')));
  const before = diffStates(desired, recordedState([recorded('c', 'test')]));
  const made = madeOf(...before.changes);
  const all = recordedState(['a', 'b', 'c'].map((name) => recorded(name, 'test')));
  const settling = ({ api }: { readonly api: string }): boolean => api === 'a';
  for (const plan of [before, diffStates(desired, all), diffStates(desired, all, { isSettling: settling })]) {
    const counts = summarizeProgress(plan, { ...none, made });
    assert.equal([counts.online, counts.unchanged, counts.settling, sumOf(counts)], [2, 1, 0, 3]);
  }
});

test('a publication that left the file and went offline is no unchanged one', () => {
  const plan = diffStates(desiredState([wanted('a', 'test')]), recordedState([recorded('a', 'test')]));
  const counts = summarizeProgress(plan, { ...none, made: madeOf(change('gone', 'test', { action: 'offline', source: null })) });
  assert.equal([counts.offline, counts.unchanged], [1, 1]);
});

test.run();
