import type { ChangeReason } from './change.ts';
import type { Outcome } from './outcome.ts';
import type { Action, PublicationNames } from './publication.ts';
import type { PriorState } from './recorded-state.ts';

/** An attempt in the history. Times are milliseconds since 1970. */
export interface Attempt extends PublicationNames {
  readonly id: number;
  /** Joins the attempts of one reconciliation. */
  readonly reconcileId: string;
  readonly action: Action;
  readonly reason: ChangeReason;
  readonly revision: string | null;
  /** The user's text, without the marker. */
  readonly remark: string | null;
  /** The marker in the call's remark that identifies its version; `null`: none. */
  readonly marker: string | null;
  /** The existing version that it switches to; `null`: it publishes a new one, or takes the API offline. */
  readonly requestedVersionId: string | null;
  readonly startedAtMs: number;
  /** `null` while the attempt has no known outcome. */
  readonly finishedAtMs: number | null;
  /** `null` while the attempt is in flight, or if its process ended during it. */
  readonly outcome: Outcome['kind'] | null;
  readonly code: string | null;
  readonly status: number | null;
  readonly message: string | null;
  readonly requestId: string | null;
  readonly versionId: string | null;
  readonly publishId: string | null;
  /** The commit of the file that declared it; `null` if unknown or not committed. */
  readonly commitId: string | null;
  /** Who approved it, and why; `null` if it needed no approval. */
  readonly approval: { readonly by: string; readonly reason: string } | null;
  /** The recorded state when it started. */
  readonly priorState: PriorState;
}

/**
 * Selects one attempt, all attempts of the reconciliations whose ID has this prefix, or those of the last reconciliation that
 * changed something.
 */
export type AttemptSelector = { readonly attempt: number } | { readonly reconcile: string } | 'last';

export interface HistoryFilter {
  /** Names or IDs of APIs; omitted: all. */
  readonly apis?: readonly string[];
  /** Names or IDs of environments; omitted: all. */
  readonly environments?: readonly string[];
  /** Maximum number of attempts, newest first. */
  readonly limit: number;
}

/** The fields of an attempt that are written before its request is sent. */
export interface NewAttempt {
  readonly reconcileId: string;
  readonly marker: string | null;
  /** The commit of the file that declares it; `null` if unknown or not committed. */
  readonly commitId: string | null;
  readonly startedAtMs: number;
  /** The request may not be sent later than this. */
  readonly sendByMs: number;
}

/** Maximum length of a remark at the gateway: `PublicationRequest.remark` in the specification. */
const maxRemarkLength = 255;

/**
 * Returns the remark of a call: the user's text followed by the attempt's marker, which identifies the resulting version in
 * the gateway's list. Limited to 255 UTF-16 units, and so to 255 characters in whatever way the gateway counts them: a longer text is cut at
 * its end between two characters, the marker never is.
 */
export function addMarker(text: string | null, marker: string): string {
  const suffix = formatMarker(marker);
  return text ? `${fitRemark(text, maxRemarkLength - suffix.length - 1)} ${suffix}` : suffix;
}

/** Returns the remark of a call without a marker, limited in the same way. */
export function fitRemark(text: string, maxLength: number = maxRemarkLength): string {
  if (text.length <= maxLength) return text;
  let shown = '';
  for (const character of text) {
    if (shown.length + character.length > maxLength - 1) break;
    shown += character;
  }
  return `${shown}…`;
}

/** Returns whether a version's remark carries `marker`. */
export function hasMarker(remark: string, marker: string): boolean {
  return remark.includes(formatMarker(marker));
}

/** Returns whether a version's remark carries the marker of any attempt. */
export function hasAnyMarker(remark: string): boolean {
  return /\[edict [0-9a-f]+\]/.test(remark);
}

function formatMarker(marker: string): string {
  return `[edict ${marker}]`;
}
