import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** Returns the CPU time of this process in seconds; on Linux with that of the children that have ended. */
export function cpuSeconds(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .slice(11, 15);
    return fields.reduce((sum, ticks) => sum + Number(ticks), 0) / 100; // USER_HZ is 100 on every platform of Node.js
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }
}

/** Returns the file in which the process `pid` leaves its CPU time when it ends; `null` outside a test run. */
export function cpuTimeFile(pid: number): string | null {
  const folder = process.env['EDICT_TEST_FOLDER'];
  return folder ? join(folder, `cpu-${pid}`) : null;
}

/** Has this process leave its CPU time for the runner. */
export function reportCpuTime(): void {
  const file = cpuTimeFile(process.pid);
  if (file !== null && isMainThread) process.once('exit', () => writeFileSync(file, String(cpuSeconds())));
}
