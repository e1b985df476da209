const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Returns the milliseconds of a duration such as `500ms`, `1s`, `1m` or `1h`; `null` for any other text. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  return match && Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
