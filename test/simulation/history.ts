import type { Change } from '../../src/model/change.ts';
import type { DesiredState } from '../../src/model/desired-state.ts';
import { EdictError, InvalidFileError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { apiIdOf, type PublicationKey } from '../../src/model/publication.ts';
import type { RecordedPublication } from '../../src/model/recorded-state.ts';
import { isActionable } from '../../src/plan/diff.ts';
import { approvalDigest, approvalScope } from '../../src/plan/policies.ts';
import type { DesiredSource } from '../../src/source/interface.ts';
import { ReadonlyStore } from '../../src/store/readonly-store.ts';
import { desiredState, gatewaySettings, rolloutOf, wanted } from '../support/states.ts';
import type { Sender } from './checks/check.ts';
import { GatewayModel } from './gateway-model.ts';
import { Invariants } from './invariants.ts';
import { type Mutant, unbroken } from './mutants.ts';
import { apiNumberOf, keyOf } from './names.ts';
import { Network } from './network.ts';
import type { OutsideEvent, SimulatedFile, SimulationOptions } from './options.ts';
import { Random } from './random.ts';
import { Replica, simulatedGateway } from './replica.ts';
import { SimulatedDisk } from './simulated-store.ts';
import { VirtualTime } from './virtual-time.ts';

/** How long no call may be made once everything is in sync, in milliseconds. */
const quietMs = 5000;

/** How one history ended. */
export interface HistoryResult {
  /** The violated invariants, in order; empty if there are none. */
  readonly violations: readonly string[];
  /** Calls that changed something at the gateway. */
  readonly effectCount: number;
  /** The simulated time. */
  readonly durationMs: number;
  /** The events of the history, one line each; empty unless a trace was requested. */
  readonly trace: readonly string[];
}

export interface HistoryChoices {
  readonly mutant?: Mutant;
  readonly isTraced?: boolean;
}

/** Runs one history. The same options give the same history, to the event. */
export async function runHistory(
  options: SimulationOptions,
  { mutant = unbroken, isTraced = false }: HistoryChoices = {},
): Promise<HistoryResult> {
  using time = new VirtualTime();
  await using world = new World(options, time, mutant, isTraced);
  return await world.run();
}

/** Everything around the processes: the file, the gateway, the disk, people and faults. */
class World implements AsyncDisposable {
  readonly #options: SimulationOptions;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #disk = new SimulatedDisk();
  readonly #model: GatewayModel;
  readonly #network: Network;
  readonly #invariants: Invariants;
  readonly #replicas: readonly Replica[];
  readonly #violations: string[] = [];
  readonly #trace: string[] = [];
  readonly #isTraced: boolean;
  readonly #hints = new Set<() => void>();
  readonly #approved = new Set<string>();
  readonly #fileFaults = new Map<'invalid' | 'unreadable' | 'hangs', PromiseWithResolvers<void>>();
  /** Publications with an attempt of unknown outcome that the gateway cannot resolve and that is held. */
  readonly #unresolvable = new Set<PublicationKey>();
  /** The IDs of APIs whose rollout stops at an environment that waits for a person. */
  readonly #stoppedApis = new Set<string>();
  /** The changes of the newest plan that are not made yet, as a page shows them. */
  #planned = new Set<PublicationKey>();
  #desired: DesiredState;
  #areFaultsOver = false;
  #isSuspended = false;
  #isHintLost = false;

  constructor(options: SimulationOptions, time: VirtualTime, mutant: Mutant, isTraced: boolean) {
    this.#options = options;
    this.#time = time;
    this.#isTraced = isTraced;
    this.#random = new Random(options.seed);
    this.#desired = this.#toDesired(options.file);
    const context = { options, nowMs: () => time.monotonicMs(), fail: (message: string) => this.#fail(message) };
    this.#invariants = this.#traced(new Invariants(context));
    this.#model = new GatewayModel(options, this.#random, this.#invariants);
    const deps = { options, random: this.#random, time, model: this.#model, invariants: this.#invariants };
    this.#network = new Network(deps);
    this.#invariants.saved(options.file, false);
    const replicaDeps = {
      ...deps,
      disk: this.#disk,
      network: this.#network,
      source: this.#source(mutant),
      mutant,
      onEvent: (replica: number, event: EdictEvent) => this.#onEvent(replica, event),
      onCrashed: (error: unknown) => this.#fail(`a process ended: ${error instanceof Error ? error.stack : String(error)}`),
    };
    this.#replicas = [...Array(options.replicas).keys()].map((index) => new Replica(index, replicaDeps));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const replica of this.#replicas) replica.kill('once');
    // Run the timers that are due, so that they cannot fire in the next history.
    await this.#time.runUntil(this.#time.monotonicMs(), () => false);
    this.#disk[Symbol.dispose]();
  }

  async run(): Promise<HistoryResult> {
    // An unhandled rejection ends a real process.
    const onUnhandled = (error: unknown): void => this.#fail(`a process ended: ${error instanceof Error ? error.stack : String(error)}`);
    process.on('unhandledRejection', onUnhandled);
    try {
      return await this.#run();
    } finally {
      process.off('unhandledRejection', onUnhandled);
    }
  }

  async #run(): Promise<HistoryResult> {
    const { events, faultsUntilMs } = this.#options;
    const hasFailed = (): boolean => this.#violations.length > 0;
    for (const event of events) {
      await this.#time.runUntil(event.atMs, hasFailed);
      if (hasFailed()) break;
      this.#note(() => `outside: ${JSON.stringify(event)}`);
      this.#happen(event);
    }
    if (!hasFailed()) await this.#time.runUntil(faultsUntilMs, hasFailed);
    if (!hasFailed()) await this.#becomeInSync(hasFailed);
    return {
      violations: this.#violations,
      effectCount: this.#model.effects.length,
      durationMs: this.#time.monotonicMs(),
      trace: this.#trace,
    };
  }

  /** Ends all faults, and fails unless everything becomes and stays in sync. */
  async #becomeInSync(hasFailed: () => boolean): Promise<void> {
    this.#endFaults();
    const { inSyncWithinMs } = this.#options;
    const deadlineMs = this.#time.monotonicMs() + inSyncWithinMs;
    let missing: readonly string[] = ['nothing was compared'];
    while (!hasFailed() && this.#time.monotonicMs() < deadlineMs) {
      await this.#time.runUntil(this.#time.monotonicMs() + 1000, hasFailed);
      missing = await this.#differences();
      this.#note(() => `missing: ${missing.join(', ')}`);
      if (missing.length === 0) break;
    }
    if (hasFailed()) return;
    if (missing.length > 0) {
      this.#fail(`liveness: ${inSyncWithinMs / 1000} s after the last fault ${missing.join(', ')}`);
      return;
    }
    // A retry of a bad API may still succeed and let the rollout continue.
    if (!this.#replicas.every(({ isIdle }) => isIdle)) return;
    const before = this.#model.effects.length;
    await this.#time.runUntil(this.#time.monotonicMs() + quietMs, hasFailed);
    const more = this.#model.effects.slice(before).find(({ key }) => this.#isGood(key));
    if (hasFailed()) return;
    const shown = [...this.#planned].filter((key) => this.#isGood(key));
    if (shown.length > 0) this.#fail(`status: everything is in sync, and the newest plan still shows changes of ${shown.join(', ')}`);
    if (more) this.#fail(`quiet: ${more.action} of ${more.key} was made though everything was in sync`);
  }

  /** Whether the gateway makes changes of this publication, and none of its API waits for a person. */
  #isGood(key: PublicationKey): boolean {
    const apiId = apiIdOf(key);
    return this.#options.badApis[apiNumberOf(apiId)] === undefined && !this.#stoppedApis.has(apiId) && !this.#unresolvable.has(key);
  }

  #endFaults(): void {
    this.#areFaultsOver = true;
    this.#note(() => 'outside: all faults end');
    this.#network.endFaults();
    this.#model.endFaults();
    this.#disk.isFailing = false;
    this.#disk.isRenewalFailing = false;
    for (const fault of [...this.#fileFaults.keys()]) this.#endFileFault(fault);
    if (this.#isSuspended) this.#resume();
    for (const replica of this.#replicas) {
      replica.spare();
      replica.start();
    }
    if (this.#isHintLost) this.#hint();
  }

  #resume(): void {
    this.#isSuspended = false;
    void this.#disk.suspend(simulatedGateway, null);
    this.#invariants.suspended(false);
  }

  /** Returns how the gateway differs from the file, and which attempts are unresolved. */
  async #differences(): Promise<string[]> {
    const { badApis, environments, apis, isRolloutOrdered } = this.#options;
    const recorded = await new ReadonlyStore(this.#disk.database).readRecordedState(simulatedGateway);
    const differences: string[] = [];
    this.#stoppedApis.clear();
    for (let api = 0; api < apis; api += 1) {
      if (badApis[api] !== undefined) continue;
      const keys = [...Array(environments).keys()].map((environment) => keyOf(api, environment));
      const isLeft = (key: PublicationKey): boolean => {
        const record = recorded.get(key);
        return record !== undefined && this.#isLeftToAPerson(record);
      };
      // The rollout stops at the first environment that waits for a person.
      const firstLeft = isRolloutOrdered ? keys.findIndex(isLeft) : -1;
      if (firstLeft >= 0) this.#stoppedApis.add(apiIdOf(keys[0] as PublicationKey));
      const open = keys.slice(0, firstLeft < 0 ? keys.length : firstLeft).filter((key) => !isLeft(key));
      differences.push(...open.flatMap((key) => this.#difference(key, recorded.get(key)) ?? []));
    }
    return differences;
  }

  /** Whether edict leaves this publication as it is until a person acts, or cannot know that it differs. */
  #isLeftToAPerson({ key, state, revision, unknownAttempt, drift }: RecordedPublication): boolean {
    const { driftPolicy, refreshMs } = this.#options;
    if (unknownAttempt !== null) return this.#unresolvable.has(key);
    const declared = this.#desired.publications.get(key);
    // A new revision is a person's request, so edict publishes it in spite of drift.
    const isRevised = declared?.state === 'online' && declared.revision !== null && declared.revision !== revision && state !== null;
    if (isRevised) return false;
    // Without observations edict cannot notice a change made outside it.
    const isChangedOutside = this.#model.effects.findLast((effect) => effect.key === key)?.by === 'other';
    if (refreshMs === null && isChangedOutside && state === declared?.state) return true;
    // Found online at first contact: the person here approves that it goes offline.
    if (drift?.from === 'unknown' && declared?.state === 'offline') return false;
    return drift !== null && (driftPolicy === 'report' || drift.backoffUntilMs !== null);
  }

  #difference(key: PublicationKey, record: RecordedPublication | undefined): string | null {
    const declared = this.#desired.publications.get(key);
    if (record?.unknownAttempt != null && (declared || this.#desired.prune)) return `the attempt at ${key} is unknown`;
    if (!declared) {
      // A file that was replaced before it was applied may have declared what an observation adopted.
      const isOurs = record?.wasDeclared || this.#model.effects.some((effect) => effect.key === key && effect.by !== 'other');
      return this.#desired.prune && record?.state === 'online' && !record.drift && isOurs ? `${key} is not pruned` : null;
    }
    const isOnline = this.#model.isOnline(key);
    if (declared.state === 'online' && !isOnline) return `${key} is offline`;
    if (declared.state === 'online' && record?.state !== 'online') return `${key} is online and not recorded`;
    // Drift is corrected only if the gateway is observed.
    const isSeen = this.#options.refreshMs !== null && this.#options.driftPolicy === 'correct';
    if (declared.state === 'offline') return isOnline && (record?.state === 'online' || isSeen) ? `${key} is online` : null;
    const isOld = declared.revision !== null && record?.revision !== declared.revision;
    return isOld ? `${key} has revision ${record?.revision} and not ${declared.revision}` : null;
  }

  #happen(event: OutsideEvent): void {
    switch (event.kind) {
      case 'edit':
        this.#save(event.file, false);
        return;
      case 'splitSave': {
        const half = event.file.publications.slice(0, Math.floor(event.file.publications.length / 2));
        this.#save({ ...event.file, publications: half }, true);
        this.#later(event.forMs, () => this.#save(event.file, false));
        return;
      }
      case 'fileFault':
        if (this.#fileFaults.has(event.fault)) return;
        this.#fileFaults.set(event.fault, Promise.withResolvers());
        this.#hint();
        this.#later(event.forMs, () => this.#endFileFault(event.fault));
        return;
      case 'kill':
        this.#replicas[event.replica]?.kill(event.at);
        this.#later(event.forMs, () => {
          this.#replicas[event.replica]?.spare();
          this.#replicas[event.replica]?.start();
        });
        return;
      case 'restart':
        void this.#replicas[event.replica]?.restart();
        return;
      case 'signal':
        this.#replicas[event.replica]?.signal();
        return;
      case 'suspend':
        void this.#disk.suspend(simulatedGateway, { reason: 'simulated', by: null, sinceMs: null, untilMs: null });
        this.#isSuspended = true;
        this.#invariants.suspended(true);
        this.#later(event.forMs, () => this.#resume());
        return;
      case 'outsideChange':
        this.#model.change(keyOf(event.api, event.environment), event.state, null);
        return;
      case 'gatewayFault':
        this.#model.setFault(event.fault, true);
        this.#later(event.forMs, () => this.#model.setFault(event.fault, false));
        return;
      case 'storeFault':
        this.#disk.isFailing = true;
        this.#invariants.disturbed(true);
        this.#later(event.forMs, () => {
          this.#disk.isFailing = false;
          this.#invariants.disturbed(false);
        });
        return;
      case 'leaseFault':
        this.#disk.isRenewalFailing = true;
        this.#later(event.forMs, () => {
          this.#disk.isRenewalFailing = false;
        });
        return;
      case 'wallClock':
        this.#time.setWallClock(event.byMs);
        return;
      default:
        event satisfies never;
    }
  }

  /** Does something after `ms`, unless the faults have ended meanwhile. */
  #later(ms: number, act: () => void): void {
    setTimeout(() => {
      if (!this.#areFaultsOver) act();
    }, ms);
  }

  #save(file: SimulatedFile, isHalf: boolean): void {
    this.#desired = this.#toDesired(file);
    this.#invariants.saved(file, isHalf);
    this.#hint();
  }

  #endFileFault(fault: 'invalid' | 'unreadable' | 'hangs'): void {
    this.#fileFaults.get(fault)?.resolve();
    this.#fileFaults.delete(fault);
    this.#hint();
  }

  /** Lets every process know that the file may have changed: late, twice, or never. */
  #hint(): void {
    this.#isHintLost = false;
    for (const hint of this.#hints) {
      const times = this.#areFaultsOver ? 1 : this.#random.pick([0, 1, 1, 1, 1, 2]);
      if (times === 0) {
        this.#isHintLost = true;
        this.#invariants.unnoticed();
      }
      for (let time = 0; time < times; time += 1) setTimeout(hint, this.#random.next() * 50);
    }
  }

  #source(mutant: Mutant): DesiredSource {
    return {
      load: async (signal) => {
        await this.#time.sleep(this.#random.next() * 3, signal);
        const hanging = this.#fileFaults.get('hangs');
        if (hanging) await hanging.promise;
        if (this.#fileFaults.has('invalid')) throw new InvalidFileError('edict.yaml', []);
        if (this.#fileFaults.has('unreadable')) throw new EdictError('FILE_UNREADABLE', 'simulated: the file cannot be read');
        return mutant.desired(this.#desired);
      },
      watch: async (hint) => {
        this.#hints.add(hint);
        return {
          close: async () => {
            this.#hints.delete(hint);
          },
        };
      },
    };
  }

  #toDesired({ prune, publications }: SimulatedFile): DesiredState {
    const { limit, timeoutMs, batchSize, isMarkerEnabled, unknownOutcome, propagationDelayMs, ...options } = this.#options;
    const gateway = gatewaySettings({ limit, timeoutMs, batchSize, isMarkerEnabled, unknownOutcome, propagationDelayMs });
    const declared = publications.map(({ api, environment, state, revision }) =>
      wanted(String(api), String(environment), { state, revision, driftPolicy: options.driftPolicy }),
    );
    const steps = options.isRolloutOrdered ? [...Array(options.environments).keys()].map(String) : [];
    const desired = desiredState(declared, { prune, gateway, rollout: rolloutOf(...steps), refreshIntervalMs: options.refreshMs });
    const environments = [...Array(options.environments).keys()].map((environment) => {
      const [name, id] = [String(environment), `env-${environment}`];
      return { name, id, isProtected: false, maxOffline: null, suspension: null };
    });
    return { ...desired, environments: new Map(environments.map((environment) => [environment.id, environment])) };
  }

  #onEvent(replica: number, event: EdictEvent): void {
    this.#note(() => `replica ${replica}: ${describeEvent(event)}`);
    this.#invariants.event(replica, event);
    if (event.type === 'attempt:unknown' && !event.isRetried) this.#unresolvable.add(event.change.key);
    if (event.type === 'attempt:started' || event.type === 'attempt:recovered') this.#unresolvable.delete(event.change.key);
    if (event.type === 'plan:computed') this.#planned = new Set(event.plan.changes.filter(isActionable).map(({ key }) => key));
    if (event.type === 'attempt:finished' && event.outcome.kind === 'succeeded') this.#planned.delete(event.change.key);
    if (event.type === 'attempt:recovered' && event.outcome.kind === 'succeeded') this.#planned.delete(event.change.key);
    if (event.type === 'plan:computed') this.#approve(approvalDigest(event.plan), approvalScope(event.plan));
  }

  /** A person approves what is held after a while. */
  #approve(digest: string | null, scope: readonly string[]): void {
    if (digest === null || this.#approved.has(digest)) return;
    this.#approved.add(digest);
    setTimeout(() => {
      this.#approved.delete(digest);
      const [approvedAtMs, expiresAtMs] = [Date.now(), Date.now() + 86_400_000];
      void this.#disk.approve(simulatedGateway, { digest, by: 'ada', reason: 'simulated', approvedAtMs, expiresAtMs, scope });
    }, 1000);
  }

  #fail(message: string): void {
    this.#note(() => `VIOLATED ${message}`);
    this.#violations.push(message);
  }

  #note(line: () => string): void {
    if (this.#isTraced) this.#trace.push(`${(this.#time.monotonicMs() / 1000).toFixed(3).padStart(9)}  ${line()}`);
  }

  /** Returns `invariants` with each call written to the trace as well. */
  #traced(invariants: Invariants): Invariants {
    if (!this.#isTraced) return invariants;
    const describe = (sender: Sender, changes: readonly Change[]): string =>
      `replica ${sender.replica}: ${changes.map(({ action, key, reason }) => `${action} ${key} (${reason})`).join(', ') || 'a read'}`;
    return Object.assign(Object.create(invariants) as Invariants, {
      left: (sender: Sender, changes: readonly Change[]) => {
        this.#note(() => `left     ${describe(sender, changes)}`);
        invariants.left(sender, changes);
      },
      arrived: (sender: Sender, changes: readonly Change[]) => {
        this.#note(() => `arrived  ${describe(sender, changes)}`);
        invariants.arrived(sender, changes);
      },
      effected: (...args: Parameters<Invariants['effected']>) => {
        this.#note(() => `effect   ${args[0].action} ${args[0].key}`);
        invariants.effected(...args);
      },
      settled: (sender: Sender, changes: readonly Change[]) => {
        this.#note(() => `settled  ${describe(sender, changes)}`);
        invariants.settled(sender, changes);
      },
    });
  }
}

