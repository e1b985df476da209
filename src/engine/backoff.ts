const initialBackoffMs = 1000;
const maxBackoffMs = 5 * 60_000;

/**
 * Returns how many milliseconds to wait after the given number of failures in a row (1 and up): a second, doubled each
 * time up to five minutes, of which a random half keeps many publications from coming back at the same instant.
 *
 * @param random a number from 0 to 1
 */
export function backoffMs(failures: number, random: number): number {
  const whole = Math.min(maxBackoffMs, initialBackoffMs * 2 ** (failures - 1));
  return Math.round(whole / 2 + (whole / 2) * random);
}
