/** The bound below which growth counts as linear, far below quadratic: work whose quadratic part is two fifths of the linear one grows 36 times. */
export const linear = 30;

/**
 * Returns the least ratio of the CPU time of `work(10 * size)` to that of `work(size)` in up to five measurements, of which the first that is
 * linear ends the search: about 10 if the work is linear and 100 if it is quadratic. One measurement does not suffice: a garbage collection or a
 * compilation in the larger run looks like growth, though not five times in a row.
 */
export function growth(work: (size: number) => void, size: number): number {
  work(size); // compiles it
  let least = Number.POSITIVE_INFINITY;
  for (let measurement = 0; measurement < 5 && least >= linear; measurement++) {
    const small = Math.max(
      1,
      cpuMs(() => work(size)),
    );
    const large = cpuMs(() => work(10 * size));
    least = Math.min(least, large / small);
  }
  return least;
}

function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
