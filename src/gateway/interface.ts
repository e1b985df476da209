import type { Change, ProbeResult, ProbeTarget } from '../model/change.ts';
import type { GatewayIdentity, RateLimit } from '../model/gateway.ts';
import type { ListedEnvironment, ListedVersion, Observation, ObservedApi } from '../model/observation.ts';
import type { Outcome, ReadResult } from '../model/outcome.ts';
import type { PublicationNames } from '../model/publication.ts';

// How the gateway folder meets the controller. Interfaces only, so that neither folder loads the other.

/**
 * Resolves when one more request may be sent, to a callback that must receive the request's result. Required before every
 * request: also the second request of an attempt, a read, and a call to the identity service.
 */
export type AcquireRequestSlot = (signal: AbortSignal) => Promise<(end: RequestResult) => void>;

/** The result of a request, as far as it affects the requests after it. */
export interface RequestResult {
  /** `unsent`: it was not sent. `lost`: there was no response. `throttled`: the response asks for fewer requests. */
  readonly kind: 'unsent' | 'answered' | 'throttled' | 'lost';
  /** The response's Retry-After, in milliseconds; `null` if it has none. */
  readonly retryAfterMs: number | null;
  /** The rate limit that the response reports; `null` if it reports none. */
  readonly rateLimit: RateLimit | null;
}

/** Read-only access to the gateway, for dry runs. No method changes anything. */
export interface GatewayReader {
  readonly identity: GatewayIdentity;
  /** Returns every API that the gateway lists, page by page. Never rejects; failures are results. */
  listApis(signal: AbortSignal): Promise<ReadResult<Observation>>;
  /** Returns one API by its ID; `null` if it does not exist. Never rejects; failures are results. */
  getApi(apiId: string, signal: AbortSignal): Promise<ReadResult<ObservedApi | null>>;
  /** Returns the gateway's environments. Never rejects; failures are results. */
  listEnvironments(signal: AbortSignal): Promise<ReadResult<readonly ListedEnvironment[]>>;
  /** Returns the versions of an API in an environment. Never rejects for a response of the gateway or a broken connection. */
  listVersions(
    publication: Pick<PublicationNames, 'apiId' | 'environmentId'>,
    signal: AbortSignal,
  ): Promise<ReadResult<readonly ListedVersion[]>>;
  /** Returns the versions of an API in all environments, by environment ID. Never rejects; failures are results. */
  listApiVersions(apiId: string, signal: AbortSignal): Promise<ReadResult<ReadonlyMap<string, readonly ListedVersion[]>>>;
  /** Closes kept-alive connections. */
  close(): Promise<void>;
}

/** The gateway with the calls that change it. */
export interface Gateway extends GatewayReader {
  /**
   * Makes the one call for `change`. Never rejects for a response of the gateway or a broken connection: those are outcomes.
   * `signal` cancels waiting for the rate limiter; a call that was sent is allowed to finish.
   */
  send(change: Change, options: SendOptions, signal: AbortSignal): Promise<Outcome>;
  /**
   * Makes one call for `changes`, which share environment, action and remark and switch to no version. Resolves to one outcome
   * for each, in their order; like `send`, never rejects.
   */
  sendBatch(changes: readonly Change[], options: SendBatchOptions, signal: AbortSignal): Promise<SendBatchResult>;
  /**
   * Returns in how many milliseconds a request makes sense after the outcome `unauthorized`: 0 if the credentials have changed or are to be tried
   * once more, `Infinity` if they must change first.
   */
  credentialsRetryInMs(): number;
  /** Allows rejected credentials to be tried once more, at a user's request. */
  retryCredentials(): void;
}

export interface SendOptions {
  /** The marker in the call's remark that identifies its version; `null`: none. */
  readonly marker: string | null;
  /** Called immediately before the request is sent; if it returns false, the outcome is `superseded`. */
  readonly isStillDesired: () => boolean;
  /** Called when the connection is established; if it returns false, nothing is sent and the outcome is `retryable`. */
  readonly canSend: () => boolean;
}

export interface SendBatchOptions {
  /** As for one change: all share the same remark. */
  readonly marker: string | null;
  /** Called for each change immediately before the request is sent; a change that is no longer desired is left out of it. */
  readonly isStillDesired: (change: Change) => boolean;
  /** As for one change. */
  readonly canSend: () => boolean;
}

export interface SendBatchResult {
  readonly outcomes: readonly Outcome[];
  /** Whether all changes failed in the same way. A single change may be the cause. */
  readonly isSameFailure: boolean;
}

/** Probes an API at its own URL. Never rejects: no response is a result too. `signal` cancels waiting for a response. */
export type Probe = (
  target: Pick<ProbeTarget, 'url' | 'expectedStatus' | 'timeoutMs'>,
  signal: AbortSignal,
) => Promise<Pick<ProbeResult, 'isExpected' | 'message'>>;
