import type { PublicationKey, PublicationNames, PublicationState } from './publication.ts';

/** One API as the gateway lists it. Times are milliseconds since 1970, to the second. */
export interface ObservedApi {
  readonly apiId: string;
  readonly name: string;
  /** The group it belongs to; empty if the gateway does not report it. */
  readonly groupId: string;
  readonly group: string;
  /** When its draft was last edited; `null` if the gateway does not report it. */
  readonly editedAtMs: number | null;
  /** Its publications, by environment ID. */
  readonly publications: ReadonlyMap<string, ObservedPublication>;
  /** Where it was published before and is offline now, by environment ID; omitted for environments that nobody asked about. */
  readonly earlier?: ReadonlyMap<string, EarlierPublication>;
}

/** Whether an API was published before in an environment where it is offline. `unread`: its versions could not be read. */
export type EarlierPublication =
  | { readonly kind: 'never' | 'unread' }
  /** When it was last published, in milliseconds since 1970; `null` if the gateway does not report it. */
  | { readonly kind: 'published'; readonly publishedAtMs: number | null };

export interface ObservedPublication {
  /** Changes with every publish and switch, by whomever; `null` if the gateway does not report it. */
  readonly publishId: string | null;
  readonly publishedAtMs: number | null;
  /** The effective version; omitted if only the list of APIs was read, which does not contain it. */
  readonly versionId?: string;
}

/** How much a list of all APIs shows. */
export interface ListedCounts {
  readonly apis: number;
  /** The publications of all APIs together. */
  readonly publications: number;
}

/** A publication that is online at the gateway and that the file does not declare. */
export interface UnmanagedPublication extends PublicationNames {
  readonly key: PublicationKey;
}

/** The last list of a gateway. */
export interface LastObservation extends ListedCounts {
  /** When the last list that was believed was requested, in milliseconds since 1970; `null`: none was believed yet. */
  readonly observedAtMs: number | null;
  /** The publications that that list showed and the file did not declare, at most `maxListedUnmanaged` of it. */
  readonly unmanaged: readonly UnmanagedPublication[];
  /** The IDs of declared and recorded APIs that the gateway did not list any more; a sample of them was confirmed by single reads. */
  readonly missingApiIds: readonly string[];
  /** Pinned publications that were online, but whose effective version could not be read. */
  readonly unreadVersions: readonly UnreadVersion[];
  /**
   * The publications of which first contact has read that they were never online. Any other one that is new is looked up before it is published,
   * also one that a newer file adds. `null`: first contact is over, because a file was applied since.
   */
  readonly lookedUp: ReadonlySet<PublicationKey> | null;
}

/** A pinned publication that is online, and nobody knows with which version. */
export interface UnreadVersion extends Unobserved {
  readonly key: PublicationKey;
  /** The version that the file pinned at that time. */
  readonly version: string;
}

/** The most unmanaged publications that the store keeps of a list. */
export const maxListedUnmanaged = 10_000;

/** The observed state, by API ID. An API that is missing from it was not observed. */
export type Observation = ReadonlyMap<string, ObservedApi>;

/** An observation at the gateway that users may want to know. */
export interface DriftNotice extends PublicationNames {
  readonly key: PublicationKey;
  /**
   * `adopted`: it already matches the file, without a call by edict. `foundOnline`: it was online when the gateway was first observed,
   * and the file declares it offline. `foundOffline`: the reverse, and it was published before. `unread`: it is new, and nobody has read
   * whether it was published before. `externalChange`: it was published or switched outside
   * edict. `drift`: it was changed outside edict and now differs from the file. `flapping`: the same drift was corrected
   * repeatedly. `apiDeleted`: the API no longer exists.
   */
  readonly kind: 'adopted' | 'foundOnline' | 'foundOffline' | 'unread' | 'externalChange' | 'drift' | 'flapping' | 'apiDeleted';
  /** The previous recorded state and when it was recorded; `null` if nothing was recorded. */
  readonly previousState: PublicationState | null;
  readonly previousSinceMs: number | null;
  readonly currentState: PublicationState;
  /** Until when a flapping drift is not corrected; `null` for all other kinds. */
  readonly untilMs: number | null;
  /** The API that now has the name of a deleted one; `null` if none has. */
  readonly replacementId: string | null;
}

/** A version as the gateway lists it. */
export interface ListedVersion {
  readonly versionId: string;
  /** The version number that the gateway displays; empty if it reports none. */
  readonly versionNumber: string;
  readonly remark: string;
  /** Milliseconds since 1970, to the second; `null` if the gateway does not report it. */
  readonly publishedAtMs: number | null;
  /** Whether callers reach this version. */
  readonly isEffective: boolean;
}

/** An environment as the gateway lists it. */
export interface ListedEnvironment {
  readonly id: string;
  readonly name: string;
}

/** Why a gateway was not observed, and what a person can do to have it observed. */
export interface Unobserved {
  readonly reason: string;
  readonly remedy: string;
  /** Whether the failure may pass, so that the gateway is looked at again without a person; omitted: it may not. */
  readonly isRetried?: boolean;
}
