import fc from 'fast-check';

/*
 * fast-check with the settings of the test run. `npm test` tries a tenth of the cases, the same ones each time, so that no run fails by
 * chance. `EDICT_TEST_RUNS=full` tries all of them, and `EDICT_TEST_SEED=random` others each time; a failing property prints its seed.
 */
const seed = process.env['EDICT_TEST_SEED'] ?? '1';
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) });

/** Whether everything is tried, in its whole size. */
export const isFullRun = process.env['EDICT_TEST_RUNS'] === 'full';

/** Returns how many cases of a property are tried, of `full` ones. */
export function runs(full: number): number {
  return isFullRun ? full : Math.max(Math.min(full, 12), Math.ceil(full / 10));
}

export { fc };
