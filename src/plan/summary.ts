import type { Change, Plan } from '../model/change.ts';
import type { ReconcileSummary } from '../model/events.ts';
import type { PublicationKey } from '../model/publication.ts';
import { type StatusInput, statusOfChange } from './status.ts';

/**
 * How many publications are in each state. Every declared publication, and every other one that the plan changes, is counted in exactly one
 * of the states but `unmanaged`.
 */
export interface PlanSummary {
  /** Changes that are made now, apart from those in `unknown` and `failed`. */
  readonly online: number;
  readonly offline: number;
  /** Changes that are not made until a person approves them. */
  readonly held: number;
  /** Changes that are made later, without an approval. */
  readonly deferred: number;
  /** Publications with an attempt of unknown outcome, which is resolved first, or that may be online already, which is looked up first. */
  readonly unknown: number;
  /** Changes whose last attempt failed. */
  readonly failed: number;
  /** Publications that were changed outside edict and are left in place. */
  readonly drifted: number;
  /** Publications that match the file, and were changed too recently to be judged. */
  readonly settling: number;
  /** All other publications that match the file. */
  readonly unchanged: number;
  /** Publications that are online at the gateway and not in the file. */
  readonly unmanaged: number;
  /** Changes that are left out because they are not targeted. */
  readonly excluded: number;
}

/** Returns how many publications need no change: also what was changed too recently to be seen at the gateway. */
export function countAsDeclared({ unchanged, settling }: Pick<Plan, 'unchanged' | 'settling'>): number {
  return unchanged + settling.length;
}

/** Returns how much of a reconciliation did not succeed: a person or a retry must act. */
export function countFailing({ failed, unknown, failedProbes }: Pick<ReconcileSummary, 'failed' | 'unknown' | 'failedProbes'>): number {
  return failed + unknown + failedProbes;
}

/** How far the changes of a plan have come. */
export interface ChangeProgress {
  /** The changes that were made, also by earlier plans of the same reconciliation. */
  readonly made: ReadonlyMap<PublicationKey, Pick<Change, 'key' | 'action' | 'source'>>;
  /** The publications whose last attempt did not succeed. */
  readonly failed: ReadonlySet<PublicationKey>;
  /** The publications with an attempt of unknown outcome. */
  readonly unknown: ReadonlySet<PublicationKey>;
}

/** Returns how many publications of a plan are in each state after `progress`. */
export function summarizeProgress(
  plan: Pick<Plan, 'changes' | 'unchanged' | 'drifted' | 'settling' | 'unmanaged'>,
  { made, failed, unknown }: ChangeProgress,
): Omit<ReconcileSummary, 'failedProbes' | 'durationMs'> {
  const counts = { online: 0, offline: 0, held: 0, deferred: 0, failed: 0, unknown: 0, unsent: 0 };
  const stateOf = ({ key, held, deferred }: Change): keyof typeof counts => {
    if (held) return 'held';
    if (deferred) return 'deferred';
    return unknown.has(key) ? 'unknown' : failed.has(key) ? 'failed' : 'unsent';
  };
  for (const change of plan.changes) if (!made.has(change.key)) counts[stateOf(change)] += 1;
  for (const { action } of made.values()) counts[action] += 1;
  const isLeft = ({ key }: { readonly key: PublicationKey }): boolean => !made.has(key);
  const [settling, drifted] = [plan.settling.filter(isLeft).length, plan.drifted.filter(isLeft).length];
  // A plan that was computed after a change counts its publication among those that need none.
  const listed = new Set([...plan.changes, ...plan.settling, ...plan.drifted].map(({ key }) => key));
  const madeAndUnchanged = [...made.values()].filter(({ key, source }) => source !== null && !listed.has(key)).length;
  return { ...counts, settling, drifted, unchanged: plan.unchanged - madeAndUnchanged, unmanaged: plan.unmanaged.length };
}

type SummarizedPlan = Pick<Plan, 'unchanged' | 'drifted' | 'settling' | 'unmanaged' | 'excluded'> & {
  readonly changes: readonly Pick<Change, 'key' | 'action' | 'reason' | 'revision' | 'held' | 'deferred'>[];
};

/**
 * Returns how many publications of a plan are in each state.
 *
 * @param attempts the newest attempt of each publication, the publications with an attempt in flight, and those that nobody has looked for;
 *   default: none
 */
export function summarizePlan(
  plan: SummarizedPlan,
  attempts: Pick<StatusInput, 'lastAttempts' | 'inFlight' | 'unseen'> = { lastAttempts: new Map() },
): PlanSummary {
  const changed = { online: 0, offline: 0, held: 0, deferred: 0, unknown: 0, failed: 0 };
  for (const change of plan.changes) {
    const status = statusOfChange(change, attempts);
    changed[status === 'pending' ? change.action : status] += 1;
  }
  const { unchanged, excluded } = plan;
  const [drifted, settling, unmanaged] = [plan.drifted.length, plan.settling.length, plan.unmanaged.length];
  return { ...changed, drifted, settling, unchanged, unmanaged, excluded };
}
