import type { NameRef } from './name-ref.ts';

/** The nouns of edict. Everything here is immutable, and plain data but for the calendar of a freeze. */

export type PublicationState = 'online' | 'offline';
export type Action = PublicationState;

declare const brand: unique symbol;

/** Names one publication on its gateway: the API's ID and the environment's ID. Made by `publicationKey` alone. */
export type PublicationKey = string & { readonly [brand]: 'PublicationKey' };

/** Returns the key of the publication of `apiId` in `environmentId`. IDs hold no space (see `Id` in spec/edict.schema.json). */
export function publicationKey(apiId: string, environmentId: string): PublicationKey {
  return `${apiId} ${environmentId}` as PublicationKey;
}

/** One ROMA Connect instance, as the record knows it. */
export interface GatewayIdentity {
  readonly endpoint: string;
  readonly project: string;
  readonly instance: string;
}

/** The most requests in any window of `perMs`, and the most in flight at one time. */
export interface RequestLimits {
  readonly calls: number;
  readonly perMs: number;
  readonly concurrency: number;
}

export interface GatewaySettings extends GatewayIdentity {
  /** The identity service's address, where tokens come from. */
  readonly iamEndpoint: string;
  readonly limit: RequestLimits;
  readonly timeoutMs: number;
  /** Whether each `online` carries the marker of its attempt in its remark. */
  readonly isMarkerEnabled: boolean;
  /** What is done about an `online` without a known outcome where the gateway cannot be asked. */
  readonly unknownOutcome: 'repeat' | 'hold';
  /** How long a change may take to show in the gateway's lists, in milliseconds. */
  readonly propagationDelayMs: number;
  /** The most changes in one call; 1: each change is a call of its own. */
  readonly batchSize: number;
}

/** Where something stands in the file. `line` and `column` count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One publication as a person and as the gateway name it. */
export interface PublicationNames {
  readonly api: string;
  readonly apiId: string;
  readonly environment: string;
  readonly environmentId: string;
}

export interface DesiredPublication extends PublicationNames {
  readonly key: PublicationKey;
  readonly state: PublicationState;
  /** `null`: the file names none, and whatever was published last is fine. */
  readonly revision: string | null;
  readonly remark: string | null;
  /** The one version that is to be effective; `null`: whichever was published last. */
  readonly version: string | null;
  /** What happens when somebody else changes it: it is brought back, or only shown. */
  readonly driftPolicy: DriftPolicy;
  /** The name by which the file calls the API; `null`: it has its ID. */
  readonly nameRef: NameRef | null;
  readonly source: SourceLocation;
  /** The path of its file from the main one's folder on; empty for the main file. */
  readonly sourceFile: string;
}

export type DriftPolicy = 'correct' | 'report';

export interface Environment {
  readonly name: string;
  readonly id: string;
  /** Nothing goes offline here without a person's agreement. */
  readonly isProtected: boolean;
  /** What may go offline here at once; `null`: only what `guards` says of all environments together. */
  readonly maxOffline: Threshold | null;
  /** Why nothing is changed here for the time being; `null`: it is. */
  readonly suspension: Suspension | null;
}

/** The most of something: a count, a share from 0 to 1 of what there is, or both, and then the less of the two. */
export interface Threshold {
  readonly count: number | null;
  readonly share: number | null;
}

/** What a plan may do without a person's agreement. */
export interface Guards {
  /** Publications that go offline, of those that are recorded online. */
  readonly maxOffline: Threshold;
  /** Publications that leave the file, of those that the last file had which was acted on. */
  readonly maxRemoved: Threshold;
}

/** One environment of the order, and what must be so there before the next one has its turn. */
export interface RolloutStep {
  readonly environment: string;
  readonly environmentId: string;
  /** How long a change stays here before it goes on, in milliseconds; 0: it goes on at once. */
  readonly soakMs: number;
  /** What an API is asked for before it goes on; `null`: nothing. */
  readonly probe: ProbeSpec | null;
}

export interface ProbeSpec {
  /** With `{api}` and `{environment}` for the names in the file. */
  readonly url: string;
  /** The status that is expected; `null`: any from 200 to 299. */
  readonly expectedStatus: number | null;
  readonly timeoutMs: number;
}

/** The environments that an API's changes reach one after another. */
export interface Rollout {
  /** Empty: every environment has its turn at once. */
  readonly steps: readonly RolloutStep[];
  /** By API ID, what is asked instead of a step's own `url`; `null`: nothing is asked. */
  readonly probeUrls: ReadonlyMap<string, string | null>;
}

