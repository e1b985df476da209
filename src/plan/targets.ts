import type { Plan } from '../model/change.ts';
import type { DesiredState, PublicationKey, PublicationNames } from '../model/publication.ts';
import type { TargetPatterns } from '../model/targets.ts';

/** The part of a file and its record that a command is about. */
export interface Targets {
  readonly patterns: TargetPatterns;
  /** Returns whether one of the API patterns matches its name or ID, or there is none. */
  matchesApi(of: Pick<PublicationNames, 'api' | 'apiId'>): boolean;
  /** Returns whether one of the environment patterns matches its name or ID, or there is none. */
  matchesEnvironment(of: Pick<PublicationNames, 'environment' | 'environmentId'>): boolean;
}

/** What a command is about that nobody has narrowed. */
export const allTargets: Targets = { patterns: { apis: [], environments: [] }, matchesApi: () => true, matchesEnvironment: () => true };

/** Returns whether there is a pattern at all. */
export function hasTargets({ apis, environments }: TargetPatterns): boolean {
  return apis.length + environments.length > 0;
}

/** Returns whether a publication is targeted: by its API and by its environment. */
export function isTargeted(targets: Targets, publication: PublicationNames): boolean {
  return targets.matchesApi(publication) && targets.matchesEnvironment(publication);
}

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
