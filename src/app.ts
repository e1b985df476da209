import type { DaemonSettings, Settings } from './config.ts';
import { EdictError, messageOf } from './core/errors.ts';
import type { Emit, PassSummary } from './core/events.ts';
import type { LogOptions } from './core/log-options.ts';
import type { Meaning, NameKey } from './core/names.ts';
import type { Note } from './core/observe.ts';
import { type Plan, plan } from './core/plan.ts';
import type { Attempt, Condition, HistoryFilter, RecordReader } from './core/ports.ts';
import type { DesiredState, PublicationKey, PublicationNames, RecordedState } from './core/publication.ts';
import type { ListedVersion } from './core/resolve.ts';
import type { AskedGateway } from './desired/asked-gateway.ts';
import { FileSource, type LookUp } from './desired/file-source.ts';
import type { WrittenDesired } from './desired/write-desired.ts';
import type { Emulator, EmulatorOptions } from './emulator/emulator.ts';
import { systemClock } from './engine/system-clock.ts';
import { type Environment, invented, openRooms, type Rooms, seedFrom, withGatewayReader } from './rooms.ts';
import { openRecord } from './store/open-store.ts';

/*
 * The wiring: what a command asks for, and the rooms that answer. How rooms are opened together stands in rooms.ts.
 */

/** Returns what the file declares, without asking anybody: what has a name only gets an ID that is made up. Throws as `FileSource.load` does. */
export function checkFile(settings: Settings, environment: Environment): Promise<DesiredState> {
  return new FileSource(settings.file, environment, async (_, names) => invented(names)).load();
}

/** A plan, and what was seen at the gateway on the way to it. */
export interface Planned {
  readonly desired: DesiredState;
  readonly plan: Plan;
  readonly notes: readonly Note[];
}

/**
 * Returns the plan from the record to the file; with `refresh` from what the gateway itself shows. Writes nothing, and
 * nothing is opened here that could change the gateway. Throws an EdictError if the gateway cannot be seen.
 */
export async function readPlan(settings: Settings, environment: Environment): Promise<Planned> {
  return withFile(settings, environment, 'ask', async (desired, record) => {
    const { recorded, notes } = settings.refresh
      ? await seeGateway(desired, record, settings, environment)
      : { recorded: await record.readAll(desired.gateway), notes: [] };
    return { desired, plan: plan(desired, recorded), notes };
  });
}

async function seeGateway(desired: DesiredState, record: RecordReader, settings: Settings, environment: Environment) {
  const { look } = await import('./engine/observer.ts');
  const seed = settings.emulate ? seedFrom(desired, await record.readAll(desired.gateway)) : null;
  const seen = await withGatewayReader(desired.gateway, seed, environment, (gateway) =>
    look(desired, { gateway, record, clock: systemClock, signal: unending }),
  );
  if (seen.kind === 'observed') return seen;
  throw unseen(seen.reason, 'without --refresh the plan starts from the record alone');
}

/** Reads the file and opens the record. Names that were never looked up: the gateway is asked, or they mean nothing that is recorded. */
async function withFile<T>(
  settings: Settings,
  environment: Environment,
  names: 'ask' | 'never ask',
  use: (desired: DesiredState, record: RecordReader) => Promise<T>,
): Promise<T> {
  const record = await openRecord({ url: settings.state });
  try {
    const lookUp: LookUp = async (of, unknown) => {
      if (settings.emulate) return invented(unknown);
      const { lookUp } = await import('./engine/look-up.ts');
      const remembered = await record.names(of);
      const known = [...remembered].map(([key, id]): [NameKey, Meaning] => [key, { kind: 'one', id }]);
      if (names === 'never ask') return new Map([...invented(unknown), ...known]);
      return withGatewayReader(of, null, environment, (gateway) => lookUp(unknown, { gateway, remembered, signal: unending }));
    };
    const desired = await new FileSource(settings.file, environment, lookUp).load();
    return await use(desired, record);
  } finally {
    await record.close();
  }
}

/**
 * Returns the file that declares what a live gateway shows, and what it could not say. Only reads leave, within the limit that
 * the file will have. Throws an EdictError: `OPTION` for a gateway that no file may name, `CREDENTIALS_*`, `UNSEEN` if it cannot be read.
 */
