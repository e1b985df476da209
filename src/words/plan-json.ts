import type { components } from '../../generated/edict-plan.d.ts';
import { planDigest } from '../core/digest.ts';
import { estimate } from '../core/estimate.ts';
import { heldDigest } from '../core/guards.ts';
import type { Change, Plan } from '../core/plan.ts';
import type { Suspension } from '../core/publication.ts';
import { totalsOf } from '../core/totals.ts';
import { commitJson } from './commit-json.ts';
import { momentInWords } from './phrases.ts';
import { seenOf } from './seen.ts';
import type { Blamed, Shown } from './shown-plan.ts';

type Schemas = components['schemas'];

/** Returns a plan as other programs read it: what spec/plan.schema.json describes. */
export function planJson({ plan, desired, notes, release, commits }: Shown): Schemas['Plan'] {
  return {
    format: 1,
    digest: planDigest(plan),
    heldDigest: heldDigest(plan),
    release,
    suspicion: plan.suspicion && { rule: plan.suspicion.rule, message: plan.suspicion.message, hint: plan.suspicion.hint },
    suspension: plan.suspension && suspensionJson(plan.suspension),
    approval: plan.approval && { by: plan.approval.by, why: plan.approval.why, expires: momentInWords(plan.approval.expiresAtMs) },
    gateway: plan.gateway,
    targets: plan.targets,
    ...(plan.kept && { saved: { done: plan.kept.done, newer: plan.kept.newer } }),
    summary: summaryJson(plan),
    changes: plan.changes.map((change) => changeJson(change, commits)),
    seen: seenOf(plan, notes),
    estimate: estimate(plan.changes, desired.gateway),
  };
}

function changeJson(change: Change, commits: Blamed['commits']): Schemas['Change'] {
  const { api, apiId, environment, environmentId, action, reason, from, to, revision, version, drift, held, waits, source } = change;
  return {
    ...{ api, apiId, environment, environmentId, action, reason, from, to, revision, version },
    drift: drift && {
      from: drift.from,
      since: drift.fromSinceMs === null ? null : momentInWords(drift.fromSinceMs),
      seen: momentInWords(drift.seenAtMs),
    },
    held: held && `${held.rule}: ${held.message}`,
    waits: waits && { rule: waits.rule, message: waits.message, until: waits.untilMs === null ? null : momentInWords(waits.untilMs) },
    source: source && { file: source.file, line: source.line, column: source.column, commit: commits ? commitJson(commits(source)) : null },
  };
}

/** Returns a person's word that no call is made, as other programs read it. */
export function suspensionJson({ by, reason, untilMs }: Suspension): Schemas['Suspension'] {
  return { by, why: reason, until: untilMs === null ? null : momentInWords(untilMs) };
}

/** Returns how much of a plan there is of each kind, as other programs read it. */
export function summaryJson(plan: Plan): Schemas['Summary'] {
  const { online, offline, held, waiting } = totalsOf(plan);
  return { online, offline, unchanged: plan.unchanged, held, waiting, untargeted: plan.untargeted };
}
