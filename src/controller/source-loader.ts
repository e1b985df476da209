import { GatewayHeldError } from '../model/change.ts';
import type { Clock } from '../model/clock.ts';
import type { DesiredState } from '../model/desired-state.ts';
import { EdictError, InvalidFileError, LeaseHeldError, NamesUnresolvedError, StoreError } from '../model/errors.ts';
import type { Emit, TriggerCause } from '../model/events.ts';
import type { DesiredSource } from '../source/interface.ts';

/** Delay before names are resolved again after the gateway could not be read, in milliseconds. */
export const nameRetryMs = 10_000;

/** How long the end of an abandoned load is waited for, in milliseconds. */
const hangLimitMs = 1000;

export interface SourceLoaderDeps {
  readonly source: DesiredSource;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly emit: Emit;
  /** Called when a load has ended, well or not. */
  readonly onLoaded: () => void;
}

/** A load that has ended. `error` is one of the lease, of the store or unexpected; what is wrong with the file itself was emitted. */
export interface LoadResult {
  readonly cause: TriggerCause;
  /** Whether the desired state is new. */
  readonly isNew: boolean;
  readonly error: unknown;
}

/**
 * Loads the file beside the control loop, because reading it may hang on a file system and resolving its names on the network. While a
 * load is in progress, and if the file is invalid or missing, the last valid desired state stays in force.
 */
export class SourceLoader {
  readonly #deps: SourceLoaderDeps;
  #abort: AbortController | null = null;
  #cause: TriggerCause | null = null;
  #loading: Promise<void> = Promise.resolve();
  #finished: LoadResult | null = null;
  #lastError = '';
  /** After a failed load, a resync does not load the file before this time: a load may ask the gateway for names. */
  #nextLoadAtMs = Number.NEGATIVE_INFINITY;
  /** The last valid desired state; `null` before the first one. */
  desired: DesiredState | null = null;
  /** The file is valid, but its names could not be resolved because the gateway could not be read. */
  hasUnresolvedNames = false;

  constructor(deps: SourceLoaderDeps) {
    this.#deps = deps;
  }

  /** Whether a load is in progress, or its result was not taken yet. */
  get isBusy(): boolean {
    return this.#abort !== null || this.#finished !== null;
  }

  /** Starts a load. One in progress is abandoned, because the file may have changed since it was read. */
  start(cause: TriggerCause): void {
    const { clock, onLoaded } = this.#deps;
    if (cause === 'resync' && this.#abort) return;
    if (cause === 'resync' && clock.monotonicMs() < this.#nextLoadAtMs) {
      this.#finished = { cause, isNew: false, error: null };
      onLoaded();
      return;
    }
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#cause = strongestCause(this.#cause, cause);
    this.#loading = this.#load(abort.signal);
  }

  /** Returns the result of the last load that has ended, once; `null` if there is none. */
  take(): LoadResult | null {
    const finished = this.#finished;
    this.#finished = null;
    return finished;
  }

  /** Abandons a load in progress; resolves when it has ended, or after a second if a file system hangs. */
  async stop(): Promise<void> {
    const ended = new AbortController();
    this.#abort?.abort();
    await Promise.race([this.#loading, this.#deps.clock.sleep(hangLimitMs, ended.signal)]);
    ended.abort();
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { source, emit, onLoaded } = this.#deps;
    let loaded: DesiredState | null = null;
    let failure: unknown = null;
    try {
      loaded = await source.load(signal);
    } catch (error) {
      failure = error;
    }
    if (signal.aborted) return;
    this.#abort = null;
    const cause = this.#cause ?? 'resync';
    this.#cause = null;
    const [isNew, isFixed] = [loaded !== null && loaded !== this.desired, this.#lastError !== ''];
    if (loaded) {
      this.#lastError = '';
      this.hasUnresolvedNames = false;
      this.desired = loaded;
      if (isNew || isFixed) emit({ type: 'file:loaded', desired: loaded });
    }
    const isAboutFile = failure instanceof EdictError && !(failure instanceof LeaseHeldError || failure instanceof StoreError);
    if (isAboutFile) this.#onFileError(failure as EdictError);
    this.#finished = { cause, isNew, error: isAboutFile ? null : failure };
    onLoaded();
  }

  #onFileError(error: EdictError): void {
    const { emit, clock } = this.#deps;
    this.hasUnresolvedNames = error instanceof NamesUnresolvedError || error instanceof GatewayHeldError;
    this.#nextLoadAtMs = clock.monotonicMs() + nameRetryMs;
    const message = [error.message, error.hint].filter(Boolean).join('; ');
    const description = error instanceof InvalidFileError ? JSON.stringify(error.diagnostics) : message;
    if (description === this.#lastError) return;
    this.#lastError = description;
    if (error instanceof InvalidFileError) emit({ type: 'file:invalid', error });
    else if (error instanceof GatewayHeldError) emit({ type: 'file:held', holds: error.holds, message });
    else emit({ type: 'file:unreadable', message });
  }
}

/** From the strongest on: each includes the effects of those after it. */
const causes = [
  'startup',
  'signal',
  'requested',
  'file',
  'approval',
  'suspension',
  'observed',
  'resync',
  'retry',
  'timer',
  'rollout',
] as const satisfies readonly TriggerCause[];

/** Returns the strongest of these causes; `null` if there is none. */
export function strongestCause(...given: readonly (TriggerCause | null | undefined)[]): TriggerCause | null {
  return causes.find((cause) => given.includes(cause)) ?? null;
}
