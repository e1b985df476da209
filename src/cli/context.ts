import { painterFor } from './paint.ts';

/** What a command sees of the process it runs in. */
export interface Context {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Returns the two painters of a context. */
export function paintersOf({ stdout, stderr }: Context) {
  return { out: painterFor(stdout), err: painterFor(stderr) };
}
