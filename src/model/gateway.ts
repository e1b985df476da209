/** At most `calls` requests in any window of `perMs` milliseconds. */
export interface RateLimit {
  readonly calls: number;
  readonly perMs: number;
}

/** Identifies one ROMA Connect instance in the store. */
export interface GatewayIdentity {
  readonly endpoint: string;
  readonly project: string;
  readonly instance: string;
}

/** At most `calls` requests in any window of `perMs`, and at most `concurrency` in flight. */
export interface RequestLimits {
  readonly calls: number;
  readonly perMs: number;
  readonly concurrency: number;
}

export interface GatewaySettings extends GatewayIdentity {
  /** The identity service's URL, which issues tokens. */
  readonly iamEndpoint: string;
  readonly limit: RequestLimits;
  readonly timeoutMs: number;
  /** Whether the remark of each `online` call carries its attempt's marker. */
  readonly isMarkerEnabled: boolean;
  /** Whether an `online` call with unknown outcome is retried or held if the gateway cannot resolve it. */
  readonly unknownOutcome: 'retry' | 'hold';
  /** How long a change may take to appear in the gateway's lists, in milliseconds. */
  readonly propagationDelayMs: number;
  /** Maximum number of changes per call; 1: no batching. */
  readonly batchSize: number;
}

/** Returns the identity service of the region of a gateway's endpoint. */
export function defaultIamEndpoint(endpoint: string): string {
  return endpoint.replace('//roma.', '//iam.');
}
