import type { DaemonSettings, Settings } from './config.ts';
import { EdictError, messageOf } from './core/errors.ts';
import type { Emit, PassSummary } from './core/events.ts';
import type { LogOptions } from './core/log-options.ts';
import { narrow } from './core/narrow.ts';
import type { Note } from './core/observe.ts';
import { type Plan, plan } from './core/plan.ts';
import type { Attempt, Condition, RecordReader } from './core/ports.ts';
import type { DesiredState, PublicationKey, RecordedState } from './core/publication.ts';
import { everything, isNarrowed, isTargeted, type Targets } from './core/targets.ts';
import { FileSource } from './desired/file-source.ts';
import type { Emulator, EmulatorOptions } from './emulator/emulator.ts';
import { systemClock } from './engine/system-clock.ts';
import { type Environment, openCredentialsOf, openEmulator, openRooms, openTraffic, seedFrom } from './rooms.ts';
import { openRecord } from './store/open-store.ts';

/*
 * The wiring: what a command asks for, and the rooms that answer. How rooms are opened together stands in rooms.ts.
 */

/** Returns what the file declares. Throws as `FileSource.load` does. */
export function readDesired(settings: Settings, environment: Environment): Promise<DesiredState> {
  return new FileSource(settings.file, environment).load();
}

/** A plan, and what was seen at the gateway on the way to it. */
export interface Planned {
  readonly desired: DesiredState;
  readonly plan: Plan;
  readonly notes: readonly Note[];
}

/**
 * Returns the plan from the record to the file, or what of it is targeted; with `refresh` from what the gateway itself shows.
 * Writes nothing, and nothing is opened here that could change the gateway. Throws an EdictError if the gateway cannot be
 * seen, or a target is none.
 */
export async function readPlan(settings: Settings, environment: Environment): Promise<Planned> {
  const desired = await readDesired(settings, environment);
  return withRecord(settings, async (record) => {
    const before = await record.readAll(desired.gateway);
    const targets = await targetsOf(settings, desired, async () => before);
    const { recorded, notes } = settings.refresh
      ? await seeGateway(desired, record, settings, environment)
      : { recorded: before, notes: [] };
    return {
      desired,
      plan: narrow(plan(desired, recorded), desired, targets),
      notes: notes.filter((note) => isTargeted(targets, note)),
    };
  });
}

/** Returns what the command is about. Throws an EdictError `TARGET_UNKNOWN` for a pattern that matches nothing there is. */
async function targetsOf(settings: Settings, desired: DesiredState, read: () => Promise<RecordedState>): Promise<Targets> {
  if (!isNarrowed(settings.targets)) return everything;
  const { compileTargets, refuseUnknown } = await import('./desired/target-patterns.ts');
  refuseUnknown(settings.targets, desired, await read());
  return compileTargets(settings.targets);
}

async function seeGateway(desired: DesiredState, record: RecordReader, settings: Settings, environment: Environment) {
  const { look } = await import('./engine/observer.ts');
  const { openGatewayReader } = await import('./gateway/roma-gateway.ts');
  const emulator = settings.emulate ? await openEmulator() : null;
  emulator?.world.add(seedFrom(desired, await record.readAll(desired.gateway)));
  const traffic = await openTraffic(desired.gateway, 0);
  const { at, credentials } = await openCredentialsOf(desired.gateway, emulator, traffic.admit, environment);
  const gateway = openGatewayReader(at, credentials, { admit: traffic.admit });
  try {
    const seen = await look(desired, { gateway, record, clock: systemClock, signal: new AbortController().signal });
    if (seen.kind === 'observed') return seen;
    throw new EdictError('UNSEEN', `the gateway cannot be observed: ${seen.reason}`, {
      hint: 'without --refresh the plan starts from the record alone',
    });
  } finally {
    traffic.close();
    await gateway.close();
    await emulator?.close();
  }
}

/** What `status` shows. */
export interface StatusReport {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  /** What of all this is to be shown. */
  readonly targets: Targets;
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
    const targets = await targetsOf(settings, desired, async () => recorded);
    return {
      desired,
      recorded,
      targets,
      plan: narrow(plan(desired, recorded), desired, targets),
      lastAttempts: await record.lastAttempts(desired.gateway),
      condition: await record.condition(desired.gateway),
    };
  });
}

/**
 * Returns at most `limit` attempts on what is targeted of the file's gateway, newest first. Makes no call and writes nothing.
 * A pattern finds an API by the name it has now, and all its attempts then, under earlier names too; an earlier name finds its own.
 */
export async function readHistory(settings: Settings, environment: Environment, limit: number): Promise<Attempt[]> {
  const { gateway, publications } = await readDesired(settings, environment);
  const { apis, environments } = settings.targets;
  return withRecord(settings, async (record) => {
    if (!isNarrowed(settings.targets)) return record.history(gateway, { limit });
    const { compileTargets } = await import('./desired/target-patterns.ts');
    const targets = compileTargets(settings.targets);
    const known = [...publications.values(), ...(await record.lastAttempts(gateway)).values()];
    const apiIds = known.filter(targets.hasApi).map(({ apiId }) => apiId);
    const environmentIds = known.filter(targets.hasEnvironment).map(({ environmentId }) => environmentId);
    return record.history(gateway, {
      ...(apis.length > 0 && { apis: [...new Set([...apis, ...apiIds])] }),
      ...(environments.length > 0 && { environments: [...new Set([...environments, ...environmentIds])] }),
      limit,
    });
  });
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

/** Makes one pass over the file, or what of it is targeted, and returns when no call is left to make. Throws an EdictError if it cannot begin. */
export async function applyOnce(settings: Settings, environment: Environment, emit: Emit, { signal }: Stopper): Promise<Applied> {
  const desired = await readDesired(settings, environment);
  await using opened = await openRooms(settings, environment, emit, desired);
  const targets = await targetsOf(settings, desired, () => opened.recorded(desired.gateway));
  const totals = { online: 0, offline: 0 };
  let last: PassSummary | null = null;
  const engine = await opened.engineFor(
    desired,
    applyTries,
    (event) => {
      if ((event.type === 'attempt:settled' || event.type === 'attempt:resolved') && event.outcome.kind === 'succeeded') {
        totals[event.change.action] += 1;
      }
      if (event.type === 'pass:finished') last = event.summary;
      emit(event);
    },
    targets,
  );
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}
