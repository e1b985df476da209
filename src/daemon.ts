import type { DaemonSettings, Settings } from './config.ts';
import { EdictError } from './core/errors.ts';
import type { Emit } from './core/events.ts';
import type { Store } from './core/ports.ts';
import { FilesIn } from './desired/files-in.ts';
import { followFiles } from './desired/follow-files.ts';
import { backoffMs } from './engine/backoff.ts';
import { systemClock } from './engine/system-clock.ts';
import type { Face } from './face.ts';
import { faceOf, openPart, type Part } from './part.ts';
import { type Environment, openStoreOf } from './rooms.ts';

/*
 * The daemon, and what is opened around it: the store, a part for each file, and the page of all.
 */

/** The daemon as its command holds it. */
export interface RunningDaemon {
  /** Asks for a pass over every file now. */
  passNow(): void;
  /** Resolves when the daemon has ended after `stop`, with the number of changes left unsent. Rejects when no file can be worked on. */
  readonly ended: Promise<number>;
  /** Sends nothing more, lets the calls in flight finish, records them and ends. */
  stop(): void;
  /** Those of the start. */
  readonly files: readonly string[];
  /** Where it can be asked how it is; `null`: nowhere. */
  readonly url: string | null;
  /** Why it cannot be asked although nobody has said so; `null` otherwise. */
  readonly unheard: string | null;
}

/**
 * Starts the daemon over the files that `paths` name, as `FilesIn` has it, and follows which ones there are. `talkOf` returns what tells
 * people of a file, of several if `isOne` is false. A store that cannot be reached is waited for until `signal` is aborted. Throws an
 * EdictError if the store cannot be opened, `FILE_ABSENT` for a folder without a file, or `LISTEN` if the address cannot be had.
 */
export async function startDaemon(
  settings: Settings,
  paths: readonly string[],
  { listen, isListenAsked, ...times }: DaemonSettings,
  environment: Environment,
  talkOf: (file: string, isOne: boolean) => Emit,
  signal: AbortSignal = unending,
): Promise<RunningDaemon> {
  const named = new FilesIn(paths);
  const files = named.look();
  const isOne = files.length === 1 && files[0] === paths[0];
  const stopping = new AbortController();
  const parts = new Map<string, Part>();
  const store = await openReachable(settings, talkOf(settings.file, true), signal);
  let face: Face | null = null;
  let unheard: string | null = null;
  const open = async (file: string): Promise<Part> => {
    const part = await openPart({ ...settings, file }, times, environment, store, talkOf(file, isOne));
    parts.set(file, part);
    return part;
  };
  const close = async (): Promise<number> => {
    await face?.close();
    for (const { endBeside } of parts.values()) endBeside();
    const left = await Promise.all([...parts.values()].map(({ rooms }) => rooms.close()));
    await store.close();
    await Promise.all([...parts.values()].map(({ listeners }) => listeners.close()));
    return left.reduce((sum, of) => sum + of, 0);
  };
  try {
    for (const file of files) await open(file);
    if (listen) {
      const { openFace } = await import('./face.ts');
      const shown = await Promise.all([...parts.values()].map(faceOf));
      face = await openFace(listen, { environment, now: systemClock.now, isOne, files: shown });
    }
    for (const { settings, shows } of parts.values()) shows.emit = face?.emitOf(settings.file) ?? shows.emit;
  } catch (error) {
    if (isListenAsked || !(error instanceof EdictError) || error.code !== 'LISTEN') {
      await close();
      throw error;
    }
    unheard = error.message;
  }
  const loops = new Loops(stopping.signal);
  for (const part of parts.values()) loops.begin(part);
  const added = async (file: string): Promise<void> => {
    const part = await open(file);
    await face?.add(await faceOf(part));
    part.shows.emit = face?.emitOf(file) ?? part.shows.emit;
    part.emit({ type: 'file:added' });
    loops.begin(part);
  };
  const removed = async (file: string): Promise<void> => {
    const part = parts.get(file);
    if (!part) return;
    part.emit({ type: 'file:removed' });
    await loops.end(part);
    part.endBeside();
    await part.rooms.close();
    await face?.remove(file);
    await part.listeners.close();
    parts.delete(file);
  };
  const following = followFiles(files, { look: () => named.look(), clock: systemClock, signal: stopping.signal, added, removed });
  const allEnded = async (): Promise<number> => {
    let left = 0;
    try {
      await loops.over;
    } finally {
      stopping.abort();
      await following;
      left = await close();
    }
    return left;
  };
  const ended = allEnded();
  return {
    passNow: () => parts.forEach(({ daemon }) => void daemon.wake('signal')),
    stop: () => {
      stopping.abort();
      for (const { daemon } of parts.values()) daemon.stop();
    },
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
      return await openStoreOf(settings, emit, signal);
    } catch (error) {
      if (!(error instanceof EdictError) || error.code !== 'STORE_UNREACHABLE' || signal.aborted) throw error;
      emit({ type: 'store:failed', passId: '', message: error.message });
      await systemClock.sleep(backoffMs(failures, 1), signal);
    }
  }
}

/** The loops of all parts. */
class Loops {
  readonly #running = new Map<Part, Promise<void>>();
  readonly #stopping: AbortSignal;
  readonly #over = Promise.withResolvers<void>();
  #failure: EdictError | null = null;

  constructor(stopping: AbortSignal) {
    this.#stopping = stopping;
  }

  /** Resolves when each has ended after a stop. Rejects when none goes on, with the error of the one that failed last. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** One that cannot go on is told and ends by itself. */
  begin(part: Part): void {
    if (this.#stopping.aborted) part.daemon.stop();
    this.#running.set(part, this.#run(part));
  }

  /** Resolves when the loop of a part has ended. */
  async end(part: Part): Promise<void> {
    part.daemon.stop();
    await this.#running.get(part);
  }

  async #run(part: Part): Promise<void> {
    try {
      await part.daemon.run();
    } catch (error) {
      if (!(error instanceof EdictError)) return this.#over.reject(error);
      this.#failure = error;
      if (this.#running.size > 1) part.emit({ type: 'file:failed', message: error.message, hint: error.hint });
    }
    this.#running.delete(part);
    if (this.#running.size > 0) return;
    if (this.#failure && !this.#stopping.aborted) this.#over.reject(this.#failure);
    else this.#over.resolve();
  }
}