function describeEvent(event: EdictEvent): string {
  switch (event.type) {
    case 'file:loaded':
      return `file:loaded ${[...event.desired.publications.values()].map(({ key, state, revision }) => `${key}=${state}/${revision}`).join(' ')}`;
    case 'plan:computed':
      return `plan:computed (${event.cause}) ${event.plan.changes
        .map(
          ({ key, action, reason, held, deferred }) =>
            `${action} ${key} (${reason}${held ? `, held ${held.rule}` : ''}${deferred ? `, deferred ${deferred.rule}` : ''})`,
        )
        .join(', ')}`;
    case 'attempt:started':
      return `attempt:started ${event.attemptId} ${event.change.action} ${event.change.key}`;
    case 'attempt:finished':
      return `attempt:finished ${event.attemptId} ${event.change.key}: ${event.outcome.kind} ${'failure' in event.outcome ? event.outcome.failure.code : ''}`;
    case 'attempt:recovered':
      return `attempt:recovered ${event.attemptId} ${event.outcome.kind}`;
    case 'retry:scheduled':
      return `retry:scheduled ${event.change.key} after ${event.afterMs} ms: ${event.reason}`;
    default:
      return JSON.stringify(event, (name, value: unknown) => (name === 'reconcileId' || value instanceof Map ? undefined : value));
  }
}
