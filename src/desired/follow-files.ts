import { EdictError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';

/** How often it is looked which files there are, in milliseconds. */
const pollIntervalMs = 5000;

export interface WatchFilesDeps {
  /** Returns the files that there are now. Throws an EdictError while that cannot be told, which changes nothing. */
  readonly list: () => readonly string[];
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  readonly onAdded: (file: string) => Promise<void>;
  /** Called for a file that two looks have not found: an editor or a checkout may put another one in its place. */
  readonly onRemoved: (file: string) => Promise<void>;
}

/** Tells which files come and go besides the `first` ones, until `signal` is aborted. Rejects as `added` and `removed` do. */
export async function watchSourceFiles(
  first: readonly string[],
  { list, clock, signal, onAdded, onRemoved }: WatchFilesDeps,
): Promise<void> {
  const known = new Set(first);
  let missing: ReadonlySet<string> = new Set();
  for (;;) {
    await clock.sleep(pollIntervalMs, signal);
    if (signal.aborted) return;
    const there = tryList(list);
    if (there === null) continue;
    for (const file of there.difference(known)) {
      known.add(file);
      await onAdded(file);
    }
    const gone = known.difference(there);
    for (const file of gone.intersection(missing)) {
      known.delete(file);
      await onRemoved(file);
    }
    missing = gone.intersection(known);
  }
}

function tryList(look: WatchFilesDeps['list']): Set<string> | null {
  try {
    return new Set(look());
  } catch (error) {
    if (error instanceof EdictError) return null;
    throw error;
  }
}
