/*
 * For `node`, as the test runner starts it: runs the given uvu files one after the other in this process.
 *
 * It writes a line before each file and after the last one, by which the runner separates their output and their cost. The exit code is
 * that of the first file that failed, where uvu would keep that of the last file.
 */
import { pathToFileURL } from 'node:url';
import { cpuSeconds } from './cpu-time.ts';

const queue: unknown[][] = [];
Object.assign(globalThis, { UVU_DEFER: 1, UVU_QUEUE: queue }); // read when uvu is loaded: run() then only adds to the queue
const { exec } = await import('./uvu-with-hooks.ts');

const writeMark = (path: string): void => {
  process.stdout.write(`\n=== ${process.uptime()} ${cpuSeconds()} ${path}\n`);
};

let exitCode: typeof process.exitCode = 0;
let group: unknown[] = [];
for (const file of process.argv.slice(2)) {
  writeMark(file);
  group = [null]; // uvu drops the first entry, which names the group
  queue.splice(0, queue.length, group);
  await import(pathToFileURL(file).href);
  await exec();
  exitCode ||= process.exitCode;
  process.exitCode = exitCode;
}
writeMark('');

const ran = group.length;
process.once('exit', () => {
  if (group.length === ran) return;
  process.stderr.write('run() was called after the tests had run.\n');
  process.exitCode = 1;
});
