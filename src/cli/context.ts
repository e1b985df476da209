import type { Env } from '../model/env.ts';
import { colorizerFor } from './output/colors.ts';

/** The parts of the process that a command uses; tests pass their own. */
export interface CliContext {
  readonly env: Env;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Returns the colorizers for stdout and stderr. */
export function colorizersFor({ stdout, stderr }: CliContext) {
  return { out: colorizerFor(stdout), err: colorizerFor(stderr) };
}
