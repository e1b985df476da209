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
 * The daemon: opens the store, one controller for each file, and the status server. This folder is the composition root, which opens and
 * joins all other folders. It decides nothing itself: plans are made in plan/ and controller/. Only cli/ and main.ts may import it.
 */

/** A running daemon. */
export interface Daemon {
  /** Triggers a reconciliation of every file now. */
  reconcileNow(): void;
  /** Resolves after `stop`, with the number of unsent changes, when everything is closed. Rejects when the controllers of all files have failed. */
  readonly done: Promise<number>;
  /** Sends no new calls, lets the calls in flight finish, records their outcomes and closes everything. */
  stop(): void;
  /** The files found at startup. */
  readonly files: readonly string[];
  /** The URL of the status server; `null` if there is none. */
  readonly url: string | null;
  /** Why the status server could not listen on the default address; `null` otherwise. */
  readonly listenError: string | null;
}

/**
 * Starts the daemon for the files that `paths` name (see `SourceDirectory`) and follows added and removed files. `logFor` returns the log
 * of a file; `isSingleFile` says whether that file is the only one. Retries an unreachable store until `signal` is aborted. Throws an
 * EdictError if the store cannot be opened, `FILE_NOT_FOUND` for a folder without a file, or `LISTEN_FAILED` if an explicit address
 * cannot be bound.
 */
export async function startDaemon(
  settings: Settings,
  paths: readonly string[],
  { listen, listenIsExplicit, ...times }: DaemonSettings,
  env: Env,
  logFor: (file: string, isSingleFile: boolean) => Emit,
  signal: AbortSignal = neverAborted,
): Promise<Daemon> {
  const directory = new SourceDirectory(paths);
  const files = directory.list();
  const isSingleFile = files.length === 1 && files[0] === paths[0];
  const stopping = new AbortController();
  const managedFiles = new Map<string, ManagedFile>();
  const store = await openStoreWithRetry(settings, logFor(settings.file, true), signal);
  let statusServer: StatusServer | null = null;
  let listenError: string | null = null;
  const open = async (file: string): Promise<ManagedFile> => {
    const managedFile = await openManagedFile({ ...settings, file }, times, env, store, logFor(file, isSingleFile));
    managedFiles.set(file, managedFile);
    return managedFile;
  };
  const close = async (): Promise<number> => {
    await statusServer?.close();
    for (const { stopBackgroundTasks } of managedFiles.values()) stopBackgroundTasks();
    const unsentCounts = await Promise.all([...managedFiles.values()].map(({ session }) => session.close()));
    await store.close();
    await Promise.all([...managedFiles.values()].map(({ subscribers }) => subscribers.close()));
    return unsentCounts.reduce((sum, count) => sum + count, 0);
  };
  try {
    for (const file of files) await open(file);
    if (listen) {
      const { openStatusServer } = await import('./status-server.ts');
      const servedFiles = await Promise.all([...managedFiles.values()].map(toServedFile));
      statusServer = await openStatusServer(listen, { env, now: systemClock.now, isSingleFile, files: servedFiles });
    }
    for (const { settings, events } of managedFiles.values()) events.emit = statusServer?.emitterFor(settings.file) ?? events.emit;
  } catch (error) {
    if (listenIsExplicit || !(error instanceof EdictError) || error.code !== 'LISTEN_FAILED') {
      await close();
      throw error;
    }
    listenError = error.message;
  }
  const controllers = new ControllerGroup(stopping.signal);
  for (const managedFile of managedFiles.values()) controllers.start(managedFile);
  const onAdded = async (file: string): Promise<void> => {
    const managedFile = await open(file);
    await statusServer?.addFile(await toServedFile(managedFile));
    managedFile.events.emit = statusServer?.emitterFor(file) ?? managedFile.events.emit;
    managedFile.emit({ type: 'file:added' });
    controllers.start(managedFile);
  };
  const onRemoved = async (file: string): Promise<void> => {
    const managedFile = managedFiles.get(file);
    if (!managedFile) return;
    managedFile.emit({ type: 'file:removed' });
    await controllers.stop(managedFile);
    managedFile.stopBackgroundTasks();
    await managedFile.session.close();
    await statusServer?.removeFile(file);
    await managedFile.subscribers.close();
    managedFiles.delete(file);
  };
  const following = watchSourceFiles(files, {
    list: () => directory.list(),
    clock: systemClock,
    signal: stopping.signal,
    onAdded,
    onRemoved,
  });
  const closeWhenDone = async (): Promise<number> => {
    let unsentCount = 0;
    try {
      await controllers.done;
    } finally {
      stopping.abort();
      await following;
      unsentCount = await close();
    }
    return unsentCount;
  };
  const done = closeWhenDone();
  return {
    reconcileNow: () => managedFiles.forEach(({ controller }) => void controller.trigger('signal')),
    stop: () => {
      stopping.abort();
      for (const { controller } of managedFiles.values()) controller.stop();
    },
    done,
    files,
    url: statusServer?.url ?? null,
    listenError,
  };
}

const neverAborted = new AbortController().signal;

/** Opens the store; retries with backoff while it is unreachable. */
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

/** The running controllers of all files. */
class ControllerGroup {
  readonly #running = new Map<ManagedFile, Promise<void>>();
  readonly #signal: AbortSignal;
  readonly #done = Promise.withResolvers<void>();
  #lastError: EdictError | null = null;

  constructor(stopping: AbortSignal) {
    this.#signal = stopping;
  }

  /** Resolves when all controllers have ended after a stop. Rejects when the last running one has failed, with the last error. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Runs the controller of a file. A controller that fails ends alone and is reported as `file:failed` while others run. */
  start(managedFile: ManagedFile): void {
    if (this.#signal.aborted) managedFile.controller.stop();
    this.#running.set(managedFile, this.#run(managedFile));
  }

  /** Stops the controller of a file; resolves when its loop has ended. */
  async stop(managedFile: ManagedFile): Promise<void> {
    managedFile.controller.stop();
    await this.#running.get(managedFile);
  }

  async #run(managedFile: ManagedFile): Promise<void> {
    try {
      await managedFile.controller.run();
    } catch (error) {
      if (!(error instanceof EdictError)) return this.#done.reject(error);
      this.#lastError = error;
      if (this.#running.size > 1) managedFile.emit({ type: 'file:failed', message: error.message, hint: error.hint });
    }
    this.#running.delete(managedFile);
    if (this.#running.size > 0) return;
    if (this.#lastError && !this.#signal.aborted) this.#done.reject(this.#lastError);
    else this.#done.resolve();
  }
}