export async function importGateway(asked: AskedGateway, environment: Environment): Promise<WrittenDesired> {
  const { settingsOfAsked } = await import('./desired/asked-gateway.ts');
  const { writeDesired } = await import('./desired/write-desired.ts');
  const { readListing } = await import('./engine/read-listing.ts');
  return withGatewayReader(settingsOfAsked(asked), null, environment, async (gateway) => {
    const listing = await readListing(gateway, { clock: systemClock, random: Math.random, signal: new AbortController().signal });
    return writeDesired({ gateway: asked, ...listing });
  });
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
  return withFile(settings, environment, 'never ask', async (desired, record) => {
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
  return withFile(settings, environment, 'never ask', ({ gateway }, record) => record.history(gateway, filter));
}

/** The versions of one API in one environment. */
export interface VersionsReport {
  readonly names: PublicationNames;
  /** Newest first. */
  readonly versions: readonly ListedVersion[];
  /** The version that the file pins; `null` if it pins none. */
  readonly pinned: string | null;
}

/**
 * Returns what the gateway keeps of a publication of the file or the record, whose API and environment are named by name or
 * ID. Throws an EdictError `PUBLICATION_UNKNOWN` if there is none such, `UNSEEN` if the gateway cannot be asked.
 */
export async function readVersions(
  settings: Settings,
  environment: Environment,
  of: { readonly api: string; readonly environment: string },
): Promise<VersionsReport> {
  return withFile(settings, environment, 'ask', async (desired, record) => {
    const recorded = await record.readAll(desired.gateway);
    const known = [...desired.publications.values(), ...recorded.values()];
    const names = known.find(
      (one) => (one.api === of.api || one.apiId === of.api) && (one.environment === of.environment || one.environmentId === of.environment),
    );
    if (!names) {
      throw new EdictError('PUBLICATION_UNKNOWN', `neither the file nor the record has API ${of.api} in environment ${of.environment}`, {
        hint: '`edict status` lists what there is',
      });
    }
    const seed = settings.emulate ? seedFrom(desired, recorded) : null;
    const read = await withGatewayReader(desired.gateway, seed, environment, (gateway) => gateway.versions(names, unending));
    if (read.kind !== 'read') throw unseen(`${read.failure.code} ${read.failure.message}`, read.failure.hint);
    const versions = [...read.value].sort((a, b) => (b.publishedAtMs ?? 0) - (a.publishedAtMs ?? 0));
    const { api, apiId, environment: place, environmentId, key } = names;
    return { names: { api, apiId, environment: place, environmentId }, versions, pinned: desired.publications.get(key)?.version ?? null };
  });
}

function unseen(reason: string, hint: string | null): EdictError {
  return new EdictError('UNSEEN', `the gateway cannot be observed: ${reason}`, hint === null ? {} : { hint });
}

const unending = new AbortController().signal;

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
export async function applyOnce(settings: Settings, environment: Environment, emit: Emit, stopper: Stopper): Promise<Applied> {
  let opened: Rooms | null = null;
  const open = async (): Promise<Rooms> => {
    opened ??= await openRooms(settings, environment, emit);
    return opened;
  };
  try {
    const lookUp: LookUp = async (of, names) => (await open()).lookUp(of, names);
    const desired = await new FileSource(settings.file, environment, lookUp).load();
    return await applyIn(await open(), desired, emit, stopper);
  } finally {
    await (opened as Rooms | null)?.close();
  }
}

async function applyIn(rooms: Rooms, desired: DesiredState, emit: Emit, { signal }: Stopper): Promise<Applied> {
  const totals = { online: 0, offline: 0 };
  let last: PassSummary | null = null;
  const engine = await rooms.engineFor(desired, applyTries, (event) => {
    if ((event.type === 'attempt:settled' || event.type === 'attempt:resolved') && event.outcome.kind === 'succeeded') {
      totals[event.change.action] += 1;
    }
    if (event.type === 'pass:finished') last = event.summary;
    emit(event);
  });
  const startedAtMs = systemClock.now();
  emit({ type: 'file:accepted', desired });
  const made = await engine.pass(desired, 'start', signal);
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
  const opened = await openRooms(settings, environment, emit);
  const source = new FileSource(settings.file, environment, opened.lookUp);
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
