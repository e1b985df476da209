import { assertNever } from '../core/errors.ts';
import type { Agreement } from '../core/guard.ts';
import type { Change, Plan } from '../core/plan.ts';
import type { Drift, State, Suspension } from '../core/publication.ts';
import { isNarrowed } from '../core/targets.ts';
import type { Wait } from '../core/wait.ts';

/** Returns why a change must be made, for a person. */
export function reasonInWords({ reason, action, from, revision, version, drift }: Change): string {
  switch (reason) {
    case 'new':
      return 'new: edict has not published it yet';
    case 'state':
      return `the file says ${action}, the record ${from}`;
    case 'revision':
      return `new revision ${revision}: publish again`;
    case 'version':
      return `another version than ${version} is effective: switch to it`;
    case 'edited':
      return 'edited at the gateway since it was published';
    case 'drift':
      return driftInWords(from, drift);
    case 'removed':
      return 'no longer in the file';
    case 'unresolved':
      return 'an earlier attempt has no known outcome';
    default:
      return assertNever(reason);
  }
}

/** Returns what somebody else has done to bring a publication to `now`, against the file. */
export function driftInWords(now: State | null, drift: Drift | null): string {
  const since = drift?.fromSinceMs == null ? '' : momentInWords(drift.fromSinceMs);
  if (now === 'offline') return `taken offline outside edict${since && ` after it was published at ${since}`}`;
  if (drift?.from === 'online') return `another version made effective outside edict${since && ` after ${since}`}`;
  return drift?.from === 'offline' && since
    ? `published outside edict after it was offline at ${since}`
    : 'published outside edict, which never did';
}

/** Returns what a plan is about and how much that leaves out; `null` if it is about everything. */
export function targetsInWords({ targets, untargeted }: Plan): string | null {
  if (!isNarrowed(targets)) return null;
  const given = [
    ...targets.apis.map((pattern) => `--api ${pattern}`),
    ...targets.environments.map((pattern) => `--environment ${pattern}`),
  ];
  return `Only ${given.join(', ')}: ${untargeted === 0 ? 'no change' : counted(untargeted, 'change')} left out.`;
}

/** Returns what a change would do and why it is not made now; `null` if it is. What holds the whole file is said once, elsewhere. */
export function obstacleInWords(change: Change): string | null {
  const { action, held, waits } = change;
  if (held) return `${action}: ${'lost' in held ? reasonInWords(change) : held.message}`;
  return waits && `${action}: ${waitInWords(waits)}`;
}

/** Returns why a change is made later, and when if that is known. */
export function waitInWords({ message, untilMs }: Wait): string {
  return untilMs === null ? message : `${message} until ${momentInWords(untilMs)}`;
}

/** Returns that no call is made by a person's word, who said so, and until when. */
export function suspensionInWords({ by, reason, untilMs }: Suspension): string {
  const until = untilMs === null ? '' : ` until ${momentInWords(untilMs)}`;
  return `No call is made${until}: suspended${by === null ? '' : ` by ${by}`} (${reason}).`;
}

/** Returns whose agreement has released what was held. */
export function agreementInWords({ by, why }: Pick<Agreement, 'by' | 'why'>): string {
  return `Approved by ${by}: ${why}`;
}

/** Returns a duration for a person: `0.4 s`, `12 s`, `4 min 10 s`, `2 h 5 min`. */
export function durationInWords(ms: number): string {
  if (ms % 1000 === 0 && ms < 60_000) return `${ms / 1000} s`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Returns a moment for a person, in UTC to the second: `2026-11-20T09:30:00Z`. */
export function momentInWords(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Returns a moment with how long ago that is: `2026-11-20T09:30:00Z (12 min ago)`. */
export function agoInWords(ms: number, nowMs: number): string {
  const minutes = Math.round(Math.abs(nowMs - ms) / 60_000);
  const coarse =
    minutes < 120 ? `${minutes} min` : minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
  const away = minutes === 0 ? 'just now' : nowMs < ms ? `in ${coarse}` : `${coarse} ago`;
  return `${momentInWords(ms)} (${away})`;
}

/** Returns a count with its noun: `1 change`, `3 changes`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `toLocaleString` would load the locale's tables: 14 ms at start-up. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
