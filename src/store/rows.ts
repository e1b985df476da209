import type { Approval } from '../model/approval.ts';
import type { ProbeResult } from '../model/deferral.ts';
import type { Attempt, ControllerStatus, RequestPause } from '../model/ports.ts';
import {
  type Action,
  type GatewayIdentity,
  type PriorState,
  type PublicationKey,
  type PublicationState,
  publicationKey,
  type RecordedPublication,
  type Suspension,
} from '../model/publication.ts';

/** A row as either engine returns it. */
export type SqlRow = Readonly<Record<string, unknown>>;

const toPublicationNames = (row: SqlRow) => ({
  api: String(row['api']),
  apiId: String(row['api_id']),
  environment: String(row['environment']),
  environmentId: String(row['environment_id']),
});

const toNullableString = (value: unknown): string | null => (value === null ? null : String(value));
const toNullableNumber = (value: unknown): number | null => (value === null ? null : Number(value));

/** Maps a row of `publication`, joined with its unresolved attempt as `unresolved_*`, to a recorded publication. */
export function toRecordedPublication(row: SqlRow): RecordedPublication {
  const attemptId = toNullableNumber(row['unresolved_attempt_id']);
  return {
    key: publicationKey(String(row['api_id']), String(row['environment_id'])),
    ...toPublicationNames(row),
    state: row['state'] as PublicationState | null,
    revision: toNullableString(row['revision']),
    versionId: toNullableString(row['version_id']),
    publishId: toNullableString(row['publish_id']),
    publishedAtMs: toNullableNumber(row['published_at_ms']),
    editedAtMs: toNullableNumber(row['edited_at_ms']),
    recordedAtMs: Number(row['recorded_at_ms']),
    unknownAttempt:
      attemptId === null
        ? null
        : {
            attemptId,
            action: row['unresolved_action'] as Action,
            revision: toNullableString(row['unresolved_revision']),
            version: toNullableString(row['unresolved_version']),
            marker: toNullableString(row['unresolved_marker']),
            endedAtMs: toNullableNumber(row['unresolved_over_at_ms']),
          },
    drift:
      row['drift_seen_at_ms'] === null
        ? null
        : {
            from: row['drift_from'] as PublicationState | null,
            fromSinceMs: toNullableNumber(row['drift_from_since_ms']),
            detectedAtMs: Number(row['drift_seen_at_ms']),
            backoffUntilMs: toNullableNumber(row['drift_truce_until_ms']),
          },
    correctionCount: Number(row['corrections']),
    lastCorrectedAtMs: toNullableNumber(row['corrected_at_ms']),
  };
}

function toPriorState(row: SqlRow): PriorState | null {
  const state = row['before_state'];
  if (state == null) return null;
  return {
    state: state === 'none' ? null : (state as PublicationState),
    revision: toNullableString(row['before_revision']),
    versionId: toNullableString(row['before_version_id']),
  };
}

/** Maps a row of `attempt` to an attempt. */
export function toAttempt(row: SqlRow): Attempt {
  return {
    id: Number(row['id']),
    reconcileId: String(row['pass_id']),
    ...toPublicationNames(row),
    action: row['action'] as Action,
    reason: row['reason'] as Attempt['reason'],
    revision: toNullableString(row['revision']),
    remark: toNullableString(row['remark']),
    marker: toNullableString(row['marker']),
    requestedVersionId: toNullableString(row['asked_version_id']),
    startedAtMs: Number(row['began_at_ms']),
    finishedAtMs: toNullableNumber(row['settled_at_ms']),
    outcome: row['outcome'] as Attempt['outcome'],
    code: toNullableString(row['code']),
    status: toNullableNumber(row['status']),
    message: toNullableString(row['message']),
    requestId: toNullableString(row['request_id']),
    versionId: toNullableString(row['version_id']),
    publishId: toNullableString(row['publish_id']),
    commitId: toNullableString(row['commit_id']),
    priorState: toPriorState(row),
    approval: row['approved_by'] == null ? null : { by: String(row['approved_by']), reason: String(row['approved_why']) },
  };
}

/** Maps a row of `approval` to an approval; `usedKeys` are the publications already changed with it. */
export function toApproval(row: SqlRow, usedKeys: ReadonlySet<PublicationKey>): Approval {
  return {
    id: Number(row['id']),
    digest: String(row['digest']),
    by: String(row['approved_by']),
    reason: String(row['why']),
    approvedAtMs: Number(row['at_ms']),
    expiresAtMs: Number(row['expires_at_ms']),
    scope: JSON.parse(String(row['work'])) as string[],
    usedKeys,
    isFileHoldReleased: row['is_spent'] === 1,
  };
}

/** Maps a row of `gateway` to the identity of the gateway. */
export function toGatewayIdentity(row: SqlRow): GatewayIdentity {
  return { endpoint: String(row['endpoint']), project: String(row['project']), instance: String(row['instance']) };
}

/** The JSON in the column `condition`. */
interface StoredStatus extends Pick<ControllerStatus, 'pid' | 'calls' | 'perMs'> {
  readonly atMs: number;
  readonly stopped: { readonly why: RequestPause['reason']; readonly message: string; readonly sinceMs: number } | null;
  readonly probes?: readonly (Omit<ProbeResult, 'message'> & { readonly said: string })[];
}

/** Reads the controller status in a row of `gateway`; `null` if no controller runs. */
export function toControllerStatus(row: SqlRow | undefined): ControllerStatus | null {
  const json = row?.['condition'];
  if (typeof json !== 'string') return null;
  const { atMs, pid, calls, perMs, stopped, probes } = JSON.parse(json) as StoredStatus;
  return {
    ...{ updatedAtMs: atMs, pid, calls, perMs },
    paused: stopped && { reason: stopped.why, message: stopped.message, sinceMs: stopped.sinceMs },
    ...(probes && { failedProbes: probes.map(({ said, ...probe }) => ({ ...probe, message: said })) }),
  };
}

/** Serializes a controller status for the column `condition`. */
export function fromControllerStatus({ updatedAtMs, pid, calls, perMs, paused, failedProbes }: ControllerStatus): string {
  return JSON.stringify({
    ...{ calls, perMs },
    stopped: paused && { why: paused.reason, message: paused.message, sinceMs: paused.sinceMs },
    ...(failedProbes && { probes: failedProbes.map(({ message, ...probe }) => ({ ...probe, said: message })) }),
    ...{ atMs: updatedAtMs, pid },
  } satisfies StoredStatus);
}

/** Reads the digests of applied files in a row of `gateway`. */
export function toAppliedDigests(row: SqlRow | undefined): readonly string[] {
  const json = row?.['acted'];
  return typeof json === 'string' ? (JSON.parse(json) as string[]) : [];
}

/** Reads the suspension in a row of `gateway`; `null` if there is none. */
export function toSuspension(row: SqlRow | undefined): Suspension | null {
  const json = row?.['suspension'];
  return typeof json === 'string' ? (JSON.parse(json) as Suspension) : null;
}
