import type { PublicationKey, PublicationNames, PublicationState } from './publication.ts';

/** One API as the gateway lists it. Times are milliseconds since 1970, to the second. */
export interface ObservedApi {
  readonly apiId: string;
  readonly name: string;
  /** The group it belongs to; empty if the gateway does not say. */
  readonly groupId: string;
  readonly group: string;
  /** When its draft was last edited; `null` if the gateway does not say. */
  readonly editedAtMs: number | null;
  /** Where it is published, by the environment's ID. */
  readonly publications: ReadonlyMap<string, ObservedPublication>;
}

export interface ObservedPublication {
  /** Changes with every publish and switch, whoever makes it; `null` if the gateway does not say. */
  readonly publishId: string | null;
  readonly publishedAtMs: number | null;
  /** The version in effect; left out where only the list of APIs was read, which does not have it. */
  readonly versionId?: string;
}

/** What the gateway itself answered, by the API's ID. An API that is not in it says nothing. */
export type Observation = ReadonlyMap<string, ObservedApi>;

/** Something that was seen at the gateway and that a person may want to know. */
export interface DriftNotice extends PublicationNames {
  readonly key: PublicationKey;
  /**
   * `adopted`: it is as the file says, without edict. `outside`: somebody else published or switched it. `drift`: somebody else
   * brought it to the state that the file does not want. `fight`: the same drift was corrected again and again. `gone`: the
   * API is no longer there.
   */
  readonly kind: 'adopted' | 'outside' | 'drift' | 'fight' | 'gone';
  /** The recorded state before, and since when; `null` if there was none. */
  readonly previousState: PublicationState | null;
  readonly previousSinceMs: number | null;
  readonly currentState: PublicationState;
  /** Until when a fight is left alone; `null` for all else. */
  readonly untilMs: number | null;
  /** The API that has the name of one that is gone; `null` if none has. */
  readonly replacementId: string | null;
}

/** A version as the gateway lists it. */
export interface ListedVersion {
  readonly versionId: string;
  /** What the gateway calls it for people; empty if it does not. */
  readonly versionNumber: string;
  readonly remark: string;
  /** Milliseconds since 1970, to the second; `null` if the gateway does not say. */
  readonly publishedAtMs: number | null;
  /** Whether it is the one that callers reach. */
  readonly isEffective: boolean;
}
