import type { Controller } from '../controller/controller.ts';
import type { Env } from '../model/env.ts';
import type { Emit } from '../model/events.ts';
import type { Store } from '../model/ports.ts';
import type { GatewayIdentity } from '../model/publication.ts';
import type { DaemonSettings, Settings } from '../model/settings.ts';
import { createFileSource, openSession, type Session } from './session.ts';
import type { ServedFile } from './status-server.ts';
import type { EventSubscribers } from './subscribers.ts';
import { systemClock } from './system-clock.ts';

/** One file of the daemon with its own gateway, lease, queue, rate limit and failures. */
export interface ManagedFile {
  readonly settings: Settings;
  readonly session: Session;
  readonly controller: Controller;
  readonly subscribers: EventSubscribers;
  /** The status server's emitter for this file, set after the status server is open. */
  readonly events: { emit: Emit };
  readonly emit: Emit;
  /** The gateway of the last valid file; `null` before the first one. */
  readonly gateway: () => GatewayIdentity | null;
  /** Stops history pruning and the polling for reconcile requests. */
  readonly stopBackgroundTasks: () => void;
}

/** Opens everything that one file needs; its controller does not run yet. `log` receives all events. Throws an EdictError `WEBHOOK` for an invalid webhook. */
export async function openManagedFile(
  settings: Settings,
  { historyRetentionMs, ...times }: Pick<DaemonSettings, 'debounceMs' | 'resyncMs' | 'historyRetentionMs'>,
  env: Env,
  store: Store,
  log: Emit,
): Promise<ManagedFile> {
  const { Controller } = await import('../controller/controller.ts');
  const { StaleSourceCheck } = await import('../controller/stale-source-check.ts');
  const { RequestTrigger } = await import('../controller/triggers/request-trigger.ts');
  const { HistoryPruner } = await import('../controller/history-pruner.ts');
  const { openSubscribers } = await import('./subscribers.ts');
  const events = { emit: (() => {}) as Emit };
  const emitToLog: Emit = (event) => {
    events.emit(event);
    log(event);
  };
  const historyPruner = new HistoryPruner({ store, clock: systemClock, emit: emitToLog, retentionMs: historyRetentionMs });
  const background = new AbortController();
  const { signal } = background;
  const onRequest = (): void => controller.trigger('request');
  const requestTrigger = new RequestTrigger({ store, clock: systemClock, signal, onRequest });
  let gateway: GatewayIdentity | null = null;
  const subscribers = await openSubscribers(env, { settings, clock: systemClock, emit: emitToLog });
  const emit: Emit = (event) => {
    if (event.type === 'file:loaded') {
      session.seedEmulator(event.desired);
      ({ gateway } = event.desired);
      requestTrigger.setGateway(gateway);
    }
    subscribers.emit(event);
    emitToLog(event);
    if (event.type === 'lease:lost') controller.trigger('resync');
    if (event.type === 'reconcile:finished' && gateway) void historyPruner.prune(gateway, signal);
  };
  const session = await openSession(settings, env, emit, { isStandby: true, store });
  const staleSourceCheck = new StaleSourceCheck({ record: session.store, clock: systemClock });
  const controller = new Controller({
    source: createFileSource(settings, env, session.resolveNames),
    clock: systemClock,
    ...times,
    emit,
    runnerFor: (desired) => session.runnerFor(desired, Number.POSITIVE_INFINITY, emit),
    checkStaleSource: (desired) => staleSourceCheck.check(desired),
  });
  return {
    settings,
    session,
    controller,
    subscribers,
    events,
    emit,
    gateway: () => gateway,
    stopBackgroundTasks: () => background.abort(),
  };
}

/** Returns what the status server shows of a file, and the actions that it offers. */
export async function toServedFile({ settings, session, controller, gateway }: ManagedFile): Promise<ServedFile> {
  const { requestReconcile } = await import('../store/requests.ts');
  const { writeApproval } = await import('../store/requests.ts');
  return {
    settings,
    store: session.store,
    // Request it through the store, since another process may hold the lease. Without a valid file the gateway is unknown: read the file again.
    resync: async () => {
      const known = gateway();
      if (known) await requestReconcile(settings.storeUrl, known);
      else controller.trigger('signal');
    },
    approve: (gateway, approval) => writeApproval(settings.storeUrl, gateway, approval),
    suspend: async (gateway, suspension) => {
      await session.suspend(gateway, suspension);
      controller.trigger('resync');
    },
  };
}
