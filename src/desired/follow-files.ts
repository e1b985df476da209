import { EdictError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';

/** How often it is looked which files there are, in milliseconds. */
const lookEveryMs = 5000;

export interface FollowDeps {
  /** Returns the files that there are now. Throws an EdictError while that cannot be told, which changes nothing. */
  readonly look: () => readonly string[];
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  readonly added: (file: string) => Promise<void>;
  /** Called for a file that two looks have not found: an editor or a checkout may put another one in its place. */
  readonly removed: (file: string) => Promise<void>;
}

/** Tells which files come and go besides the `first` ones, until `signal` is aborted. Rejects as `added` and `removed` do. */
export async function followFiles(first: readonly string[], { look, clock, signal, added, removed }: FollowDeps): Promise<void> {
  const known = new Set(first);
  let missing: ReadonlySet<string> = new Set();
  for (;;) {
    await clock.sleep(lookEveryMs, signal);
    if (signal.aborted) return;
    const there = found(look);
    if (there === null) continue;
    for (const file of there.difference(known)) {
      known.add(file);
      await added(file);
    }
    const gone = known.difference(there);
    for (const file of gone.intersection(missing)) {
      known.delete(file);
      await removed(file);
    }
    missing = gone.intersection(known);
  }
}

function found(look: FollowDeps['look']): Set<string> | null {
  try {
    return new Set(look());
  } catch (error) {
    if (error instanceof EdictError) return null;
    throw error;
  }
}
