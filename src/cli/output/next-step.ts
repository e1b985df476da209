import type { Explanation } from '../../app/explanation.ts';
import type { Attempt } from '../../model/attempt.ts';
import type { Change, ChangeReason } from '../../model/change.ts';
import type { ControllerStatus } from '../../model/controller-status.ts';
import type { DesiredState } from '../../model/desired-state.ts';
import type { Action } from '../../model/publication.ts';
import type { UnknownAttempt } from '../../model/recorded-state.ts';
import type { Settings } from '../../model/settings.ts';
import { allTargets } from '../../plan/targets.ts';
import { approveCommand, formatCommandLine } from '../../render/command-line.ts';
import { formatDurationMs, formatReason, formatTimestamp } from '../../render/format.ts';
import { formatLastCheck } from '../../render/headline.ts';
import { listNotices, type Notice } from '../../render/notices.ts';

/** The next step for one publication. */
export interface NextStep {
  /**
   * `pending`: a call is made. `failed`: the last attempt failed. `unknown`: the outcome of an attempt is determined first. `held`: the
   * change needs an approval. `deferred`: the change is made later. For all other kinds no call is made.
   */
  readonly kind: 'pending' | 'failed' | 'unknown' | 'held' | 'deferred' | 'drifted' | 'flapping' | 'outdated' | 'unchanged' | 'unmanaged';
  readonly action: Action | null;
  readonly reason: ChangeReason | null;
  /** A short title. */
  readonly summary: string;
  readonly details: string;
  /** When the step happens, and its condition; `null` if nothing will happen. */
  readonly when: string | null;
  /** Recommended actions; empty if none is needed. */
  readonly advice: readonly string[];
  /** The command that starts the step, quoted for a shell; `null` if there is none. */
  readonly command: string | null;
}

/** Returns the next step for the publication: why, when, and which actions help. */
export function computeNextStep(explanation: Explanation, settings: Settings): NextStep {
  const [change] = explanation.plan.changes;
  if (change) return nextStepForChange(change, explanation, settings);
  const [notice] = listNotices(explanation.plan, []);
  const isMissing = notice !== undefined && explanation.plan.missingApiIds.includes(notice.apiId);
  const step = isMissing
    ? nextStepForMissingApi(notice, explanation)
    : notice
      ? nextStepForNotice(notice, explanation, settings)
      : nextStepWithoutChange(explanation, settings);
  const { fileHeld } = explanation.plan;
  if (!fileHeld) return step;
  const details = `${step.details}; the file is held: ${fileHeld.message}`;
  const { advice, command } = approvalOf(fileHeld.hint, explanation, settings);
  return { ...step, summary: `${step.summary}; the whole file is held`, details, advice: [...step.advice, ...advice], command };
}

/** Returns the approve command for the whole file, since an approval covers all changes that the policies hold; `null` if none helps. */
function approvalOf(hint: string, { wholePlan }: Explanation, settings: Settings): Pick<NextStep, 'advice' | 'command'> {
  const command = approveCommand(wholePlan, { ...settings, targets: allTargets.patterns });
  if (command === null) return { advice: [hint], command };
  return { advice: [hint, 'the command below approves everything that is held, not only this publication'], command };
}

