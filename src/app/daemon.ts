import { backoffMs } from '../controller/retry.ts';
import type { AppContext } from '../model/app-context.ts';
import { EdictError, ListenFailedError, StoreUnavailableError } from '../model/errors.ts';
import type { Emit } from '../model/events.ts';
import type { DaemonSettings } from '../model/settings.ts';
import { limitFiles, maxFollowedFiles, SourceDirectory, watchSourceFiles } from '../source/source-directory.ts';
import type { WorkerParser } from '../source/worker/worker-parser.ts';
import { openReadonly } from '../store/open.ts';
import { createEventBus } from './context.ts';
import { type ManagedFile, openManagedFile, toServedFile } from './managed-file.ts';
import { openConfiguredStore } from './session.ts';
import type { StatusServer, StatusServerDeps } from './status-server.ts';

/*
 * The daemon: opens the store, one controller for each file, and the status server. This folder is the composition root, which opens and
 * joins all other folders. It decides nothing itself: plans are made in plan/ and controller/. Only cli/ and main.ts may import it.
 */

/** A running daemon. It stops when its context's signal is aborted. */
export interface Daemon {
  /** Triggers a reconciliation of every file now. */
  reconcileNow(): void;
  /**
   * Resolves after the signal is aborted, with the number of unsent changes, when the calls in flight are recorded and everything is
   * closed. Rejects when the controllers of all files have failed.
   */
  readonly done: Promise<number>;
  /** The files found at startup. */
  readonly files: readonly string[];
  /** The URL of the status server; `null` if there is none. */
  readonly url: string | null;
  /** Why the status server could not listen on the default address; `null` otherwise. */
  readonly listenError: string | null;
}

export interface DaemonOptions extends DaemonSettings {
  /** Files and folders, see `SourceDirectory`. */
  readonly paths: readonly string[];
  /** Returns the log of a file. `isSingleFile` says whether that file is the only one. */
  readonly logFor: (file: string, isSingleFile: boolean) => Emit;
  /** Parses the files; by default a thread of the daemon's own, which ends with it. */
  readonly parsers?: Pick<WorkerParser, 'open'>;
}

/** How long the database may work on one read of a viewer, in milliseconds. */
const viewerQueryLimitMs = 10_000;

async function startParser(): Promise<WorkerParser> {
  const { WorkerParser } = await import('../source/worker/worker-parser.ts');
  return new WorkerParser();
}

/**
 * Starts the daemon and follows added and removed files. Retries an unreachable store until the context's signal is aborted. Throws an
 * EdictError if the store cannot be opened, `FILE_NOT_FOUND` for a folder without a file, or a ListenFailedError if an explicit address
 * cannot be bound, or for an invalid token.
 */
