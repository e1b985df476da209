import { randomUUID } from 'node:crypto';
import { wantedDigest } from '../core/acted.ts';
import { inCalls } from '../core/batch.ts';
import { EdictError } from '../core/errors.ts';
import type { Emit, PassCause } from '../core/events.ts';
import { heldDigest } from '../core/guards.ts';
import type { Failure } from '../core/outcome.ts';
import { firstDueMs, isMade, type Plan } from '../core/plan.ts';
import type { Clock, Gateway, Probe, Stopped, Store } from '../core/ports.ts';
import type { DesiredState, PublicationKey } from '../core/publication.ts';
import type { SavedPlan } from '../core/saved-plan.ts';
import type { Targets } from '../core/targets.ts';
import { Alarm } from './alarm.ts';
import { ApprovalWatch } from './approval-watch.ts';
import { ConditionReport } from './condition-report.ts';
import { Departures } from './departures.ts';
import { Doubts } from './doubts.ts';
import { Lookout } from './lookout.ts';
import { Onward } from './onward.ts';
import { OwnPasses } from './own-passes.ts';
import { goOn, openPass, type Pass, summaryOf } from './pass.ts';
import { Permits } from './permits.ts';
import { persist } from './persist.ts';
import { planOfPass } from './plan-of-pass.ts';
import { Probes } from './probes.ts';
import { reasonOf, reconcile } from './reconciler.ts';
import { awaitCredentials, probe } from './recovery.ts';
import type { Traffic } from './traffic.ts';
import { refusalIn, tryAgain, verdictOf } from './verdict.ts';
import { type Verdict, Workqueue } from './workqueue.ts';

export interface EngineDeps {
  readonly store: Store;
  readonly gateway: Gateway;
  readonly traffic: Traffic;
  readonly probe: Probe;
  readonly emit: Emit;
  readonly clock: Clock;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** How often one change is tried in a row before it waits for a person or a new file. */
  readonly maxTries: number;
  /** Whether the first pass asks the gateway what is really published, whatever the file says. */
  readonly refresh: boolean;
  /** What calls are made for; the rest is planned and left out. */
  readonly targets: Targets;
  /** What alone calls are made for, unless it has moved; `null`: whatever is needed. */
  readonly saved: SavedPlan | null;
}

/** Makes passes over one gateway: from the whole desired state and the whole record to the calls that are missing. */
export class Engine {
  readonly #deps: EngineDeps;
  readonly #stopping = new AbortController();
  readonly #queue: Workqueue;
  readonly #doubts: Doubts;
  readonly #departures: Departures;
  readonly #conditions: ConditionReport;
  readonly #lookout: Lookout;
  readonly #approvals: ApprovalWatch;
  readonly #alarm: Alarm;
  readonly #onward: Onward;
  readonly #own: OwnPasses;
  readonly #probes: Probes;
  readonly #permits: Permits;
  readonly #settled: (() => void)[] = [];
  /** Keys whose last attempt in this engine did not succeed. */
  readonly #failing = new Set<PublicationKey>();
  /** Keys with an attempt whose outcome nobody can tell, left to a person. */
  readonly #held = new Set<PublicationKey>();
  /** After an outage or with other credentials, what waits to be tried again need not wait. */
  #hastens = false;
  #hasGivenUp = false;
  #desired: DesiredState;
  /** What the record knows as declared. */
  #declared: DesiredState | null = null;
  #pass: Pass | null = null;

