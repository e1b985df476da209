/**
 * `npm run soak [-- --minutes 10 --seed N]`: one daemon under faults and drift whose file is edited at random.
 *
 * Exit code 1 if its memory or its log grew from the second quarter to the last (see `mayGrow`), if files or sockets stayed open, if it found no
 * drift, if it did not stop on a signal, or if the gateway was not in sync at the end.
 */
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { seededRandom } from '../../src/emulator/random.ts';
import { scratchFolder, startEdict } from '../support/edict-process.ts';
import { causeFaults, openGatewayProxy } from './random-faults.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: String(randomInt(1_000_000)) } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const random = seededRandom(seed);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const names = Array.from({ length: 300 }, (_, index) => `a${index}`);
const sampleMs = 1000;
/**
 * How much the last quarter may be above the second. Of memory the lowest tenth is compared: what a leak holds is held in each sample, while what
 * the work of the moment needs depends on the faults of the moment. The mean of the log depends on the random faults of each quarter.
 */
const mayGrow = { memory: 0.1, log: 0.25 };

say(`seed ${seed}, ${minutes} minutes, ${names.length} publications`);
const emulator = await startEmulator({
  seed: {
    project: 'project',
    instance: 'instance',
    apis: names.map((name) => ({ id: name, name })),
    environments: [{ id: 'env-test', name: 'test' }],
    users: [{ name: 'ada', password: 'hunter2', domain: 'acme' }],
  },
  tokenLifetimeMs: 20_000,
  random: seed,
});
await using proxy = await openGatewayProxy(emulator, seededRandom(seed + 2));
const folder = scratchFolder();
const file = join(folder, 'edict.yaml');
const states = new Map<string, 'online' | 'offline'>(names.map((name) => [name, 'online']));
const revisions = new Map(names.map((name) => [name, 0]));
writeText(fileText());
/**
 * Preloaded into the daemon: after each SIGUSR2 it collects garbage and writes its used heap, and its anonymous resident memory without the spare
 * part of the heap, since V8 lets the heap grow for minutes before its size is stable. The kernel may drop and reload pages of files at any time.
 */
