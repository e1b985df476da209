import { type PublicationKey, publicationKey } from '../../src/model/publication.ts';

/** The ID of an API of a history, which knows it by its number. */
export function apiIdOf(api: number): string {
  return `api-${api}`;
}

/** The number of the API with this ID. */
export function apiNumberOf(apiId: string): number {
  return Number(apiId.slice('api-'.length));
}

/** The key of a publication of a history. */
export function keyOf(api: number, environment: number): PublicationKey {
  return publicationKey(apiIdOf(api), `env-${environment}`);
}
