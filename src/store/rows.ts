import type { Approval } from '../model/approval.ts';
import type { Attempt } from '../model/attempt.ts';
import type { ControllerStatus } from '../model/controller-status.ts';
import type { Suspension } from '../model/desired-state.ts';
import type { GatewayIdentity, GatewayMove } from '../model/gateway.ts';
import type { LastObservation, Unobserved } from '../model/observation.ts';
import { type Action, type PublicationKey, type PublicationState, publicationKey } from '../model/publication.ts';
import type { PriorState, RecordedPublication } from '../model/recorded-state.ts';

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

/** Maps a row of `publication`, joined with its attempt of unknown outcome as `unknown_*`, to a recorded publication. */
export function toRecordedPublication(row: SqlRow): RecordedPublication {
  const attemptId = toNullableNumber(row['unknown_attempt_id']);
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
            action: row['unknown_action'] as Action,
            revision: toNullableString(row['unknown_revision']),
            version: toNullableString(row['unknown_version']),
            marker: toNullableString(row['unknown_marker']),
            startedAtMs: Number(row['unknown_started_at_ms']),
            sendByMs: Number(row['unknown_send_by_ms']),
            endedAtMs: toNullableNumber(row['unknown_ended_at_ms']),
          },
    drift:
      row['drift_detected_at_ms'] === null
        ? null
        : {
            from: row['drift_from'] as PublicationState | null,
            fromSinceMs: toNullableNumber(row['drift_from_since_ms']),
            detectedAtMs: Number(row['drift_detected_at_ms']),
            backoffUntilMs: toNullableNumber(row['drift_backoff_until_ms']),
          },
    correctionCount: Number(row['corrections']),
    lastCorrectedAtMs: toNullableNumber(row['corrected_at_ms']),
    changedAtMs: toNullableNumber(row['changed_at_ms']),
    wasDeclared: Number(row['was_declared']) === 1,
  };
}

function toPriorState(row: SqlRow): PriorState {
  const state = row['prior_state'];
  return {
    state: state === 'none' ? null : (state as PublicationState),
    revision: toNullableString(row['prior_revision']),
    versionId: toNullableString(row['prior_version_id']),
  };
}

/** Maps a row of `attempt` to an attempt. */
export function toAttempt(row: SqlRow): Attempt {
  return {
    id: Number(row['id']),
    reconcileId: String(row['reconcile_id']),
    ...toPublicationNames(row),
    action: row['action'] as Action,
    reason: row['reason'] as Attempt['reason'],
    revision: toNullableString(row['revision']),
    remark: toNullableString(row['remark']),
    marker: toNullableString(row['marker']),
    requestedVersionId: toNullableString(row['requested_version_id']),
    startedAtMs: Number(row['started_at_ms']),
    finishedAtMs: toNullableNumber(row['finished_at_ms']),
    outcome: row['outcome'] as Attempt['outcome'],
    code: toNullableString(row['code']),
    status: toNullableNumber(row['status']),
    message: toNullableString(row['message']),
    requestId: toNullableString(row['request_id']),
    versionId: toNullableString(row['version_id']),
    publishId: toNullableString(row['publish_id']),
    commitId: toNullableString(row['commit_id']),
    priorState: toPriorState(row),
    approval: row['approved_by'] == null ? null : { by: String(row['approved_by']), reason: String(row['approved_reason']) },
  };
}

/** Maps a row of `approval` to an approval; `usedKeys` are the publications already changed with it. */
export function toApproval(row: SqlRow, usedKeys: ReadonlySet<PublicationKey>): Approval {
  return {
    id: Number(row['id']),
    digest: String(row['digest']),
    by: String(row['approved_by']),
    reason: String(row['reason']),
    approvedAtMs: Number(row['approved_at_ms']),
    expiresAtMs: Number(row['expires_at_ms']),
    scope: JSON.parse(String(row['scope'])) as string[],
    usedKeys,
    isFileHoldReleased: row['is_file_hold_released'] === 1,
  };
}

/** Maps a row of `gateway` to the identity of the gateway. */
export function toGatewayIdentity(row: SqlRow): GatewayIdentity {
  return { endpoint: String(row['endpoint']), project: String(row['project']), instance: String(row['instance']) };
}

/** Reads the controller status in a row of `gateway`; `null` if no controller runs. */
export function toControllerStatus(row: SqlRow | undefined): ControllerStatus | null {
  const json = row?.['controller_status'];
  return typeof json === 'string' ? (JSON.parse(json) as ControllerStatus) : null;
}

/** Serializes a controller status for the column `controller_status`. */
export function fromControllerStatus(status: ControllerStatus): string {
  return JSON.stringify(status);
}

/** Reads the digests of applied files in a row of `gateway`. */
export function toAppliedDigests(row: SqlRow | undefined): readonly string[] {
  const json = row?.['applied_digests'];
  return typeof json === 'string' ? (JSON.parse(json) as string[]) : [];
}

/** The part of a list that the store keeps as JSON. */
type ListDetails = Pick<LastObservation, 'unmanaged' | 'missingApiIds' | 'unreadVersions'>;
const noDetails: ListDetails = { unmanaged: [], missingApiIds: [], unreadVersions: [] };

/** Returns the last list of a gateway from its row; `null` if there was none. */
export function toLastObservation(row: SqlRow | undefined): LastObservation | null {
  if (row?.['listed_apis'] == null) return null;
  const { listed_apis: apis, listed_publications: publications, observed_at_ms: observedAtMs, listed_details: details } = row;
  const lookedUp = row['looked_up'];
  return {
    apis: Number(apis),
    publications: Number(publications),
    observedAtMs: observedAtMs == null ? null : Number(observedAtMs),
    ...(typeof details === 'string' ? (JSON.parse(details) as ListDetails) : noDetails),
    lookedUp: typeof lookedUp === 'string' ? new Set(JSON.parse(lookedUp) as PublicationKey[]) : null,
  };
}

/** Reads why a gateway could not be observed from its row; `null` if it could. */
export function toUnobserved(row: SqlRow | undefined): Unobserved | null {
  const json = row?.['unobserved'];
  return typeof json === 'string' ? (JSON.parse(json) as Unobserved) : null;
}

/** Reads the suspension in a row of `gateway`; `null` if there is none. */
export function toSuspension(row: SqlRow | undefined): Suspension | null {
  const json = row?.['suspension'];
  return typeof json === 'string' ? (JSON.parse(json) as Suspension) : null;
}

/** Reads the move of a file to this gateway in a row of `gateway`; `null` if there was none. */
export function toGatewayMove(row: SqlRow | undefined): GatewayMove | null {
  const json = row?.['moved'];
  return typeof json === 'string' ? (JSON.parse(json) as GatewayMove) : null;
}
