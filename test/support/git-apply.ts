import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from './edict-process.ts';

/** Returns what git makes of `text` in a file `name` and a diff for it. Throws if git does not take the diff. */
export function gitApplied(text: string, diff: string, name: string): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, name), text);
  execFileSync('git', ['apply', '-'], { cwd: folder, input: diff, stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } });
  return readFileSync(join(folder, name), 'utf8');
}
