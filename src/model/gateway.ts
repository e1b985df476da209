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

/** Where credentials for a gateway are sent, and for which one. */
export interface GatewayAddress extends GatewayIdentity {
  /** The identity service's URL, which issues tokens. */
  readonly iamEndpoint: string;
}

/** A followed file that named another gateway before. It is held until a person approves the move. */
export interface GatewayMove {
  readonly from: GatewayAddress;
  readonly isApproved: boolean;
}

/** At most `calls` requests in any window of `perMs`, and at most `concurrency` in flight. */
export interface RequestLimits {
  readonly calls: number;
  readonly perMs: number;
  readonly concurrency: number;
}

export interface GatewaySettings extends GatewayAddress {
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

/** Returns the part of a gateway's settings that says where credentials go. */
export function addressOf({ endpoint, iamEndpoint, project, instance }: GatewayAddress): GatewayAddress {
  return { endpoint, iamEndpoint, project, instance };
}

/** Returns whether two addresses are the same. */
export function isSameAddress(one: GatewayAddress, other: GatewayAddress): boolean {
  return JSON.stringify(addressOf(one)) === JSON.stringify(addressOf(other));
}
