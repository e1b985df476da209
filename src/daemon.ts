import type { DaemonSettings, Settings } from './config.ts';
import { EdictError } from './core/errors.ts';
import type { Emit, PassCause } from './core/events.ts';
import type { Store } from './core/ports.ts';
import type { GatewayIdentity } from './core/publication.ts';
import { filesIn } from './desired/files-in.ts';
import { backoffMs } from './engine/backoff.ts';
import type { Daemon } from './engine/daemon.ts';
import { systemClock } from './engine/system-clock.ts';
import type { Face, FaceOfFile } from './face.ts';
import type { Listeners } from './listeners.ts';
import { type Environment, openRooms, openStoreOf, type Rooms, sourceOf } from './rooms.ts';

/*
 * The daemon, and what is opened around it: the store, for each file its rooms, its loop and the listeners that the environment asks for,
 * and the page of all.
 */

/** The daemon as its command holds it. */
export interface RunningDaemon {
  /** Asks for a pass over every file now. */
  passNow(): void;
  /** Resolves when the daemon has ended after `stop`, with the number of changes left unsent. Rejects when no file can be worked on. */
  readonly ended: Promise<number>;
  /** Sends nothing more, lets the calls in flight finish, records them and ends. */
  stop(): void;
  readonly files: readonly string[];
  /** Where it can be asked how it is; `null`: nowhere. */
  readonly url: string | null;
  /** Why it cannot be asked although nobody has said so; `null` otherwise. */
  readonly unheard: string | null;
}

/** One file's part of the daemon: a gateway with a queue, a limit and failures of its own. */
interface Part {
  readonly settings: Settings;
  readonly rooms: Rooms;
  readonly daemon: Daemon;
  readonly listeners: Listeners;
  /** Hears what happens, besides the listeners and the log. */
  readonly shows: { emit: Emit };
  readonly emit: Emit;
  /** Deletes no more of the history. */
  readonly endTidying: () => void;
}

/**
 * Starts the daemon over the files that `paths` name, as `filesIn` has it. `talkOf` returns what tells people of a file, of several if `isOne` is
 * false. A store that cannot be reached is waited for until `signal` is aborted. Throws an EdictError if the store cannot be opened, `FILE_ABSENT` for a folder without a file, or `LISTEN` if the address cannot be had.
 */
export async function startDaemon(
  settings: Settings,
  paths: readonly string[],
  { listen, isListenAsked, ...times }: DaemonSettings,
  environment: Environment,
  talkOf: (file: string, isOne: boolean) => Emit,
  signal: AbortSignal = unending,
): Promise<RunningDaemon> {
  const files = filesIn(paths);
  const parts: Part[] = [];
  const store = await openReachable(settings, talkOf(settings.file, true), signal);
  let face: Face | null = null;
  let unheard: string | null = null;
  const close = async (): Promise<number> => {
    await face?.close();
    for (const { endTidying } of parts) endTidying();
    const left = await Promise.all(parts.map(({ rooms }) => rooms.close()));
    await store.close();
    await Promise.all(parts.map(({ listeners }) => listeners.close()));
    return left.reduce((sum, of) => sum + of, 0);
  };
  try {
    for (const file of files)
      parts.push(await openPart({ ...settings, file }, times, environment, store, talkOf(file, files.length === 1)));
    if (listen) face = await openFaceOf(listen, environment, parts);
    for (const { settings, shows } of parts) shows.emit = face?.emitOf(settings.file) ?? shows.emit;
  } catch (error) {
    if (isListenAsked || !(error instanceof EdictError) || error.code !== 'LISTEN') {
      await close();
      throw error;
    }
    unheard = error.message;
  }
  const ended = runAll(parts).then(close, async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    passNow: () => parts.forEach(({ daemon }) => void daemon.wake('signal')),
    stop: () => parts.forEach(({ daemon }) => void daemon.stop()),
    ended,
    files,
    url: face?.url ?? null,
    unheard,
  };
}

const unending = new AbortController().signal;

/** Opens the store; one that cannot be reached is tried again, later each time. */
async function openReachable(settings: Settings, emit: Emit, signal: AbortSignal): Promise<Store> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await openStoreOf(settings, emit);
    } catch (error) {
      if (!(error instanceof EdictError) || error.code !== 'STORE_UNREACHABLE' || signal.aborted) throw error;
      emit({ type: 'store:failed', passId: '', message: error.message });
      await systemClock.sleep(backoffMs(failures, 1), signal);
    }
  }
}

/** Resolves when every part has ended. One that cannot go on is told and ends by itself; rejects with its error if that was the last. */
async function runAll(parts: readonly Part[]): Promise<void> {
  let working = parts.length;
  await Promise.all(
    parts.map(async ({ daemon, emit }) => {
      try {
        await daemon.run();
      } catch (error) {
        working -= 1;
        if (working === 0 || !(error instanceof EdictError)) throw error;
        emit({ type: 'file:failed', message: error.message, hint: error.hint });
      }
    }),
  );
}

async function openPart(
  settings: Settings,
  { keepHistoryMs, ...times }: Pick<DaemonSettings, 'debounceMs' | 'resyncMs' | 'keepHistoryMs'>,
  environment: Environment,
  store: Store,
  talk: Emit,
): Promise<Part> {
  const { Daemon } = await import('./engine/daemon.ts');
  const { Tidying } = await import('./engine/tidying.ts');
  const { openListeners } = await import('./listeners.ts');
  const shows = { emit: (() => {}) as Emit };
  const told: Emit = (event) => {
    shows.emit(event);
    talk(event);
  };
  const tidying = new Tidying({ store, clock: systemClock, emit: told, keepMs: keepHistoryMs });
  const tidyingUntil = new AbortController();
  let gateway: GatewayIdentity | null = null;
  const listeners = await openListeners(environment, { settings, clock: systemClock, emit: told });
  const emit: Emit = (event) => {
    if (event.type === 'file:accepted') {
      rooms.emulate(event.desired);
      ({ gateway } = event.desired);
    }
    listeners.emit(event);
    told(event);
    if (event.type === 'lease:ended') daemon.wake('resync');
    if (event.type === 'pass:finished' && gateway) void tidying.tidy(gateway, tidyingUntil.signal);
  };
  const rooms = await openRooms(settings, environment, emit, { standsBy: true, store });
  const daemon = new Daemon({
    source: sourceOf(settings, environment, rooms.lookUp),
    clock: systemClock,
    ...times,
    emit,
    engineFor: (desired) => rooms.engineFor(desired, Number.POSITIVE_INFINITY, emit),
  });
  return { settings, rooms, daemon, listeners, shows, emit, endTidying: () => tidyingUntil.abort() };
}

async function openFaceOf(address: NonNullable<DaemonSettings['listen']>, environment: Environment, parts: readonly Part[]): Promise<Face> {
  const { openFace } = await import('./face.ts');
  const { writeApproval } = await import('./store/write-approval.ts');
  const files = parts.map(({ settings, rooms, daemon }): FaceOfFile => {
    const wake = (cause: PassCause): void => daemon.wake(cause);
    return {
      settings,
      record: rooms.record,
      resync: () => wake('signal'),
      approve: (gateway, approval) => writeApproval(settings.state, gateway, approval),
      suspend: async (gateway, suspension) => {
        await rooms.suspend(gateway, suspension);
        wake('resync');
      },
    };
  });
  return openFace(address, { environment, now: systemClock.now, files });
}
