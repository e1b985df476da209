import type { Approval } from '../core/guards.ts';
import type { Attempt, Condition } from '../core/ports.ts';
import {
  type Action,
  type Before,
  type GatewayIdentity,
  type PublicationKey,
  publicationKey,
  type RecordedPublication,
  type State,
  type Suspension,
} from '../core/publication.ts';

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, unknown>>;

const names = (row: Row) => ({
  api: String(row['api']),
  apiId: String(row['api_id']),
  environment: String(row['environment']),
  environmentId: String(row['environment_id']),
});

const text = (value: unknown): string | null => (value === null ? null : String(value));
const number = (value: unknown): number | null => (value === null ? null : Number(value));

/** Returns the recorded publication of a row of `publication`, joined with its unresolved attempt as `unresolved_*`. */
export function toRecordedPublication(row: Row): RecordedPublication {
  const attemptId = number(row['unresolved_attempt_id']);
  return {
    key: publicationKey(String(row['api_id']), String(row['environment_id'])),
    ...names(row),
    state: row['state'] as State | null,
    revision: text(row['revision']),
    versionId: text(row['version_id']),
    publishId: text(row['publish_id']),
    publishedAtMs: number(row['published_at_ms']),
    editedAtMs: number(row['edited_at_ms']),
    recordedAtMs: Number(row['recorded_at_ms']),
    unresolved:
      attemptId === null
        ? null
        : {
            attemptId,
            action: row['unresolved_action'] as Action,
            revision: text(row['unresolved_revision']),
            version: text(row['unresolved_version']),
            marker: text(row['unresolved_marker']),
            overAtMs: number(row['unresolved_over_at_ms']),
          },
    drift:
      row['drift_seen_at_ms'] === null
        ? null
        : {
            from: row['drift_from'] as State | null,
            fromSinceMs: number(row['drift_from_since_ms']),
            seenAtMs: Number(row['drift_seen_at_ms']),
            truceUntilMs: number(row['drift_truce_until_ms']),
          },
    corrections: Number(row['corrections']),
    correctedAtMs: number(row['corrected_at_ms']),
  };
}

function toBefore(row: Row): Before | null {
  const state = row['before_state'];
  if (state == null) return null;
  return {
    state: state === 'none' ? null : (state as State),
    revision: text(row['before_revision']),
    versionId: text(row['before_version_id']),
  };
}

/** Returns the attempt of a row of `attempt`. */
export function toAttempt(row: Row): Attempt {
  return {
    id: Number(row['id']),
    passId: String(row['pass_id']),
    ...names(row),
    action: row['action'] as Action,
    reason: row['reason'] as Attempt['reason'],
    revision: text(row['revision']),
    remark: text(row['remark']),
    marker: text(row['marker']),
    askedVersionId: text(row['asked_version_id']),
    beganAtMs: Number(row['began_at_ms']),
    settledAtMs: number(row['settled_at_ms']),
    outcome: row['outcome'] as Attempt['outcome'],
    code: text(row['code']),
    status: number(row['status']),
    message: text(row['message']),
    requestId: text(row['request_id']),
    versionId: text(row['version_id']),
    publishId: text(row['publish_id']),
    commitId: text(row['commit_id']),
    before: toBefore(row),
    approval: row['approved_by'] == null ? null : { by: String(row['approved_by']), why: String(row['approved_why']) },
  };
}

/** Returns the approval of a row of `approval`; `done` is what has been made with it. */
export function toApproval(row: Row, done: ReadonlySet<PublicationKey>): Approval {
  return {
    id: Number(row['id']),
    digest: String(row['digest']),
    by: String(row['approved_by']),
    why: String(row['why']),
    atMs: Number(row['at_ms']),
    expiresAtMs: Number(row['expires_at_ms']),
    work: JSON.parse(String(row['work'])) as string[],
    done,
    isSpent: row['is_spent'] === 1,
  };
}

/** Returns the gateway of a row of `gateway`. */
export function identityOf(row: Row): GatewayIdentity {
  return { endpoint: String(row['endpoint']), project: String(row['project']), instance: String(row['instance']) };
}

/** Returns the condition in a row of `gateway`; `null` if nobody is at work. */
export function toCondition(row: Row | undefined): Condition | null {
  const written = row?.['condition'];
  return typeof written === 'string' ? (JSON.parse(written) as Condition) : null;
}

/** Returns what was acted on, as a row of `gateway` has it. */
export function toActed(row: Row | undefined): readonly string[] {
  const written = row?.['acted'];
  return typeof written === 'string' ? (JSON.parse(written) as string[]) : [];
}

/** Returns the suspension in a row of `gateway`; `null` if there is none. */
export function toSuspension(row: Row | undefined): Suspension | null {
  const written = row?.['suspension'];
  return typeof written === 'string' ? (JSON.parse(written) as Suspension) : null;
}
