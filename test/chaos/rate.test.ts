import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fullestWindow } from './rate.ts';

for (const [times, perMs, most] of [
  [[], 100, 0],
  [[5], 100, 1],
  [[0, 99.9, 100], 100, 2],
  [[0, 100, 200], 100, 1],
  [[250, 0, 10, 20, 240, 260], 100, 3],
  [[0, 50, 99, 120, 130, 149], 100, 5],
] as const) {
  test(`${times.join(' ') || 'nothing'}: the fullest ${perMs} ms hold ${most}`, () => assert.is(fullestWindow(times, perMs), most));
}

test.run();
