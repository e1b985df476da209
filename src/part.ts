import type { DaemonSettings, Settings } from './config.ts';
import type { Emit } from './core/events.ts';
import type { Store } from './core/ports.ts';
import type { GatewayIdentity } from './core/publication.ts';
import type { Daemon } from './engine/daemon.ts';
import { systemClock } from './engine/system-clock.ts';
import type { FaceOfFile } from './face.ts';
import type { Listeners } from './listeners.ts';
import { type Environment, openRooms, type Rooms, sourceOf } from './rooms.ts';

/** One file's part of the daemon: a gateway with a lease, a queue, a limit and failures of its own. */
export interface Part {
  readonly settings: Settings;
  readonly rooms: Rooms;
  readonly daemon: Daemon;
  readonly listeners: Listeners;
  /** Hears what happens, besides the listeners and the log. */
  readonly shows: { emit: Emit };
  readonly emit: Emit;
  /** The gateway of the last valid file; `null` before the first one. */
  readonly gateway: () => GatewayIdentity | null;
  /** Deletes no more of the history, and looks for no more requests. */
  readonly endBeside: () => void;
}

/** Opens what one file needs, with a loop that does not run yet; `talk` tells people. Throws an EdictError `WEBHOOK` for a webhook that cannot be used. */
export async function openPart(
  settings: Settings,
  { keepHistoryMs, ...times }: Pick<DaemonSettings, 'debounceMs' | 'resyncMs' | 'keepHistoryMs'>,
  environment: Environment,
  store: Store,
  talk: Emit,
): Promise<Part> {
  const { Daemon } = await import('./engine/daemon.ts');
  const { TakeOvers } = await import('./engine/take-over.ts');
  const { RequestWatch } = await import('./engine/request-watch.ts');
  const { Tidying } = await import('./engine/tidying.ts');
  const { openListeners } = await import('./listeners.ts');
  const shows = { emit: (() => {}) as Emit };
  const told: Emit = (event) => {
    shows.emit(event);
    talk(event);
  };
  const tidying = new Tidying({ store, clock: systemClock, emit: told, keepMs: keepHistoryMs });
  const beside = new AbortController();
  const { signal } = beside;
  const onRequest = (): void => daemon.wake('request');
  const requests = new RequestWatch({ store, clock: systemClock, signal, onRequest });
  let gateway: GatewayIdentity | null = null;
  const listeners = await openListeners(environment, { settings, clock: systemClock, emit: told });
  const emit: Emit = (event) => {
    if (event.type === 'file:accepted') {
      rooms.emulate(event.desired);
      ({ gateway } = event.desired);
      requests.follow(gateway);
    }
    listeners.emit(event);
    told(event);
    if (event.type === 'lease:ended') daemon.wake('resync');
    if (event.type === 'pass:finished' && gateway) void tidying.tidy(gateway, signal);
  };
  const rooms = await openRooms(settings, environment, emit, { standsBy: true, store });
  const takeOvers = new TakeOvers({ record: rooms.record, clock: systemClock });
  const daemon = new Daemon({
    source: sourceOf(settings, environment, rooms.lookUp),
    clock: systemClock,
    ...times,
    emit,
    engineFor: (desired) => rooms.engineFor(desired, Number.POSITIVE_INFINITY, emit),
    mayTakeOver: (desired) => takeOvers.may(desired),
  });
  return { settings, rooms, daemon, listeners, shows, emit, gateway: () => gateway, endBeside: () => beside.abort() };
}

/** Returns what is shown of a part, and what can be done with it. */
export async function faceOf({ settings, rooms, daemon, gateway }: Part): Promise<FaceOfFile> {
  const { askPass } = await import('./store/ask-pass.ts');
  const { writeApproval } = await import('./store/write-approval.ts');
  return {
    settings,
    record: rooms.record,
    // Through the store, since another process may hold the lease. Without a valid file nobody knows the gateway, but it can be read again.
    resync: async () => {
      const known = gateway();
      if (known) await askPass(settings.state, known);
      else daemon.wake('signal');
    },
    approve: (gateway, approval) => writeApproval(settings.state, gateway, approval),
    suspend: async (gateway, suspension) => {
      await rooms.suspend(gateway, suspension);
      daemon.wake('resync');
    },
  };
}
