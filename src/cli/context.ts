import { colorizerFor } from './output/terminal.ts';

/** The parts of the process that a command uses; tests pass their own. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Takes bytes of the log and returns how many it took. Default: the stderr of the process. */
  readonly writeLog?: (bytes: Buffer) => number;
}

/** Returns the colorizers for stdout and stderr. */
export function colorizersFor({ stdout, stderr }: CliContext) {
  return { out: colorizerFor(stdout), err: colorizerFor(stderr) };
}
