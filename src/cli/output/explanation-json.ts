import type { Explanation } from '../../app/explanation.ts';
import type { RecordedExplanation } from '../../app/recorded-reports.ts';
import type { Deferral } from '../../model/change.ts';
import { type Drift, knownStateBefore, type RecordedPublication } from '../../model/recorded-state.ts';
import { historyAttemptJson } from '../../render/attempt-json.ts';
import { formatTimestamp } from '../../render/format.ts';
import { listNotices } from '../../render/notices.ts';
import { fileHoldJson } from '../../render/plan-json.ts';
import { daemonJson } from '../../render/status-json.ts';
import { errorDocument } from './errors.ts';
import type { NextStep } from './next-step.ts';

/** Returns an explanation as the JSON document of `explain --format json`. */
export function explanationJson(explanation: Explanation, next: NextStep) {
  const { names, isPlaceholder, desired, declaration, recorded, attempts, plan, notices, controllerStatus } = explanation;
  const { endpoint, project, instance } = desired.gateway;
  return {
    format: 1,
    gateway: { endpoint, project, instance },
    emulated: plan.isEmulated ?? false,
    api: names.api,
    apiId: isPlaceholder.api ? null : names.apiId,
    environment: names.environment,
    environmentId: isPlaceholder.environment ? null : names.environmentId,
    desired: declaration && desiredJson(declaration, desired.environments.get(names.environmentId)?.isProtected ?? false),
    recorded: recorded && recordedJson(recorded),
    observed: observedJson(explanation),
    attempts: attempts.map(({ attempt, hint }) => ({ ...historyAttemptJson(attempt), hint })),
    next: { ...next, held: plan.changes[0]?.held ?? null, deferred: deferralJson(plan.changes[0]?.deferred ?? null) },
    fileHeld: plan.fileHeld && fileHoldJson(plan.fileHeld),
    notices: listNotices(plan, notices).map(({ kind, message }) => ({ kind, message })),
    daemon: daemonJson(controllerStatus, explanation.leaseHolder),
  };
}

/** Returns what the store knows of a publication whose file is invalid: the errors of the file, and what is known of the same document. */
export function recordedExplanationJson({ cell, attempts, ...explanation }: RecordedExplanation, isEmulated: boolean) {
  const { fileError, gateway, controllerStatus, leaseHolder } = explanation;
  const { endpoint, project, instance } = gateway;
  return {
    ...errorDocument(fileError),
    gateway: { endpoint, project, instance },
    emulated: isEmulated,
    ...{ api: cell.api, apiId: cell.apiId, environment: cell.environment, environmentId: cell.environmentId },
    desired: null,
    recorded: cell.recorded && recordedJson(cell.recorded),
    observed: null,
    attempts: attempts.map(historyAttemptJson),
    next: null,
    fileHeld: null,
    notices: [],
    daemon: daemonJson(controllerStatus, leaseHolder),
  };
}

function desiredJson({ publication, line }: NonNullable<Explanation['declaration']>, isProtected: boolean) {
  const { state, revision, remark, version, driftPolicy, source } = publication;
  return { state, revision, remark, version, drift: driftPolicy, protected: isProtected, source: { ...source, text: line } };
}

function recordedJson(recorded: RecordedPublication) {
  const { state, revision, versionId, recordedAtMs, publishedAtMs, editedAtMs, drift, correctionCount, lastCorrectedAtMs, unknownAttempt } =
    recorded;
  return {
    state,
    revision,
    versionId,
    recordedAt: formatTimestamp(recordedAtMs),
    publishedAt: timestampOrNull(publishedAtMs),
    editedAt: timestampOrNull(editedAtMs),
    drift: drift && driftJson(drift),
    corrections: correctionCount,
    correctedAt: timestampOrNull(lastCorrectedAtMs),
    unknownAttempt: unknownAttempt && {
      attempt: unknownAttempt.attemptId,
      action: unknownAttempt.action,
      marker: unknownAttempt.marker,
      endedAt: timestampOrNull(unknownAttempt.endedAtMs),
    },
  };
}

function driftJson(drift: Drift) {
  const { fromSinceMs, detectedAtMs, backoffUntilMs } = drift;
  return {
    from: knownStateBefore(drift),
    since: timestampOrNull(fromSinceMs),
    detectedAt: formatTimestamp(detectedAtMs),
    backoffUntil: timestampOrNull(backoffUntilMs),
  };
}

function deferralJson(deferral: Deferral | null) {
  return deferral && { rule: deferral.rule, message: deferral.message, until: timestampOrNull(deferral.untilMs) };
}

function observedJson({ gateway }: Explanation) {
  if (gateway.kind !== 'observed') return gateway;
  const { recorded, versions } = gateway;
  return {
    kind: gateway.kind,
    state: recorded?.state ?? null,
    publishedAt: timestampOrNull(recorded?.publishedAtMs ?? null),
    editedAt: timestampOrNull(recorded?.editedAtMs ?? null),
    effectiveVersionId: versions?.find(({ isEffective }) => isEffective)?.versionId ?? null,
    versions: versions?.length ?? null,
  };
}

function timestampOrNull(ms: number | null): string | null {
  return ms === null ? null : formatTimestamp(ms);
}
