/**
 * `npm run chaos [-- --kills 300 --publications 200 --seed N]`: edict under every fault at once, killed again and again.
 *
 * Exit code 1 if anything was lost, doubled, too fast or not recorded. The seed is printed first, so that a run can be repeated.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { storm } from './storm.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '300' },
    publications: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
  },
});
const [kills, publications, seed] = [values.kills, values.publications, values.seed].map(Number) as [number, number, number];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`seed ${seed}, ${publications} publications, ${kills} kills`);
try {
  const report = await storm({ kills, publications, seed, say });
  say(`${report.rounds} rounds, ${report.requests} requests, ${report.attempts} attempts, ${report.seconds} s`);
  say(`${report.versions} versions wanted, ${report.versions} made: nothing lost, nothing doubled`);
  say(`without an answer: ${report.found} found at the gateway afterwards, ${report.absent} not found there and made again`);
  say(`the fullest window held ${report.fullest} of ${report.allowed} requests; every request is in the history`);
} catch (error) {
  say(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
