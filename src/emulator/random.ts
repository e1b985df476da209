import { randomUUID } from 'node:crypto';

/** Returns the next number of a sequence, at least 0 and below 1. */
export type Random = () => number;

/** Returns a sequence determined by the integer `seed`. The algorithm is mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns one entry of `list` at random. Throws a RangeError if the list is empty. */
export function pickRandom<T>(list: readonly T[], random: Random): T {
  if (list.length === 0) throw new RangeError('nothing to choose from');
  return list[Math.floor(random() * list.length)] as T;
}

/** Returns a random ID in the service's form, 32 hex digits. */
export function newId(): string {
  return randomUUID().replaceAll('-', '');
}
