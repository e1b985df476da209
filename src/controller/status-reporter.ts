import type { ProbeResult } from '../model/change.ts';
import type { Clock } from '../model/clock.ts';
import type { Emit } from '../model/events.ts';
import type { GatewaySettings } from '../model/gateway.ts';
import type { Store } from '../store/interface.ts';
import type { RateLimiter } from './limit/rate-limiter.ts';

/** The interval at which the rate is checked, in milliseconds: it changes continuously while it recovers. */
const checkIntervalMs = 1000;

/** The most failed probes that are stored: all probes of a gateway may fail. */
const maxReportedProbes = 200;

/** The smallest change of the rate that is reported, as a share of the limit. */
const minReportedShare = 0.1;

export interface StatusReporterDeps {
  readonly store: Store;
  readonly rateLimiter: RateLimiter;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Returns the failed probes. */
  readonly failedProbes: () => readonly ProbeResult[];
  readonly onError: (error: unknown) => void;
}

/** Keeps this process's status in the store up to date for `edict status`, and emits changes of the rate. */
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

  /** Checks immediately, because something has changed. */
  update(): void {
    const { rateLimiter, clock, store, emit, failedProbes, onError } = this.#deps;
    const { calls: limit } = this.#settings.limit;
    const { calls, perMs } = rateLimiter.currentRate;
    const isRecovered = calls >= limit && this.#reportedCalls < limit;
    if (isRecovered || Math.abs(calls - this.#reportedCalls) >= limit * minReportedShare) {
      this.#reportedCalls = calls;
      emit({ type: 'rate:changed', calls, perMs, limit });
    }
    const probes = failedProbes().slice(0, maxReportedProbes);
    const status = {
      calls: this.#reportedCalls,
      perMs,
      paused: rateLimiter.paused,
      ...(probes.length > 0 && { failedProbes: probes }),
    };
    const text = JSON.stringify(status);
    if (text === this.#lastWritten) return;
    this.#lastWritten = text;
    const write = () => store.saveStatus(this.#settings, { ...status, updatedAtMs: clock.now(), pid: process.pid });
    this.#pendingWrite = this.#pendingWrite.then(write).catch((error: unknown) => {
      this.#lastWritten = '';
      onError(error);
    });
  }

  /** Stops the checks; resolves when the last status is written. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#pendingWrite;
  }
}
