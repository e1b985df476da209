import type { Unobserved } from './observation.ts';
import { visibleExtract } from './visible.ts';

/** Optional parts of an error: the next step, the exit code (default 1) and the underlying error. */
interface ErrorOptions {
  readonly hint?: string;
  readonly exitCode?: ExitCode;
  readonly cause?: unknown;
}

/**
 * An error that a user can act on. `main.ts` prints `message` and `hint`, never a stack trace. Any other error that reaches it
 * is a bug in edict.
 */
export class EdictError extends Error {
  /** A stable name for programs, such as `STORE_LOCKED`. */
  readonly code: string;
  /** The next step for the user; `null` if the message says it. */
  readonly hint: string | null;
  readonly exitCode: ExitCode;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'EdictError';
    this.code = code;
    this.hint = options.hint ?? null;
    this.exitCode = options.exitCode ?? exitCodes.error;
  }
}

/** The store cannot be used. `code` is one of `STORE_*`. */
export class StoreError extends EdictError {}

/** Another process holds the store's lock. Retrying may succeed. */
export class StoreLockedError extends StoreError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('STORE_LOCKED', message, options);
  }
}

/** The store's server cannot be reached, or the connection to it was lost. Retrying may succeed. */
export class StoreUnavailableError extends StoreError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('STORE_UNREACHABLE', message, options);
  }
}

/** Returns the error class that belongs to a `STORE_*` code. */
export function storeError(code: string, message: string, options: ErrorOptions = {}): StoreError {
  if (code === 'STORE_LOCKED') return new StoreLockedError(message, options);
  return code === 'STORE_UNREACHABLE' ? new StoreUnavailableError(message, options) : new StoreError(code, message, options);
}

/** Another process holds the gateway's lease, or this one has lost it. */
export class LeaseHeldError extends EdictError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('LEASE_HELD', message, options);
  }
}

/** The environment variables contain no credentials, or only a part of them. */
export class CredentialsMissingError extends EdictError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('CREDENTIALS_MISSING', message, options);
  }
}

/** The operator has not allowed credentials to be sent to a host. */
export class HostNotAllowedError extends EdictError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('HOST_NOT_ALLOWED', message, options);
  }
}

/** The address for the page and the HTTP API cannot be bound. */
export class ListenFailedError extends EdictError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('LISTEN_FAILED', message, options);
  }
}

/** The gateway cannot be observed, so nothing can be planned. */
export class ObservationFailedError extends EdictError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('OBSERVATION_FAILED', message, options);
  }
}

/** The file uses names instead of IDs, and the gateway cannot be read to resolve them. */
export class NamesUnresolvedError extends EdictError {
  readonly unobserved: Unobserved;
  /** Whether the gateway refuses the list of names, which no retry remedies: the file is held until a person acts. */
  readonly isRefused: boolean;

  constructor(unobserved: Unobserved, { isRefused }: { readonly isRefused: boolean }) {
    const subject = isRefused ? 'the file is held, and nothing is sent: it' : 'the file';
    super('NAMES_UNRESOLVED', `${subject} ${unresolvedNamesReason(unobserved)}`, {
      hint: unresolvedNamesHint(unobserved),
      exitCode: isRefused ? exitCodes.held : exitCodes.error,
    });
    this.unobserved = unobserved;
    this.isRefused = isRefused;
  }
}

/** Returns what is wrong with a file whose names could not be looked up, without its subject. */
export function unresolvedNamesReason({ reason }: Unobserved): string {
  return `has names without IDs, and they cannot be looked up at the gateway: ${reason}`;
}

/** Returns what a person can do about names that could not be looked up. */
export function unresolvedNamesHint({ remedy }: Unobserved): string {
  return `${remedy}, or write the IDs into the file`;
}

/** Exit codes of the process. Keep the README's table of exit codes in step. */
export const exitCodes = {
  done: 0,
  error: 1,
  changes: 2,
  invalidFile: 3,
  held: 4,
  callsFailed: 5,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Stable names for the kinds of errors in a file. */
export type DiagnosticRule =
  | 'yaml'
  | 'duplicate-key'
  | 'unknown-key'
  | 'missing-key'
  | 'invalid-value'
  | 'variable'
  | 'undeclared-environment'
  | 'duplicate-declaration'
  | 'unknown-name'
  | 'redundant-key'
  | 'rollout'
  | 'freeze'
  | 'include';

/** One error in a file, with its place. */
export interface Diagnostic {
  readonly rule: DiagnosticRule;
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  /** Counts from 1, in UTF-16 units as in editors. */
  readonly column: number;
  /** How many characters of the line the error covers, at least 1. */
  readonly length: number;
  /** The problem, and what was expected. */
  readonly message: string;
  /** How to fix it; `null` if the message says it. */
  readonly hint: string | null;
  readonly excerpt: Excerpt;
}

/** The text of a line, or of the part around a column if the line is long. */
export interface Excerpt {
  readonly text: string;
  /** Where `text` starts in the line. Counts from 1. */
  readonly column: number;
}

/** The longest excerpt: a line may have megabytes, and a hundred errors. */
const maxExcerptLength = 200;

/** Returns the part of a line around a column. */
export function excerptAt(line: string, column: number): Excerpt {
  const from = line.length > maxExcerptLength ? Math.max(0, column - 1 - maxExcerptLength / 4) : 0;
  return { text: line.slice(from, from + maxExcerptLength).toWellFormed(), column: from + 1 };
}

/** How many errors of a file are reported. A hostile file has as many as it has characters. */
export const maxDiagnostics = 100;

/** The file cannot be read or is not valid. Holds its errors in the order of the file, the first ones if there are very many. */
export class InvalidFileError extends EdictError {
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Whether there are more errors than `diagnostics` has. */
  readonly hasMore: boolean;
  /** The number of errors in words, such as `2 errors`. */
  readonly count: string;

  /** `diagnostics` may be more than are reported. */
  constructor(file: string, diagnostics: readonly Diagnostic[], hasMore = diagnostics.length > maxDiagnostics) {
    const { length } = diagnostics;
    const count = hasMore ? `more than ${maxDiagnostics} errors` : length === 1 ? '1 error' : `${length} errors`;
    super('FILE_INVALID', `${file} has ${count}`, { exitCode: exitCodes.invalidFile });
    this.name = 'InvalidFileError';
    this.file = file;
    this.hasMore = hasMore;
    this.diagnostics = diagnostics.slice(0, maxDiagnostics);
    this.count = count;
  }
}

/** Returns the message of any thrown value. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/**
 * Returns the message of a connection error as one short line: that of a failed TLS handshake ends with a line break or quotes the server's
 * certificate. An AggregateError, for several addresses tried, has no message of its own, and the first of its errors is enough.
 */
export function connectionErrorMessage(thrown: unknown): string {
  const [first] = thrown instanceof AggregateError ? (thrown.errors as unknown[]) : [];
  const error = first ?? thrown;
  return visibleExtract(errorMessage(error)) || (error instanceof Error ? error.name : 'unknown error');
}

/** Marks a branch that the types rule out. Throws a TypeError if it is reached. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected ${JSON.stringify(value)}`);
}