/** A time in which nothing is changed. */
export interface Freeze {
  /** What a person calls it; `null` if it has no name. */
  readonly name: string | null;
  readonly reason: string | null;
  /** Where it holds; `null`: in every environment. */
  readonly environmentIds: ReadonlySet<string> | null;
  /** Returns when it ends that is on at `nowMs`, in milliseconds since 1970; `null` if none is on. */
  endsAtMs(nowMs: number): number | null;
}

/** Somebody's word that nothing is to be changed for the time being. */
export interface Suspension {
  readonly reason: string;
  readonly by: string | null;
  /** In milliseconds since 1970; `null`: until it leaves the file. */
  readonly untilMs: number | null;
}

/** Everything that a valid file says. */
export interface DesiredState {
  readonly gateway: GatewaySettings;
  /** By ID. */
  readonly environments: ReadonlyMap<string, Environment>;
  readonly prune: 'keep' | 'offline';
  readonly guards: Guards;
  readonly rollout: Rollout;
  readonly freezes: readonly Freeze[];
  /** Why nothing of the file is acted on for the time being; `null`: it is. */
  readonly suspension: Suspension | null;
  /** By API ID. */
  readonly suspendedApis: ReadonlyMap<string, Suspension>;
  /** How often the gateway is asked what is really published, in milliseconds; `null`: only with `--refresh`. */
  readonly refreshIntervalMs: number | null;
  /** Whether an API that was edited since its publication is published again by that alone. */
  readonly republish: 'revision' | 'edited';
  /** The paths of all files that say this, as `home`. */
  readonly sourceFiles: ReadonlySet<string>;
  /** The commit that its files are of; `null` if they are of none, or if that was not asked. */
  readonly commitId: string | null;
  readonly publications: ReadonlyMap<PublicationKey, DesiredPublication>;
}

/** An attempt that has begun and whose outcome nobody knows. */
export interface UnknownAttempt {
  readonly attemptId: number;
  readonly action: Action;
  readonly revision: string | null;
  /** The kept version that it was to make effective; `null`: it was a plain publication. */
  readonly version: string | null;
  /** What its remark carried; `null` if nothing. */
  readonly marker: string | null;
  /** When its process was seen to have ended, or noted that there was no answer; `null` while neither is so. */
  readonly endedAtMs: number | null;
}

/** What was recorded of a publication at some moment before. */
export interface PriorState {
  /** `null`: nothing was recorded. */
  readonly state: PublicationState | null;
  readonly revision: string | null;
  /** The version that was effective; `null` if none was, or if it was not known. */
  readonly versionId: string | null;
}

/** What the store says of one publication. Times are milliseconds since 1970. */
export interface RecordedPublication extends PublicationNames {
  readonly key: PublicationKey;
  /** What the last successful call left; `null` while no call has succeeded. */
  readonly state: PublicationState | null;
  readonly revision: string | null;
  readonly versionId: string | null;
  /** Changes with every publish and switch; `null` if it is not known. */
  readonly publishId: string | null;
  /** When the gateway says that it was published, and when its draft was last edited; `null` if it has not been asked. */
  readonly publishedAtMs: number | null;
  readonly editedAtMs: number | null;
  readonly recordedAtMs: number;
  readonly unknownAttempt: UnknownAttempt | null;
  /** Somebody else brought it to this state, against the file; `null` if nobody did. */
  readonly drift: Drift | null;
  /** How often a drift was corrected since the last quiet time, and when last. */
  readonly correctionCount: number;
  readonly lastCorrectedAtMs: number | null;
}

/** A state that somebody else has made. */
export interface Drift {
  /** What edict had recorded before; `null` if nothing. */
  readonly from: PublicationState | null;
  /** Since when it was recorded so; `null` if it was not. */
  readonly fromSinceMs: number | null;
  readonly detectedAtMs: number;
  /** Until when it is left alone, since it was corrected again and again; `null` if it is not. */
  readonly backoffUntilMs: number | null;
}

export type RecordedState = ReadonlyMap<PublicationKey, RecordedPublication>;

/** The commit that a line of the file comes from. Its author's name is whatever somebody has written. */
export type Commit =
  | { readonly kind: 'committed'; readonly id: string; readonly author: string; readonly atMs: number }
  /** The line is not committed yet. */
  | { readonly kind: 'uncommitted' };

/** Returns the commit of the line at a place; `null` if it is not known. */
export type CommitLookup = (source: SourceLocation) => Commit | null;
