import type { Controller } from '../controller/controller.ts';
import type { AppContext } from '../model/app-context.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import type { DaemonSettings } from '../model/settings.ts';
import { withPruneDelay } from '../source/prune-delay.ts';
import type { WorkerParser } from '../source/worker/worker-parser.ts';
import type { Store } from '../store/interface.ts';
import { createFileSource, openSession, type Session, type SessionOptions } from './session.ts';
import type { ServedFile } from './status-server.ts';
import { openSubscribers } from './subscribers.ts';

/** One file of the daemon with its own gateway, lease, queue, rate limit and failures. */
export interface ManagedFile {
  /** Its own: the settings name this file, and the events are about it alone. */
  readonly context: AppContext;
  readonly session: Session;
  readonly controller: Controller;
  /** The gateway of the last valid file; `null` before the first one. */
  readonly gateway: () => GatewayIdentity | null;
  /** Stops the controller, and leaves to other processes all that it does not hold, before it leaves what it holds. */
  stop(): void;
  /** Closes everything after the controller has stopped; resolves to the number of unsent changes. */
  close(): Promise<number>;
}

/** After how many debounces a publication that left the file may be taken offline. */
const pruneDelayDebounces = 10;

/** Opens everything that one file needs; its controller does not run yet. Throws an EdictError `WEBHOOK` for an invalid webhook. */
export async function openManagedFile(
  context: AppContext,
  { historyRetentionMs, ...times }: Pick<DaemonSettings, 'debounceMs' | 'resyncMs' | 'historyRetentionMs'>,
  {
    store,
    parsers,
    isTrusted,
  }: { readonly store: Store; readonly parsers: Pick<WorkerParser, 'open'> } & Required<Pick<SessionOptions, 'isTrusted'>>,
): Promise<ManagedFile> {
  const { Controller } = await import('../controller/controller.ts');
  const { StaleSourceCheck } = await import('../controller/stale-source-check.ts');
  const { GatewayWatcher } = await import('../controller/triggers/gateway-watcher.ts');
  const { HistoryPruner } = await import('../controller/history-pruner.ts');
  const { clock, events } = context;
  const { emit } = events;
  const background = new AbortController();
  await using resources = new AsyncDisposableStack();
  resources.use(await openSubscribers(context));
  const parser = resources.use(parsers.open());
  const session = await openSession(context, { isStandby: true, isTrusted, store });
  const staleSourceCheck = new StaleSourceCheck({ record: store, clock });
  const watcher = resources.use(
    new GatewayWatcher({ store, trigger: (cause) => controller.trigger(cause), onAvailable: () => controller.onAvailable() }),
  );
  const controller = new Controller({
    source: withPruneDelay(createFileSource(context, session.resolveNames, parser), clock, pruneDelayDebounces * times.debounceMs),
    clock,
    ...times,
    emit,
    maxTries: Number.POSITIVE_INFINITY,
    runnerFor: async (desired, triggers) => {
      await watcher.follow(desired.gateway);
      return session.runnerFor(desired, { maxTries: Number.POSITIVE_INFINITY, triggers });
    },
    checkStaleSource: async (desired) => {
      await watcher.follow(desired.gateway);
      const result = await staleSourceCheck.check(desired);
      if (result !== 'free') watcher.withdraw();
      return result;
    },
    isWaiting: () => watcher.isWaiting,
  });
  const historyPruner = new HistoryPruner({ store, clock, emit, retentionMs: historyRetentionMs });
  let gateway: GatewayIdentity | null = null;
  events.subscribe((event) => {
    if (event.type === 'file:loaded') {
      session.seedEmulator(event.desired);
      ({ gateway } = event.desired);
    }
    if (event.type === 'lease:lost') controller.trigger('resync');
    if (event.type === 'reconcile:finished' && gateway) void historyPruner.prune(gateway, background.signal);
  });
  const opened = resources.move();
  return {
    context,
    session,
    controller,
    gateway: () => gateway,
    stop: () => {
      controller.stop();
      watcher[Symbol.dispose]();
    },
    close: async () => {
      await using _opened = opened;
      background.abort();
      return await session.close();
    },
  };
}

/** Returns what the status server shows of a file, as `reader` reads it, and the actions that it offers. */
export async function toServedFile(
  { context, session, controller, gateway }: ManagedFile,
  reader: ServedFile['store'],
): Promise<ServedFile> {
  const { requestReconcile, writeApproval } = await import('../store/requests.ts');
  const { settings, events } = context;
  return {
    settings,
    events,
    store: reader,
    // Request it through the store, since another process may hold the lease. Without a valid file the gateway is unknown: read the file again.
    resync: async () => {
      const known = gateway();
      if (known) await requestReconcile(settings.storeUrl, known);
      else controller.trigger('signal');
    },
    approve: (of, approval) => writeApproval({ url: settings.storeUrl, isEmulated: settings.emulate }, of, approval),
    suspend: async (of, suspension) => {
      await session.store.saveSuspension(of, suspension);
      controller.trigger('suspension');
      await requestReconcile(settings.storeUrl, of);
    },
  };
}
