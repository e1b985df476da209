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

/** A response with an error status. `errorCode` is `null` if its body is not the documented one. */
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
    super(facts.errorMsg, { ...facts, code: facts.errorCode ?? `HTTP_${facts.status}` });
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
  return status >= 300 ? 'REDIRECTED' : 'INVALID_RESPONSE';
}

/**
 * How a call can end without a response. Nothing was sent: `CONNECTION_FAILED`, `REQUEST_NOT_SENT` (edict was stopped).
 * The request may have been sent: `CONNECTION_LOST`, `TIMEOUT`, `INTERRUPTED` (edict was stopped).
 */
export type ConnectionCode = 'CONNECTION_FAILED' | 'REQUEST_NOT_SENT' | 'CONNECTION_LOST' | 'TIMEOUT' | 'INTERRUPTED';

/** A call without a response. */
export class ConnectionError extends GatewayError {
  declare readonly code: ConnectionCode;

  constructor(code: ConnectionCode, message: string, cause?: unknown) {
    super(message, { code, cause });
  }
}

/** No usable credentials, so nothing was sent to the gateway. */
export class CredentialsError extends GatewayError {
  declare readonly code: CredentialsCode;
}

/**
 * `CREDENTIALS_REJECTED`: the gateway or the identity service rejected them. `CREDENTIALS_UNREADABLE`: their file cannot be read
 * or contains none. `IAM_UNAVAILABLE`: the identity service gave no usable response. `IAM_THROTTLED`: it asks for a pause.
 */
export type CredentialsCode = 'CREDENTIALS_REJECTED' | 'CREDENTIALS_UNREADABLE' | 'IAM_UNAVAILABLE' | 'IAM_THROTTLED';

/** A dry run tried to send a change. This is a bug in edict, caught before a connection was opened. */
export class ReadOnlyTransportError extends Error {
  constructor(method: string) {
    super(`a dry run sends nothing, and this was a ${method}`);
    this.name = 'ReadsOnlyError';
  }
}

/** Returns the error for a call that was stopped before anything was sent. */
export function notSentError(): ConnectionError {
  return new ConnectionError('REQUEST_NOT_SENT', 'stopped before anything was sent');
}
