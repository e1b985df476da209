import type { Emit } from '../core/events.ts';
import type { Clock, Store } from '../core/ports.ts';
import type { GatewaySettings } from '../core/publication.ts';
import type { ProbeAnswer } from '../core/wait.ts';
import type { Traffic } from './traffic.ts';

/** The rate moves all the time while it climbs: it is looked at once in this time. */
const lookEveryMs = 1000;

/** So many probes are written down: a whole gateway may fail them. */
const mostProbes = 200;

/** A smaller move of the rate, as a share of the limit, is not worth a line. */
const worthTelling = 0.1;

export interface ConditionReportDeps {
  readonly store: Store;
  readonly traffic: Traffic;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Returns the probes that were not answered as expected. */
  readonly failedProbes: () => readonly ProbeAnswer[];
  readonly onFailed: (error: unknown) => void;
}

/** Keeps the store's word on how this process gets on with its gateway up to date, for `edict status`, and tells of the rate. */
export class ConditionReport {
  readonly #settings: GatewaySettings;
  readonly #deps: ConditionReportDeps;
  readonly #timer: NodeJS.Timeout;
  #toldCalls: number;
  #written = '';
  #writing: Promise<void> = Promise.resolve();

  constructor(settings: GatewaySettings, deps: ConditionReportDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#toldCalls = settings.limit.calls;
    this.#timer = setInterval(() => this.changed(), lookEveryMs);
    this.#timer.unref();
    this.changed();
  }

  /** Looks at once, since something has changed. */
  changed(): void {
    const { traffic, clock, store, emit, failedProbes, onFailed } = this.#deps;
    const { calls: limit } = this.#settings.limit;
    const { calls, perMs } = traffic.allowed;
    const isBack = calls >= limit && this.#toldCalls < limit;
    if (isBack || Math.abs(calls - this.#toldCalls) >= limit * worthTelling) {
      this.#toldCalls = calls;
      emit({ type: 'rate:changed', calls, perMs, limit });
    }
    const probes = failedProbes().slice(0, mostProbes);
    const condition = { calls: this.#toldCalls, perMs, stopped: traffic.stopped, ...(probes.length > 0 && { probes }) };
    const text = JSON.stringify(condition);
    if (text === this.#written) return;
    this.#written = text;
    const write = () => store.describe(this.#settings, { ...condition, atMs: clock.now(), pid: process.pid });
    this.#writing = this.#writing.then(write).catch((error: unknown) => {
      this.#written = '';
      onFailed(error);
    });
  }

  /** Looks no more; resolves when what was seen is written. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
  }
}
