import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from './edict-process.ts';

/** A harmless payload: a program that leaves a file, by which a test sees that it was run. */
export interface Canary {
  /** The absolute path of the program. It passes its input on, as a filter of Git must. */
  readonly program: string;
  /** The folder of the program. */
  readonly folder: string;
  wasRun(): boolean;
}

/** Returns a canary; `program` is the path of its program, by default in a folder of its own. */
export function canary(program = join(scratchFolder(), 'payload')): Canary {
  const folder = scratchFolder();
  const mark = join(folder, 'was-run');
  writeFileSync(program, `#!/bin/sh\ntouch '${mark}'\ncat 2>/dev/null\n`, { mode: 0o755 });
  return { program, folder, wasRun: () => existsSync(mark) };
}
