import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { backoffMs } from '../../src/controller/retry.ts';

test('doubles from one second up to five minutes', () => {
  assert.equal(
    [1, 2, 3, 9, 10, 50].map((failures) => backoffMs(failures, 1)),
    [1000, 2000, 4000, 256_000, 300_000, 300_000],
  );
});

test('up to half of the delay is random', () => {
  assert.equal(
    [0, 0.5, 1].map((random) => backoffMs(3, random)),
    [2000, 3000, 4000],
  );
});

test.run();
