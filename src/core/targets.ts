import type { PublicationNames } from './publication.ts';

/** The patterns that a person gave, as they were given; of a kind without any, everything is meant. */
export interface TargetPatterns {
  readonly apis: readonly string[];
  readonly environments: readonly string[];
}

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