export async function startDaemon(
  context: AppContext,
  { paths, logFor, parsers: givenParsers, ...daemonSettings }: DaemonOptions,
): Promise<Daemon> {
  const { clock, signal } = context;
  const directory = new SourceDirectory(paths);
  const followed = limitFiles(await directory.list());
  const { files } = followed;
  const isSingleFile = files.length === 1 && files[0] === paths[0];
  const managedFiles = new Map<string, ManagedFile>();
  let unsentCount = 0;
  await using starting = new AsyncDisposableStack();
  const log = logFor(context.settings.file, true);
  const store = await retryUnavailable(context, log, () => openConfiguredStore(context));
  starting.defer(() => store.close());
  const parsers = givenParsers ?? starting.use(await startParser());
  starting.defer(async () => {
    const unsentCounts = await Promise.all([...managedFiles.values()].map((managedFile) => managedFile.close()));
    unsentCount = unsentCounts.reduce((sum, count) => sum + count, 0);
  });
  const onSkipped = (skippedCount: number): void => log({ type: 'files:skipped', skippedCount, maxCount: maxFollowedFiles });
  if (followed.skippedCount > 0) onSkipped(followed.skippedCount);
  const isFirstStart = !(await store.isAcceptedAddress(null));
  const open = async (file: string, isTrusted: boolean): Promise<ManagedFile> => {
    const events = createEventBus();
    events.subscribe(logFor(file, isSingleFile));
    const managedFile = await openManagedFile({ ...context, settings: { ...context.settings, file }, events }, daemonSettings, {
      store,
      isTrusted,
      parsers,
    });
    managedFiles.set(file, managedFile);
    return managedFile;
  };
  // Whoever may write to a folder decides which files are in it; a file that the operator names, and what an empty store finds, is the operator's word.
  for (const file of files) await open(file, isFirstStart || paths.includes(file));
  const { storeUrl } = context.settings;
  const reader = daemonSettings.listen
    ? await retryUnavailable(context, log, () => openReadonly({ url: storeUrl, queryLimitMs: viewerQueryLimitMs }))
    : store;
  if (reader !== store) starting.defer(() => reader.close());
  const { statusServer, listenError } = await listen(context, daemonSettings, {
    ...{ isSingleFile, emit: log },
    files: await Promise.all([...managedFiles.values()].map((managedFile) => toServedFile(managedFile, reader))),
  });
  if (statusServer) starting.defer(() => statusServer.close());
  const stopping = new AbortController();
  const controllers = new ControllerGroup(stopping.signal);
  const onAdded = async (file: string): Promise<void> => {
    const managedFile = await open(file, false);
    statusServer?.addFile(await toServedFile(managedFile, reader));
    managedFile.context.events.emit({ type: 'file:added' });
    controllers.start(managedFile);
  };
  // The others go on: a setting that was valid when the daemon started is invalid now.
  const onFailed = (file: string, { message, hint }: EdictError): void =>
    logFor(file, isSingleFile)({ type: 'file:failed', message, hint });
  const onRemoved = async (file: string): Promise<void> => {
    const managedFile = managedFiles.get(file);
    if (!managedFile) return;
    managedFile.context.events.emit({ type: 'file:removed' });
    await controllers.stop(managedFile);
    statusServer?.removeFile(file);
    managedFiles.delete(file);
    await managedFile.close();
  };
  const stop = (): void => {
    stopping.abort();
    for (const managedFile of managedFiles.values()) managedFile.stop();
  };
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  for (const managedFile of managedFiles.values()) controllers.start(managedFile);
  const following = watchSourceFiles(followed, {
    ...{ list: () => directory.list(), clock, signal: stopping.signal, onAdded, onFailed, onRemoved, onSkipped },
  });
  const resources = starting.move();
  const closeWhenDone = async (): Promise<number> => {
    try {
      await controllers.done;
    } finally {
      signal.removeEventListener('abort', stop);
      stopping.abort();
      await following;
      await resources.disposeAsync();
    }
    return unsentCount;
  };
  return {
    reconcileNow: () => managedFiles.forEach(({ controller }) => void controller.trigger('signal')),
    done: closeWhenDone(),
    files,
    url: statusServer?.url ?? null,
    listenError,
  };
}

/** Opens the status server unless `--listen off` disables it. `listenError` says why the default address could not be bound. */
async function listen(
  { env, clock }: AppContext,
  { listen: address, listenIsExplicit }: DaemonSettings,
  { isSingleFile, files, emit }: Pick<StatusServerDeps, 'isSingleFile' | 'emit' | 'files'>,
): Promise<{ readonly statusServer: StatusServer | null; readonly listenError: string | null }> {
  if (!address) return { statusServer: null, listenError: null };
  const { openStatusServer } = await import('./status-server.ts');
  try {
    return { statusServer: await openStatusServer(address, { env, clock, emit, isSingleFile, files }), listenError: null };
  } catch (error) {
    if (listenIsExplicit || !(error instanceof ListenFailedError)) throw error;
    return { statusServer: null, listenError: error.message };
  }
}

/** Opens a store; retries with backoff while it is unreachable. */
async function retryUnavailable<T>(context: AppContext, log: Emit, open: () => Promise<T>): Promise<T> {
  const { clock, signal, events } = context;
  using _subscription = events.subscribe(log);
  for (let failures = 1; ; failures += 1) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || signal.aborted) throw error;
      events.emit({ type: 'store:error', reconcileId: '', message: error.message });
      await clock.sleep(backoffMs(failures, 1), signal);
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
    stopping.addEventListener('abort', () => this.#settle());
  }

  /**
   * Resolves when all controllers have ended after a stop; not before it, since the last running file may be removed while another one cannot be
   * opened yet. Rejects when none runs any more and one has failed, with the last error.
   */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Runs the controller of a file. A controller that fails ends alone and is reported as `file:failed` while others run. */
  start(managedFile: ManagedFile): void {
    if (this.#signal.aborted) managedFile.stop();
    this.#running.set(managedFile, this.#run(managedFile));
  }

  /** Stops the controller of a file; resolves when its loop has ended. */
  async stop(managedFile: ManagedFile): Promise<void> {
    managedFile.stop();
    await this.#running.get(managedFile);
  }

  async #run(managedFile: ManagedFile): Promise<void> {
    try {
      await managedFile.controller.run();
    } catch (error) {
      if (!(error instanceof EdictError)) return this.#done.reject(error);
      this.#lastError = error;
      if (this.#running.size > 1) managedFile.context.events.emit({ type: 'file:failed', message: error.message, hint: error.hint });
    }
    this.#running.delete(managedFile);
    this.#settle();
  }

  #settle(): void {
    if (this.#running.size > 0) return;
    if (this.#signal.aborted) this.#done.resolve();
    else if (this.#lastError) this.#done.reject(this.#lastError);
  }
}
