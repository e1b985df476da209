import type { Plan } from './plan.ts';
import type { DesiredState, PublicationKey, PublicationNames } from './publication.ts';
import { isNarrowed, isTargeted, type Targets } from './targets.ts';

/**
 * Returns what of a plan is targeted. A pure function. It leaves changes out and never makes any: to narrow the desired
 * state instead would make publications look removed. What the file names is matched by the file's names, all else by the record's.
 */
export function narrow(plan: Plan, desired: DesiredState, targets: Targets): Plan {
  if (!isNarrowed(targets.patterns)) return plan;
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
    untargeted: plan.changes.length - changes.length,
    drifted,
    stale: plan.stale.filter(isMeant),
  };
}
