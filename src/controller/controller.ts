/*
 * The controller folder decides when to plan and which calls to make when: the loop, the work queue, the rate limit, observation
 * and the triggers. It emits events and never logs, counts or notifies. It never sends a request before its attempt is durable,
 * and it reaches the gateway, the store and the source only through the interfaces in model/ports.ts.
 */
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
  /** How long the file must be unchanged before it is read, in milliseconds: an editor saves in several steps. */
  readonly debounceMs: number;
  /** The longest time between two reconciliations when nothing triggers one, in milliseconds. */
  readonly resyncMs: number;
  /**
   * Returns the runner for the desired state's gateway: the current one, or a new one if the address or the limit has changed or the
   * lease has ended. Rejects with an EdictError `LEASE_HELD` while another edict holds the lease.
   */
  readonly runnerFor: (desired: DesiredState) => Promise<ReconcileRunner>;
  /** Returns whether the gateway may be taken over from another edict. Rejects with an EdictError `STORE_*`. */
  readonly checkStaleSource: (desired: DesiredState) => Promise<StaleSourceResult>;
}

/** Delay before names are resolved again after the gateway could not be read, in milliseconds. */
const nameRetryMs = 10_000;

/** Interval between attempts to acquire a lease that another edict holds, in milliseconds. */
const leaseRetryMs = 500;

/** The longest delay before a failed store is tried again, in milliseconds: a takeover waits for the store too. */
const maxStoreRetryMs = 10_000;

const staleSourceMessage =
  'the file here is older than the one that was acted on last: for three minutes a newer one is waited for, here or with another edict; SIGHUP takes this one';

/**
 * The control loop: on every trigger it loads the whole file and runs a full reconciliation. A trigger carries no data, so a
 * late, duplicate or lost one does no harm. If the file is invalid or missing, the last valid desired state stays in force.
 */
