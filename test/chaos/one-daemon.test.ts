import { randomInt } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isFullRun } from '../support/fast-check.ts';
import { runOneDaemon } from './one-daemon.ts';

/** The full run kills it more often; `npm run chaos` runs it with other sizes. */
const kills = isFullRun ? 30 : 4;

test('under every fault at once and killed repeatedly, the daemon makes each wanted version exactly once', async () => {
  const seed = randomInt(1_000_000);
  try {
    const report = await runOneDaemon({ kills, publications: 200, seed, say: () => {} });
    assert.is(report.kills, kills);
    assert.ok(report.versions >= 100 && report.requests > report.versions, JSON.stringify(report));
  } catch (error) {
    throw new Error(`npm run chaos -- --kills ${kills} --seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
});

test.run();
