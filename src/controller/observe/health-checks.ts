import PQueue from 'p-queue';
import type { Probe } from '../../gateway/interface.ts';
import type { Plan, ProbeResult, ProbeResults, ProbeTarget } from '../../model/change.ts';
import type { Clock } from '../../model/clock.ts';
import type { Emit } from '../../model/events.ts';
import { apiIdOf, type PublicationKey } from '../../model/publication.ts';
import { backoffMs } from '../retry.ts';

export interface HealthChecksDeps {
  readonly probe: Probe;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly emit: Emit;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** Consecutive tries of one URL. */
  readonly maxTries: number;
  /** Called after each result. */
  readonly onResult: () => void;
}

/** The most probes in flight. Probes that hang then delay others by little more than their time limit. */
const concurrency = 32;

/** One URL that is probed until it answers as expected. */
interface ActiveCheck {
  readonly target: ProbeTarget;
  readonly cancel: AbortController;
  /** Aborted to make the next try immediately; `null` while a try is in flight or queued. */
  wait: AbortController | null;
}

/** Runs the probes that the newest plan waits for, with backoff, and keeps their results while they are valid. */
export class HealthChecks {
  readonly #deps: HealthChecksDeps;
  readonly #queue = new PQueue({ concurrency });
  readonly #results = new Map<PublicationKey, ProbeResult>();
  readonly #active = new Map<PublicationKey, ActiveCheck>();
  readonly #running = new Set<Promise<void>>();
  /** Probes that used up their tries without the expected answer; they are left for a person or a new file. */
  readonly #exhausted = new Set<PublicationKey>();

  constructor(deps: HealthChecksDeps) {
    this.#deps = deps;
  }

  /** The latest results that are still valid. */
  get results(): ProbeResults {
    return this.#results;
  }

  /** The failed probes. */
  get failed(): readonly ProbeResult[] {
    return [...this.#results.values()].filter(({ isExpected }) => !isExpected);
  }

  /** Whether a probe is in flight or scheduled. */
  get isRunning(): boolean {
    return this.#active.size > 0;
  }

  /**
   * Runs the probes that `plan` waits for and cancels all others; one in flight is never restarted. With `retryNow` those that wait
   * for their next try, or have used up their tries, are made immediately.
   */
  setPlan({ changes }: Pick<Plan, 'changes'>, { retryNow }: { readonly retryNow: boolean }): void {
    const targets = new Map<PublicationKey, ProbeTarget>();
    for (const { held, deferred } of changes) if (!held && deferred?.probe) targets.set(deferred.probe.key, deferred.probe);
    const changedApis = new Set(changes.map(({ apiId }) => apiId));
    for (const [key, { isExpected }] of this.#results) {
      const isValid = isExpected ? changedApis.has(apiIdOf(key)) : targets.has(key);
      if (!isValid) this.#results.delete(key);
    }
    for (const [key, check] of this.#active) {
      const { target, cancel } = check;
      if (isSameTarget(target, targets.get(key))) {
        if (retryNow) check.wait?.abort();
        continue;
      }
      cancel.abort();
      this.#active.delete(key);
    }
    for (const key of this.#exhausted) if (retryNow || !targets.has(key)) this.#exhausted.delete(key);
    for (const target of targets.values()) if (!this.#active.has(target.key) && !this.#exhausted.has(target.key)) this.#start(target);
  }

  /** Cancels all probes; resolves when none is in flight. */
  async stop(): Promise<void> {
    for (const { cancel } of this.#active.values()) cancel.abort();
    this.#active.clear();
    await Promise.all(this.#running);
  }

  #start(target: ProbeTarget): void {
    const check: ActiveCheck = { target, cancel: new AbortController(), wait: null };
    this.#active.set(target.key, check);
    const running = this.#check(check).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #check(check: ActiveCheck): Promise<void> {
    const { target } = check;
    const { signal } = check.cancel;
    const { probe, clock, emit, random, maxTries, onResult } = this.#deps;
    const { key, url, sinceMs } = target;
    for (let failures = 1; ; failures += 1) {
      const { isExpected, message } = await this.#queue.add(() => (signal.aborted ? abortedResult : probe(target, signal)), {
        priority: -failures, // what has not been probed yet goes first
      });
      if (signal.aborted) return;
      const isLast = isExpected || failures >= maxTries;
      const afterMs = isLast ? null : backoffMs(failures, random());
      this.#results.set(key, { key, url, sinceMs, isExpected, message });
      if (isLast) this.#active.delete(key);
      if (isLast && !isExpected) this.#exhausted.add(key);
      emit({ type: 'probe:answered', target, isExpected, message, afterMs });
      onResult();
      if (afterMs === null) return;
      check.wait = new AbortController();
      await clock.sleep(afterMs, AbortSignal.any([signal, check.wait.signal]));
      check.wait = null;
    }
  }
}

const abortedResult = { isExpected: false, message: '' };

function isSameTarget(a: ProbeTarget, b: ProbeTarget | undefined): boolean {
  return (
    b !== undefined && a.url === b.url && a.sinceMs === b.sinceMs && a.expectedStatus === b.expectedStatus && a.timeoutMs === b.timeoutMs
  );
}