  constructor(desired: DesiredState, deps: EngineDeps) {
    const { clock, traffic, store, emit } = deps;
    this.#deps = deps;
    this.#desired = desired;
    this.#doubts = new Doubts(desired.gateway.lagMs, clock);
    this.#departures = new Departures({ gateway: deps.gateway, settings: desired.gateway, clock, signal: this.#stopping.signal });
    this.#queue = new Workqueue({
      limit: desired.gateway.limit,
      batch: desired.gateway.batch,
      clock,
      work: (key, failures, answered) => this.#work(key, failures, answered),
      onIdle: () => this.#finishPass(),
      onDue: () => this.#own.request('retry'),
    });
    this.#own = new OwnPasses({
      ...deps,
      make: (cause) => this.#tryPass(cause),
      signal: this.#stopping.signal,
      onEnd: () => this.#queue.isIdle && this.#finishPass(),
    });
    this.#onward = new Onward({
      replan: () => this.#tryPass('order'),
      onPlanned: () => this.#queue.isIdle && this.#finishPass(),
      maxTries: deps.maxTries,
    });
    this.#probes = new Probes({ ...deps, onAnswer: () => this.#onward.request() });
    const failedProbes = () => this.#probes.failed;
    this.#conditions = new ConditionReport(desired.gateway, { ...deps, failedProbes, onFailed: (error) => this.#storeFailed(error) });
    this.#lookout = new Lookout({ store, gateway: deps.gateway, clock, emit, atFirst: deps.refresh });
    const onApproval = () => this.#own.request('approval');
    this.#approvals = new ApprovalWatch({ ...deps, gateway: desired.gateway, signal: this.#stopping.signal, onApproval });
    this.#permits = new Permits({ ...deps, desired: () => this.#desired, onOver: () => this.#onward.request() });
    this.#alarm = new Alarm(clock, () => this.#own.request('due'));
    traffic.listen({ stopped: (stopped) => this.#callsStopped(stopped), resumed: () => this.#callsResumed() });
  }

  /**
   * Plans from the whole desired and recorded state and starts the calls; those of an earlier pass that have not been
   * sent are dropped unless this plan asks for them too. Resolves to the plan, before its calls have been made. `signal` ends a look.
   *
   * @throws EdictError `STORE_*` if the record cannot be read, `UNSEEN` as `Lookout.look` does, `PLAN_STALE` as `planOfPass`
   * does; nothing was sent then
   */
  async pass(desired: DesiredState, cause: PassCause, signal = this.#stopping.signal): Promise<Plan> {
    const { emit, clock, gateway, maxTries } = this.#deps;
    const fresh = cause === 'file' || cause === 'signal' || cause === 'approval' || cause === 'request';
    const isSequel = cause === 'order' || cause === 'due';
    const before = isSequel ? this.#pass : null;
    const passId = before?.passId ?? randomUUID();
    const startedAtMs = clock.monotonic();
    emit({ type: 'pass:started', passId, cause });
    this.#desired = desired;
    if (cause === 'signal') gateway.retryCredentials();
    const seen = await this.#lookout.look(desired, passId, AbortSignal.any([this.#stopping.signal, signal]));
    const seenAtMs = clock.monotonic();
    const { made, recorded, past } = await planOfPass(() => this.#desired, seen, cause === 'start', {
      ...this.#deps,
      probes: this.#probes.answers,
    });
    this.#permits.replace(made);
    if (!made.suspicion) await this.#declare(desired, made);
    emit({ type: 'plan:made', passId, cause, plan: made, recorded });
    this.#pass = before && this.#pass ? goOn(this.#pass, made) : openPass(made, passId, startedAtMs);
    const resolvable = this.#onward.planned(made, clock.monotonic() - seenAtMs, { fresh });
    this.#probes.planned(made, { fresh });
    const keys = inCalls(made.changes, desired.gateway.batch)
      .filter((change) => isMade(change) || resolvable.has(change.key))
      .map(({ key }) => key);
    const wanted = new Set(keys);
    for (const left of [this.#failing, this.#held]) for (const key of left) if (!wanted.has(key)) left.delete(key);
    if (maxTries === Number.POSITIVE_INFINITY) {
      this.#approvals.update(heldDigest(made) !== null, past.approvals);
      this.#alarm.set(firstDueMs(made));
    }
    this.#queue.replace(keys, { fresh, isSequel });
    return made;
  }

  /** Resolves when nothing waits for a call, is in flight, or will be tried again without a new file. */
  async settled(): Promise<void> {
    if (this.#hasGivenUp || (this.#queue.isIdle && this.#isDone())) return;
    await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  /** Sends nothing more, lets the calls in flight finish and be recorded, and returns how many changes were left unsent. */
  async stop(): Promise<number> {
    const left = this.#queue.queued;
    this.#stopping.abort();
    this.#alarm.set(null);
    this.#queue.start();
    await this.#queue.stop();
    await this.#onward.stop();
    await this.#own.ended();
    await this.#probes.stop();
    this.#deps.traffic.close();
    await this.#conditions.close();
    this.#finishPass();
    return left;
  }

  /** Makes a pass and resolves to whether it could be made. */
  async #tryPass(cause: PassCause): Promise<boolean> {
    try {
      await this.pass(this.#desired, cause);
      return true;
    } catch (error) {
      this.#storeFailed(error);
      return false;
    }
  }

  /** A disk that takes this not will not take an attempt either: those are tried again, and this with the next pass. */
  async #declare(desired: DesiredState, { approval }: Plan): Promise<void> {
    if (desired === this.#declared && approval === null) return;
    try {
      const homes = new Map([...desired.publications.values()].map(({ key, home }) => [key, home]));
      await this.#deps.store.declare(desired.gateway, homes, wantedDigest(desired), approval?.id ?? null);
      this.#declared = desired;
    } catch (error) {
      this.#storeFailed(error);
    }
  }

  async #work(key: PublicationKey, failures: number, answered: () => void): Promise<Verdict> {
    const { store, gateway, emit, clock } = this.#deps;
    const pass = this.#pass;
    if (!pass || this.#stopping.signal.aborted) return { kind: 'done' };
    try {
      const reconciled = await reconcile(key, pass.passId, {
        store,
        gateway,
        departures: this.#departures,
        emit,
        answered,
        settings: this.#desired.gateway,
        doubts: this.#doubts,
        now: clock.now,
        desired: () => this.#desired,
        permitted: (change, recorded) => this.#permits.of(change, recorded),
        signal: this.#stopping.signal,
        persist: (write) => persist(write, { ...this.#deps, signal: this.#stopping.signal, onFailed: (error) => this.#storeFailed(error) }),
      });
      const verdict = verdictOf(reconciled, failures + 1, this.#deps);
      const refusal = refusalIn(reconciled);
      if (refusal) this.#credentialsRefused(refusal);
      if (reconciled.kind === 'attempted' && reconciled.isRecorded && reconciled.outcome.kind === 'succeeded')
        pass[reconciled.change.action] += 1;
      if (reconciled.kind === 'waits') this.#onward.untold(key);
      if (verdict.kind === 'done') this.#onward.done(key);
      for (const left of [this.#failing, this.#held]) left.delete(key);
      if (verdict.kind !== 'done') (reconciled.kind === 'held' ? this.#held : this.#failing).add(key);
      if (verdict.kind === 'again' && 'change' in reconciled) {
        const { change } = reconciled;
        emit({ type: 'retry:scheduled', passId: pass.passId, change, afterMs: verdict.afterMs, reason: reasonOf(reconciled) });
      }
      return verdict;
    } catch (error) {
      this.#failing.add(key);
      this.#storeFailed(error);
      return tryAgain(failures + 1, this.#deps);
    }
  }

  #callsStopped(stopped: Stopped): void {
    this.#queue.pause();
    this.#hastens ||= stopped.why !== 'pause';
    this.#deps.emit({ type: 'calls:stopped', why: stopped.why, message: stopped.message });
    this.#conditions.changed();
    const [some] = this.#desired.publications.values();
    if (stopped.why === 'outage') void probe(some, this.#deps, this.#stopping.signal);
  }

  #callsResumed(): void {
    this.#deps.emit({ type: 'calls:resumed' });
    this.#conditions.changed();
    this.#queue.start();
    if (this.#hastens) this.#queue.hasten();
    this.#hastens = false;
  }

  /** Makes no call until the credentials change: some failures in a row lock a key or an account. */
  #credentialsRefused({ code, message, hint }: Failure): void {
    const { traffic, maxTries } = this.#deps;
    if (traffic.isStoppedFor('credentials')) return;
    traffic.stop('credentials', `${code} ${message}${hint ? `; ${hint}` : ''}`);
    if (maxTries < Number.POSITIVE_INFINITY) {
      this.#hasGivenUp = true;
      for (const resolve of this.#settled.splice(0)) resolve();
      return;
    }
    void awaitCredentials(this.#deps, this.#stopping.signal);
  }

  #storeFailed(error: unknown): void {
    if (!(error instanceof EdictError)) throw error;
    // Both have been told, and the second by whoever gave the lease.
    if (error.code !== 'UNSEEN' && error.code !== 'GATEWAY_HELD')
      this.#deps.emit({ type: 'store:failed', passId: this.#pass?.passId ?? '', message: error.message });
  }

  /** Whether nothing will be done later by itself. */
  #isDone(): boolean {
    return !this.#queue.hasDue && !this.#own.isPending && !this.#onward.isPending && !this.#probes.isWorking;
  }

  /** Called when nothing is queued or in flight. What was done may be what other changes waited for. */
  #finishPass(): void {
    if (this.#onward.isPending) {
      this.#onward.hurry();
      return;
    }
    const pass = this.#pass;
    if (pass) {
      this.#pass = null;
      const failed = this.#failing.size + this.#probes.failed.length;
      const summary = summaryOf(pass, { failed, held: this.#held.size, nowMs: this.#deps.clock.monotonic() });
      this.#deps.emit({ type: 'pass:finished', passId: pass.passId, summary });
    }
    if (this.#isDone()) for (const resolve of this.#settled.splice(0)) resolve();
  }
}