function nextStepForChange(change: Change, explanation: Explanation, settings: Settings): NextStep {
  const { action, reason, held, deferred } = change;
  const failed = lastFailure(change, explanation)?.attempt;
  const details =
    formatReason(change) + (failed?.code ? `; the last attempt failed: ${failed.code} ${failed.message ?? ''}`.trimEnd() : '');
  const actionAndReason = { action, reason } as const;
  if (held) {
    const approval = approvalOf(held.hint, explanation, settings);
    const [needs, after] = approval.command === null ? ['a person', 'acts'] : ['an approval', 'approves it'];
    const summary = `held: going ${action} needs ${needs} (rule \`${held.rule}\`)`;
    const when = `after a person ${after}${isControllerRunning(explanation) ? '' : `, ${formatWhenApplied(explanation)}`}`;
    return {
      kind: 'held',
      ...actionAndReason,
      summary,
      details: `${details}; ${held.message}`,
      when,
      ...approval,
    };
  }
  if (deferred) {
    const from = deferred.untilMs === null ? 'when that ends' : `from ${formatTimestamp(deferred.untilMs)} on`;
    const when = isControllerRunning(explanation) ? `${from}, automatically` : `${from}, ${formatWhenApplied(explanation)}`;
    return {
      kind: 'deferred',
      ...actionAndReason,
      summary: `goes ${action} later: ${deferred.message}`,
      details,
      when,
      advice: [],
      command: null,
    };
  }
  const timing = timingOf(change, explanation, settings);
  if (explanation.isUnseen && reason === 'new' && failed === undefined) {
    const summary = 'goes online as a new version only if it is not online there already';
    const details = `the gateway was ${formatLastCheck(explanation.plan.lastChecked)}`;
    const when = isControllerRunning(explanation) ? 'when the daemon has checked the gateway' : formatWhenApplied(explanation);
    const { command } = timing;
    return { kind: 'unknown', ...actionAndReason, summary, details, when, advice: [checkAdvice(explanation, settings)], command };
  }
  const unresolved = recordedBefore(explanation)?.unknownAttempt;
  if (reason === 'unknown' && unresolved) {
    const attempt = `attempt ${unresolved.attemptId} (${unresolved.action})`;
    const isUnderWay = isControllerRunning(explanation) && failed?.outcome === null;
    const summary = isUnderWay ? `${attempt} is in flight` : `checks first whether ${attempt} took effect; if not, goes ${action}`;
    return {
      kind: 'unknown',
      ...actionAndReason,
      summary,
      details: `${details}; ${formatConfirmation(unresolved, explanation)}`,
      ...timing,
    };
  }
  const how = change.version === null ? ' as a new version' : ` by switching to version ${change.version}`;
  const summary = `goes ${action}${action === 'online' ? how : ''}`;
  if (failed === undefined) return { kind: 'pending', ...actionAndReason, summary, details, ...timing };
  const needsPerson = isControllerRunning(explanation) && (failed.outcome === 'rejected' || failed.outcome === 'unauthorized');
  const nextAttempt = needsPerson ? `going ${action} failed and is not retried automatically` : `going ${action} failed and is retried`;
  return { kind: 'failed', ...actionAndReason, summary: nextAttempt, details, ...timing };
}

/** Returns the recorded state that the plan starts from. */
function recordedBefore({ gateway, recorded }: Explanation) {
  return gateway.kind === 'observed' ? gateway.recorded : recorded;
}

/** Explains how the gateway's list of versions confirms an attempt. */
function formatConfirmation({ action, marker, version }: UnknownAttempt, { desired }: Explanation): string {
  const { timeoutMs, propagationDelayMs, unknownOutcome } = desired.gateway;
  const absent = `if not, ${formatDurationMs(timeoutMs + propagationDelayMs)} after the call ended, it did not`;
  if (action === 'offline') return 'it took effect if no version is effective';
  if (version !== null) return `it took effect if version ${version} is effective; ${absent}`;
  if (marker !== null)
    return `it took effect if a version carries its marker ${marker}; ${absent}, unless a new version without a marker may be its version`;
  return unknownOutcome === 'hold'
    ? 'it carried no marker, so the gateway cannot tell, and `gateway.unknownOutcome` is `hold`'
    : 'it carried no marker, so the gateway cannot tell, and `gateway.unknownOutcome` is `retry`: it is sent again';
}

type Timing = Pick<NextStep, 'when' | 'advice' | 'command'>;

function isControllerRunning({ leaseHolder }: Explanation): boolean {
  return leaseHolder !== null;
}

function formatWhenApplied({ controllerStatus }: Explanation): string {
  return controllerStatus
    ? `at the next apply, or when edict is started again: pid ${controllerStatus.pid}, which last wrote the record, is not running on this host`
    : 'at the next apply: no edict process works on this gateway';
}

