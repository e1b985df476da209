import { EdictError, InvalidFileError } from '../core/errors.ts';
import type { Emit, PassCause } from '../core/events.ts';
import type { Clock, DesiredSource } from '../core/ports.ts';
import type { DesiredState } from '../core/publication.ts';
import { backoffMs } from './backoff.ts';
import type { Engine } from './engine.ts';
import type { TakeOver } from './take-over.ts';

export interface DaemonDeps {
  readonly source: DesiredSource;
  readonly clock: Clock;
  readonly emit: Emit;
  /** How long the file must be left alone before it is read, in milliseconds: an editor writes in several steps. */
  readonly debounceMs: number;
  /** A pass is made so often even if nothing seems to have happened, in milliseconds. */
  readonly resyncMs: number;
  /**
   * Returns the engine for a desired state's gateway: the present one, or another where address or limit have changed or its lease has
   * ended. Rejects with an EdictError `GATEWAY_HELD` while another edict has the lease.
   */
  readonly engineFor: (desired: DesiredState) => Promise<Engine>;
  /** Returns whether a gateway may be taken over that another edict has had. Rejects with an EdictError `STORE_*`. */
  readonly mayTakeOver: (desired: DesiredState) => Promise<TakeOver>;
}

/** How long after the gateway could not be asked for names it is asked again, in milliseconds. */
const namesAgainMs = 10_000;

/** How long after another edict was found to have the gateway's lease it is asked for again, in milliseconds. */
const leaseAgainMs = 500;

/** A store that fails is asked again so often at least, in milliseconds: what waits for it is what is to be taken over. */
const storeAgainMs = 10_000;

const olderFile =
  'the file here is older than the one that was acted on last: for three minutes a newer one is waited for, here or with another edict; SIGHUP takes this one';

/**
 * The loop: whatever wakes it, it reads the whole file and makes a whole pass. A wake carries no data, so a late, doubled
 * or lost one costs nothing. A file that is broken or absent leaves the last valid desired state in force.
 */
