import type { Change } from './change.ts';
import { assertNever } from './errors.ts';
import type { RecordedPublication } from './publication.ts';

/**
 * What came of one attempt, and so what happens next.
 *
 * - `succeeded`: the gateway did it.
 * - `retry`: it did not happen and may go well later.
 * - `wait`: the gateway asks for fewer calls; nothing happened.
 * - `stalled`: it did not happen and will not without a person or a new file.
 * - `refused`: the credentials are not taken; nothing happened. No call is worth making until they change.
 * - `unknown`: it may have happened. Recorded as an unresolved attempt.
 * - `absent`: it was unknown, and the gateway's list shows that it did not happen.
 * - `dropped`: it was not sent, since the file no longer asked for it.
 */
export type Outcome =
  | { readonly kind: 'succeeded'; readonly versionId: string | null; readonly publishId: string | null }
  | { readonly kind: 'dropped' | 'absent' }
  | { readonly kind: FailureKind | 'unknown'; readonly failure: Failure };

/** How a request can end without having done anything. */
export type FailureKind = 'wait' | 'retry' | 'stalled' | 'refused';

/** What went wrong, without secrets. */
export interface Failure {
  /** A stable name: the gateway's `error_code`, or one of edict's own such as `TIMEOUT`. */
  readonly code: string;
  /** The HTTP status; `null` if there was no answer. */
  readonly status: number | null;
  readonly message: string;
  /** What a person can do; `null` if nothing is needed. */
  readonly hint: string | null;
  readonly requestId: string | null;
  /** How long the gateway asks to be left alone, in milliseconds; `null` if it does not say. */
  readonly retryAfterMs: number | null;
}

const emptyRecordFields = {
  state: null,
  revision: null,
  versionId: null,
  publishId: null,
  publishedAtMs: null,
  editedAtMs: null,
  drift: null,
  correctionCount: 0,
  lastCorrectedAtMs: null,
} as const;

/** Returns what the record says of a publication once `outcome` of the attempt for `change` is known. */
export function applyOutcome(
  change: Change,
  outcome: Outcome,
  before: RecordedPublication | undefined,
  attempt: { readonly id: number; readonly marker: string | null; readonly finishedAtMs: number },
): RecordedPublication | undefined {
  const { key, api, apiId, environment, environmentId, action, revision, version } = change;
  const names = { key, api, apiId, environment, environmentId };
  switch (outcome.kind) {
    case 'succeeded':
      return {
        ...(before ?? emptyRecordFields),
        ...names,
        state: action,
        revision: version === null ? revision : (before?.revision ?? null),
        versionId: outcome.versionId ?? version,
        publishId: outcome.publishId,
        publishedAtMs: null,
        editedAtMs: null,
        recordedAtMs: attempt.finishedAtMs,
        unknownAttempt: null,
        drift: null,
        ...((change.reason === 'drift' || (change.reason === 'unresolved' && before?.drift)) && {
          correctionCount: (before?.correctionCount ?? 0) + 1,
          lastCorrectedAtMs: attempt.finishedAtMs,
        }),
      };
    case 'unknown':
      return {
        ...(before ?? { ...emptyRecordFields, recordedAtMs: attempt.finishedAtMs }),
        ...names,
        unknownAttempt: { attemptId: attempt.id, action, revision, version, marker: attempt.marker, endedAtMs: attempt.finishedAtMs },
      };
    case 'dropped':
    case 'wait':
    case 'retry':
    case 'stalled':
    case 'refused':
    case 'absent':
      return before;
    default:
      return assertNever(outcome);
  }
}
