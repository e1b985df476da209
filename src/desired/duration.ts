const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Returns the milliseconds of a duration such as `500ms`, `1s`, `1m` or `1h`. Throws a TypeError for any other text. */
export function durationMs(duration: string): number {
  const match = /^(\d+)(ms|s|m|h)$/.exec(duration);
  if (!match) throw new TypeError(`not a duration: ${duration}`);
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
