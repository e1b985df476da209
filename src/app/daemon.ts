import { backoffMs } from '../controller/retry.ts';
import type { Env } from '../model/env.ts';
import { EdictError, StoreUnavailableError } from '../model/errors.ts';
import type { Emit } from '../model/events.ts';
import type { Store } from '../model/ports.ts';
import type { DaemonSettings, Settings } from '../model/settings.ts';
import { SourceDirectory, watchSourceFiles } from '../source/source-directory.ts';
import { type ManagedFile, openManagedFile, toServedFile } from './managed-file.ts';
import { openConfiguredStore } from './session.ts';
import type { StatusServer } from './status-server.ts';
import { systemClock } from './system-clock.ts';

/*
 * The daemon, and what is opened around it: the store, a part for each file, and the page of all.
 */

/** The daemon as its command holds it. */
export interface Daemon {
  /** Asks for a pass over every file now. */
  reconcileNow(): void;
  /** Resolves when the daemon has ended after `stop`, with the number of changes left unsent. Rejects when no file can be worked on. */
  readonly done: Promise<number>;
  /** Sends nothing more, lets the calls in flight finish, records them and ends. */
  stop(): void;
  /** Those of the start. */
  readonly files: readonly string[];
  /** Where it can be asked how it is; `null`: nowhere. */
  readonly url: string | null;
  /** Why it cannot be asked although nobody has said so; `null` otherwise. */
  readonly listenError: string | null;
}

/**
 * Starts the daemon over the files that `paths` name, as `FilesIn` has it, and follows which ones there are. `talkOf` returns what tells
 * people of a file, of several if `isOne` is false. A store that cannot be reached is waited for until `signal` is aborted. Throws an
 * EdictError if the store cannot be opened, `FILE_NOT_FOUND` for a folder without a file, or `LISTEN_FAILED` if the address cannot be had.
 */
export async function startDaemon(
  settings: Settings,
  paths: readonly string[],
  { listen, listenIsExplicit, ...times }: DaemonSettings,
  env: Env,
  talkOf: (file: string, isOne: boolean) => Emit,
  signal: AbortSignal = neverAborted,
): Promise<Daemon> {
  const named = new SourceDirectory(paths);
  const files = named.list();
  const isSingleFile = files.length === 1 && files[0] === paths[0];
  const stopping = new AbortController();
  const parts = new Map<string, ManagedFile>();
  const store = await openStoreWithRetry(settings, talkOf(settings.file, true), signal);
  let face: StatusServer | null = null;
  let listenError: string | null = null;
  const open = async (file: string): Promise<ManagedFile> => {
    const part = await openManagedFile({ ...settings, file }, times, env, store, talkOf(file, isSingleFile));
    parts.set(file, part);
    return part;
  };
  const close = async (): Promise<number> => {
    await face?.close();
    for (const { stopBackgroundTasks } of parts.values()) stopBackgroundTasks();
    const left = await Promise.all([...parts.values()].map(({ session }) => session.close()));
    await store.close();
    await Promise.all([...parts.values()].map(({ subscribers }) => subscribers.close()));
    return left.reduce((sum, of) => sum + of, 0);
  };
  try {
    for (const file of files) await open(file);
    if (listen) {
      const { openStatusServer } = await import('./status-server.ts');
      const shown = await Promise.all([...parts.values()].map(toServedFile));
      face = await openStatusServer(listen, { env, now: systemClock.now, isSingleFile, files: shown });
    }
    for (const { settings, events } of parts.values()) events.emit = face?.emitterFor(settings.file) ?? events.emit;
  } catch (error) {
    if (listenIsExplicit || !(error instanceof EdictError) || error.code !== 'LISTEN_FAILED') {
      await close();
      throw error;
    }
    listenError = error.message;
  }
  const loops = new ControllerGroup(stopping.signal);
  for (const part of parts.values()) loops.start(part);
  const onAdded = async (file: string): Promise<void> => {
    const part = await open(file);
    await face?.addFile(await toServedFile(part));
    part.events.emit = face?.emitterFor(file) ?? part.events.emit;
    part.emit({ type: 'file:added' });
    loops.start(part);
  };
  const onRemoved = async (file: string): Promise<void> => {
    const part = parts.get(file);
    if (!part) return;
    part.emit({ type: 'file:removed' });
    await loops.stop(part);
    part.stopBackgroundTasks();
    await part.session.close();
    await face?.removeFile(file);
    await part.subscribers.close();
    parts.delete(file);
  };
  const following = watchSourceFiles(files, { list: () => named.list(), clock: systemClock, signal: stopping.signal, onAdded, onRemoved });
  const allEnded = async (): Promise<number> => {
    let left = 0;
    try {
      await loops.done;
    } finally {
      stopping.abort();
      await following;
      left = await close();
    }
    return left;
  };
  const done = allEnded();
  return {
    reconcileNow: () => parts.forEach(({ controller }) => void controller.trigger('signal')),
    stop: () => {
      stopping.abort();
      for (const { controller } of parts.values()) controller.stop();
    },
    done,
    files,
    url: face?.url ?? null,
    listenError,
  };
}

const neverAborted = new AbortController().signal;

/** Opens the store; one that cannot be reached is tried again, later each time. */
async function openStoreWithRetry(settings: Settings, emit: Emit, signal: AbortSignal): Promise<Store> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await openConfiguredStore(settings, emit, signal);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || signal.aborted) throw error;
      emit({ type: 'store:error', reconcileId: '', message: error.message });
      await systemClock.sleep(backoffMs(failures, 1), signal);
    }
  }
}

/** The loops of all parts. */
class ControllerGroup {
  readonly #running = new Map<ManagedFile, Promise<void>>();
  readonly #signal: AbortSignal;
  readonly #done = Promise.withResolvers<void>();
  #lastError: EdictError | null = null;

  constructor(stopping: AbortSignal) {
    this.#signal = stopping;
  }

  /** Resolves when each has ended after a stop. Rejects when none goes on, with the error of the one that failed last. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** One that cannot go on is told and ends by itself. */
  start(part: ManagedFile): void {
    if (this.#signal.aborted) part.controller.stop();
    this.#running.set(part, this.#run(part));
  }

  /** Resolves when the loop of a part has ended. */
  async stop(part: ManagedFile): Promise<void> {
    part.controller.stop();
    await this.#running.get(part);
  }

  async #run(part: ManagedFile): Promise<void> {
    try {
      await part.controller.run();
    } catch (error) {
      if (!(error instanceof EdictError)) return this.#done.reject(error);
      this.#lastError = error;
      if (this.#running.size > 1) part.emit({ type: 'file:failed', message: error.message, hint: error.hint });
    }
    this.#running.delete(part);
    if (this.#running.size > 0) return;
    if (this.#lastError && !this.#signal.aborted) this.#done.reject(this.#lastError);
    else this.#done.resolve();
  }
}
