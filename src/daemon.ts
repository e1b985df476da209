import type { DaemonSettings, Settings } from './config.ts';
import { EdictError } from './core/errors.ts';
import type { Emit, PassCause } from './core/events.ts';
import { systemClock } from './engine/system-clock.ts';
import type { Face } from './face.ts';
import type { Listeners } from './listeners.ts';
import { type Environment, openRooms, type Rooms, sourceOf } from './rooms.ts';

/*
 * The daemon, and what is opened around it: the rooms, the listeners that the environment asks for, and the page.
 */

/** The daemon as its command holds it. */
export interface RunningDaemon {
  /** Asks for a pass now. */
  passNow(): void;
  /** Resolves when the daemon has ended after `stop`, with the number of changes left unsent. */
  readonly ended: Promise<number>;
  /** Sends nothing more, lets the calls in flight finish, records them and ends. */
  stop(): void;
  /** Where it can be asked how it is; `null`: nowhere. */
  readonly url: string | null;
  /** Why it cannot be asked although nobody has said so; `null` otherwise. */
  readonly unheard: string | null;
}

/** Starts the daemon. Throws an EdictError if the store cannot be opened, or `LISTEN` if the address cannot be had. */
export async function startDaemon(
  settings: Settings,
  { listen, isListenAsked, ...times }: DaemonSettings,
  environment: Environment,
  talk: Emit,
): Promise<RunningDaemon> {
  const { Daemon } = await import('./engine/daemon.ts');
  let face: Face | null = null;
  let unheard: string | null = null;
  let listeners: Listeners | null = null;
  const emit: Emit = (event) => {
    face?.emit(event);
    listeners?.emit(event);
    talk(event);
    if (event.type === 'lease:ended') daemon.wake('resync');
  };
  const opened = await openRooms(settings, environment, emit, 0);
  try {
    const { openListeners } = await import('./listeners.ts');
    listeners = await openListeners(environment, { settings, clock: systemClock, emit });
  } catch (error) {
    await opened.close();
    throw error;
  }
  try {
    if (listen) face = await openFaceOf(listen, settings, environment, opened, (cause) => daemon.wake(cause));
  } catch (error) {
    if (isListenAsked || !(error instanceof EdictError)) {
      await opened.close();
      throw error;
    }
    unheard = error.message;
  }
  const source = sourceOf(settings, environment, opened.lookUp);
  const daemon = new Daemon({
    source,
    clock: systemClock,
    ...times,
    emit: (event) => {
      if (event.type === 'file:accepted') opened.emulate(event.desired);
      emit(event);
    },
    engineFor: (desired) => opened.engineFor(desired, Number.POSITIVE_INFINITY, emit),
  });
  const close = async (): Promise<number> => {
    await face?.close();
    const left = await opened.close();
    await listeners?.close();
    return left;
  };
  const ended = daemon.run().then(close, async (error: unknown) => {
    await close();
    throw error;
  });
  return { passNow: () => daemon.wake('signal'), stop: () => daemon.stop(), ended, url: face?.url ?? null, unheard };
}

async function openFaceOf(
  address: NonNullable<DaemonSettings['listen']>,
  settings: Settings,
  environment: Environment,
  rooms: Rooms,
  wake: (cause: PassCause) => void,
): Promise<Face> {
  const { openFace } = await import('./face.ts');
  const { writeApproval } = await import('./store/write-approval.ts');
  return openFace(address, {
    ...{ settings, environment, record: rooms.record, resync: () => wake('signal'), now: systemClock.now },
    approve: (gateway, approval) => writeApproval(settings.state, gateway, approval),
    suspend: async (gateway, suspension) => {
      await rooms.suspend(gateway, suspension);
      wake('resync');
    },
  });
}
