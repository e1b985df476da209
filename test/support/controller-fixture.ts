import { join } from 'node:path';
import { systemClock } from '../../src/app/context.ts';
import { Controller } from '../../src/controller/controller.ts';
import { RateLimiter } from '../../src/controller/limit/rate-limiter.ts';
import { ReconcileRunner } from '../../src/controller/reconcile-runner.ts';
import { GatewayWatcher } from '../../src/controller/triggers/gateway-watcher.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import type { Credentials } from '../../src/gateway/auth/credentials.ts';
import { openGateway } from '../../src/gateway/gateway.ts';
import type { Gateway, Probe } from '../../src/gateway/interface.ts';
import type { Plan } from '../../src/model/change.ts';
import type { DesiredPublication, DesiredState } from '../../src/model/desired-state.ts';
import type { EdictEvent, TriggerCause } from '../../src/model/events.ts';
import type { GatewaySettings, RequestLimits } from '../../src/model/gateway.ts';
import type { SavedPlan } from '../../src/plan/saved-plan.ts';
import { allTargets, type Targets } from '../../src/plan/targets.ts';
import type { Store } from '../../src/store/interface.ts';
import { openStore } from '../../src/store/open.ts';
import { givenToken } from './credentials.ts';
import { scratchFolder, seedOf, until } from './edict-process.ts';
import { recordEmptyGateway } from './observed-gateway.ts';
import { desiredState, gatewaySettings, wanted } from './states.ts';

/** A controller whose file is a variable. */
export interface TestController {
  /** Sets the desired state, triggers a reconciliation, and resolves to its plan. */
  reconcile(desired: DesiredState, cause: TriggerCause): Promise<Plan>;
  /** Resolves when no call is left to make. */
  idle(): Promise<void>;
  /** Sends nothing more, and resolves to the number of unsent changes once the calls in flight are recorded. */
  stop(): Promise<number>;
}

/** A controller with a real store and a real gateway client, and its events. */
export interface ControllerFixture extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly store: Store;
  readonly stateUrl: string;
  readonly controller: TestController;
  readonly rateLimiter: RateLimiter;
  readonly events: EdictEvent[];
  /** Returns the desired state of these APIs in `test`, by name. */
  desire(states: Readonly<Record<string, DesiredPublication['state'] | Partial<DesiredPublication>>>): DesiredState;
  /** Returns the API and action of each call for a change that the emulator received. */
  requested(): string[];
}

export interface ControllerFixtureOptions {
  readonly apis: readonly string[];
  readonly limit?: RequestLimits;
  readonly maxTries?: number;
  /** Whether the gateway is observed first. */
  readonly refresh?: boolean;
  /** The publications to reconcile; all by default. */
  readonly targets?: Targets;
  /** The saved plan whose changes alone are made; any by default. */
  readonly saved?: SavedPlan;
  readonly settings?: Partial<GatewaySettings>;
  /** Answers the probes of `rollout`; by default every probe succeeds. */
  readonly probe?: Probe;
  readonly credentials?: Credentials;
  /** Whether the emulator accepts any token, or only `token`. */
  readonly anyToken?: boolean;
  /** Wraps the store or gateway of the controller. */
  readonly wrapStore?: (store: Store) => Store;
  readonly wrapGateway?: (gateway: Gateway) => Gateway;
}

/** Opens an emulator, a store in a new folder, a gateway and a controller over them. */
export async function openController({
  apis,
  limit = { calls: 1000, perMs: 1000, concurrency: 4 },
  ...options
}: ControllerFixtureOptions): Promise<ControllerFixture> {
  const { maxTries = Number.POSITIVE_INFINITY, wrapStore = (store) => store, wrapGateway = (gateway) => gateway } = options;
  const { anyToken = true, refresh = false } = options;
  const emulator = await startEmulator({ seed: { ...seedOf(...apis), anyToken, tokens: [{ value: 'token' }] } });
  const stateUrl = `sqlite:${join(scratchFolder(), 'state.db')}`;
  const store = await openStore({ url: stateUrl, isEmulated: false });
  const settings = gatewaySettings({ endpoint: emulator.url, limit, ...options.settings });
  await store.acquire(settings, systemClock.now());
  // A gateway that was never observed has what is new held, because the files here do not ask for an observation.
  await recordEmptyGateway(store, settings);
  const rateLimiter = new RateLimiter({ limit, clock: systemClock, initialDelayMs: 0 });
  const gateway = openGateway(settings, options.credentials ?? givenToken('token'), { acquire: rateLimiter.acquire });
  const events: EdictEvent[] = [];
  const desire: ControllerFixture['desire'] = (states) =>
    desiredState(
      Object.entries(states).map(([api, state]) => wanted(api, 'test', typeof state === 'string' ? { state } : state)),
      { gateway: settings },
    );
  let runner: ReconcileRunner | null = null;
  let current = desire({});
  /** The number of events when the current file was read; `null` before. */
  let loadedAt: number | null = null;
  let running: Promise<void> = Promise.resolve();
  let isRunning = false;
  let isFirst = true;
  const watcher = new GatewayWatcher({ store, trigger: (cause) => controller.trigger(cause), onAvailable: () => {} });
  const controller: Controller = new Controller({
    source: {
      load: async () => {
        loadedAt ??= events.length;
        return current;
      },
      watch: async () => ({ close: async () => {} }),
    },
    clock: systemClock,
    emit: (event) => events.push(event),
    debounceMs: 0,
    resyncMs: 3_600_000,
    maxTries,
    checkStaleSource: async () => 'free',
    isWaiting: () => false,
    runnerFor: async (desired, triggers) => {
      await watcher.follow(desired.gateway);
      runner ??= new ReconcileRunner(desired, {
        store: wrapStore(store),
        gateway: wrapGateway(gateway),
        rateLimiter,
        probe: options.probe ?? (async () => ({ isExpected: true, message: 'answered 200' })),
        emit: (event) => events.push(event),
        clock: systemClock,
        random: () => 0,
        maxTries,
        refresh: refresh ? 'always' : 'due',
        isEmulated: false,
        targets: options.targets ?? allTargets,
        saved: options.saved ?? null,
        triggers,
      });
      return runner;
    },
  });
  const testController: TestController = {
    reconcile: async (desired, cause) => {
      current = cause === 'file' ? { ...desired } : desired;
      loadedAt = null;
      if (!isFirst) controller.trigger(cause);
      isFirst = false;
      if (!isRunning) {
        isRunning = true;
        running = (maxTries === Number.POSITIVE_INFINITY ? controller.run() : controller.runOnce()).finally(() => {
          isRunning = false;
        });
        running.catch(() => {});
      }
      const plan = () => events.slice(loadedAt ?? events.length).find((event) => event.type === 'plan:computed')?.plan;
      await until('a plan is computed', () => plan() !== undefined || !isRunning);
      if (!plan()) await running;
      return plan() as Plan;
    },
    idle: () => until('no call is left to make', () => controller.isIdle || !isRunning),
    stop: async () => {
      controller.stop();
      await running.catch(() => {});
      return (await runner?.stop()) ?? 0;
    },
  };
  const requested = (): string[] =>
    emulator.requests
      .all()
      .filter(({ operation }) => operation === 'changePublication')
      .map(({ api = '', action }) => `${api.replace('api-', '')} ${action}`);
  const dispose = async (): Promise<void> => {
    await testController.stop();
    watcher[Symbol.dispose]();
    await gateway.close();
    await store.close();
    await emulator.close();
  };
  return { emulator, store, stateUrl, controller: testController, rateLimiter, events, desire, requested, [Symbol.asyncDispose]: dispose };
}
