import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pickRandom, seededRandom } from '../../src/emulator/random.ts';

const take = (seed: number, count: number): number[] => Array.from({ length: count }, seededRandom(seed));

test('starts like mulberry32', () => {
  assert.equal(
    take(0, 3).map((number) => Math.round(number * 2 ** 32)),
    [1144304738, 1416247, 958946056],
  );
});

test('is the same for one seed and different for another', () => {
  assert.equal(take(7, 100), take(7, 100));
  assert.not.equal(take(7, 100), take(8, 100));
});

test('is evenly distributed from 0 to 1', () => {
  const tenths = Array.from({ length: 10 }, () => 0);
  for (const number of take(42, 100_000)) tenths[Math.floor(number * 10)] = (tenths[Math.floor(number * 10)] ?? 0) + 1;
  assert.is(tenths.length, 10);
  for (const count of tenths) assert.ok(count > 9_500 && count < 10_500, String(tenths));
});

test('picks every entry of a list, and rejects an empty one', () => {
  const random = seededRandom(1);
  assert.equal([...new Set(Array.from({ length: 100 }, () => pickRandom(['a', 'b', 'c'], random)))].sort(), ['a', 'b', 'c']);
  assert.throws(() => pickRandom([], random), 'nothing to choose from');
});

test.run();
