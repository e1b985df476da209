/**
 * `npm run simulate -- [--seeds N] [--from SEED]`: runs histories and stops at the first that breaks an invariant. `--seed SEED`: one history
 * with its trace. Exit code 1 if one failed.
 */
import { parseArgs } from 'node:util';
import { runHistory } from './history.ts';
import { mutants } from './mutants.ts';
import { optionsOf } from './options.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);

if (values.mutants) {
  for (const [name, mutant] of Object.entries(mutants)) {
    let caught = '';
    let seed = 1;
    for (; seed <= Number(values.seeds) && caught === ''; seed += 1) {
      const { violations } = await runHistory(optionsOf(seed), { mutant });
      caught = violations[0] ?? '';
    }
    print(`${name}: ${caught ? `${seed - 1}: ${caught}` : 'NOT CAUGHT'}`);
  }
} else if (values.seed !== undefined) {
  const options = optionsOf(Number(values.seed));
  print(JSON.stringify(options, null, 1));
  const { violations, trace } = await runHistory(options, { isTraced: true, ...(values.mutant && { mutant: mutants[values.mutant] }) });
  for (const line of trace) print(line);
  for (const violation of violations) print(violation);
} else {
  const kinds = new Map<string, number[]>();
  const from = Number(values.from);
  const startedAtMs = performance.now();
  let effects = 0;
  for (let seed = from; seed < from + Number(values.seeds); seed += 1) {
    const { violations, effectCount } = await runHistory(optionsOf(seed));
    effects += effectCount;
    if (violations[0]) kinds.set(violations[0].split(':')[0] ?? '', [...(kinds.get(violations[0].split(':')[0] ?? '') ?? []), seed]);
    if (violations[0] && kinds.get(violations[0].split(':')[0] ?? '')!.length < 4) print(`${seed}: ${violations[0].slice(0, 400)}`);
  }
  for (const [kind, seeds] of kinds) print(`${kind}: ${seeds.length} (${seeds.slice(0, 20).join(' ')})`);
  print(`${values.seeds} histories, ${effects} effects, ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`);
}
