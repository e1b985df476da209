import { join, resolve } from 'node:path';
import { runNode } from './measured-process.ts';
import { duration, median, type Row, table } from './table.ts';

const runs = 9;
const quickstart = resolve(import.meta.dirname, '../../examples/quickstart/edict.yaml');

/** Measures how long commands take from start to end, in turns with an empty Node.js program. Returns the table. */
export async function measureStartUp(main: string, folder: string): Promise<string> {
  const commands: readonly (readonly [string, readonly string[]])[] = [
    ['node, doing nothing', ['--eval', '0']],
    ['edict --version', [main, '--version']],
    ['edict validate', [main, 'validate', quickstart]],
    ['edict plan', [main, 'plan', quickstart, '--state', `sqlite:${join(folder, 'start-up.db')}`]],
  ];
  const took = commands.map(() => [] as number[]);
  for (let run = -1; run < runs; run += 1) {
    for (const [index, [, args]] of commands.entries()) {
      const beganAtMs = performance.now();
      await runNode(args);
      // The first run fills the compile cache of Node, as the first command of a day does.
      if (run >= 0) took[index]?.push(performance.now() - beganAtMs);
    }
  }
  const floor = median(took[0] ?? []);
  const rows = commands.map(([name], index): Row => {
    const ms = median(took[index] ?? []);
    return { cells: [name, duration(ms), `${(ms / floor).toFixed(1)} x`] };
  });
  return table(`Start to end of a command with the quickstart, median of ${runs}`, ['command', 'took', 'of node'], rows);
}
