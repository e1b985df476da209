import { colorizerFor } from './output/colors.ts';

/** What a command sees of the process it runs in. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Returns the two painters of a context. */
export function colorizersFor({ stdout, stderr }: CliContext) {
  return { out: colorizerFor(stdout), err: colorizerFor(stderr) };
}
