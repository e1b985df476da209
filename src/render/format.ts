// Text and JSON forms of plans, statuses and attempts, shared by the command line, the server and telemetry. Nothing here may
// decide, read or write state: it only formats what plan/ and model/ provide.

import type { ApprovalRef } from '../model/approval.ts';
import type { Change, Deferral, Plan } from '../model/change.ts';
import type { Suspension } from '../model/desired-state.ts';
import { assertNever } from '../model/errors.ts';
import type { Unobserved } from '../model/observation.ts';
import type { PublicationState } from '../model/publication.ts';
import type { Drift } from '../model/recorded-state.ts';
import { hasTargets } from '../plan/targets.ts';

/** Describes why a change is needed. */
export function formatReason({ reason, action, from, revision, version, drift }: Change): string {
  switch (reason) {
    case 'new':
      return 'new: edict has not published it yet';
    case 'state':
      return `desired ${action}, recorded ${from}`;
    case 'revision':
      return `new revision ${revision}: publish again`;
    case 'version':
      return `version ${version} is pinned: switch to it`;
    case 'edited':
      return 'edited at the gateway after it was published';
    case 'drift':
      return formatDrift(from, drift);
    case 'prune':
      return 'no longer in the file';
    case 'unknown':
      return 'the outcome of an earlier attempt is unknown';
    default:
      return assertNever(reason);
  }
}

/** Describes the drift that led to the state `now`. */
export function formatDrift(state: PublicationState | null, drift: Drift | null): string {
  const since = drift?.fromSinceMs == null ? '' : formatTimestamp(drift.fromSinceMs);
  if (state === null) return 'not known whether it was online before the gateway was first observed';
  if (state === 'offline') return `taken offline outside edict${since && ` after it was published at ${since}`}`;
  if (drift?.from === 'unknown') return 'online when the gateway was first observed';
  if (drift?.from === 'online') return `another version made effective outside edict${since && ` after ${since}`}`;
  return drift?.from === 'offline' && since
    ? `published outside edict after it was offline at ${since}`
    : 'published outside edict; edict never published it';
}

/** Describes the targets of a plan and how many changes they exclude; `null` without targets. */
export function formatTargets({ targets, excluded }: Plan): string | null {
  if (!hasTargets(targets)) return null;
  const patterns = [
    ...targets.apis.map((pattern) => `--api ${pattern}`),
    ...targets.environments.map((pattern) => `--environment ${pattern}`),
  ];
  return `Only ${patterns.join(', ')}: ${excluded === 0 ? 'no change' : pluralize(excluded, 'change')} left out.`;
}

/**
 * Describes a change that is held or deferred, and why; `null` if it is made now. The reason of a file hold is shown once,
 * elsewhere.
 */
export function formatBlocker(change: Change): string | null {
  const { action, held, deferred } = change;
  if (held) return `${action}: ${'affected' in held ? formatReason(change) : held.message}`;
  return deferred && `${action}: ${formatDeferral(deferred)}`;
}

/** Describes a deferral, with its end if that is known. */
function formatDeferral({ message, untilMs }: Deferral): string {
  return untilMs === null ? message : `${message} until ${formatTimestamp(untilMs)}`;
}

/** Describes a suspension: who set it, why, since when and until when. */
export function formatSuspension(suspension: Suspension): string {
  const until = suspension.untilMs === null ? '' : ` until ${formatTimestamp(suspension.untilMs)}`;
  return `No calls are made${until}: suspended${formatSuspensionOrigin(suspension)}.`;
}

/** Describes why a gateway could not be observed. */
export function formatUnobserved({ reason, remedy }: Unobserved): string {
  return `The gateway could not be observed: ${reason}; ${remedy}.`;
}

/** Describes who set a suspension, when and why: ` by ada since 2026-11-20T09:30:00Z (INC-7)`. */
export function formatSuspensionOrigin({ by, reason, sinceMs }: Suspension): string {
  return `${by === null ? '' : ` by ${by}`}${sinceMs === null ? '' : ` since ${formatTimestamp(sinceMs)}`} (${reason})`;
}

/** Describes who approved a plan, and why. */
export function formatApproval({ by, reason }: Pick<ApprovalRef, 'by' | 'reason'>): string {
  return `Approved by ${by}: ${reason}`;
}

/** Formats a duration: `0.4 s`, `12 s`, `4 min 10 s`, `2 h 5 min`. */
export function formatDurationMs(ms: number): string {
  if (ms % 1000 === 0 && ms < 60_000) return `${ms / 1000} s`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Formats a rate: `10 calls/s`, or `10 calls per 5 s`. */
export function formatRateLimit({ calls, perMs }: { readonly calls: number; readonly perMs: number }): string {
  return perMs === 1000 ? `${calls} calls/s` : `${calls} calls per ${formatDurationMs(perMs)}`;
}

/** Formats a time in UTC, to the second: `2026-11-20T09:30:00Z`. */
export function formatTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Formats a time with its age: `2026-11-20T09:30:00Z (12 min ago)`. */
export function formatTimestampWithAge(ms: number, nowMs: number): string {
  const minutes = Math.round(Math.abs(nowMs - ms) / 60_000);
  const coarse =
    minutes < 120 ? `${minutes} min` : minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
  const age = minutes === 0 ? 'just now' : nowMs < ms ? `in ${coarse}` : `${coarse} ago`;
  return `${formatTimestamp(ms)} (${age})`;
}

/** Returns the text with its first letter in upper case. */
export function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Formats a count with its noun: `1 change`, `3 changes`. */
export function pluralize(count: number, noun: string): string {
  return `${groupDigits(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Used instead of `toLocaleString`, which loads locale tables: 14 ms at start-up. */
function groupDigits(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Returns that the store at the address `store` has no record of the gateway. */
export function formatUnrecorded(store: string): string {
  return `no recorded state at ${store.replace(/^sqlite:/, '')}; looking at the gateway`;
}

/** Names a gateway by its endpoint and instance, and says so if an emulated one is used in its place. */
export function formatGateway({ gateway: { endpoint, instance }, isEmulated = false }: Pick<Plan, 'gateway' | 'isEmulated'>): string {
  return `${isEmulated ? 'Emulated gateway in place of' : 'Gateway'} ${endpoint}, instance ${instance}`;
}
