import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isFullRun } from '../support/fast-check.ts';
import { runHistory } from './history.ts';
import { mutants } from './mutants.ts';
import { optionsOf } from './options.ts';
import { regressions } from './regressions.ts';

/*
 * The real controller, queue, limiter and record store in simulated histories of files, gateway, network, disk and crashes. A failing seed:
 * `npm run simulate -- --seed SEED`.
 */

/** Latencies, jitter and what is lost differ with the seed. */
const seedsPerRegression = isFullRun ? 12 : 4;

for (const [name, options] of Object.entries(regressions)) {
  test(name, async () => {
    for (let seed = 1; seed <= seedsPerRegression; seed += 1) {
      const { violations, effectCount } = await runHistory({ ...options, seed });
      assert.equal(violations, [], `npm run simulate -- --options '${JSON.stringify({ ...options, seed })}'`);
      assert.ok(effectCount > 0 || options.onlineAtStart.length > 0, 'nothing happened');
    }
  });
}

const histories = isFullRun ? 5000 : 250;

test(`${histories} histories break no invariant`, async () => {
  for (let seed = 1; seed <= histories; seed += 1) {
    const { violations } = await runHistory(optionsOf(seed));
    assert.equal(violations, [], `npm run simulate -- --seed ${seed}`);
  }
});

test('one seed is one history', async () => {
  const traceOf = async () =>
    (await runHistory(optionsOf(12), { isTraced: true })).trace.join('\n').replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID');
  assert.is(await traceOf(), await traceOf());
});

/** The seeds of histories that show the rarer faults. They save the search only, which goes on from there if the histories have changed. */
const revealingSeeds: Readonly<Record<string, number>> = {
  'takes a timeout for a failure without an effect': 24,
  'does not wait for the window of the last owner': 31,
  'sends without a lease': 846,
  'sends what the newest file does not ask for': 41,
  'ignores a suspension': 21,
  'has no backoff': 14,
  'begins every backoff anew with each file': 1070,
  'prunes at once': 27,
  'ignores that lists lag': 1021,
  'gives a request up that waits for its turn': 129,
};

for (const [name, mutant] of Object.entries(mutants)) {
  test(`a controller that ${name} is caught`, async () => {
    const firstSeed = revealingSeeds[name] ?? 1;
    for (let seed = firstSeed; seed < firstSeed + 2000; seed += 1) {
      const { violations } = await runHistory(optionsOf(seed), { mutant });
      if (violations.length > 0) return;
    }
    assert.unreachable(`no history of 2,000 showed that it ${name}`);
  });
}

test.run();
