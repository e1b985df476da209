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

export interface DesiredPublication extends PublicationNames {
  readonly key: PublicationKey;
  readonly state: PublicationState;
  /** `null`: the file sets no revision, so any published revision is accepted. */
  readonly revision: string | null;
  readonly remark: string | null;
  /** The pinned version; `null`: the version published last. */
  readonly version: string | null;
  /** Whether drift is corrected or only reported. */
  readonly driftPolicy: DriftPolicy;
  /** The reference by which the file names the API; `null`: the file gives its ID. */
  readonly nameRef: NameRef | null;
  readonly source: SourceLocation;
  /** The path of its file relative to the main file's folder; empty for the main file. */
  readonly sourceFile: string;
}

export type DriftPolicy = 'correct' | 'report';

export interface Environment {
  readonly name: string;
  readonly id: string;
  /** Nothing goes offline here without an approval. */
  readonly isProtected: boolean;
  /** How many publications may go offline here in one plan; `null`: only the limit of `guards` applies. */
  readonly maxOffline: Threshold | null;
  /** Suspends all changes in this environment; `null`: not suspended. */
  readonly suspension: Suspension | null;
}

/** A limit: a count, a share from 0 to 1 of the total, or both, of which the smaller applies. */
export interface Threshold {
  readonly count: number | null;
  readonly share: number | null;
}

/** What a plan may do without an approval. */
export interface Guards {
  /** Publications that go offline, out of those recorded as online. */
  readonly maxOffline: Threshold;
  /** Publications that are removed from the file, out of those that the last applied file declared. */
  readonly maxRemoved: Threshold;
}

/** One environment of the rollout, and the conditions for proceeding to the next one. */
export interface RolloutStep {
  readonly environment: string;
  readonly environmentId: string;
  /** How long a change soaks here before the rollout proceeds, in milliseconds; 0: no soak. */
  readonly soakMs: number;
  /** The probe that must succeed before the rollout proceeds; `null`: none. */
  readonly probe: ProbeSpec | null;
}

export interface ProbeSpec {
  /** A URL template with `{api}` and `{environment}` for the names in the file. */
  readonly url: string;
  /** The expected HTTP status; `null`: any from 200 to 299. */
  readonly expectedStatus: number | null;
  readonly timeoutMs: number;
}

/** The order in which an API's changes reach the environments. */
export interface Rollout {
  /** Empty: all environments change at the same time. */
  readonly steps: readonly RolloutStep[];
  /** By API ID, the URL that replaces a step's own `url`; `null`: the API is not probed. */
  readonly probeUrls: ReadonlyMap<string, string | null>;
}

/** A recurring or single time window in which nothing is changed. */
export interface Freeze {
  /** `null` if it has no name. */
  readonly name: string | null;
  readonly reason: string | null;
  /** The environments that it applies to; `null`: all. */
  readonly environmentIds: ReadonlySet<string> | null;
  /** Returns when the freeze that is active at `nowMs` ends, in milliseconds since 1970; `null` if none is active. */
  endsAtMs(nowMs: number): number | null;
}

/** A person's decision that nothing is changed for the time being. */
export interface Suspension {
  readonly reason: string;
  readonly by: string | null;
  /** In milliseconds since 1970; `null`: until it is removed. */
  readonly untilMs: number | null;
}

/** Everything that a valid file declares. */
export interface DesiredState {
  readonly gateway: GatewaySettings;
  /** By ID. */
  readonly environments: ReadonlyMap<string, Environment>;
  /** Whether publications that are removed from the file are taken offline. */
  readonly prune: boolean;
  readonly guards: Guards;
  readonly rollout: Rollout;
  readonly freezes: readonly Freeze[];
  /** Suspends all changes of the file; `null`: not suspended. */
  readonly suspension: Suspension | null;
  /** By API ID. */
  readonly suspendedApis: ReadonlyMap<string, Suspension>;
  /** How often the gateway is observed, in milliseconds; `null`: only with `--refresh`. */
  readonly refreshIntervalMs: number | null;
  /** Whether an edit of an API after its publication is enough to publish it again. */
  readonly republish: 'revision' | 'edited';
  /** The paths of all files of this desired state, in the form of `sourceFile`. */
  readonly sourceFiles: ReadonlySet<string>;
  /** The commit of its files; `null` if they are not committed, or Git was not run. */
  readonly commitId: string | null;
  readonly publications: ReadonlyMap<PublicationKey, DesiredPublication>;
}

/** An attempt that started and whose outcome is unknown. */
export interface UnknownAttempt {
  readonly attemptId: number;
  readonly action: Action;
  readonly revision: string | null;
  /** The existing version that it was to switch to; `null`: it was to publish a new one. */
  readonly version: string | null;
  /** The marker in its remark; `null` if there was none. */
  readonly marker: string | null;
  /** When its process was found to have ended, or recorded that there was no response; `null` before either. */
  readonly endedAtMs: number | null;
}

/** The recorded state of a publication at an earlier time. */
export interface PriorState {
  /** `null`: nothing was recorded. */
  readonly state: PublicationState | null;
  readonly revision: string | null;
  /** The effective version; `null` if there was none or it was unknown. */
  readonly versionId: string | null;
}

/** The recorded state of one publication. Times are milliseconds since 1970. */
export interface RecordedPublication extends PublicationNames {
  readonly key: PublicationKey;
  /** The state that the last successful call left; `null` while no call has succeeded. */
  readonly state: PublicationState | null;
  readonly revision: string | null;
  readonly versionId: string | null;
  /** Changes with every publish and switch; `null` if unknown. */
  readonly publishId: string | null;
  /** When it was published and when its draft was last edited, as the gateway reports; `null` if it was not observed. */
  readonly publishedAtMs: number | null;
  readonly editedAtMs: number | null;
  readonly recordedAtMs: number;
  readonly unknownAttempt: UnknownAttempt | null;
  /** Set if it was changed outside edict and differs from the file; `null` otherwise. */
  readonly drift: Drift | null;
  /** How often drift was corrected since the last quiet period, and when last. */
  readonly correctionCount: number;
  readonly lastCorrectedAtMs: number | null;
}

/** A change made outside edict that differs from the file. */
export interface Drift {
  /** The recorded state before the drift; `null` if nothing was recorded. */
  readonly from: PublicationState | null;
  /** When that state was recorded; `null` if nothing was recorded. */
  readonly fromSinceMs: number | null;
  readonly detectedAtMs: number;
  /** Until when the drift is not corrected, because it is flapping; `null` if it is not. */
  readonly backoffUntilMs: number | null;
}

export type RecordedState = ReadonlyMap<PublicationKey, RecordedPublication>;

/** The commit that last changed a line of the file. The author's name is untrusted text. */
export type Commit =
  | { readonly kind: 'committed'; readonly id: string; readonly author: string; readonly atMs: number }
  /** The line is not committed yet. */
  | { readonly kind: 'uncommitted' };

/** Returns the commit of the line at `source`; `null` if unknown. */
export type CommitLookup = (source: SourceLocation) => Commit | null;
