import type { DaemonSettings, Settings } from './config.ts';
import { EdictError, messageOf } from './core/errors.ts';
import type { Emit, PassSummary } from './core/events.ts';
import type { LogOptions } from './core/log-options.ts';
import { type Plan, plan } from './core/plan.ts';
import type { Admit, Attempt, Condition, Gateway, HistoryFilter, RecordReader, Store } from './core/ports.ts';
import type { DesiredState, GatewayIdentity, GatewaySettings, PublicationKey, RecordedState } from './core/publication.ts';
import { FileSource } from './desired/file-source.ts';
import type { Emulator, EmulatorOptions } from './emulator/emulator.ts';
import type { Seed } from './emulator/seed.ts';
import type { Engine } from './engine/engine.ts';
import { systemClock } from './engine/system-clock.ts';
import type { Traffic } from './engine/traffic.ts';
import { openRecord, openStore } from './store/open-store.ts';

/*
 * The wiring: the one place that opens rooms, in order, and closes them in reverse. What only some commands need is
 * imported where it is opened, so that `plan` and `validate` start without an HTTP client, a watcher or a server.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns what the file declares. Throws as `FileSource.load` does. */
export function readDesired(settings: Settings, environment: Environment): Promise<DesiredState> {
  return new FileSource(settings.file, environment).load();
}

/** Returns the plan from the record to the file. Nothing is opened here that could make a call or write. */
export async function readPlan(settings: Settings, environment: Environment): Promise<{ desired: DesiredState; plan: Plan }> {
  const desired = await readDesired(settings, environment);
  const recorded = await withRecord(settings, (record) => record.readAll(desired.gateway));
  return { desired, plan: plan(desired, recorded) };
}

/** What `status` shows. */
export interface StatusReport {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly plan: Plan;
  readonly lastAttempts: ReadonlyMap<PublicationKey, Attempt>;
  /** How the process that works on the gateway is getting on; `null` if none does. */
  readonly condition: Condition | null;
}

/** Returns desired, recorded and last attempts side by side. Makes no call and writes nothing. */
export async function readStatus(settings: Settings, environment: Environment): Promise<StatusReport> {
  const desired = await readDesired(settings, environment);
  return withRecord(settings, async (record) => {
    const recorded = await record.readAll(desired.gateway);
    return {
      desired,
      recorded,
      plan: plan(desired, recorded),
      lastAttempts: await record.lastAttempts(desired.gateway),
      condition: await record.condition(desired.gateway),
    };
  });
}

/** Returns attempts on the file's gateway, newest first. Makes no call and writes nothing. */
export async function readHistory(settings: Settings, environment: Environment, filter: HistoryFilter): Promise<Attempt[]> {
  const { gateway } = await readDesired(settings, environment);
  return withRecord(settings, (record) => record.history(gateway, filter));
}

async function withRecord<T>(settings: Settings, read: (record: RecordReader) => Promise<T>): Promise<T> {
  const record = await openRecord({ url: settings.state });
  try {
    return await read(record);
  } finally {
    await record.close();
  }
}

/** What ends a run early: `stop` lets the calls in flight finish. */
export interface Stopper {
  readonly signal: AbortSignal;
}

/** What `apply` came to. `left` counts changes that were not sent because the run was stopped. */
export interface Applied {
  readonly plan: Plan;
  readonly summary: PassSummary;
  readonly left: number;
}

/** How often `apply` tries one change before it leaves it to a person. */
const applyTries = 4;

