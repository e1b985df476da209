/**
 * `npm run simulate -- [--seeds N] [--from SEED]` runs histories and stops at the first that breaks an invariant, which it makes smaller and
 * prints. `--seed SEED` or `--options JSON` runs one and prints what happens. `--mutants` runs deliberately broken controllers, each of which
 * must break an invariant within N histories. Exit code 1 if a history, or a mutant, did not end as it should.
 */
import { parseArgs } from 'node:util';
import { type HistoryChoices, runHistory } from './history.ts';
import { mutants } from './mutants.ts';
import { optionsOf, type SimulationOptions } from './options.ts';
import { shrink } from './shrink.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    options: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
  },
});
const from = Number(values.from);
const count = Number(values.seeds);
const chosen = values.mutant === undefined ? undefined : mutants[values.mutant];
if (values.mutant !== undefined && !chosen)
  throw new Error(`there is no mutant ${values.mutant}; there are: ${Object.keys(mutants).join('; ')}`);
const choices: HistoryChoices = chosen ? { mutant: chosen } : {};

if (values.mutants) await runMutants();
else if (values.seed !== undefined) await showHistory(optionsOf(Number(values.seed)));
else if (values.options !== undefined) await showHistory(JSON.parse(values.options) as SimulationOptions);
else await runSeeds();

async function runSeeds(): Promise<void> {
  const startedAtMs = performance.now();
  let calls = 0;
  let simulatedMs = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const { violations, effectCount, durationMs } = await runHistory(optionsOf(seed), choices);
    calls += effectCount;
    simulatedMs += durationMs;
    const [violation] = violations;
    if (violation === undefined) continue;
    print(`seed ${seed}: ${violation}`);
    const smallest = await shrink(optionsOf(seed), violation, choices);
    print('The smallest history found that breaks the same invariant:');
    await showHistory(smallest);
    print(`npm run simulate -- --seed ${seed}`);
    print(`npm run simulate -- --options '${JSON.stringify(smallest)}'`);
    process.exitCode = 1;
    return;
  }
  const [hours, seconds] = [simulatedMs / 3_600_000, (performance.now() - startedAtMs) / 1000];
  print(
    `${count} histories (${hours.toFixed(1)} simulated hours, ${calls} calls that changed something) in ${seconds.toFixed(1)} s: no invariant broken`,
  );
}

async function runMutants(): Promise<void> {
  for (const [name, mutant] of Object.entries(mutants)) {
    let [seed, violation] = [from - 1, ''];
    while (violation === '' && seed < from + count - 1) {
      seed += 1;
      violation = (await runHistory(optionsOf(seed), { mutant })).violations[0] ?? '';
    }
    print(violation === '' ? `NOT CAUGHT in ${count} histories: ${name}` : `caught by seed ${seed}: ${name}\n    ${violation}`);
    if (violation === '') process.exitCode = 1;
  }
}

/** Runs one history and prints its options and what happens in it. */
async function showHistory(options: SimulationOptions): Promise<void> {
  print(JSON.stringify(options, null, 2));
  const { violations, trace } = await runHistory(options, { ...choices, isTraced: true });
  for (const line of trace) print(line);
  print(violations.length === 0 ? 'no invariant broken' : violations.join('\n'));
  if (violations.length > 0) process.exitCode = 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
