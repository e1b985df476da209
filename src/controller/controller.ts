import { EdictError, InvalidFileError, LeaseHeldError, NamesUnresolvedError, ObservationFailedError, StoreError } from '../model/errors.ts';
import type { Emit, TriggerCause } from '../model/events.ts';
import type { Clock, DesiredSource } from '../model/ports.ts';
import type { DesiredState } from '../model/publication.ts';
import type { ReconcileRunner } from './reconcile-runner.ts';
import { backoffMs } from './retry.ts';
import type { StaleSourceResult } from './stale-source-check.ts';

export interface ControllerDeps {
  readonly source: DesiredSource;
  readonly clock: Clock;
  readonly emit: Emit;
  /** How long the file must be left alone before it is read, in milliseconds: an editor writes in several steps. */
  readonly debounceMs: number;
  /** A pass is made so often even if nothing seems to have happened, in milliseconds. */
  readonly resyncMs: number;
  /**
   * Returns the engine for a desired state's gateway: the present one, or another where address or limit have changed or its lease has
   * ended. Rejects with an EdictError `LEASE_HELD` while another edict has the lease.
   */
  readonly runnerFor: (desired: DesiredState) => Promise<ReconcileRunner>;
  /** Returns whether a gateway may be taken over that another edict has had. Rejects with an EdictError `STORE_*`. */
  readonly checkStaleSource: (desired: DesiredState) => Promise<StaleSourceResult>;
}

/** How long after the gateway could not be asked for names it is asked again, in milliseconds. */
const nameRetryMs = 10_000;

/** How long after another edict was found to have the gateway's lease it is asked for again, in milliseconds. */
const leaseRetryMs = 500;

/** A store that fails is asked again so often at least, in milliseconds: what waits for it is what is to be taken over. */
const maxStoreRetryMs = 10_000;

const staleSourceMessage =
  'the file here is older than the one that was acted on last: for three minutes a newer one is waited for, here or with another edict; SIGHUP takes this one';

/**
 * The loop: whatever wakes it, it reads the whole file and makes a whole pass. A wake carries no data, so a late, doubled
 * or lost one costs nothing. A file that is broken or absent leaves the last valid desired state in force.
 */