const held = join(folder, 'held');
const reportHeld = `data:text/javascript,${encodeURIComponent(`
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
process.on('SIGUSR2', () => {
  gc();
  const { heapTotal, heapUsed } = process.memoryUsage();
  const anonymous = Number(/RssAnon:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
  writeFileSync(${JSON.stringify(`${held}.new`)}, JSON.stringify([anonymous - heapTotal + heapUsed, heapUsed]));
  renameSync(${JSON.stringify(`${held}.new`)}, ${JSON.stringify(held)});
});`)}`;
// A young generation of fixed size: V8 lets it grow for minutes, and counts pages of it that are not in memory yet.
const user = {
  NODE_OPTIONS: `--import=${reportHeld} --max-semi-space-size=1`,
  HW_USER_NAME: 'ada',
  HW_USER_PASSWORD: 'hunter2',
  HW_DOMAIN_NAME: 'acme',
};
const daemon = startEdict(['run', '--debounce', '50ms', '--resync', '2s', '--log-format', 'json'], folder, user);
const pid = daemon.child.pid ?? 0;
await sleep(3000);
const filesAtFirst = openFiles();

const ending = new AbortController();
const raging = causeFaults(emulator, proxy, seededRandom(seed + 1), ending.signal);
const memory: number[] = [];
const heap: number[] = [];
/** The bytes of the log after each edit. */
const logged: number[] = [];
let edits = 0;
let drifts = 0;
let driftsFound = 0;
for (const endMs = performance.now() + minutes * 60_000; performance.now() < endMs; ) {
  edit();
  if (random() < 0.5) drift();
  await sleep(random() * 2 * sampleMs);
  daemon.child.kill('SIGUSR2');
  if (existsSync(held)) {
    const [resident = 0, used = 0] = JSON.parse(readFileSync(held, 'utf8')) as number[];
    memory.push(resident / 1024 ** 2);
    heap.push(used / 1024 ** 2);
  }
  driftsFound += daemon.output.stderr.split('"event":"publication:drift"').length - 1;
  logged.push(daemon.output.stderr.length);
  daemon.output.stderr = '';
}
ending.abort();
await raging;
// A new version of everything: drift that was corrected several times is left alone for up to an hour, and a new version is not.
for (const name of names) {
  states.set(name, 'online');
  revisions.set(name, (revisions.get(name) ?? 0) + 1);
}
writeText(fileText());
const isCalm = await becomesCalm();
const filesAtLast = openFiles();
daemon.child.kill('SIGTERM');
const ended = await Promise.race([daemon.finished, sleep(10_000, null)]);
if (ended === null) daemon.child.kill('SIGKILL');
const received = emulator.requests.all().length;
await emulator.close();

const memoryByQuarter = quarters(memory).map(lowestTenth);
const heapByQuarter = quarters(heap).map(lowestTenth);
const logByQuarter = quarters(logged).map(mean);
say(`${edits} edits, ${drifts} drifts, ${driftsFound} found, ${received} requests`);
say(
  `least memory by quarters ${list(memoryByQuarter, 1)} MiB, of it heap ${list(heapByQuarter, 1)} MiB; log an edit by quarters ${list(logByQuarter, 0)} bytes; open files ${filesAtFirst}, ${filesAtLast}`,
);
const faults = [
  hasGrown(memoryByQuarter, mayGrow.memory) && 'memory has grown',
  hasGrown(heapByQuarter, mayGrow.memory) && 'the heap has grown',
  hasGrown(logByQuarter, mayGrow.log) && 'the log has grown',
  filesAtLast > filesAtFirst + 2 && 'files or sockets stayed open',
  driftsFound === 0 && 'no drift was found',
  ended?.code !== 0 && 'it did not end when it was asked to',
  !isCalm && 'the gateway is not as the file says',
].filter((fault) => fault !== false);
for (const fault of faults) say(`FAILED ${fault}`);
if (faults.length > 0) process.exitCode = 1;
else say('memory and log are flat, nothing stayed open, it ended when asked, and the gateway is as the file says');

/** Changes a few publications; sometimes leaves a file that is invalid, empty or half written, which the next edit fixes. */
function edit(): void {
  edits += 1;
  for (let count = Math.ceil(random() * 10); count > 0; count -= 1) {
    const name = names[Math.floor(random() * names.length)] ?? '';
    if (random() < 0.5) states.set(name, states.get(name) === 'online' ? 'offline' : 'online');
    else revisions.set(name, (revisions.get(name) ?? 0) + 1);
  }
  const text = fileText();
  const chance = random();
  if (chance < 0.05) writeText('apis: [');
  else if (chance < 0.1) writeText(text.slice(0, random() * text.length));
  else if (chance < 0.15) writeText('');
  else writeText(text);
}

/** Changes a publication outside edict, as a person does in the console. */
function drift(): void {
  drifts += 1;
  const name = names[Math.floor(random() * names.length)] ?? '';
  emulator.state.changeManually(name, 'env-test', random() < 0.5 ? 'online' : 'offline');
}

function fileText(): string {
  const apis = names.map(
    (name) => `  ${name}: { id: ${name}, revision: r${revisions.get(name)}, environments: { test: ${states.get(name)} } }\n`,
  );
  const settings = 'limit: { calls: 100, per: 1s, concurrency: 8 }, timeout: 1s, propagationDelay: 1s, unknownOutcome: retry';
  const gateway = `gateway: { endpoint: "${proxy.url}", iam: "${proxy.url}", project: project, instance: instance, ${settings} }\n`;
  return `edict: 1\nrefresh: 2s\ndrift: correct\n${gateway}environments: { test: env-test }\nguards: { maxOffline: 100%, maxRemoved: 100%, maxRepublish: 100% }\napis:\n${apis.join('')}`;
}

function writeText(text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

async function becomesCalm(): Promise<boolean> {
  for (let tries = 0; tries < 60; tries += 1) {
    const online = new Set(emulator.state.publications().flatMap(({ api, effective }) => (effective ? [api] : [])));
    if (names.every((name) => online.has(name) === (states.get(name) === 'online'))) return true;
    await sleep(1000);
  }
  return false;
}

function openFiles(): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function quarters(samples: readonly number[]): readonly (readonly number[])[] {
  return [0, 1, 2, 3].map((quarter) => samples.slice((samples.length * quarter) / 4, (samples.length * (quarter + 1)) / 4));
}

function lowestTenth(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 10)] ?? 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function list(values: readonly number[], digits: number): string {
  return values.map((value) => value.toFixed(digits)).join(', ');
}

/** Returns whether the last quarter is more than `share` above the second: the first warms up. */
function hasGrown([, second = 0, , last = 0]: readonly number[], share: number): boolean {
  return last > second * (1 + share);
}
