import { randomInt } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isFullRun } from '../support/fast-check.ts';
import { runSeveralDaemons } from './several-daemons.ts';

/** The full run kills more often; `npm run chaos` runs it with other sizes. */
const kills = isFullRun ? 8 : 3;

test('three daemons with one PostgreSQL store, killed, paused and cut off, make each wanted version exactly once', async () => {
  const seed = randomInt(1_000_000);
  try {
    const report = await runSeveralDaemons({ kills, publications: 24, processes: 3, gateways: 3, seed, say: () => {} });
    assert.is(report.kills, kills);
    assert.ok(report.versions > 0, JSON.stringify(report));
  } catch (error) {
    const command = `npm run chaos -- --store postgres --gateways 3 --publications 24 --kills ${kills} --seed ${seed}`;
    throw new Error(`${command}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
});

test.run();
