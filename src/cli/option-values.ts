import { InvalidArgumentError } from 'commander';

/** Returns every value of an option that may be repeated, the newest last. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Returns the number of a text of digits. Throws an InvalidArgumentError for any other text. */
export function parseWholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}