/** Makes one pass over the file and returns when no call is left to make. Throws an EdictError if it cannot begin. */
export async function applyOnce(settings: Settings, environment: Environment, emit: Emit, { signal }: Stopper): Promise<Applied> {
  const desired = await readDesired(settings, environment);
  await using opened = await openRooms(settings, environment, emit, desired);
  const totals = { online: 0, offline: 0 };
  let last: PassSummary | null = null;
  const engine = await opened.engineFor(desired, applyTries, (event) => {
    if ((event.type === 'attempt:settled' || event.type === 'attempt:resolved') && event.outcome.kind === 'succeeded') {
      totals[event.change.action] += 1;
    }
    if (event.type === 'pass:finished') last = event.summary;
    emit(event);
  });
  const startedAtMs = systemClock.now();
  emit({ type: 'file:accepted', desired });
  const made = await engine.pass(desired, 'start');
  await Promise.race([engine.settled(), aborted(signal)]);
  const left = await engine.stop();
  const finished: PassSummary = last ?? { online: 0, offline: 0, unchanged: made.unchanged, held: 0, failed: 0, tookMs: 0 };
  return { plan: made, summary: { ...finished, ...totals, unchanged: made.unchanged, tookMs: systemClock.now() - startedAtMs }, left };
}

/** The daemon as its command holds it. */
export interface RunningDaemon {
  /** Asks for a pass now. */
  passNow(): void;
  /** Resolves when the daemon has ended after `stop`, with the number of changes left unsent. */
  readonly ended: Promise<number>;
  /** Sends nothing more, lets the calls in flight finish, records them and ends. */
  stop(): void;
}

/** Starts the daemon. Throws an EdictError if the store cannot be opened. */
export async function startDaemon(
  settings: Settings,
  daemonSettings: DaemonSettings,
  environment: Environment,
  emit: Emit,
): Promise<RunningDaemon> {
  const { Daemon } = await import('./engine/daemon.ts');
  const source = new FileSource(settings.file, environment);
  const opened = await openRooms(settings, environment, emit, null);
  const daemon = new Daemon({
    source,
    clock: systemClock,
    ...daemonSettings,
    emit: (event) => {
      if (event.type === 'file:accepted') opened.emulate(event.desired);
      emit(event);
    },
    engineFor: (desired) => opened.engineFor(desired, Number.POSITIVE_INFINITY, emit),
  });
  const ended = daemon.run().then(
    () => opened.close(),
    async (error: unknown) => {
      await opened.close();
      throw error;
    },
  );
  return { passNow: () => daemon.wake('signal'), stop: () => daemon.stop(), ended };
}

