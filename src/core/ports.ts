import type { Outcome } from './outcome.ts';
import type { Change, Reason } from './plan.ts';
import type {
  Action,
  DesiredState,
  GatewayIdentity,
  PublicationKey,
  PublicationNames,
  RecordedPublication,
  RecordedState,
} from './publication.ts';

/** Time as a dependency. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `ms` milliseconds, or as soon as `signal` is aborted. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The gateway as a dry run sees it: there is nothing here that could change it. */
export interface GatewayReader {
  readonly identity: GatewayIdentity;
  /** Ends kept-alive connections. */
  close(): Promise<void>;
}

/** The gateway as `apply` sees it. */
export interface Gateway extends GatewayReader {
  /** Makes the one call for `change`. Never rejects for an answer of the gateway or a broken connection: those are outcomes. */
  send(change: Change, signal: AbortSignal): Promise<Outcome>;
}

/** An attempt as the history shows it. Times are milliseconds since 1970. */
export interface Attempt extends PublicationNames {
  readonly id: number;
  /** Joins the attempts of one pass. */
  readonly passId: string;
  readonly action: Action;
  readonly reason: Reason;
  readonly revision: string | null;
  readonly remark: string | null;
  readonly beganAtMs: number;
  /** `null` while the attempt has no known outcome. */
  readonly settledAtMs: number | null;
  /** `null` while the attempt is in flight, or was when its process ended. */
  readonly outcome: Outcome['kind'] | null;
  readonly code: string | null;
  readonly status: number | null;
  readonly message: string | null;
  readonly requestId: string | null;
  readonly versionId: string | null;
  readonly publishId: string | null;
}

export interface HistoryFilter {
  /** An API's name or ID. */
  readonly api?: string;
  /** An environment's name or ID. */
  readonly environment?: string;
  /** At most so many attempts, newest first. */
  readonly limit: number;
}

/** What a command that only looks may ask of the store. */
export interface RecordReader {
  /** Returns the record of every publication of the gateway. */
  readAll(gateway: GatewayIdentity): Promise<RecordedState>;
  /** Returns attempts on the gateway, newest first. */
  history(gateway: GatewayIdentity, filter: HistoryFilter): Promise<Attempt[]>;
  /** Returns the newest attempt of each publication of the gateway. */
  lastAttempts(gateway: GatewayIdentity): Promise<ReadonlyMap<PublicationKey, Attempt>>;
  close(): Promise<void>;
}

/** The record, and the right to write it: at most one process holds it for a store at a time. */
export interface Store extends RecordReader {
  /** Returns the record of one publication, as it is now. */
  read(gateway: GatewayIdentity, key: PublicationKey): Promise<RecordedPublication | undefined>;
  /** Resolves to the attempt's id once "outcome unknown" is durable. Only then may the request leave. */
  begin(gateway: GatewayIdentity, change: Change, passId: string, atMs: number): Promise<number>;
  /** Resolves once the outcome and the publication's next record (`undefined`: none) are durable. */
  settle(
    gateway: GatewayIdentity,
    key: PublicationKey,
    attemptId: number,
    outcome: Outcome,
    next: RecordedPublication | undefined,
    atMs: number,
  ): Promise<void>;
}

/** Where the desired state comes from. */
export interface DesiredSource {
  /** Reads the whole file. Throws an InvalidFileError if it breaks its format, an EdictError `FILE_ABSENT` if it is not there. */
  load(): Promise<DesiredState>;
  /** Calls `hint` whenever the file may have changed: late, doubled or for nothing, but never with data. */
  watch(hint: () => void): Promise<{ close(): Promise<void> }>;
}
