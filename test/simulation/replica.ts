import { createEventBus } from '../../src/app/context.ts';
import { Controller } from '../../src/controller/controller.ts';
import { acquireLease } from '../../src/controller/lease-acquisition.ts';
import { RateLimiter } from '../../src/controller/limit/rate-limiter.ts';
import { ReconcileRunner } from '../../src/controller/reconcile-runner.ts';
import { StaleSourceCheck } from '../../src/controller/stale-source-check.ts';
import { GatewayWatcher } from '../../src/controller/triggers/gateway-watcher.ts';
import type { RunnerTriggers } from '../../src/controller/triggers/runner-triggers.ts';
import { withLease } from '../../src/gateway/request-middleware.ts';
import type { DesiredState } from '../../src/model/desired-state.ts';
import { EdictError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { allTargets } from '../../src/plan/targets.ts';
import type { DesiredSource } from '../../src/source/interface.ts';
import { withPruneDelay } from '../../src/source/prune-delay.ts';
import type { Lease, Store } from '../../src/store/interface.ts';
import type { Sender } from './checks/check.ts';
import type { Mutant } from './mutants.ts';
import { type Network, type NetworkDeps, openSimulatedGateway } from './network.ts';
import { openSimulatedStore, type SimulatedDisk } from './simulated-store.ts';

export interface ReplicaDeps extends NetworkDeps {
  readonly disk: SimulatedDisk;
  readonly network: Network;
  readonly source: DesiredSource;
  readonly mutant: Mutant;
  readonly onEvent: (replica: number, event: EdictEvent) => void;
  /** Called with the error that ended a process unexpectedly. */
  readonly onCrashed: (error: unknown) => void;
}

/** The open resources of one gateway session. */
interface Session {
  readonly lease: Lease;
  readonly limiter: RateLimiter;
  readonly runner: ReconcileRunner;
}

/** One running process: the real controller with everything around it, joined as `app/session.ts` and `app/managed-file.ts` do. */
class Process {
  isAlive = true;
  /** The moment of a write at which it dies; `null`: none. */
  dyingAt: 'write' | 'written' | null = null;
  readonly #replica: number;
  readonly #deps: ReplicaDeps;
  readonly #store: Store;
  readonly #controller: Controller;
  readonly #background = new AbortController();
  readonly #running: Promise<void>;
  readonly #events = createEventBus();
  #session: Session | null = null;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(replica: number, deps: ReplicaDeps) {
    const { time, random, disk, mutant, options } = deps;
    this.#replica = replica;
    this.#deps = deps;
    this.#events.subscribe((event) => {
      if (this.isAlive) deps.onEvent(replica, event);
    });
    const user = {
      holder: holderOf(replica),
      isAlive: () => this.isAlive,
      onWrite: (moment: 'write' | 'written') => {
        if (this.dyingAt === moment) this.kill();
      },
    };
    this.#store = mutant.store(openSimulatedStore({ disk, time, random, user }));
    const staleSource = new StaleSourceCheck({ record: this.#store, clock: time });
    const controller = new Controller({
      source: mutant.pruneDelay ? withPruneDelay(deps.source, time, 10 * options.debounceMs) : deps.source,
      clock: time,
      emit: this.#events.emit,
      debounceMs: options.debounceMs,
      resyncMs: options.resyncMs,
      maxTries: Number.POSITIVE_INFINITY,
      runnerFor: async (desired, triggers) => {
        await watcher.follow(desired.gateway);
        return this.#serialize(() => this.#runnerFor(desired, triggers));
      },
      checkStaleSource: async (desired) => {
        await watcher.follow(desired.gateway);
        return staleSource.check(desired);
      },
      isWaiting: () => watcher.isWaiting,
    });
    this.#controller = controller;
    const watcher = new GatewayWatcher({
      store: this.#store,
      trigger: (cause) => controller.trigger(cause),
      onAvailable: () => controller.onAvailable(),
    });
    this.#background.signal.addEventListener('abort', () => watcher[Symbol.dispose]());
    this.#events.subscribe((event) => {
      if (event.type === 'lease:lost') controller.trigger('resync');
    });
    this.#running = controller.run().catch((error: unknown) => {
      if (this.isAlive) deps.onCrashed(error);
    });
  }

  signal(): void {
    this.#controller.trigger('signal');
  }

  /** Whether no call is left to make and none is due. */
  get isIdle(): boolean {
    return this.#controller.isIdle;
  }

  /** Ends it as SIGKILL does: nothing that it awaits ever resolves. */
  kill(): void {
    this.isAlive = false;
    this.#deps.invariants.died(this.#replica);
    this.#abandon();
  }

  /** Ends it as SIGTERM does. */
  async stop(): Promise<void> {
    this.#controller.stop();
    this.#background.abort();
    await this.#running;
    await this.#serialize(() => this.#closeSession());
    await this.#store.close();
    this.isAlive = false;
    this.#deps.invariants.died(this.#replica);
  }

  /** Stops the timers of a dead process; what they would do cannot reach anything. */
  #abandon(): void {
    this.#controller.stop();
    this.#background.abort();
    void this.#session?.runner.stop();
    this.#session?.limiter.close();
    void this.#store.close();
  }

  async #runnerFor(desired: DesiredState, triggers: RunnerTriggers): Promise<ReconcileRunner> {
    if (this.#session && !this.#session.lease.signal.aborted) return this.#session.runner;
    await this.#closeSession();
    const { time, random, options, mutant, network, model, invariants, disk } = this.#deps;
    const { lease, idleMs } = await acquireLease(desired.gateway, {
      store: this.#store,
      clock: time,
      waitMs: 0,
      sharesEvenly: true,
      signal: this.#background.signal,
      onWait: () => {},
    });
    lease.signal.addEventListener('abort', () => {
      this.#events.emit({ type: 'lease:lost', isRebalanced: false });
    });
    const initialDelayMs = mutant.waitsForTheLastOwner ? Math.max(0, options.limit.perMs - idleMs) : 0;
    const limiter = new RateLimiter({ limit: mutant.limit(options.limit), clock: time, initialDelayMs });
    const sender: Sender = {
      replica: this.#replica,
      isAlive: () => this.isAlive,
      isOwner: () => disk.isHeldBy(holderOf(this.#replica)),
      isLeaseHeld: mutant.checksLease ? lease.isHeld : () => true,
    };
    const acquire = mutant.acquire(mutant.checksLease ? withLease(lease, limiter.acquire) : limiter.acquire);
    const gateway = mutant.gateway(
      openSimulatedGateway(desired.gateway, { options, random, time, model, invariants, network, sender, acquire }),
    );
    const runner = new ReconcileRunner(desired, {
      store: this.#store,
      gateway,
      rateLimiter: limiter,
      probe: async () => ({ isExpected: true, message: 'answered 200' }),
      emit: this.#events.emit,
      clock: time,
      random: mutant.random(random.next),
      maxTries: Number.POSITIVE_INFINITY,
      refresh: 'due',
      isEmulated: false,
      targets: allTargets,
      saved: null,
      triggers,
    });
    this.#session = { lease, limiter, runner };
    return runner;
  }

  async #closeSession(): Promise<void> {
    const session = this.#session;
    if (!session) return;
    this.#session = null;
    await session.runner.stop();
    session.limiter.close();
    await this.#store.release(simulatedGateway, this.#deps.time.now()).catch((error: unknown) => {
      if (!(error instanceof EdictError)) throw error;
    });
  }

  #serialize<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(run);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/** The name of a process as lease holder. */
