import type { Plan } from '../model/change.ts';
import type { DesiredState } from '../model/desired-state.ts';
import type { PublicationKey, PublicationNames } from '../model/publication.ts';
import type { TargetPatterns } from '../model/settings.ts';

/** The publications that a command is limited to. */
export interface Targets {
  readonly patterns: TargetPatterns;
  /** Returns whether an API pattern matches its name or ID, or there is no API pattern. */
  matchesApi(publication: Pick<PublicationNames, 'api' | 'apiId'>): boolean;
  /** Returns whether an environment pattern matches its name or ID, or there is no environment pattern. */
  matchesEnvironment(publication: Pick<PublicationNames, 'environment' | 'environmentId'>): boolean;
}

/** The targets of a command without target patterns. */
export const allTargets: Targets = { patterns: { apis: [], environments: [] }, matchesApi: () => true, matchesEnvironment: () => true };

/** Returns whether there is any pattern. */
export function hasTargets({ apis, environments }: TargetPatterns): boolean {
  return apis.length + environments.length > 0;
}

/** Returns whether a publication is targeted, by both its API and its environment. */
export function isTargeted(targets: Targets, publication: PublicationNames): boolean {
  return targets.matchesApi(publication) && targets.matchesEnvironment(publication);
}

/**
 * Returns the targeted part of a plan. A pure function. It removes changes and never adds any: filtering the desired state
 * instead would make publications look removed. Publications in the file match by the file's names, all others by the recorded
 * ones.
 */
export function filterPlan(plan: Plan, desired: DesiredState, targets: Targets): Plan {
  if (!hasTargets(targets.patterns)) return plan;
  const isIncluded = (publication: PublicationNames & { readonly key: PublicationKey }): boolean =>
    isTargeted(targets, desired.publications.get(publication.key) ?? publication);
  const changes = plan.changes.filter(isIncluded);
  const drifted = plan.drifted.filter(isIncluded);
  const settling = plan.settling.filter(isIncluded);
  const inFile = changes.filter(({ key }) => desired.publications.has(key)).length;
  return {
    ...plan,
    targets: targets.patterns,
    changes,
    unchanged: [...desired.publications.values()].filter(isIncluded).length - inFile - drifted.length - settling.length,
    excluded: plan.changes.length - changes.length,
    drifted,
    settling,
    unmanaged: plan.unmanaged.filter(isIncluded),
    newlyUnmanaged: plan.newlyUnmanaged.filter(isIncluded),
    outdated: plan.outdated.filter(isIncluded),
  };
}
