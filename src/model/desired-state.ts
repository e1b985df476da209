import type { GatewaySettings } from './gateway.ts';
import type { NameRef } from './name-ref.ts';
import type { PublicationKey, PublicationNames, PublicationState } from './publication.ts';

/** A position in a file. `line` and `column` count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
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

/** The limits of a plan that needs no approval. */
export interface Guards {
  /** Publications that go offline, out of those recorded as online. */
  readonly maxOffline: Threshold;
  /** Publications that are removed from the file, out of those that the last applied file declared. */
  readonly maxRemoved: Threshold;
  /** Publications that are published again, out of those that are or were recorded as online. */
  readonly maxRepublish: Threshold;
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
  /** When it was set, in milliseconds since 1970; `null`: the file declares it. */
  readonly sinceMs: number | null;
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
  /**
   * Returns when a publication that is not declared may be taken offline, in milliseconds since 1970: its removal may be half of an edit.
   * Omitted: at once.
   */
  readonly pruneAtMs?: (key: PublicationKey) => number;
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
  /** The commit of its files; `null` if they are not committed, or Git was not asked. */
  readonly commitId: string | null;
  readonly publications: ReadonlyMap<PublicationKey, DesiredPublication>;
}

/** The commit that last changed a line of the file. The author's name is untrusted text. */
export type Commit =
  | { readonly kind: 'committed'; readonly id: string; readonly author: string; readonly atMs: number }
  /** The line is not committed yet. */
  | { readonly kind: 'uncommitted' };

/** Returns the commit of the line at `source`; `null` if unknown. */
export type CommitLookup = (source: SourceLocation) => Commit | null;
