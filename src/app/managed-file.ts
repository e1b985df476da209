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

/** One file's part of the daemon: a gateway with a lease, a queue, a limit and failures of its own. */
export interface ManagedFile {
  readonly settings: Settings;
  readonly session: Session;
  readonly controller: Controller;
  readonly subscribers: EventSubscribers;
  /** Hears what happens, besides the listeners and the log. */
  readonly events: { emit: Emit };
  readonly emit: Emit;
  /** The gateway of the last valid file; `null` before the first one. */
  readonly gateway: () => GatewayIdentity | null;
  /** Deletes no more of the history, and looks for no more requests. */
  readonly stopBackgroundTasks: () => void;
}

/** Opens what one file needs, with a loop that does not run yet; `talk` tells people. Throws an EdictError `WEBHOOK` for a webhook that cannot be used. */
export async function openManagedFile(
  settings: Settings,
  { historyRetentionMs, ...times }: Pick<DaemonSettings, 'debounceMs' | 'resyncMs' | 'historyRetentionMs'>,
  environment: Env,
  store: Store,
  talk: Emit,
): Promise<ManagedFile> {
  const { Controller } = await import('../controller/controller.ts');
  const { StaleSourceCheck } = await import('../controller/stale-source-check.ts');
  const { RequestTrigger } = await import('../controller/triggers/request-trigger.ts');
  const { HistoryPruner } = await import('../controller/history-pruner.ts');
  const { openSubscribers } = await import('./subscribers.ts');
  const events = { emit: (() => {}) as Emit };
  const told: Emit = (event) => {
    events.emit(event);
    talk(event);
  };
  const tidying = new HistoryPruner({ store, clock: systemClock, emit: told, retentionMs: historyRetentionMs });
  const beside = new AbortController();
  const { signal } = beside;
  const onRequest = (): void => controller.trigger('request');
  const requests = new RequestTrigger({ store, clock: systemClock, signal, onRequest });
  let gateway: GatewayIdentity | null = null;
  const subscribers = await openSubscribers(environment, { settings, clock: systemClock, emit: told });
  const emit: Emit = (event) => {
    if (event.type === 'file:loaded') {
      session.seedEmulator(event.desired);
      ({ gateway } = event.desired);
      requests.setGateway(gateway);
    }
    subscribers.emit(event);
    told(event);
    if (event.type === 'lease:lost') controller.trigger('resync');
    if (event.type === 'reconcile:finished' && gateway) void tidying.prune(gateway, signal);
  };
  const session = await openSession(settings, environment, emit, { isStandby: true, store });
  const takeOvers = new StaleSourceCheck({ record: session.store, clock: systemClock });
  const controller = new Controller({
    source: createFileSource(settings, environment, session.resolveNames),
    clock: systemClock,
    ...times,
    emit,
    runnerFor: (desired) => session.runnerFor(desired, Number.POSITIVE_INFINITY, emit),
    checkStaleSource: (desired) => takeOvers.check(desired),
  });
  return { settings, session, controller, subscribers, events, emit, gateway: () => gateway, stopBackgroundTasks: () => beside.abort() };
}

/** Returns what is shown of a part, and what can be done with it. */
export async function toServedFile({ settings, session, controller, gateway }: ManagedFile): Promise<ServedFile> {
  const { requestReconcile } = await import('../store/requests.ts');
  const { writeApproval } = await import('../store/requests.ts');
  return {
    settings,
    store: session.store,
    // Through the store, since another process may hold the lease. Without a valid file nobody knows the gateway, but it can be read again.
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
