import type { Drift, RecordedPublication } from '../core/publication.ts';
import type { Wait } from '../core/wait.ts';
import type { Explanation } from '../explanation.ts';
import { attemptJson } from '../words/attempt-json.ts';
import { conditionJson } from '../words/condition-json.ts';
import { momentInWords } from '../words/phrases.ts';
import { seenOf } from '../words/seen.ts';
import type { NextStep } from './next-step.ts';

/** Returns an explanation as other programs read it: the JSON that the README describes. */
export function explanationJson(explanation: Explanation, next: NextStep) {
  const { names, isMadeUp, desired, wanted, recorded, attempts, plan, notes, condition } = explanation;
  const { endpoint, project, instance } = desired.gateway;
  return {
    format: 1,
    gateway: { endpoint, project, instance },
    api: names.api,
    apiId: isMadeUp.api ? null : names.apiId,
    environment: names.environment,
    environmentId: isMadeUp.environment ? null : names.environmentId,
    desired: wanted && desiredJson(wanted, desired.environments.get(names.environmentId)?.protected ?? false),
    recorded: recorded && recordedJson(recorded),
    observed: observedJson(explanation),
    attempts: attempts.map(({ attempt, hint }) => ({ ...attemptJson(attempt), hint })),
    next: { ...next, held: plan.changes[0]?.held ?? null, waits: waitsJson(plan.changes[0]?.waits ?? null) },
    suspicion: plan.suspicion && { rule: plan.suspicion.rule, message: plan.suspicion.message, hint: plan.suspicion.hint },
    seen: seenOf(plan, notes).map(({ kind, message }) => ({ kind, message })),
    daemon: condition && { ...conditionJson(condition), isAlive: explanation.holder !== null, holder: explanation.holder },
  };
}

function desiredJson({ publication, line }: NonNullable<Explanation['wanted']>, isProtected: boolean) {
  const { state, revision, remark, version, drift, source } = publication;
  return { state, revision, remark, version, drift, protected: isProtected, source: { ...source, text: line } };
}

function recordedJson(recorded: RecordedPublication) {
  const { state, revision, versionId, recordedAtMs, publishedAtMs, editedAtMs, drift, corrections, correctedAtMs, unresolved } = recorded;
  return {
    state,
    revision,
    versionId,
    recordedAt: momentInWords(recordedAtMs),
    publishedAt: moment(publishedAtMs),
    editedAt: moment(editedAtMs),
    drift: drift && driftJson(drift),
    corrections,
    correctedAt: moment(correctedAtMs),
    unresolved: unresolved && {
      attempt: unresolved.attemptId,
      action: unresolved.action,
      marker: unresolved.marker,
      over: moment(unresolved.overAtMs),
    },
  };
}

function driftJson({ from, fromSinceMs, seenAtMs, truceUntilMs }: Drift) {
  return { from, since: moment(fromSinceMs), seen: momentInWords(seenAtMs), leftAloneUntil: moment(truceUntilMs) };
}

function waitsJson(waits: Wait | null) {
  return waits && { rule: waits.rule, message: waits.message, until: moment(waits.untilMs) };
}

function observedJson({ gateway }: Explanation) {
  if (gateway.kind !== 'seen') return gateway;
  const { recorded, versions } = gateway;
  return {
    kind: gateway.kind,
    state: recorded?.state ?? null,
    publishedAt: moment(recorded?.publishedAtMs ?? null),
    editedAt: moment(recorded?.editedAtMs ?? null),
    effectiveVersionId: versions?.find(({ isEffective }) => isEffective)?.versionId ?? null,
    versions: versions?.length ?? null,
  };
}

function moment(ms: number | null): string | null {
  return ms === null ? null : momentInWords(ms);
}
