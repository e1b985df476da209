import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mapLines } from '../../../src/source/git/line-mapping.ts';
import { runs } from '../../support/fast-check.ts';

const lines = (text: string): string[] => text.split('\n');

/** Returns the earlier line of each line. */
function mapped(before: string, after: string): (number | null)[] {
  const map = mapLines(before, after);
  return lines(after).map((_, index) => map(index + 1));
}

test('unchanged lines keep their place, wherever others are added, changed or removed', () => {
  assert.equal(mapped('a\nb\nc', 'a\nb\nc'), [1, 2, 3]);
  assert.equal(mapped('a\nb\nc', 'a\nB\nc'), [1, null, 3]);
  assert.equal(mapped('a\nb\nc', 'x\na\nc'), [null, 1, 3]);
  assert.equal(mapped('', 'a'), [null]);
  assert.equal(mapped('a\r\nb', 'a\nb'), [1, 2], 'line ends do not count');
});

test('an equal line elsewhere is not taken for the line', () => {
  const api = (name: string): string => `  ${name}:\n    environments: { test: online }\n`;
  const before = api('a') + api('b') + api('c');
  assert.equal(mapped(before, api('a') + api('new') + api('b') + api('c')), [1, 2, null, null, 3, 4, 5, 6, 7]);
  assert.equal(mapped(before, api('b') + api('c')), [3, 4, 5, 6, 7]);
});

test('mapped lines are equal, and in the same order', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', ''), { maxLength: 40 }).map((all) => all.join('\n'));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const pairs = mapped(before, after).flatMap((old, index) => (old === null ? [] : [[old, index]]));
      for (const [old = 0, index = 0] of pairs) assert.is(lines(before)[old - 1], lines(after)[index]);
      assert.ok(pairs.every(([old = 0], at) => at === 0 || old > (pairs[at - 1]?.[0] ?? 0)));
    }),
    { numRuns: runs(1000) },
  );
});

test('texts that are made to be slow are compared in time', () => {
  const half = Array.from({ length: 50_000 }, (_, index) => `${index}`);
  const nested = [...half, ...half.toReversed()].join('\n');
  const startedAt = performance.now();
  mapLines(nested, [...half.toReversed(), 'x', ...half].join('\n'));
  mapLines('a\n'.repeat(500_000), `b\n${'a\nc\n'.repeat(250_000)}`);
  assert.ok(performance.now() - startedAt < 20_000);
});

test.run();