function timingOf(change: Change, explanation: Explanation, settings: Settings): Timing {
  const { controllerStatus, desired } = explanation;
  const failed = lastFailure(change, explanation);
  const hints = failed?.hint ? [failed.hint] : [];
  const unresolved = recordedBefore(explanation)?.unknownAttempt;
  if (change.reason === 'unknown' && unresolved && isUnconfirmable(unresolved) && desired.gateway.unknownOutcome === 'hold') {
    const advice = [
      'list the versions with the command below, and check whether it took effect',
      'to send it again regardless of the outcome, set `gateway.unknownOutcome: retry`',
    ];
    const command = formatCommandLine('history', ['--versions', explanation.names.api, explanation.names.environment], settings);
    return { when: 'after a person decides', advice, command };
  }
  if (!controllerStatus || !isControllerRunning(explanation)) {
    const narrowed = ['--api', explanation.names.api, '--environment', explanation.names.environment];
    const command = formatCommandLine('apply', [...narrowed, ...(settings.refresh === 'always' ? ['--refresh'] : [])], settings);
    return { when: formatWhenApplied(explanation), advice: hints, command };
  }
  if (controllerStatus.paused) return { when: formatResume(controllerStatus.paused), advice: hints, command: null };
  if (failed) return { when: formatRetry(failed.attempt, controllerStatus, desired), advice: hints, command: null };
  const when = "at the daemon's next reconciliation: when the file changes, on SIGHUP, or after --resync (default 5m)";
  return { when, advice: [], command: null };
}

function isUnconfirmable({ action, marker, version }: UnknownAttempt): boolean {
  return action === 'online' && marker === null && version === null;
}

/** Returns the last attempt if it was made for this change and did not succeed; else `null`. */
function lastFailure(change: Change, { attempts: [last] }: Explanation) {
  if (!last || last.attempt.outcome === 'succeeded') return null;
  const { action, revision, requestedVersionId } = last.attempt;
  return action === change.action && revision === change.revision && requestedVersionId === change.version ? last : null;
}

function formatResume({ reason, sinceMs }: NonNullable<ControllerStatus['paused']>): string {
  const ends = {
    pause: 'automatically, after the pause that the gateway asked for',
    outage: 'automatically, when the gateway answers again (checked once a second)',
    credentials: 'when the credentials change, or on SIGHUP',
  } as const;
  return `no calls since ${formatTimestamp(sinceMs)}; they resume ${ends[reason]}`;
}

function formatRetry({ outcome, startedAtMs, finishedAtMs }: Attempt, { pid }: ControllerStatus, { gateway }: DesiredState): string {
  switch (outcome) {
    case null:
      return `when the call in flight ends: it started at ${formatTimestamp(startedAtMs)} and takes at most ${formatDurationMs(gateway.timeoutMs)}`;
    case 'rejected':
      return `when the file changes, on SIGHUP (kill -HUP ${pid}), or when the daemon restarts`;
    case 'unauthorized':
      return 'when the credentials change, or on SIGHUP';
    default:
      return `automatically, at most 5 min after the last attempt ended (${formatTimestamp(finishedAtMs ?? startedAtMs)}); the log has the exact time`;
  }
}

/** A call for an API that the gateway does not have would be rejected. */
function nextStepForMissingApi({ apiId, message }: Notice, explanation: Explanation): NextStep {
  const isKnown = (recordedBefore(explanation)?.state ?? null) !== null;
  const step = { kind: 'drifted', action: null, reason: null, details: message, when: null, command: null } as const;
  const replacementId = explanation.plan.replacedApiIds?.[apiId];
  if (replacementId !== undefined)
    return {
      ...step,
      summary: isKnown
        ? 'no change; its API was deleted and created again under another ID'
        : 'no change; its API has another ID at the gateway',
      advice: [`write \`id: ${replacementId}\` in the file if that API is meant, or else remove it from the file`],
    };
  return {
    ...step,
    summary: isKnown ? 'no change; the gateway no longer lists its API' : 'no change; its API does not exist at the gateway',
    advice: ['remove the API from the file, or create it again at the gateway and write its new ID in the file'],
  };
}

