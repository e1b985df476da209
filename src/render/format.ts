import type { ApprovalRef } from '../model/approval.ts';
import type { Change, Plan } from '../model/change.ts';
import type { Deferral } from '../model/deferral.ts';
import { assertNever } from '../model/errors.ts';
import type { Drift, PublicationState, Suspension } from '../model/publication.ts';
import { hasTargets } from '../plan/targets.ts';

/** Returns why a change must be made, for a person. */
export function formatReason({ reason, action, from, revision, version, drift }: Change): string {
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
      return formatDrift(from, drift);
    case 'removed':
      return 'no longer in the file';
    case 'unresolved':
      return 'an earlier attempt has no known outcome';
    default:
      return assertNever(reason);
  }
}

/** Returns what somebody else has done to bring a publication to `now`, against the file. */
export function formatDrift(now: PublicationState | null, drift: Drift | null): string {
  const since = drift?.fromSinceMs == null ? '' : formatTimestamp(drift.fromSinceMs);
  if (now === 'offline') return `taken offline outside edict${since && ` after it was published at ${since}`}`;
  if (drift?.from === 'online') return `another version made effective outside edict${since && ` after ${since}`}`;
  return drift?.from === 'offline' && since
    ? `published outside edict after it was offline at ${since}`
    : 'published outside edict, which never did';
}

/** Returns what a plan is about and how much that leaves out; `null` if it is about everything. */
export function formatTargets({ targets, excluded }: Plan): string | null {
  if (!hasTargets(targets)) return null;
  const given = [
    ...targets.apis.map((pattern) => `--api ${pattern}`),
    ...targets.environments.map((pattern) => `--environment ${pattern}`),
  ];
  return `Only ${given.join(', ')}: ${excluded === 0 ? 'no change' : pluralize(excluded, 'change')} left out.`;
}

/** Returns what a change would do and why it is not made now; `null` if it is. What holds the whole file is said once, elsewhere. */
export function formatBlocker(change: Change): string | null {
  const { action, held, deferred } = change;
  if (held) return `${action}: ${'affected' in held ? formatReason(change) : held.message}`;
  return deferred && `${action}: ${formatDeferral(deferred)}`;
}

/** Returns why a change is made later, and when if that is known. */
export function formatDeferral({ message, untilMs }: Deferral): string {
  return untilMs === null ? message : `${message} until ${formatTimestamp(untilMs)}`;
}

/** Returns that no call is made by a person's word, who said so, and until when. */
export function formatSuspension({ by, reason, untilMs }: Suspension): string {
  const until = untilMs === null ? '' : ` until ${formatTimestamp(untilMs)}`;
  return `No call is made${until}: suspended${by === null ? '' : ` by ${by}`} (${reason}).`;
}

/** Returns whose agreement has released what was held. */
export function formatApproval({ by, reason }: Pick<ApprovalRef, 'by' | 'reason'>): string {
  return `Approved by ${by}: ${reason}`;
}

/** Returns a duration for a person: `0.4 s`, `12 s`, `4 min 10 s`, `2 h 5 min`. */
export function formatDurationMs(ms: number): string {
  if (ms % 1000 === 0 && ms < 60_000) return `${ms / 1000} s`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Returns a moment for a person, in UTC to the second: `2026-11-20T09:30:00Z`. */
export function formatTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Returns a moment with how long ago that is: `2026-11-20T09:30:00Z (12 min ago)`. */
export function formatTimestampWithAge(ms: number, nowMs: number): string {
  const minutes = Math.round(Math.abs(nowMs - ms) / 60_000);
  const coarse =
    minutes < 120 ? `${minutes} min` : minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
  const away = minutes === 0 ? 'just now' : nowMs < ms ? `in ${coarse}` : `${coarse} ago`;
  return `${formatTimestamp(ms)} (${away})`;
}

/** Returns a count with its noun: `1 change`, `3 changes`. */
export function pluralize(count: number, noun: string): string {
  return `${groupDigits(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `toLocaleString` would load the locale's tables: 14 ms at start-up. */
function groupDigits(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