export class Controller {
  readonly #deps: ControllerDeps;
  readonly #stopping = new AbortController();
  #notify: (() => void) | null = null;
  #triggeredCause: TriggerCause | null = 'startup';
  #desired: DesiredState | null = null;
  #lastError = '';
  /** The file is valid, but its names could not be resolved because the gateway could not be read. */
  #hasUnresolvedNames = false;
  /** Why this edict is on standby; `null` while it holds the gateway's lease. */
  #standbyReason: string | null = null;
  /** Consecutive failures of the store. */
  #storeFailures = 0;
  /** The cause of a reconciliation that failed and must be run again. */
  #pendingCause: TriggerCause | null = null;
  /** After a failed load, a resync does not load the file before this time: a load may ask the gateway for names. */
  #nextLoadAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
  }

  /** Runs until `stop`. Rethrows errors of `runnerFor` other than a held lease and store failures, such as an invalid gateway address. */
  async run(): Promise<void> {
    const { source, debounceMs } = this.#deps;
    const { signal } = this.#stopping;
    const watch = await source.watch(() => this.trigger('file'));
    try {
      while (!signal.aborted) {
        const triggered = this.#triggeredCause ?? (await this.#nextTrigger(this.#maxWaitMs()));
        if (signal.aborted) break;
        // The file that a request is about may still be on its way here.
        const cause = triggered === 'file' || triggered === 'requested' ? await this.#debounce(debounceMs, triggered) : triggered;
        this.#triggeredCause = null;
        await this.#reconcile(cause);
      }
    } finally {
      await watch.close();
    }
  }

  /** Requests a reconciliation soon. */
  trigger(cause: TriggerCause): void {
    // The first reconciliation covers every other cause.
    if (this.#triggeredCause === 'startup') return;
    this.#triggeredCause = strongestCause(this.#triggeredCause, cause);
    this.#notify?.();
  }

  /** Ends `run` after the current reconciliation. */
  stop(): void {
    this.#stopping.abort();
    this.#notify?.();
  }

  /** How long the loop waits for a trigger, in milliseconds. */
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

  async #reconcile(triggered: TriggerCause): Promise<void> {
    const { runnerFor, checkStaleSource, emit } = this.#deps;
    let cause = strongestCause(this.#pendingCause, triggered);
    try {
      const changed = await this.#load(cause);
      if (!this.#desired) return;
      const wasStandby = this.#standbyReason !== null;
      if (wasStandby && cause !== 'signal') {
        const staleCheck = await checkStaleSource(this.#desired);
        if (staleCheck === 'behind') this.#enterStandby(staleSourceMessage);
        if (staleCheck !== 'free') {
          this.#storeFailures = 0;
          return;
        }
      }
      const runner = await runnerFor(this.#desired);
      this.#standbyReason = null;
      if (wasStandby) emit({ type: 'lease:acquired' });
      const effective = changed && triggered !== 'startup' ? 'file' : triggered === 'file' ? 'resync' : triggered;
      cause = wasStandby ? 'startup' : strongestCause(this.#pendingCause, effective);
      await runner.reconcile(this.#desired, cause, this.#stopping.signal);
      this.#storeFailures = 0;
      this.#pendingCause = null;
    } catch (error) {
      if (!(error instanceof ObservationFailedError || error instanceof LeaseHeldError || error instanceof StoreError)) throw error;
      this.#pendingCause = strongestCause(this.#pendingCause, cause);
      if (error instanceof ObservationFailedError) return; // the drift detector has emitted it
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
    // A takeover starts with a full reconciliation.
    this.#pendingCause = null;
  }

  /**
   * Loads the file and returns whether the desired state is new. Rejects with an EdictError `LEASE_HELD` or `STORE_*` if resolving names
   * needs the lease or the store and fails.
   */
  async #load(cause: TriggerCause): Promise<boolean> {
    const { source, emit, clock } = this.#deps;
    if (cause === 'resync' && clock.monotonicMs() < this.#nextLoadAtMs) return false;
    try {
      const desired = await source.load();
      const [isNew, isFixed] = [desired !== this.#desired, this.#lastError !== ''];
      this.#lastError = '';
      this.#hasUnresolvedNames = false;
      this.#desired = desired;
      if (isNew || isFixed) emit({ type: 'file:loaded', desired });
      return isNew;
    } catch (error) {
      if (!(error instanceof EdictError) || error instanceof LeaseHeldError || error instanceof StoreError) throw error;
      this.#hasUnresolvedNames = error instanceof NamesUnresolvedError;
      this.#nextLoadAtMs = clock.monotonicMs() + nameRetryMs;
      const description = error instanceof InvalidFileError ? JSON.stringify(error.diagnostics) : error.message;
      if (description !== this.#lastError) {
        this.#lastError = description;
        if (error instanceof InvalidFileError) emit({ type: 'file:invalid', error });
        else emit({ type: 'file:unreadable', message: error.message });
      }
      return false;
    }
  }

  /** Resolves to the cause of the next trigger, or to `resync` after `resyncMs`. */
  async #nextTrigger(resyncMs: number): Promise<TriggerCause> {
    const timeout = new AbortController();
    const triggered = new Promise<void>((resolve) => {
      this.#notify = resolve;
    });
    await Promise.race([triggered, this.#deps.clock.sleep(resyncMs, timeout.signal)]);
    timeout.abort();
    this.#notify = null;
    return this.#triggeredCause ?? 'resync';
  }

  /** Resolves to the strongest cause once no trigger has come for `debounceMs`. A signal ends the debounce immediately. */
  async #debounce(debounceMs: number, first: TriggerCause): Promise<TriggerCause> {
    const { signal } = this.#stopping;
    for (let strongest = first; ; ) {
      this.#triggeredCause = null;
      const cause = await this.#nextTrigger(debounceMs);
      strongest = strongestCause(strongest, cause);
      if (signal.aborted || (cause !== 'file' && cause !== 'requested')) return strongest;
    }
  }
}

/** Returns the stronger of two causes: each listed cause includes the effects of those after it. */
function strongestCause(before: TriggerCause | null, cause: TriggerCause): TriggerCause {
  for (const candidate of ['signal', 'requested', 'file'] as const) if (before === candidate || cause === candidate) return candidate;
  return cause;
}
