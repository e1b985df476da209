import type { Environment } from '../model/desired-state.ts';
import { EdictError } from '../model/errors.ts';
import type { UnmanagedPublication } from '../model/observation.ts';
import type { PublicationKey, PublicationNames } from '../model/publication.ts';
import { closestMatches } from './target-patterns.ts';

/** A publication as a user names it: API and environment, each by name or ID. */
export interface PublicationRef {
  readonly api: string;
  readonly environment: string;
}

type KnownPublication = PublicationNames & { readonly key: PublicationKey };

/** The parts of a desired state in which a publication is looked up. */
export interface DeclaredPublications {
  readonly publications: ReadonlyMap<PublicationKey, KnownPublication>;
  readonly environments: ReadonlyMap<string, Pick<Environment, 'id' | 'name'>>;
}

/**
 * Returns the publication that a user named, from the file, or else from the recorded state, or else from what is unmanaged.
 *
 * @throws EdictError `PUBLICATION_NOT_FOUND`, with suggestions
 */
export function findPublication(
  ref: PublicationRef,
  desired: DeclaredPublications,
  recorded: ReadonlyMap<PublicationKey, KnownPublication>,
  unmanaged: readonly UnmanagedPublication[] = [],
): KnownPublication {
  const known = [...desired.publications.values(), ...recorded.values(), ...unmanaged];
  const apiPublications = known.filter(({ api, apiId }) => api === ref.api || apiId === ref.api);
  const matchesEnvironment = ({ environment, environmentId }: PublicationNames): boolean =>
    environment === ref.environment || environmentId === ref.environment;
  const match = apiPublications.find(matchesEnvironment);
  if (match) return match;
  throw new EdictError('PUBLICATION_NOT_FOUND', `neither the file nor the record has API ${ref.api} in environment ${ref.environment}`, {
    hint: `${notFoundHint(ref, { known, apiPublications, environments: knownEnvironments(known, desired) })}; \`edict status\` lists what there is`,
  });
}

interface KnownNames {
  readonly known: readonly PublicationNames[];
  /** The publications in `known` of the API that was named. */
  readonly apiPublications: readonly PublicationNames[];
  readonly environments: readonly string[];
}

/** Names the half that is unknown. If both are known, they do not occur together. */
function notFoundHint({ api, environment }: PublicationRef, { known, apiPublications, environments }: KnownNames): string {
  if (known.length === 0) return 'there is no publication at all';
  const suggest = (name: string, names: readonly string[]): string =>
    `nearest to ${JSON.stringify(name)}: ${closestMatches(name, names).join(', ')}`;
  const problems: string[] = [];
  if (apiPublications.length === 0) problems.push(suggest(api, unique(known.flatMap((one) => [one.api, one.apiId]))));
  if (!environments.includes(environment)) problems.push(suggest(environment, environments));
  return problems.join('; ') || `${api} is known in ${unique(apiPublications.map((one) => one.environment)).join(', ')}`;
}

/** Includes declared environments that have no publication. */
function knownEnvironments(known: readonly PublicationNames[], { environments }: DeclaredPublications): string[] {
  const declared = [...environments.values()].flatMap(({ name, id }) => [name, id]);
  return unique([...declared, ...known.flatMap((one) => [one.environment, one.environmentId])]);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
