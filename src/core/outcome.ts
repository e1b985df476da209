import { assertNever } from './errors.ts';
import type { Change } from './plan.ts';
import type { RecordedPublication } from './publication.ts';

/**
 * What came of one attempt, and so what happens next.
 *
 * - `succeeded`: the gateway did it.
 * - `retry`: it did not happen and may go well later.
 * - `wait`: the gateway asks for a pause; nothing happened.
 * - `stalled`: it did not happen and will not without a person or a new file.
 * - `unknown`: it may have happened. Recorded as an unresolved attempt.
 * - `dropped`: it was not sent, since the file no longer asked for it.
 */
export type Outcome =
  | { readonly kind: 'succeeded'; readonly versionId: string | null; readonly publishId: string | null }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'wait'; readonly afterMs: number; readonly failure: Failure }
  | { readonly kind: 'retry' | 'stalled' | 'unknown'; readonly failure: Failure };

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
}

/** Returns what the record says of a publication once `outcome` of the attempt for `change` is known. */
export function nextRecord(
  change: Change,
  outcome: Outcome,
  before: RecordedPublication | undefined,
  attempt: { readonly id: number; readonly settledAtMs: number },
): RecordedPublication | undefined {
  const { key, api, apiId, environment, environmentId, action, revision } = change;
  const names = { key, api, apiId, environment, environmentId };
  switch (outcome.kind) {
    case 'succeeded':
      return { ...names, state: action, revision, versionId: outcome.versionId, recordedAtMs: attempt.settledAtMs, unresolved: null };
    case 'unknown':
      return {
        ...names,
        state: before?.state ?? null,
        revision: before?.revision ?? null,
        versionId: before?.versionId ?? null,
        recordedAtMs: before?.recordedAtMs ?? attempt.settledAtMs,
        unresolved: { attemptId: attempt.id, action, revision },
      };
    case 'dropped':
    case 'wait':
    case 'retry':
    case 'stalled':
      return before;
    default:
      return assertNever(outcome);
  }
}
