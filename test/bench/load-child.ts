/** `node load-child.ts FILE STATE`: writes the duration of each step in this process, as JSON. */
import { readFileSync } from 'node:fs';
import { diffStates } from '../../src/plan/diff.ts';
import { parseDesiredState } from '../../src/source/parser.ts';
import { ParseCache } from '../../src/source/yaml/parse-cache.ts';
import { openReadonly } from '../../src/store/open.ts';
import { median } from './table.ts';

export interface LoadTimes {
  /** The first load of a process. */
  readonly coldMs: number;
  /** A later load of a new text. */
  readonly warmMs: number;
  /** A later load with the cached segments of the text before the edit, as in the daemon. */
  readonly editedMs: number;
  readonly recordMs: number;
  readonly planMs: number;
}

const [file = '', state = ''] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const load = (parseCache = new ParseCache(), content = text) => parseDesiredState({ text: content, file, variables: {}, parseCache });
const coldMs = timed(() => load());
const repeats = text.length > 2e6 ? 3 : 7;
const warmMs = median(Array.from({ length: repeats }, () => timed(() => load())));
const trees = new ParseCache();
const desired = load(trees);
const edits = Array.from({ length: repeats }, (_, index) => text.replace(/^ {2}test: .*$/m, `  test: environment-${index}`));
const editedMs = median(edits.map((edited) => timed(() => load(trees, edited))));

const record = await openReadonly({ url: state });
const startedAtMs = performance.now();
const recorded = await record.readRecordedState(desired.gateway);
const recordMs = performance.now() - startedAtMs;
await record.close();
const planMs = median(Array.from({ length: repeats }, () => timed(() => diffStates(desired, recorded))));
const times: LoadTimes = { coldMs, warmMs, editedMs, recordMs, planMs };
process.stdout.write(JSON.stringify(times));

function timed(work: () => unknown): number {
  const beganAtMs = performance.now();
  work();
  return performance.now() - beganAtMs;
}
