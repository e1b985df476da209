/**
 * Returns the ratio of the CPU time of `work(10 * size)` to that of `work(size)`: about 10 if it is linear and 100 if it is quadratic, on a slow or
 * busy machine too.
 */
export function growth(work: (size: number) => void, size: number): number {
  work(size); // compiles it
  return (
    cpuMs(() => work(10 * size)) /
    Math.max(
      1,
      cpuMs(() => work(size)),
    )
  );
}

/** The bound below which growth counts as linear, far below quadratic. */
export const linear = 50;

function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
