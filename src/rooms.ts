import type { Settings } from './config.ts';
import type { Emit } from './core/events.ts';
import type { Admit, Gateway, Store } from './core/ports.ts';
import type { DesiredState, GatewayIdentity, GatewaySettings, RecordedState } from './core/publication.ts';
import { everything, type Targets } from './core/targets.ts';
import type { Emulator } from './emulator/emulator.ts';
import type { Seed } from './emulator/seed.ts';
import type { Engine } from './engine/engine.ts';
import { systemClock } from './engine/system-clock.ts';
import type { Traffic } from './engine/traffic.ts';
import { openStore } from './store/open-store.ts';

/*
 * Opens rooms in order and closes them in reverse. What only some commands need is imported where it is opened, so that
 * `plan` and `validate` start without an HTTP client, a watcher or a server.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

/** A store, and over it an engine for the gateway of the file at hand. */
export interface Rooms extends AsyncDisposable {
  /** Tells the emulator, if there is one, of APIs and environments that it does not know. */
  emulate(desired: DesiredState): void;
  /** Returns the record of a gateway. */
  recorded(gateway: GatewayIdentity): Promise<RecordedState>;
  /** Returns the engine for the gateway that `desired` names; the same one while its settings are the same. */
  engineFor(desired: DesiredState, maxTries: number, emit: Emit, targets?: Targets): Promise<Engine>;
  /** Stops and closes everything; resolves to the number of changes left unsent. */
  close(): Promise<number>;
}

/** Opens the store, and an emulator if asked for; the gateway and the engine with the first file. Throws an EdictError if the store cannot be opened. */
export async function openRooms(settings: Settings, environment: Environment, emit: Emit, desired: DesiredState | null): Promise<Rooms> {
  const store = await openStore({
    url: settings.state,
    emulated: settings.emulate,
    waitMs: settings.waitMs,
    onWait: (message) => emit({ type: 'store:waited', message }),
  });
  const emulator = settings.emulate ? await openEmulator() : null;
  if (emulator && desired) emulator.world.add(seedFrom(desired, await store.readAll(desired.gateway)));
  let current: { readonly name: string; readonly engine: Engine; readonly gateway: Gateway; readonly identity: GatewayIdentity } | null =
    null;

  const stop = async (): Promise<number> => {
    if (!current) return 0;
    const { engine, gateway, identity } = current;
    current = null;
    const left = await engine.stop();
    await gateway.close();
    await store.leave(identity, systemClock.now());
    return left;
  };
  const engineFor = async (wanted: DesiredState, maxTries: number, emit: Emit, targets: Targets = everything): Promise<Engine> => {
    const name = JSON.stringify(wanted.gateway);
    if (current?.name === name) return current.engine;
    await stop();
    if (emulator) emulator.world.add(seedFrom(wanted, await store.readAll(wanted.gateway)));
    const traffic = await openTraffic(wanted.gateway, emulator ? 0 : await quietMsFor(store, wanted.gateway));
    const gateway = await openGatewayOf(wanted.gateway, emulator, traffic.admit, environment);
    const { Engine } = await import('./engine/engine.ts');
    const engine = new Engine(wanted, {
      store,
      gateway,
      traffic,
      emit,
      clock: systemClock,
      random: Math.random,
      maxTries,
      refresh: settings.refresh,
      targets,
    });
    current = { name, engine, gateway, identity: wanted.gateway };
    return engine;
  };
  const close = async (): Promise<number> => {
    const left = await stop();
    await emulator?.close();
    await store.close();
    return left;
  };
  const emulate = (wanted: DesiredState): void => emulator?.world.add(seedFrom(wanted, new Map()));
  const recorded = (gateway: GatewayIdentity): Promise<RecordedState> => store.readAll(gateway);
  return { emulate, recorded, engineFor, close, [Symbol.asyncDispose]: async () => void (await close()) };
}

/** Returns what decides when a request to the gateway may leave. `quietMs`: see `TrafficOptions`. */
export async function openTraffic(gateway: GatewaySettings, quietMs: number): Promise<Traffic> {
  const { Traffic } = await import('./engine/traffic.ts');
  return new Traffic({ limit: gateway.limit, clock: systemClock, quietMs });
}

/** Returns how long the limit's window may still hold requests of the process before this one, in milliseconds. */
async function quietMsFor(store: Store, gateway: GatewaySettings): Promise<number> {
  const leftAtMs = await store.enter(gateway, systemClock.now());
  const { perMs } = gateway.limit;
  return leftAtMs === null ? perMs : Math.min(perMs, Math.max(0, leftAtMs + perMs - systemClock.now()));
}

async function openGatewayOf(
  gateway: GatewaySettings,
  emulator: Emulator | null,
  admit: Admit,
  environment: Environment,
): Promise<Gateway> {
  const { openGateway } = await import('./gateway/roma-gateway.ts');
  const { at, credentials } = await openCredentialsOf(gateway, emulator, admit, environment);
  return openGateway(at, credentials, { admit });
}

/** Returns the credentials that the environment holds, and where they are taken: the gateway of the file, or the emulated one. Throws an EdictError `CREDENTIALS_*`. */
export async function openCredentialsOf(gateway: GatewaySettings, emulator: Emulator | null, admit: Admit, environment: Environment) {
  const { openCredentials } = await import('./gateway/auth.ts');
  const at = emulator ? { ...gateway, endpoint: emulator.url, iam: emulator.url } : gateway;
  const credentials = openCredentials(emulator ? { HW_AUTH_TOKEN: 'emulated' } : environment, at, { clock: systemClock, admit });
  return { at, credentials };
}

/** Starts an emulated gateway that holds nothing yet. */
export async function openEmulator(): Promise<Emulator> {
  const { startEmulator } = await import('./emulator/emulator.ts');
  return startEmulator({ seed: { project: '', instance: '', apis: [], environments: [], anyToken: true } });
}

/** Returns what an emulated gateway must hold so that the file's calls can succeed and the record is true. */
export function seedFrom({ gateway, environments, publications }: DesiredState, recorded: RecordedState): Seed {
  const known = [...publications.values(), ...recorded.values()];
  const apis = new Map(known.map(({ api, apiId }) => [apiId, { id: apiId, name: api }]));
  const places = new Map(known.map(({ environment, environmentId }) => [environmentId, { id: environmentId, name: environment }]));
  for (const { id, name } of environments.values()) places.set(id, { id, name });
  const online = [...recorded.values()].filter(({ state }) => state === 'online');
  return {
    project: gateway.project,
    instance: gateway.instance,
    apis: [...apis.values()],
    environments: [...places.values()],
    anyToken: true,
    publications: online.map(({ apiId, environmentId, versionId }) => ({
      api: apiId,
      environment: environmentId,
      ...(versionId && { versionId }),
    })),
  };
}
