import type { ProbeResult } from '../model/deferral.ts';
import type { Emit } from '../model/events.ts';
import type { Clock, Store } from '../model/ports.ts';
import type { GatewaySettings } from '../model/publication.ts';
import type { RateLimiter } from './limit/rate-limiter.ts';

/** The rate moves all the time while it climbs: it is looked at once in this time. */
const checkIntervalMs = 1000;

/** So many probes are written down: a whole gateway may fail them. */
const maxReportedProbes = 200;

/** A smaller move of the rate, as a share of the limit, is not worth a line. */
const minReportedShare = 0.1;

export interface StatusReporterDeps {
  readonly store: Store;
  readonly rateLimiter: RateLimiter;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Returns the probes that were not answered as expected. */
  readonly failedProbes: () => readonly ProbeResult[];
  readonly onError: (error: unknown) => void;
}

/** Keeps the store's word on how this process gets on with its gateway up to date, for `edict status`, and tells of the rate. */
export class StatusReporter {
  readonly #settings: GatewaySettings;
  readonly #deps: StatusReporterDeps;
  readonly #timer: NodeJS.Timeout;
  #reportedCalls: number;
  #lastWritten = '';
  #pendingWrite: Promise<void> = Promise.resolve();

  constructor(settings: GatewaySettings, deps: StatusReporterDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#reportedCalls = settings.limit.calls;
    this.#timer = setInterval(() => this.update(), checkIntervalMs);
    this.#timer.unref();
    this.update();
  }

  /** Looks at once, since something has changed. */
  update(): void {
    const { rateLimiter, clock, store, emit, failedProbes, onError } = this.#deps;
    const { calls: limit } = this.#settings.limit;
    const { calls, perMs } = rateLimiter.currentRate;
    const isBack = calls >= limit && this.#reportedCalls < limit;
    if (isBack || Math.abs(calls - this.#reportedCalls) >= limit * minReportedShare) {
      this.#reportedCalls = calls;
      emit({ type: 'rate:changed', calls, perMs, limit });
    }
    const probes = failedProbes().slice(0, maxReportedProbes);
    const condition = {
      calls: this.#reportedCalls,
      perMs,
      paused: rateLimiter.stopped,
      ...(probes.length > 0 && { failedProbes: probes }),
    };
    const text = JSON.stringify(condition);
    if (text === this.#lastWritten) return;
    this.#lastWritten = text;
    const write = () => store.saveStatus(this.#settings, { ...condition, updatedAtMs: clock.now(), pid: process.pid });
    this.#pendingWrite = this.#pendingWrite.then(write).catch((error: unknown) => {
      this.#lastWritten = '';
      onError(error);
    });
  }

  /** Looks no more; resolves when what was seen is written. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#pendingWrite;
  }
}
