import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EventuallyConsistentMap } from '../../src/emulator/eventually-consistent-map.ts';
import { seededRandom } from '../../src/emulator/random.ts';

test('without a delay a reader sees the newest value', () => {
  const map = new EventuallyConsistentMap<string>(0);
  map.set('a', '1', 0);
  map.set('a', '2', 0);
  map.set('b', '3', 0);
  assert.equal([map.get('a'), map.getLagged('a', 0), map.get('c'), map.getLagged('c', 0)], ['2', '2', undefined, undefined]);
  assert.equal([...map.values()], ['2', '3']);
});

test('with a delay a reader sees each value when its time has come', () => {
  const map = new EventuallyConsistentMap<string>(100);
  map.set('a', '1', 0);
  map.set('a', '2', 50);
  map.set('a', '3', 120);
  assert.is(map.get('a'), '3');
  assert.equal(
    [120, 149, 150, 219, 220, 9_999].map((atMs) => map.getLagged('a', atMs)),
    ['1', '1', '2', '2', '3', '3'],
  );
  assert.equal([...map.values()], ['3']);
});

test('a value is absent before its time', () => {
  const map = new EventuallyConsistentMap<string>(100);
  map.set('a', '1', 0);
  assert.is(map.getLagged('a', 99), undefined);
});

test('a reader sees the same as one with a full log of the writes', () => {
  const random = seededRandom(3);
  const map = new EventuallyConsistentMap<number>(50);
  const written: { atMs: number; value: number }[] = [];
  for (let value = 1, atMs = 0; value <= 2_000; value += 1, atMs += Math.floor(random() * 40)) {
    map.set('a', value, atMs);
    written.push({ atMs, value });
    const readAtMs = atMs + Math.floor(random() * 60);
    assert.is(map.getLagged('a', readAtMs), written.findLast((entry) => entry.atMs <= readAtMs - 50)?.value);
  }
});

test.run();
