/** Returns a duration as text: `0.4 s`, `12 s`, `4 min 10 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Returns a count as text: `10,000`. */
export function formatNumber(count: number): string {
  return count.toLocaleString('en');
}

/** Returns a rate as text: `10 calls/s`, `3 calls in 2 s`. */
export function formatRate({ calls, perMs }: { readonly calls: number; readonly perMs: number }): string {
  const rounded = Math.round(calls * 10) / 10;
  const noun = rounded === 1 ? 'call' : 'calls';
  return perMs === 1000 ? `${rounded} ${noun}/s` : `${rounded} ${noun} in ${formatSeconds(perMs / 1000)}`;
}

/** Returns a timestamp in the browser's time zone: only the time if it is on the same day as `now`, otherwise date and time. */
export function formatClockTime(moment: string, now: Date): string {
  const date = new Date(moment);
  const time = date.toLocaleTimeString('en-GB');
  return date.toDateString() === now.toDateString() ? time : `${date.toLocaleDateString('en-CA')} ${time}`;
}
