import type { RateLimit } from '../model/gateway.ts';

/** The base class of all errors of a call. Messages contain no secrets. */
export abstract class GatewayError extends Error {
  /** A stable code: the service's `error_code`, or one of edict's own. `errorRules` in error-rules.ts classifies it. */
  readonly code: string;
  /** The HTTP status; `null` if there was no answer. */
  readonly status: number | null;
  readonly requestId: string | null;
  /** The pause that the server asks for, in milliseconds; `null` if it does not. */
  readonly retryAfterMs: number | null;
  /** The rate limit that the server announces; `null` if it does not. */
  readonly rateLimit: RateLimit | null;

  constructor(message: string, facts: ErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = facts.code;
    this.status = facts.status ?? null;
    this.requestId = facts.requestId ?? null;
    this.retryAfterMs = facts.retryAfterMs ?? null;
    this.rateLimit = facts.rateLimit ?? null;
  }
}

interface ErrorFacts {
  readonly code: string;
  readonly status?: number | null;
  readonly requestId?: string | null;
  readonly retryAfterMs?: number | null;
  readonly rateLimit?: RateLimit | null;
  readonly cause?: unknown;
}

/**
 * A response with an error status. `errorCode` is `null` if its body is not the documented one. `code` is the `errorCode`, unless there is
 * none or edict uses it itself; then it is `HTTP_` and the status.
 */
export class ServiceError extends GatewayError {
  declare readonly status: number;
  readonly errorCode: string | null;
  readonly errorMsg: string;

  constructor(facts: {
    readonly status: number;
    readonly errorCode: string | null;
    readonly errorMsg: string;
    readonly requestId: string | null;
    readonly retryAfterMs: number | null;
    readonly rateLimit: RateLimit | null;
  }) {
    // A code of edict's own in a response would be classified as if edict had found out that nothing was sent.
    const isCode = facts.errorCode !== null && !ownCodes.has(facts.errorCode);
    super(facts.errorMsg, { ...facts, code: isCode ? facts.errorCode : `HTTP_${facts.status}` });
    this.errorCode = facts.errorCode;
    this.errorMsg = facts.errorMsg;
  }
}

/** A response that breaks the specification. It is never a success, and the outcome of the request is unknown. */
export class InvalidResponseError extends GatewayError {
  constructor(message: string, facts: { readonly status: number | null; readonly requestId?: string | null; readonly cause?: unknown }) {
    super(message, {
      ...facts,
      code: invalidResponseCode(facts.status ?? 0),
    });
  }
}

/** Keeps an error status as the code: it still classifies the request, even if the rest of the response is invalid. */
function invalidResponseCode(status: number): string {
  if (status >= 400) return `HTTP_${status}`;
  const [invalid, redirected] = responseCodes;
  return status >= 300 ? redirected : invalid;
}

const responseCodes = ['INVALID_RESPONSE', 'REDIRECTED'] as const;

/**
 * How a call can end without a response. Nothing was sent: `CONNECTION_FAILED`, `REQUEST_NOT_SENT` (edict was stopped).
 * The request may have been sent: `CONNECTION_LOST`, `TIMEOUT`, `INTERRUPTED` (edict was stopped).
 */
const connectionCodes = ['CONNECTION_FAILED', 'REQUEST_NOT_SENT', 'CONNECTION_LOST', 'TIMEOUT', 'INTERRUPTED'] as const;
export type ConnectionCode = (typeof connectionCodes)[number];

/** A call without a response. */
export class ConnectionError extends GatewayError {
  declare readonly code: ConnectionCode;

  constructor(code: ConnectionCode, message: string, cause?: unknown) {
    super(message, { code, cause });
  }
}

/** The call was stopped, or was no longer wanted, before anything was sent. */
export class RequestNotSentError extends ConnectionError {
  constructor() {
    super('REQUEST_NOT_SENT', 'stopped before anything was sent');
  }
}

/** No usable credentials, so nothing was sent to the gateway. */
export class CredentialsError extends GatewayError {
  declare readonly code: CredentialsCode;
}

/**
 * `CREDENTIALS_REJECTED`: the gateway or the identity service rejected them. `CREDENTIALS_UNREADABLE`: their file cannot be read
 * or contains none. `IAM_UNAVAILABLE`: the identity service gave no usable response. `IAM_THROTTLED`: it asks for a pause. `TEMPORARY_KEY_UNAVAILABLE`: the
 * machine that edict runs on gave no key.
 */
const credentialsCodes = [
  'CREDENTIALS_REJECTED',
  'CREDENTIALS_UNREADABLE',
  'IAM_UNAVAILABLE',
  'IAM_THROTTLED',
  'TEMPORARY_KEY_UNAVAILABLE',
] as const;
export type CredentialsCode = (typeof credentialsCodes)[number];

/** The codes that edict gives to errors itself. A gateway, or whoever answers in its place, must not be able to use them. */
const ownCodes: ReadonlySet<string> = new Set([...responseCodes, ...connectionCodes, ...credentialsCodes]);

/** A dry run tried to send a change. This is a bug in edict, caught before a connection was opened. */
export class ReadOnlyTransportError extends Error {
  constructor(method: string) {
    super(`a dry run sends nothing, and this was a ${method}`);
    this.name = 'ReadOnlyTransportError';
  }
}
