import type { Clock } from '../model/clock.ts';
import type { DesiredState } from '../model/desired-state.ts';
import type { PublicationKey } from '../model/publication.ts';
import type { DesiredSource } from './interface.ts';

/**
 * Returns `source` with a delay for removals: a publication may be taken offline only when it was absent from every valid file for
 * `delayMs`, however often the file is edited meanwhile. A file that is saved in two halves then costs nothing.
 */
export function withPruneDelay(source: DesiredSource, clock: Pick<Clock, 'now' | 'monotonicMs'>, delayMs: number): DesiredSource {
  /** When each publication that was declared since the start left the file, on the monotonic clock; bounded by what the files have declared. */
  const removedAtMs = new Map<PublicationKey, number>();
  let loadedFirstAtMs: number | null = null;
  let last: { readonly loaded: DesiredState; readonly desired: DesiredState } | null = null;

  const delay = (loaded: DesiredState): DesiredState => {
    const nowMs = clock.monotonicMs();
    loadedFirstAtMs ??= nowMs;
    for (const key of last?.loaded.publications.keys() ?? []) if (!loaded.publications.has(key)) removedAtMs.set(key, nowMs);
    for (const key of removedAtMs.keys()) if (loaded.publications.has(key)) removedAtMs.delete(key);
    const startMs = loadedFirstAtMs;
    const absentSinceMs = new Map(removedAtMs);
    const pruneAtMs = (key: PublicationKey): number => {
      const remainingMs = (absentSinceMs.get(key) ?? startMs) + delayMs - clock.monotonicMs();
      // Over is over, whatever the wall clock says; it may be set at any time.
      return remainingMs <= 0 ? Number.NEGATIVE_INFINITY : clock.now() + remainingMs;
    };
    return { ...loaded, pruneAtMs };
  };
  return {
    load: async (signal) => {
      const loaded = await source.load(signal);
      if (last?.loaded !== loaded) last = { loaded, desired: delay(loaded) };
      return last.desired;
    },
    watch: (hint) => source.watch(hint),
  };
}
