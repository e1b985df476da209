const unitMs: readonly (readonly [RegExp, number])[] = [
  [/^(?:ms|msecs?|millis|milliseconds?)$/, 1],
  [/^(?:s|secs?|seconds?)$/, 1000],
  [/^(?:m|mins?|minutes?)$/, 60_000],
  [/^(?:h|hrs?|hours?)$/, 3_600_000],
  [/^(?:d|days?)$/, 86_400_000],
  [/^(?:w|weeks?)$/, 604_800_000],
];

/** One number with a unit. */
const partPattern = /(\d+(?:[.,]\d+)?)?\s*([a-z]+)\s*/y;

/** Returns the duration that a text probably means, in milliseconds; `null` if it is not understood or has no unit. */
function guessDurationMs(text: string): number | null {
  const [, hours, minutes, seconds] = /^(\d{1,2}):(\d\d):(\d\d)$/.exec(text.trim()) ?? [];
  if (hours !== undefined) return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  const bare = text
    .toLowerCase()
    .trim()
    .replace(/^every\s+/, '')
    .replace(/^p?t(?=\d)/, '');
  if (bare === '' || bare.length > 40) return null;
  let ms = 0;
  for (let at = 0; at < bare.length; at = partPattern.lastIndex) {
    partPattern.lastIndex = at;
    const [, count, unit = ''] = partPattern.exec(bare) ?? [];
    const factor = unitMs.find(([pattern]) => pattern.test(unit))?.[1];
    if (factor === undefined) return null;
    ms += (count === undefined ? 1 : Number(count.replace(',', '.'))) * factor;
  }
  return ms;
}

/** Returns whether a text was probably meant as a duration of more than the 24 hours that a file allows. */
export function isTooLong(text: string): boolean {
  return (guessDurationMs(text) ?? 0) > 86_400_000;
}

/** Returns a text that was probably meant as a duration in the form of the file; `null` if it cannot be one. */
export function closestDuration(text: string): string | null {
  const ms = guessDurationMs(text);
  if (ms === null || ms <= 0 || ms > 86_400_000 || !Number.isInteger(ms)) return null;
  const [unit, factor] = (
    [
      ['h', 3_600_000],
      ['m', 60_000],
      ['s', 1000],
      ['ms', 1],
    ] as const
  ).find(([, size]) => ms % size === 0) ?? ['ms', 1];
  return `${ms / factor}${unit}`;
}
