import { randomUUID } from 'node:crypto';
import { assertNever, EdictError } from '../core/errors.ts';
import type { Emit, PassCause, PassSummary } from '../core/events.ts';
import type { Outcome } from '../core/outcome.ts';
import { type Change, type Plan, plan } from '../core/plan.ts';
import type { Clock, Gateway, Store } from '../core/ports.ts';
import type { DesiredState, PublicationKey } from '../core/publication.ts';
import { backoffMs } from './backoff.ts';
import { reconcile } from './reconciler.ts';
import { type Verdict, Workqueue } from './workqueue.ts';

export interface EngineDeps {
  readonly store: Store;
  readonly gateway: Gateway;
  readonly emit: Emit;
  readonly now: () => number;
  readonly sleep: Clock['sleep'];
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** How often one change is tried in a row before it waits for a person or a new file. */
  readonly maxTries: number;
}

/** A call in flight is let finish, also when edict is asked to stop: to cut it would only make its outcome unknown. */
const uncut = new AbortController().signal;

/** Makes passes over one gateway: from the whole desired state and the whole record to the calls that are missing. */
export class Engine {
  readonly #deps: EngineDeps;
  readonly #stopping = new AbortController();
  readonly #queue: Workqueue;
  readonly #settled: (() => void)[] = [];
  /** Keys whose last attempt in this engine did not succeed. */
  readonly #failing = new Set<PublicationKey>();
  #desired: DesiredState;
  #pass: Pass | null = null;

  constructor(desired: DesiredState, deps: EngineDeps) {
    this.#deps = deps;
    this.#desired = desired;
    this.#queue = new Workqueue({
      limit: desired.gateway.limit,
      now: deps.now,
      work: (key, failures, answered) => this.#work(key, failures, answered),
      onIdle: () => this.#finishPass(),
      onDue: () => void this.pass(this.#desired, 'retry').catch((error: unknown) => this.#storeFailed(error)),
    });
  }

  /**
   * Plans from the whole desired and recorded state and starts the calls; those of an earlier pass that have not been
   * sent are dropped unless this plan asks for them too. Resolves to the plan, before its calls have been made.
   *
   * @throws EdictError `STORE_*` if the record cannot be read; nothing was sent then
   */
  async pass(desired: DesiredState, cause: PassCause): Promise<Plan> {
    const { store, emit, now } = this.#deps;
    const passId = randomUUID();
    const startedAtMs = now();
    emit({ type: 'pass:started', passId, cause });
    this.#desired = desired;
    const recorded = await store.readAll(desired.gateway);
    const made = plan(this.#desired, recorded);
    emit({ type: 'plan:made', passId, cause, plan: made });
    this.#pass = {
      passId,
      startedAtMs,
      unchanged: made.unchanged,
      held: made.changes.filter((change) => change.held).length,
      online: 0,
      offline: 0,
    };
    const keys = made.changes.filter((change) => !change.held).map((change) => change.key);
    const wanted = new Set(keys);
    for (const key of this.#failing) if (!wanted.has(key)) this.#failing.delete(key);
    this.#queue.replace(keys, { fresh: cause === 'file' || cause === 'signal' });
    return made;
  }

  /** Resolves when nothing waits for a call, is in flight, or will be tried again without a new file. */
  async settled(): Promise<void> {
    if (this.#queue.isIdle && !this.#queue.hasDue) return;
    await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  /** Sends nothing more, lets the calls in flight finish and be recorded, and returns how many changes were left unsent. */
  async stop(): Promise<number> {
    const left = this.#queue.queued;
    this.#stopping.abort();
    await this.#queue.stop();
    this.#finishPass();
    return left;
  }

  async #work(key: PublicationKey, failures: number, answered: () => void): Promise<Verdict> {
    const { store, gateway, emit, now } = this.#deps;
    const pass = this.#pass;
    if (!pass) return { kind: 'done' };
    try {
      const desired = () => this.#desired;
      const identity = this.#desired.gateway;
      const persist = (write: () => Promise<void>) => this.#persist(write);
      const done = await reconcile(key, pass.passId, {
        store,
        gateway,
        identity,
        now,
        emit,
        desired,
        signal: uncut,
        answered,
        persist,
      });
      if (!done) return { kind: 'done' };
      if (!done.isRecorded) {
        this.#failing.add(key);
        return { kind: 'stalled' };
      }
      if (done.outcome.kind === 'succeeded') {
        pass[done.change.action] += 1;
        this.#failing.delete(key);
        return { kind: 'done' };
      }
      this.#failing.add(key);
      const verdict = this.#verdict(done.change, done.outcome, failures + 1);
      const { change, outcome } = done;
      if (verdict.kind === 'again') emit({ type: 'retry:scheduled', passId: pass.passId, change, afterMs: verdict.afterMs, outcome });
      return verdict;
    } catch (error) {
      this.#failing.add(key);
      this.#storeFailed(error);
      return this.#again(failures + 1);
    }
  }

  /** An outcome that cannot be written is kept and written later: to lose it would mean to ask for the same version again. */
  async #persist(write: () => Promise<void>): Promise<boolean> {
    for (let failures = 1; ; failures += 1) {
      try {
        await write();
        return true;
      } catch (error) {
        this.#storeFailed(error);
        if (failures >= this.#deps.maxTries || this.#stopping.signal.aborted) return false;
        await this.#deps.sleep(backoffMs(failures, this.#deps.random()), this.#stopping.signal);
      }
    }
  }

  #verdict(change: Change, outcome: Outcome, failures: number): Verdict {
    switch (outcome.kind) {
      case 'succeeded':
      case 'dropped':
        return { kind: 'done' };
      case 'stalled':
        return { kind: 'stalled' };
      case 'wait':
        this.#queue.pause(outcome.afterMs);
        return failures >= this.#deps.maxTries ? { kind: 'stalled' } : { kind: 'again', afterMs: outcome.afterMs };
      case 'unknown':
        // To repeat an `online` that may have happened would make a second version: that waits for a person or a new file.
        return change.action === 'online' ? { kind: 'stalled' } : this.#again(failures);
      case 'retry':
        return this.#again(failures);
      default:
        return assertNever(outcome);
    }
  }

  #again(failures: number): Verdict {
    return failures >= this.#deps.maxTries ? { kind: 'stalled' } : { kind: 'again', afterMs: backoffMs(failures, this.#deps.random()) };
  }

  #storeFailed(error: unknown): void {
    if (!(error instanceof EdictError)) throw error;
    this.#deps.emit({ type: 'store:failed', passId: this.#pass?.passId ?? '', message: error.message });
  }

  #finishPass(): void {
    const pass = this.#pass;
    if (pass) {
      this.#pass = null;
      const { passId, startedAtMs, online, offline, unchanged, held } = pass;
      const summary: PassSummary = { online, offline, unchanged, held, failed: this.#failing.size, tookMs: this.#deps.now() - startedAtMs };
      this.#deps.emit({ type: 'pass:finished', passId, summary });
    }
    if (!this.#queue.hasDue) for (const resolve of this.#settled.splice(0)) resolve();
  }
}

interface Pass {
  readonly passId: string;
  readonly startedAtMs: number;
  readonly unchanged: number;
  readonly held: number;
  online: number;
  offline: number;
}