/** What a command says while it works. */
export interface Talk {
  readonly emit: Emit;
  /** Logs what is not an event of the engine. */
  note(event: string, message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Returns the log on stderr, fed with the engine's events. */
export async function openLog(options: LogOptions): Promise<Talk> {
  const { logEvents, openLogger } = await import('./telemetry/log.ts');
  const logger = openLogger(options);
  return { emit: logEvents(logger), note: (event, message, fields) => logger.info({ event, ...fields }, message) };
}

/** Starts the emulator by itself. Throws an EdictError if the seed is none or the address cannot be had. */
export async function startEmulatorFrom(seedFile: string | null, options: Omit<EmulatorOptions, 'seed'>): Promise<Emulator> {
  const { startEmulator } = await import('./emulator/emulator.ts');
  const { defaultSeed, readSeed } = await import('./emulator/seed.ts');
  try {
    return await startEmulator({ seed: seedFile === null ? defaultSeed : await readSeed(seedFile), ...options });
  } catch (cause) {
    throw new EdictError('EMULATOR', `the emulator cannot start: ${messageOf(cause)}`, { cause });
  }
}

/** A store, and over it an engine for the gateway of the file at hand. */
interface Rooms extends AsyncDisposable {
  /** Tells the emulator, if there is one, of APIs and environments that it does not know. */
  emulate(desired: DesiredState): void;
  /** Returns the engine for the gateway that `desired` names; the same one while its settings are the same. */
  engineFor(desired: DesiredState, maxTries: number, emit: Emit): Promise<Engine>;
  /** Stops and closes everything; resolves to the number of changes left unsent. */
  close(): Promise<number>;
}

async function openRooms(settings: Settings, environment: Environment, emit: Emit, desired: DesiredState | null): Promise<Rooms> {
  const store = await openStore({
    url: settings.state,
    emulated: settings.emulate,
    waitMs: settings.waitMs,
    onWait: (message) => emit({ type: 'store:waited', message }),
  });
  const emulator = settings.emulate ? await openEmulator() : null;
  if (emulator && desired) emulator.world.add(seedFrom(desired, await store.readAll(desired.gateway)));
  let current: { readonly name: string; readonly engine: Engine; readonly gateway: Gateway; readonly identity: GatewayIdentity } | null =
    null;

  const stop = async (): Promise<number> => {
    if (!current) return 0;
    const { engine, gateway, identity } = current;
    current = null;
    const left = await engine.stop();
    await gateway.close();
    await store.leave(identity, systemClock.now());
    return left;
  };
  const engineFor = async (wanted: DesiredState, maxTries: number, emit: Emit): Promise<Engine> => {
    const name = JSON.stringify(wanted.gateway);
    if (current?.name === name) return current.engine;
    await stop();
    if (emulator) emulator.world.add(seedFrom(wanted, await store.readAll(wanted.gateway)));
    const traffic = await openTraffic(wanted.gateway, emulator ? 0 : await quietMsFor(store, wanted.gateway));
    const gateway = await openGatewayOf(wanted.gateway, emulator, traffic.admit, environment);
    const { Engine } = await import('./engine/engine.ts');
    const engine = new Engine(wanted, { store, gateway, traffic, emit, clock: systemClock, random: Math.random, maxTries });
    current = { name, engine, gateway, identity: wanted.gateway };
    return engine;
  };
  const close = async (): Promise<number> => {
    const left = await stop();
    await emulator?.close();
    await store.close();
    return left;
  };
  const emulate = (wanted: DesiredState): void => emulator?.world.add(seedFrom(wanted, new Map()));
  return { emulate, engineFor, close, [Symbol.asyncDispose]: async () => void (await close()) };
}

async function openTraffic(gateway: GatewaySettings, quietMs: number): Promise<Traffic> {
  const { Traffic } = await import('./engine/traffic.ts');
  return new Traffic({ limit: gateway.limit, clock: systemClock, quietMs });
}

/** Returns how long the limit's window may still hold requests of the process before this one, in milliseconds. */
async function quietMsFor(store: Store, gateway: GatewaySettings): Promise<number> {
  const leftAtMs = await store.enter(gateway, systemClock.now());
  const { perMs } = gateway.limit;
  return leftAtMs === null ? perMs : Math.min(perMs, Math.max(0, leftAtMs + perMs - systemClock.now()));
}

async function openGatewayOf(
  gateway: GatewaySettings,
  emulator: Emulator | null,
  admit: Admit,
  environment: Environment,
): Promise<Gateway> {
  const { openGateway } = await import('./gateway/roma-gateway.ts');
  const { openCredentials } = await import('./gateway/auth.ts');
  const settings = emulator ? { ...gateway, endpoint: emulator.url, iam: emulator.url } : gateway;
  const credentials = openCredentials(emulator ? { HW_AUTH_TOKEN: 'emulated' } : environment, settings, { clock: systemClock, admit });
  return openGateway(settings, credentials, { admit });
}

async function openEmulator(): Promise<Emulator> {
  const { startEmulator } = await import('./emulator/emulator.ts');
  return startEmulator({ seed: { project: '', instance: '', apis: [], environments: [], anyToken: true } });
}

/** Returns what an emulated gateway must hold so that the file's calls can succeed and the record is true. */
function seedFrom({ gateway, environments, publications }: DesiredState, recorded: RecordedState): Seed {
  const known = [...publications.values(), ...recorded.values()];
  const apis = new Map(known.map(({ api, apiId }) => [apiId, { id: apiId, name: api }]));
  const places = new Map(known.map(({ environment, environmentId }) => [environmentId, { id: environmentId, name: environment }]));
  for (const { id, name } of environments.values()) places.set(id, { id, name });
  const online = [...recorded.values()].filter(({ state }) => state === 'online');
  return {
    project: gateway.project,
    instance: gateway.instance,
    apis: [...apis.values()],
    environments: [...places.values()],
    anyToken: true,
    publications: online.map(({ apiId, environmentId, versionId }) => ({
      api: apiId,
      environment: environmentId,
      ...(versionId && { versionId }),
    })),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}
