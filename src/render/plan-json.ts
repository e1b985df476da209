import type { components } from '../../generated/edict-plan.d.ts';
import type { FileHold } from '../model/approval.ts';
import type { Change, Plan } from '../model/change.ts';
import type { Commit, Suspension } from '../model/desired-state.ts';
import type { UnmanagedPublication } from '../model/observation.ts';
import { knownStateBefore } from '../model/recorded-state.ts';
import { planDigest } from '../plan/digest.ts';
import { estimateCost } from '../plan/estimate.ts';
import { approvalDigest } from '../plan/policies.ts';
import { summarizePlan } from '../plan/summary.ts';
import { formatTimestamp } from './format.ts';
import { listNotices } from './notices.ts';
import type { BlameInfo, PlanView } from './plan-view.ts';

type Schemas = components['schemas'];

/** Returns the JSON form of a plan, which spec/plan.schema.json describes. */
export function planJson({ plan, desired, notices, uncheckedReason = null, approveCommand, commits }: PlanView): Schemas['Plan'] {
  return {
    format: 1,
    digest: planDigest(plan),
    approvalDigest: approvalDigest(plan),
    approveCommand,
    fileHeld: plan.fileHeld && fileHoldJson(plan.fileHeld),
    suspension: plan.suspension && suspensionJson(plan.suspension),
    approval: plan.approval && {
      by: plan.approval.by,
      reason: plan.approval.reason,
      expiresAt: formatTimestamp(plan.approval.expiresAtMs),
    },
    gateway: plan.gateway,
    emulated: plan.isEmulated ?? false,
    uncheckedReason,
    targets: plan.targets,
    ...(plan.savedPlanDiff && { savedPlan: { applied: plan.savedPlanDiff.appliedCount, notInPlan: plan.savedPlanDiff.notInPlan } }),
    summary: summarizePlan(plan),
    unmanaged: plan.unmanaged.map(unmanagedJson),
    lastChecked: lastCheckedJson(plan),
    changes: plan.changes.map((change) => changeJson(change, commits)),
    notices: listNotices(plan, notices),
    estimate: estimateCost(plan.changes, desired.gateway),
  };
}

function changeJson(change: Change, commits: BlameInfo['commits']): Schemas['Change'] {
  const { api, apiId, environment, environmentId, action, reason, from, to, revision, version, drift, held, deferred, source } = change;
  return {
    ...{ api, apiId, environment, environmentId, action, reason, from, to, revision, version },
    drift: drift && {
      from: knownStateBefore(drift),
      since: drift.fromSinceMs === null ? null : formatTimestamp(drift.fromSinceMs),
      detectedAt: formatTimestamp(drift.detectedAtMs),
    },
    held: held && `${held.rule}: ${held.message}`,
    deferred: deferred && {
      rule: deferred.rule,
      message: deferred.message,
      until: deferred.untilMs === null ? null : formatTimestamp(deferred.untilMs),
    },
    source: source && { file: source.file, line: source.line, column: source.column, commit: commits ? commitJson(commits(source)) : null },
  };
}

/** Returns the JSON form of an unmanaged publication. */
function unmanagedJson({ api, apiId, environment, environmentId }: UnmanagedPublication): Schemas['Unmanaged'] {
  return { api, apiId, environment, environmentId };
}

/** Returns the JSON form of the time of the last complete observation. */
export function lastCheckedJson({ lastChecked: { atMs, isCurrent } }: Pick<Plan, 'lastChecked'>): Schemas['LastChecked'] {
  return { at: atMs === null ? null : formatTimestamp(atMs), current: isCurrent };
}

/** Returns the JSON form of the hold of a whole file; what it affects is left out, since it can be long. */
export function fileHoldJson({ rule, message, hint }: FileHold): Schemas['FileHold'] {
  return { rule, message, hint };
}

/** Returns the JSON form of a suspension. */
export function suspensionJson({ by, reason, sinceMs, untilMs }: Suspension): Schemas['Suspension'] {
  const toIso = (ms: number | null): string | null => (ms === null ? null : formatTimestamp(ms));
  return { by, reason, since: toIso(sinceMs), until: toIso(untilMs) };
}

/** Returns the JSON form of a commit. The author's name is untrusted text. */
export function commitJson(commit: Commit | null): components['schemas']['Commit'] | null {
  if (commit === null) return null;
  if (commit.kind === 'uncommitted') return { id: null, author: null, at: null };
  return { id: commit.id, author: commit.author, at: formatTimestamp(commit.atMs) };
}
