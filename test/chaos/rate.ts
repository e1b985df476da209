/** Returns the largest number of `timesMs` in any window of `perMs`, its end excluded. */
export function fullestWindow(timesMs: readonly number[], perMs: number): number {
  const sorted = timesMs.toSorted((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [index, atMs] of sorted.entries()) {
    while (atMs - (sorted[first] ?? atMs) >= perMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}