export class Controller {
  readonly #deps: ControllerDeps;
  readonly #stopping = new AbortController();
  #notify: (() => void) | null = null;
  #triggeredCause: TriggerCause | null = 'start';
  #desired: DesiredState | null = null;
  #lastError = '';
  /** The file is well, but the gateway could not be asked what its names mean. */
  #hasUnresolvedNames = false;
  /** Why another edict has the gateway's lease; `null` while this one has it. */
  #standbyReason: string | null = null;
  /** How often in a row the store has failed. */
  #storeFailures = 0;
  /** Why a pass is to be made that could not be made. */
  #pendingCause: TriggerCause | null = null;
  /** A file that is broken is not read again before, unless something has happened: what its names mean was asked at the gateway. */
  #nextLoadAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
  }

  /** Runs until `stop`. Throws what `engineFor` throws besides failures of the store: a gateway that cannot even be addressed. */
  async run(): Promise<void> {
    const { source, debounceMs } = this.#deps;
    const { signal } = this.#stopping;
    const watch = await source.watch(() => this.trigger('file'));
    try {
      while (!signal.aborted) {
        const woken = this.#triggeredCause ?? (await this.#nextTrigger(this.#maxWaitMs()));
        if (signal.aborted) break;
        // A request is for a file that may be just on its way.
        const cause = woken === 'file' || woken === 'request' ? await this.#debounce(debounceMs, woken) : woken;
        this.#triggeredCause = null;
        await this.#reconcile(cause);
      }
    } finally {
      await watch.close();
    }
  }

  /** Asks for a pass soon. */
  trigger(cause: TriggerCause): void {
    // The first pass does whatever another one would.
    if (this.#triggeredCause === 'start') return;
    this.#triggeredCause = strongestCause(this.#triggeredCause, cause);
    this.#notify?.();
  }

  /** Ends `run` after the pass that is being made. */
  stop(): void {
    this.#stopping.abort();
    this.#notify?.();
  }

  /** How long the loop may rest if nothing wakes it, in milliseconds. */
  #maxWaitMs(): number {
    const { resyncMs } = this.#deps;
    return Math.min(
      resyncMs,
      this.#desired?.refreshIntervalMs ?? resyncMs,
      this.#hasUnresolvedNames ? nameRetryMs : resyncMs,
      this.#standbyReason === null || this.#storeFailures > 0 ? resyncMs : leaseRetryMs,
      this.#storeFailures === 0 ? resyncMs : Math.min(maxStoreRetryMs, backoffMs(this.#storeFailures, 1)),
    );
  }

  async #reconcile(woken: TriggerCause): Promise<void> {
    const { runnerFor, checkStaleSource, emit } = this.#deps;
    let cause = strongestCause(this.#pendingCause, woken);
    try {
      const changed = await this.#load(cause);
      if (!this.#desired) return;
      const stoodBy = this.#standbyReason !== null;
      if (stoodBy && cause !== 'signal') {
        const takeOver = await checkStaleSource(this.#desired);
        if (takeOver === 'behind') this.#enterStandby(staleSourceMessage);
        if (takeOver !== 'free') {
          this.#storeFailures = 0;
          return;
        }
      }
      const engine = await runnerFor(this.#desired);
      this.#standbyReason = null;
      if (stoodBy) emit({ type: 'lease:acquired' });
      const asked = changed && woken !== 'start' ? 'file' : woken === 'file' ? 'resync' : woken;
      cause = stoodBy ? 'start' : strongestCause(this.#pendingCause, asked);
      await engine.reconcile(this.#desired, cause, this.#stopping.signal);
      this.#storeFailures = 0;
      this.#pendingCause = null;
    } catch (error) {
      if (!(error instanceof ObservationFailedError || error instanceof LeaseHeldError || error instanceof StoreError)) throw error;
      this.#pendingCause = strongestCause(this.#pendingCause, cause);
      if (error instanceof ObservationFailedError) return; // the engine has told it
      if (error instanceof LeaseHeldError) this.#enterStandby(error.message);
      else {
        this.#storeFailures += 1;
        emit({ type: 'store:error', reconcileId: '', message: error.message });
      }
    }
  }

  #enterStandby(reason: string): void {
    if (reason !== this.#standbyReason) this.#deps.emit({ type: 'lease:standby', reason });
    this.#standbyReason = reason;
    this.#storeFailures = 0;
    // Whoever takes over begins anew.
    this.#pendingCause = null;
  }

  /**
   * Reads the file and returns whether it gave a new desired state. Rejects with an EdictError `LEASE_HELD` or `STORE_*` where it needs
   * the lease or the store to find out what its names mean.
   */
  async #load(cause: TriggerCause): Promise<boolean> {
    const { source, emit, clock } = this.#deps;
    if (cause === 'resync' && clock.monotonicMs() < this.#nextLoadAtMs) return false;
    try {
      const desired = await source.load();
      const [isNew, isMended] = [desired !== this.#desired, this.#lastError !== ''];
      this.#lastError = '';
      this.#hasUnresolvedNames = false;
      this.#desired = desired;
      if (isNew || isMended) emit({ type: 'file:loaded', desired });
      return isNew;
    } catch (error) {
      if (!(error instanceof EdictError) || error instanceof LeaseHeldError || error instanceof StoreError) throw error;
      this.#hasUnresolvedNames = error instanceof NamesUnresolvedError;
      this.#nextLoadAtMs = clock.monotonicMs() + nameRetryMs;
      const complaint = error instanceof InvalidFileError ? JSON.stringify(error.diagnostics) : error.message;
      if (complaint !== this.#lastError) {
        this.#lastError = complaint;
        if (error instanceof InvalidFileError) emit({ type: 'file:invalid', error });
        else emit({ type: 'file:unreadable', message: error.message });
      }
      return false;
    }
  }

  /** Resolves to what woke the loop, after `resyncMs` at the latest. */
  async #nextTrigger(resyncMs: number): Promise<TriggerCause> {
    const timeout = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#notify = resolve;
    });
    await Promise.race([woken, this.#deps.clock.sleep(resyncMs, timeout.signal)]);
    timeout.abort();
    this.#notify = null;
    return this.#triggeredCause ?? 'resync';
  }

  /** Resolves when nothing has asked for a pass for `debounceMs`, to the strongest cause of it; a person's signal does not wait. */
  async #debounce(debounceMs: number, first: TriggerCause): Promise<TriggerCause> {
    const { signal } = this.#stopping;
    for (let strongest = first; ; ) {
      this.#triggeredCause = null;
      const cause = await this.#nextTrigger(debounceMs);
      strongest = strongestCause(strongest, cause);
      if (signal.aborted || (cause !== 'file' && cause !== 'request')) return strongest;
    }
  }
}

/** Returns the cause that makes a pass do more: each of these does what the ones behind it do. */
function strongestCause(before: TriggerCause | null, cause: TriggerCause): TriggerCause {
  for (const strong of ['signal', 'request', 'file'] as const) if (before === strong || cause === strong) return strong;
  return cause;
}
