import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from './edict-process.ts';

/** Returns `text` in a file `name` after git has applied a diff to it. Throws if git rejects the diff. */
export function gitApplied(text: string, diff: string, name: string): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, name), text);
  execFileSync('git', ['apply', '-'], { cwd: folder, input: diff, stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } });
  return readFileSync(join(folder, name), 'utf8');
}
