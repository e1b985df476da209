import { randomInt } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { storm } from './storm.ts';

test('under every fault at once and killed 30 times, the daemon makes each wanted version exactly once', async () => {
  const seed = randomInt(1_000_000);
  try {
    const report = await storm({ kills: 30, publications: 200, seed, say: () => {} });
    assert.is(report.kills, 30);
    assert.ok(report.versions >= 100 && report.requests > report.versions, JSON.stringify(report));
  } catch (error) {
    throw new Error(`npm run chaos -- --kills 30 --seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
});

test.run();