function nextStepForNotice({ kind, message }: Notice, { desired, declaration }: Explanation, settings: Settings): NextStep {
  const rest = { action: null, reason: null, details: message, command: null } as const;
  if (kind === 'flapping') {
    const nextObservation =
      desired.refreshIntervalMs === null ? `\`${formatCommandLine('apply', ['--refresh'], settings)}\`` : "the daemon's";
    const advice = ["find out who changes it: see the console and the gateway's audit log"];
    return {
      kind,
      ...rest,
      summary: 'no change for now',
      when: `at the first observation after that: ${nextObservation}`,
      advice,
    };
  }
  if (kind === 'outdated') {
    const advice = ['set a new `revision` to publish the latest draft, or `republish: edited` to do so after every edit'];
    return { kind, ...rest, summary: 'no change; an older draft is online', when: null, advice };
  }
  const advice = [`set \`drift: correct\` to bring it back to ${declaration?.publication.state}, or change the file to match the gateway`];
  return {
    kind: 'drifted',
    ...rest,
    details: message.replace(/;[^;]*$/, '; the file says `drift: report`'),
    summary: 'no change; the drift is only reported',
    when: null,
    advice,
  };
}

/** Returns the advice to check the gateway, with the command that does. */
function checkAdvice({ names }: Explanation, settings: Settings): string {
  return `check the gateway now, without a change: \`${formatCommandLine('explain', [names.api, names.environment, '--refresh'], settings)}\``;
}

/** Returns the next step for a publication without a change and without a notice. */
function nextStepWithoutChange(explanation: Explanation, settings: Settings): NextStep {
  const { desired, declaration } = explanation;
  const recorded = recordedBefore(explanation);
  const rest = { action: null, reason: null, when: null, advice: [] as readonly string[], command: null } as const;
  if (declaration) {
    const { state, version, revision } = declaration.publication;
    if (state === 'offline' && (recorded?.state ?? null) === null) {
      const details = 'the file says offline, and edict has never seen it online: it takes offline only what it knows to be online';
      return { kind: 'unchanged', ...rest, summary: 'no change', details };
    }
    const isRevisionDeferred = version !== null && revision !== null && revision !== recorded?.revision;
    const details = isRevisionDeferred
      ? `the pinned version is effective; revision ${revision} is published once \`version\` is removed from the file`
      : 'the recorded state matches the file';
    const { lastChecked } = explanation.plan;
    if (lastChecked.isCurrent) return { kind: 'unchanged', ...rest, summary: 'no change; in sync', details };
    const summary = `no change as far as is recorded; the gateway was ${formatLastCheck(lastChecked)}`;
    return { kind: 'unchanged', ...rest, summary, details, advice: [checkAdvice(explanation, settings)] };
  }
  if (recorded?.state !== 'online') {
    const isOnline = explanation.plan.unmanaged.length > 0;
    return {
      kind: 'unmanaged',
      ...rest,
      summary: isOnline ? 'no change; unmanaged' : 'no change',
      details: isOnline
        ? 'it was online when the gateway was last observed, and is not in the file'
        : 'it was removed from the file, and is not online as far as edict knows',
      ...(isOnline && { advice: ['add it to the file to manage it'] }),
    };
  }
  if (desired.prune) {
    const details = 'it is not in the file and was published outside edict: edict takes offline only what it published itself';
    return { kind: 'unmanaged', ...rest, summary: 'no change', details };
  }
  const advice = ['add it to the file to manage it, or set `prune: true` to take offline everything that was removed from the file'];
  return {
    kind: 'unmanaged',
    ...rest,
    summary: 'no change',
    details: 'it was removed from the file, and `prune` is false',
    advice,
  };
}
