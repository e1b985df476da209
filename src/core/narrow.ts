import type { Plan } from './plan.ts';
import type { DesiredState, PublicationKey, PublicationNames } from './publication.ts';
import { hasTargets, isTargeted, type Targets } from './targets.ts';

/**
 * Returns what of a plan is targeted. A pure function. It leaves changes out and never makes any: to narrow the desired
 * state instead would make publications look removed. What the file names is matched by the file's names, all else by the record's.
 */
export function filterPlan(plan: Plan, desired: DesiredState, targets: Targets): Plan {
  if (!hasTargets(targets.patterns)) return plan;
  const isMeant = (publication: PublicationNames & { readonly key: PublicationKey }): boolean =>
    isTargeted(targets, desired.publications.get(publication.key) ?? publication);
  const changes = plan.changes.filter(isMeant);
  const drifted = plan.drifted.filter(isMeant);
  const inFile = changes.filter(({ key }) => desired.publications.has(key)).length;
  return {
    ...plan,
    targets: targets.patterns,
    changes,
    unchanged: [...desired.publications.values()].filter(isMeant).length - inFile - drifted.length,
    excluded: plan.changes.length - changes.length,
    drifted,
    outdated: plan.outdated.filter(isMeant),
  };
}