export class Daemon {
  readonly #deps: DaemonDeps;
  readonly #stopping = new AbortController();
  #wake: (() => void) | null = null;
  #cause: PassCause | null = 'start';
  #desired: DesiredState | null = null;
  #lastComplaint = '';
  /** The file is well, but the gateway could not be asked what its names mean. */
  #lacksNames = false;
  /** Why another edict has the gateway's lease; `null` while this one has it. */
  #standsBy: string | null = null;
  /** How often in a row the store has failed. */
  #storeFailures = 0;
  /** Why a pass is to be made that could not be made. */
  #owed: PassCause | null = null;
  /** A file that is broken is not read again before, unless something has happened: what its names mean was asked at the gateway. */
  #readAgainAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: DaemonDeps) {
    this.#deps = deps;
  }

  /** Runs until `stop`. Throws what `engineFor` throws besides failures of the store: a gateway that cannot even be addressed. */
  async run(): Promise<void> {
    const { source, debounceMs } = this.#deps;
    const { signal } = this.#stopping;
    const watch = await source.watch(() => this.wake('file'));
    try {
      while (!signal.aborted) {
        const woken = this.#cause ?? (await this.#woken(this.#restMs()));
        if (signal.aborted) break;
        // A request is for a file that may be just on its way.
        const cause = woken === 'file' || woken === 'request' ? await this.#untilQuiet(debounceMs, woken) : woken;
        this.#cause = null;
        await this.#pass(cause);
      }
    } finally {
      await watch.close();
    }
  }

  /** Asks for a pass soon. */
  wake(cause: PassCause): void {
    // The first pass does whatever another one would.
    if (this.#cause === 'start') return;
    this.#cause = stronger(this.#cause, cause);
    this.#wake?.();
  }

  /** Ends `run` after the pass that is being made. */
  stop(): void {
    this.#stopping.abort();
    this.#wake?.();
  }

  /** How long the loop may rest if nothing wakes it, in milliseconds. */
  #restMs(): number {
    const { resyncMs } = this.#deps;
    return Math.min(
      resyncMs,
      this.#desired?.observeEveryMs ?? resyncMs,
      this.#lacksNames ? namesAgainMs : resyncMs,
      this.#standsBy === null || this.#storeFailures > 0 ? resyncMs : leaseAgainMs,
      this.#storeFailures === 0 ? resyncMs : Math.min(storeAgainMs, backoffMs(this.#storeFailures, 1)),
    );
  }

  async #pass(woken: PassCause): Promise<void> {
    const { engineFor, mayTakeOver, emit } = this.#deps;
    let cause = stronger(this.#owed, woken);
    try {
      const changed = await this.#load(cause);
      if (!this.#desired) return;
      const stoodBy = this.#standsBy !== null;
      if (stoodBy && cause !== 'signal') {
        const takeOver = await mayTakeOver(this.#desired);
        if (takeOver === 'behind') this.#standBy(olderFile);
        if (takeOver !== 'free') {
          this.#storeFailures = 0;
          return;
        }
      }
      const engine = await engineFor(this.#desired);
      this.#standsBy = null;
      if (stoodBy) emit({ type: 'lease:taken' });
      const asked = changed && woken !== 'start' ? 'file' : woken === 'file' ? 'resync' : woken;
      cause = stoodBy ? 'start' : stronger(this.#owed, asked);
      await engine.pass(this.#desired, cause, this.#stopping.signal);
      this.#storeFailures = 0;
      this.#owed = null;
    } catch (error) {
      if (!(error instanceof EdictError) || !/^(?:UNSEEN|GATEWAY_HELD|STORE_.*)$/.test(error.code)) throw error;
      this.#owed = stronger(this.#owed, cause);
      if (error.code === 'UNSEEN') return; // the engine has told it
      if (error.code === 'GATEWAY_HELD') this.#standBy(error.message);
      else {
        this.#storeFailures += 1;
        emit({ type: 'store:failed', passId: '', message: error.message });
      }
    }
  }

  #standBy(reason: string): void {
    if (reason !== this.#standsBy) this.#deps.emit({ type: 'lease:waited', reason });
    this.#standsBy = reason;
    this.#storeFailures = 0;
    // Whoever takes over begins anew.
    this.#owed = null;
  }

  /**
   * Reads the file and returns whether it gave a new desired state. Rejects with an EdictError `GATEWAY_HELD` or `STORE_*` where it needs
   * the lease or the store to find out what its names mean.
   */
  async #load(cause: PassCause): Promise<boolean> {
    const { source, emit, clock } = this.#deps;
    if (cause === 'resync' && clock.monotonic() < this.#readAgainAtMs) return false;
    try {
      const desired = await source.load();
      const [isNew, isMended] = [desired !== this.#desired, this.#lastComplaint !== ''];
      this.#lastComplaint = '';
      this.#lacksNames = false;
      this.#desired = desired;
      if (isNew || isMended) emit({ type: 'file:accepted', desired });
      return isNew;
    } catch (error) {
      if (!(error instanceof EdictError) || /^(?:GATEWAY_HELD|STORE_.*)$/.test(error.code)) throw error;
      this.#lacksNames = error.code === 'NAMES_UNKNOWN';
      this.#readAgainAtMs = clock.monotonic() + namesAgainMs;
      const complaint = error instanceof InvalidFileError ? JSON.stringify(error.mistakes) : error.message;
      if (complaint !== this.#lastComplaint) {
        this.#lastComplaint = complaint;
        if (error instanceof InvalidFileError) emit({ type: 'file:rejected', error });
        else emit({ type: 'file:missed', message: error.message });
      }
      return false;
    }
  }

  /** Resolves to what woke the loop, after `resyncMs` at the latest. */
  async #woken(resyncMs: number): Promise<PassCause> {
    const timeout = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([woken, this.#deps.clock.sleep(resyncMs, timeout.signal)]);
    timeout.abort();
    this.#wake = null;
    return this.#cause ?? 'resync';
  }

  /** Resolves when nothing has asked for a pass for `debounceMs`, to the strongest cause of it; a person's signal does not wait. */
  async #untilQuiet(debounceMs: number, first: PassCause): Promise<PassCause> {
    const { signal } = this.#stopping;
    for (let strongest = first; ; ) {
      this.#cause = null;
      const cause = await this.#woken(debounceMs);
      strongest = stronger(strongest, cause);
      if (signal.aborted || (cause !== 'file' && cause !== 'request')) return strongest;
    }
  }
}

/** Returns the cause that makes a pass do more: each of these does what the ones behind it do. */
function stronger(before: PassCause | null, cause: PassCause): PassCause {
  for (const strong of ['signal', 'request', 'file'] as const) if (before === strong || cause === strong) return strong;
  return cause;
}
