/** What else an error says: what to do now, the exit code (default 1), and the error that led to it. */
interface ErrorOptions {
  readonly hint?: string;
  readonly exitCode?: ExitCode;
  readonly cause?: unknown;
}

/**
 * An error with a cause that a person can act on. `main.ts` prints `message` and `hint`, never a stack trace;
 * anything thrown that is not an EdictError is a bug of edict.
 */
export class EdictError extends Error {
  /** A stable name for programs, such as `STORE_LOCKED`. */
  readonly code: string;
  /** What to do now. */
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

/** Another process has the store. It may be free later. */
export class StoreLockedError extends StoreError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('STORE_LOCKED', message, options);
  }
}

/** The store's server does not answer, or the connection to it was lost. It may be back later. */
export class StoreUnavailableError extends StoreError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('STORE_UNREACHABLE', message, options);
  }
}

/** Returns the error for what is wrong with a store, by its code `STORE_*`. */
export function storeError(code: string, message: string, options: ErrorOptions = {}): StoreError {
  if (code === 'STORE_LOCKED') return new StoreLockedError(message, options);
  return code === 'STORE_UNREACHABLE' ? new StoreUnavailableError(message, options) : new StoreError(code, message, options);
}

/** Another process has the lease of the gateway, or this one has lost it. */
export class LeaseHeldError extends EdictError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('LEASE_HELD', message, options);
  }
}

/** The gateway cannot be observed, and without that nothing can be planned. */
export class ObservationFailedError extends EdictError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('OBSERVATION_FAILED', message, options);
  }
}

/** The file has names instead of IDs, and the gateway cannot be asked for them. */
export class NamesUnresolvedError extends EdictError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('NAMES_UNRESOLVED', message, options);
  }
}

/** What the process answers to its caller; the README's table of exit codes is this one. */
export const exitCodes = {
  done: 0,
  error: 1,
  changes: 2,
  invalidFile: 3,
  held: 4,
  callsFailed: 5,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What kind a mistake in the file is of. */
export type DiagnosticRule =
  | 'yaml'
  | 'duplicate-key'
  | 'unknown-key'
  | 'missing-key'
  | 'value'
  | 'variable'
  | 'undeclared-environment'
  | 'declared-twice'
  | 'unknown-name'
  | 'spare-key'
  | 'order'
  | 'freeze'
  | 'include';

/** One mistake in the file. */
export interface Diagnostic {
  readonly rule: DiagnosticRule;
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  /** Counts from 1, in UTF-16 units as editors do. */
  readonly column: number;
  /** How many characters of the line the mistake covers, at least 1. */
  readonly length: number;
  /** What is wrong, and what was expected. */
  readonly message: string;
  /** What to do now; `null` if the message says it. */
  readonly hint: string | null;
  /** The text of the line. */
  readonly text: string;
}

/** The file cannot be read or breaks its format. Holds every mistake, in the order of the file. */
export class InvalidFileError extends EdictError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(file: string, mistakes: readonly Diagnostic[]) {
    super('FILE_INVALID', `${file} has ${mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`}`, {
      exitCode: exitCodes.invalidFile,
    });
    this.name = 'InvalidFileError';
    this.diagnostics = mistakes;
  }
}

/** Returns the message of anything thrown. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Marks a branch that the types say cannot be reached. Throws a TypeError if it is. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected ${JSON.stringify(value)}`);
}
