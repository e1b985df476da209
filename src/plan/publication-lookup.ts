import { EdictError } from '../model/errors.ts';
import type { DesiredState, PublicationKey, PublicationNames, RecordedState } from '../model/publication.ts';
import { closestMatches } from './target-patterns.ts';

/** What a person calls a publication by: API and environment, each by its name or its ID. */
export interface PublicationRef {
  readonly api: string;
  readonly environment: string;
}

/**
 * Returns the publication of the file, or else of the record, that a person has named.
 *
 * @throws EdictError `PUBLICATION_NOT_FOUND`, with what may have been meant
 */
export function findPublication(
  of: PublicationRef,
  desired: DesiredState,
  recorded: RecordedState,
): PublicationNames & { readonly key: PublicationKey } {
  const known = [...desired.publications.values(), ...recorded.values()];
  const ofApi = known.filter(({ api, apiId }) => api === of.api || apiId === of.api);
  const isThere = ({ environment, environmentId }: PublicationNames): boolean =>
    environment === of.environment || environmentId === of.environment;
  const found = ofApi.find(isThere);
  if (found) return found;
  throw new EdictError('PUBLICATION_NOT_FOUND', `neither the file nor the record has API ${of.api} in environment ${of.environment}`, {
    hint: `${notFoundHint(of, known, ofApi, knownEnvironments(known, desired))}; \`edict status\` lists what there is`,
  });
}

/** Names the half that is wrong; where neither is, the two are not together. */
function notFoundHint(
  { api, environment }: PublicationRef,
  known: readonly PublicationNames[],
  ofApi: readonly PublicationNames[],
  environments: readonly string[],
): string {
  if (known.length === 0) return 'there is no publication at all';
  const near = (name: string, names: readonly string[]): string =>
    `nearest to ${JSON.stringify(name)}: ${closestMatches(name, names).join(', ')}`;
  const wrong: string[] = [];
  if (ofApi.length === 0) wrong.push(near(api, unique(known.flatMap((one) => [one.api, one.apiId]))));
  if (!environments.includes(environment)) wrong.push(near(environment, environments));
  return wrong.join('; ') || `${api} is known in ${unique(ofApi.map((one) => one.environment)).join(', ')}`;
}

/** An environment can be declared without anything in it. */
function knownEnvironments(known: readonly PublicationNames[], { environments }: DesiredState): string[] {
  const declared = [...environments.values()].flatMap(({ name, id }) => [name, id]);
  return unique([...declared, ...known.flatMap((one) => [one.environment, one.environmentId])]);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
