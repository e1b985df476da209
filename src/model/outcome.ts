import type { Change } from './change.ts';
import { assertNever } from './errors.ts';
import { nothingRecorded, type RecordedPublication } from './recorded-state.ts';

/**
 * The outcome of one attempt, which decides what happens next.
 *
 * - `succeeded`: the gateway made the change.
 * - `retryable`: it had no effect, and retrying may succeed.
 * - `throttled`: the gateway throttled the request; it had no effect.
 * - `rejected`: it had no effect, and no retry helps until a person or a new file acts.
 * - `unauthorized`: the credentials were rejected; it had no effect. No call is worth making until they change.
 * - `unknown`: it may have taken effect. Recorded as an attempt with unknown outcome.
 * - `notApplied`: it was unknown, and the gateway's list shows that it had no effect.
 * - `superseded`: it was not sent, because the file no longer asks for it.
 */
export type Outcome =
  | { readonly kind: 'succeeded'; readonly versionId: string | null; readonly publishId: string | null }
  | { readonly kind: 'superseded' | 'notApplied' }
  | { readonly kind: FailureKind | 'unknown'; readonly failure: Failure };

/** How a request can fail without having had any effect. */
export type FailureKind = 'throttled' | 'retryable' | 'rejected' | 'unauthorized';

/** Details of a failure, without secrets. */
export interface Failure {
  /** A stable name: the gateway's `error_code`, or one of edict's own, such as `TIMEOUT`. */
  readonly code: string;
  /** The HTTP status; `null` if there was no response. */
  readonly status: number | null;
  readonly message: string;
  /** The action for a person; `null` if none is needed. */
  readonly hint: string | null;
  readonly requestId: string | null;
  /** The gateway's Retry-After, in milliseconds; `null` if it gives none. */
  readonly retryAfterMs: number | null;
}

/** An attempt that has ended. */
export interface AttemptResult {
  readonly id: number;
  readonly change: Change;
  readonly outcome: Outcome;
  readonly marker: string | null;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

/** Returns the recorded state of a publication after the attempt for `change` ended with `outcome`. */
export function applyOutcome(
  previous: RecordedPublication | undefined,
  { change, outcome, ...attempt }: AttemptResult,
): RecordedPublication | undefined {
  const { key, api, apiId, environment, environmentId, action, revision, version } = change;
  const names = { key, api, apiId, environment, environmentId };
  switch (outcome.kind) {
    case 'succeeded':
      return {
        ...(previous ?? nothingRecorded),
        ...names,
        state: action,
        revision: version === null ? revision : (previous?.revision ?? null),
        versionId: outcome.versionId ?? version,
        publishId: outcome.publishId,
        publishedAtMs: null,
        editedAtMs: null,
        recordedAtMs: attempt.finishedAtMs,
        changedAtMs: attempt.finishedAtMs,
        unknownAttempt: null,
        drift: null,
        ...((change.reason === 'drift' || (change.reason === 'unknown' && previous?.drift)) && {
          correctionCount: (previous?.correctionCount ?? 0) + 1,
          lastCorrectedAtMs: attempt.finishedAtMs,
        }),
      };
    case 'unknown':
      return {
        ...(previous ?? { ...nothingRecorded, recordedAtMs: attempt.finishedAtMs }),
        ...names,
        unknownAttempt: {
          ...{ attemptId: attempt.id, action, revision, version, marker: attempt.marker },
          ...{ startedAtMs: attempt.startedAtMs, sendByMs: attempt.finishedAtMs, endedAtMs: attempt.finishedAtMs },
        },
      };
    case 'superseded':
    case 'throttled':
    case 'retryable':
    case 'rejected':
    case 'unauthorized':
    case 'notApplied':
      return previous;
    default:
      return assertNever(outcome);
  }
}

/** The result of a read: its value, or why it failed. */
export type ReadResult<T> = { readonly kind: 'read'; readonly value: T } | ReadFailure;

export interface ReadFailure {
  readonly kind: FailureKind;
  readonly failure: Failure;
}
