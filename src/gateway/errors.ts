import type { RateLimit } from '../model/ports.ts';

/** Anything that keeps a call from being answered as the specification says. Messages hold no secrets. */
export abstract class GatewayError extends Error {
  /** A stable name: the service's `error_code`, or one of edict's own. `answers` in classify.ts says what follows from it. */
  readonly code: string;
  /** The HTTP status; `null` if there was no answer. */
  readonly status: number | null;
  readonly requestId: string | null;
  /** How long the server asks to be left alone; `null` if it does not. */
  readonly retryAfterMs: number | null;
  /** What the server says is allowed; `null` if it does not say. */
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

/** The gateway refused: an answer with an error status. `errorCode` is `null` where its body is not the documented one. */
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

/** An answer that the specification does not know. It says nothing of what happened, and is never a success. */
export class InvalidResponseError extends GatewayError {
  constructor(message: string, facts: { readonly status: number | null; readonly requestId?: string | null; readonly cause?: unknown }) {
    super(message, {
      ...facts,
      code: invalidResponseCode(facts.status ?? 0),
    });
  }
}

/** An error status still says that nothing happened, whatever is wrong with the rest. */
function invalidResponseCode(status: number): string {
  if (status >= 400) return `HTTP_${status}`;
  return status >= 300 ? 'REDIRECTED' : 'INVALID_RESPONSE';
}

/**
 * How a call can end without an answer. Nothing has left: `CONNECTION_FAILED`, `REQUEST_NOT_SENT` (edict was asked to stop).
 * Something has left: `CONNECTION_LOST`, `TIMEOUT`, `INTERRUPTED` (edict was asked to stop).
 */
export type ConnectionCode = 'CONNECTION_FAILED' | 'REQUEST_NOT_SENT' | 'CONNECTION_LOST' | 'TIMEOUT' | 'INTERRUPTED';

/** There is no answer. */
export class ConnectionError extends GatewayError {
  declare readonly code: ConnectionCode;

  constructor(code: ConnectionCode, message: string, cause?: unknown) {
    super(message, { code, cause });
  }
}

/** No credentials are to be had, so nothing was sent to the gateway. */
export class CredentialsError extends GatewayError {
  declare readonly code: CredentialsCode;
}

/**
 * `CREDENTIALS_REJECTED`: the gateway or the identity service says no. `CREDENTIALS_UNREADABLE`: the file they stand in cannot
 * be read or holds none. The others: the identity service says nothing useful, or asks for a pause.
 */
export type CredentialsCode = 'CREDENTIALS_REJECTED' | 'CREDENTIALS_UNREADABLE' | 'IAM_UNAVAILABLE' | 'IAM_THROTTLED';

/** A dry run tried to send something. That is a bug of edict, stopped before a connection was opened. */
export class ReadOnlyTransportError extends Error {
  constructor(method: string) {
    super(`a dry run sends nothing, and this was a ${method}`);
    this.name = 'ReadsOnlyError';
  }
}

/** Returns the error of a caller that stopped before anything was sent. */
export function notSentError(): ConnectionError {
  return new ConnectionError('REQUEST_NOT_SENT', 'stopped before anything was sent');
}
