/**
 * `npm run chaos [-- --kills 300 --publications 200 --seed N --store postgres --processes 3 --gateways 6]`: runs edict under every fault at once
 * and kills it repeatedly, sometimes after a file of its store was deleted or replaced; with `--store postgres` several processes that are also paused
 * and cut off from their database, which is restarted.
 *
 * Exit code 1 if a change was lost, repeated, sent too fast or not recorded, or a take-over took longer than 5 s. The seed is printed first, so that a run can be repeated.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runOneDaemon } from './one-daemon.ts';
import { runSeveralDaemons } from './several-daemons.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '300' },
    publications: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    store: { type: 'string', default: 'sqlite' },
    processes: { type: 'string', default: '3' },
    gateways: { type: 'string', default: '6' },
  },
});
const number = (name: 'kills' | 'publications' | 'seed' | 'processes' | 'gateways'): number => Number(values[name]);
const [kills, publications, seed] = [number('kills'), number('publications'), number('seed')];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`seed ${seed}, ${publications} publications, ${kills} kills, ${values.store}`);
try {
  const run = { kills, publications, seed, say };
  const many =
    values.store === 'postgres' ? await runSeveralDaemons({ ...run, processes: number('processes'), gateways: number('gateways') }) : null;
  const report = many ?? (await runOneDaemon(run));
  say(`${report.rounds} rounds, ${report.requests} requests, ${report.attempts} attempts, ${report.seconds} s`);
  const harm = Object.entries(report.harm).map(([what, times]) => `${what} ${times} times`);
  say(harm.join(', '));
  say(`${report.versions} versions wanted, ${report.versions} made: nothing lost, nothing doubled`);
  say(`without an answer: ${report.found} found at the gateway afterwards, ${report.absent} not found there and made again`);
  say(`the fullest window held ${report.fullest} of ${report.allowed} requests; every request is in the history`);
  if (many) {
    say(`the longest take-over after a death took ${many.takeOverMs} ms`);
    if (many.takeOverMs > 5000) process.exitCode = 1;
  }
} catch (error) {
  say(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
