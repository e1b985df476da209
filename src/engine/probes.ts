import PQueue from 'p-queue';
import type { Emit } from '../core/events.ts';
import type { Plan } from '../core/plan.ts';
import type { Clock, Probe } from '../core/ports.ts';
import type { PublicationKey } from '../core/publication.ts';
import type { ProbeAnswer, ProbeAnswers, ProbeTarget } from '../core/wait.ts';
import { backoffMs } from './backoff.ts';

export interface ProbesDeps {
  readonly probe: Probe;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly emit: Emit;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** How often one address is asked in a row. */
  readonly maxTries: number;
  /** Called after each answer. */
  readonly onAnswer: () => void;
}

/** So many addresses are asked at a time. */
const concurrency = 4;

/** One address that is being asked until it answers as expected. */
interface Asking {
  readonly target: ProbeTarget;
  readonly cancel: AbortController;
}

/** Asks what the newest plan waits for, with growing delay, and keeps the answers for as long as they count. */
export class Probes {
  readonly #deps: ProbesDeps;
  readonly #slots = new PQueue({ concurrency });
  readonly #answers = new Map<PublicationKey, ProbeAnswer>();
  readonly #asking = new Map<PublicationKey, Asking>();
  readonly #running = new Set<Promise<void>>();
  /** Addresses that have not answered as expected, as often as they are asked; they wait for a person or a new file. */
  readonly #givenUp = new Set<PublicationKey>();

  constructor(deps: ProbesDeps) {
    this.#deps = deps;
  }

  /** The last answers that still count. */
  get answers(): ProbeAnswers {
    return this.#answers;
  }

  /** What was asked and has not answered as expected. */
  get failed(): readonly ProbeAnswer[] {
    return [...this.#answers.values()].filter(({ isExpected }) => !isExpected);
  }

  /** Whether something is being asked, or will be again. */
  get isWorking(): boolean {
    return this.#asking.size > 0;
  }

  /** Asks what `plan` waits for, and nothing else any more. `fresh`: at once, also what has failed before. */
  planned({ changes }: Pick<Plan, 'changes'>, { fresh }: { readonly fresh: boolean }): void {
    const targets = new Map<PublicationKey, ProbeTarget>();
    for (const { held, waits } of changes) if (!held && waits?.probe) targets.set(waits.probe.key, waits.probe);
    const left = new Set(changes.map(({ apiId }) => apiId));
    for (const [key, { isExpected }] of this.#answers) {
      const counts = isExpected ? left.has(key.slice(0, key.indexOf(' '))) : targets.has(key);
      if (!counts) this.#answers.delete(key);
    }
    for (const [key, { target, cancel }] of this.#asking) {
      if (!fresh && isSame(target, targets.get(key))) continue;
      cancel.abort();
      this.#asking.delete(key);
    }
    for (const key of this.#givenUp) if (fresh || !targets.has(key)) this.#givenUp.delete(key);
    for (const target of targets.values()) if (!this.#asking.has(target.key) && !this.#givenUp.has(target.key)) this.#begin(target);
  }

  /** Asks nothing more; resolves when nothing is being asked. */
  async stop(): Promise<void> {
    for (const { cancel } of this.#asking.values()) cancel.abort();
    this.#asking.clear();
    await Promise.all(this.#running);
  }

  #begin(target: ProbeTarget): void {
    const cancel = new AbortController();
    this.#asking.set(target.key, { target, cancel });
    const running = this.#ask(target, cancel.signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #ask(target: ProbeTarget, signal: AbortSignal): Promise<void> {
    const { probe, clock, emit, random, maxTries, onAnswer } = this.#deps;
    const { key, url, sinceMs } = target;
    for (let failures = 1; ; failures += 1) {
      const { isExpected, said } = await this.#slots.add(() => (signal.aborted ? unasked : probe(target, signal)));
      if (signal.aborted) return;
      const isLast = isExpected || failures >= maxTries;
      const afterMs = isLast ? null : backoffMs(failures, random());
      this.#answers.set(key, { key, url, sinceMs, isExpected, said });
      if (isLast) this.#asking.delete(key);
      if (isLast && !isExpected) this.#givenUp.add(key);
      emit({ type: 'probe:answered', target, isExpected, said, afterMs });
      onAnswer();
      if (afterMs === null) return;
      await clock.sleep(afterMs, signal);
    }
  }
}

const unasked = { isExpected: false, said: '' };

function isSame(a: ProbeTarget, b: ProbeTarget | undefined): boolean {
  return b !== undefined && a.url === b.url && a.sinceMs === b.sinceMs && a.status === b.status && a.timeoutMs === b.timeoutMs;
}