function holderOf(replica: number): string {
  return `replica ${replica}`;
}

/** The identity of the simulated gateway. */
export const simulatedGateway = { endpoint: 'https://roma.example.com', project: 'project', instance: 'instance' };

/** A place where one process after the other runs. */
export class Replica {
  readonly #index: number;
  readonly #deps: ReplicaDeps;
  #process: Process | null;

  constructor(index: number, deps: ReplicaDeps) {
    this.#index = index;
    this.#deps = deps;
    this.#process = new Process(index, deps);
  }

  get isRunning(): boolean {
    return this.#process?.isAlive ?? false;
  }

  get isIdle(): boolean {
    return this.#process?.isIdle ?? true;
  }

  signal(): void {
    if (this.isRunning) this.#process?.signal();
  }

  /** Starts a process if none runs. */
  start(): void {
    if (!this.isRunning) this.#process = new Process(this.#index, this.#deps);
  }

  /** Kills the process at once, or in its next write. */
  kill(at: 'once' | 'write' | 'written'): void {
    if (!this.#process?.isAlive) return;
    if (at === 'once') this.#process.kill();
    else this.#process.dyingAt = at;
  }

  /** Cancels a death that has not happened. */
  spare(): void {
    if (this.#process) this.#process.dyingAt = null;
  }

  /** Ends the process in order. */
  async stop(): Promise<void> {
    if (this.isRunning) await this.#process?.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    this.start();
  }
}
