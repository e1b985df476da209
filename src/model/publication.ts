// The shared types of edict: publications, desired, recorded and observed state, changes, plans and outcomes. Everything here
// is immutable plain data, except the calendar of a freeze. Nothing in this folder may use a clock, a file, a socket, a
// process or a logger, or import any other folder of src/.

export type PublicationState = 'online' | 'offline';
export type Action = PublicationState;

declare const brand: unique symbol;

/** Identifies one publication on its gateway: API ID and environment ID. Made only by `publicationKey`. */
export type PublicationKey = string & { readonly [brand]: 'PublicationKey' };

/** Returns the API's ID in a key. */
export function apiIdOf(key: PublicationKey): string {
  return key.slice(0, key.indexOf(' '));
}

/** Returns the key of the publication of `apiId` in `environmentId`. IDs contain no space (see `Id` in spec/edict.schema.json). */
export function publicationKey(apiId: string, environmentId: string): PublicationKey {
  return `${apiId} ${environmentId}` as PublicationKey;
}

/** The names and IDs of one publication. */
export interface PublicationNames {
  readonly api: string;
  readonly apiId: string;
  readonly environment: string;
  readonly environmentId: string;
}

/** Returns only the names and IDs of a publication. */
export function pickNames({ api, apiId, environment, environmentId }: PublicationNames): PublicationNames {
  return { api, apiId, environment, environmentId };
}
