import type { Settings } from './config.ts';
import { EdictError } from './core/errors.ts';
import type { Emit } from './core/events.ts';
import { nameKey } from './core/names.ts';
import type { Admit, Gateway, GatewayReader, Lease, RecordReader, Store } from './core/ports.ts';
import { proxiesOf } from './core/proxies.ts';
import type { DesiredState, GatewayIdentity, GatewaySettings, RecordedState, Suspension } from './core/publication.ts';
import type { SavedPlan } from './core/saved-plan.ts';
import { everything, isNarrowed, type Targets } from './core/targets.ts';
import { commitOf } from './desired/commit-of.ts';
import { FileSource, type LookUp } from './desired/file-source.ts';
import { emulatedProbe, invented, openEmulator, seedFrom } from './emulated.ts';
import type { Emulator } from './emulator/emulator.ts';
import type { Seed } from './emulator/seed.ts';
import type { Engine } from './engine/engine.ts';
import { enterWhenFree } from './engine/entering.ts';
import type { LookUpDeps } from './engine/look-up.ts';
import { systemClock } from './engine/system-clock.ts';
import type { Traffic } from './engine/traffic.ts';
import type { Credentials } from './gateway/credentials.ts';
import type { Prober } from './gateway/probe.ts';
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
  /** Finds out what names of the file mean, and remembers it. Rejects with an EdictError if the gateway cannot be asked. */
  readonly lookUp: LookUp;
  /** Returns the record of a gateway. */
  recorded(gateway: GatewayIdentity): Promise<RecordedState>;
  /** The record, as what only looks sees it. */
  readonly record: RecordReader;
  /** Notes a person's word that no call is to be made; `null` takes it back. */
  suspend(gateway: GatewayIdentity, suspension: Suspension | null): Promise<void>;
  /** Returns the engine for the gateway that `desired` names; the same one while its settings are the same. */
  engineFor(desired: DesiredState, maxTries: number, emit: Emit, targets?: Targets, saved?: SavedPlan | null): Promise<Engine>;
  /** Stops and closes everything; resolves to the number of changes left unsent. */
  close(): Promise<number>;
}

/** The way to one gateway, and what works on it. */
interface Line {
  readonly name: string;
  readonly lease: Lease;
  readonly identity: GatewayIdentity;
  readonly traffic: Traffic;
  readonly gateway: Gateway;
  engine: Engine | null;
}

export interface RoomsOptions {
  /** Whether it stands by while another edict has the lease of the gateway, and shares gateways evenly; default: it waits as long as for the store. */
  readonly standsBy?: boolean;
  /** A store that is open already, and stays open; default: one is opened. */
  readonly store?: Store;
  /** Ends the waiting for another edict; default: nothing does. */
  readonly signal?: AbortSignal;
}

/** Opens the store that the settings name, for writing; `signal` ends the waiting for it. Throws an EdictError `STORE_*`. */
export function openStoreOf({ state, emulate, waitMs }: Settings, emit: Emit, signal: AbortSignal = unending): Promise<Store> {
  return openStore({ url: state, emulated: emulate, waitMs, signal, onWait: (message) => emit({ type: 'store:waited', message }) });
}

/**
 * Opens the store, and an emulator if asked for; the gateway and the engine with the first file, when another edict has given its lease
 * free. Throws an EdictError if the store cannot be opened.
 */
export async function openRooms(settings: Settings, environment: Environment, emit: Emit, options: RoomsOptions = {}): Promise<Rooms> {
  const { standsBy = false, signal = unending } = options;
  const store = options.store ?? (await openStoreOf(settings, emit, signal));
  const waitMs = standsBy ? 0 : settings.waitMs;
  const onWait = (message: string): void => emit({ type: 'store:waited', message });
  const emulator = settings.emulate ? await openEmulator() : null;
  let current: Line | null = null;
  let known: (Access & { readonly name: string }) | null = null;
  let prober: Prober | null = null;

  const leave = async (): Promise<number> => {
    if (!current) return 0;
    const { engine, traffic, gateway, identity } = current;
    current = null;
    try {
      return (await engine?.stop()) ?? 0;
    } finally {
      // Whatever the engine could not write: a lease that is not given back could not be taken again.
      traffic.close();
      await gateway.close();
      await store.leave(identity, systemClock.now()).catch((error: unknown) => {
        // Nothing works under it any more, and it ends by itself.
        if (!(error instanceof EdictError)) throw error;
        emit({ type: 'store:failed', passId: '', message: error.message });
      });
    }
  };
  let admitted: Admit = () => Promise.reject(new TypeError('nobody has a lease yet'));
  /** Kept from one lease to the next: a token is good for both, and what was refused once is not sent again. */
  const accessTo = async (settings: GatewaySettings, name: string): Promise<Access> => {
    const onToken = (): void => emit({ type: 'token:taken' });
    const admit: Admit = (until) => admitted(until);
    if (known?.name !== name) known = { name, ...(await openCredentialsOf(settings, emulator, admit, environment, onToken)) };
    return known;
  };
  const lineTo = async (settings: GatewaySettings, shares = standsBy): Promise<Line> => {
    const name = JSON.stringify(settings);
    if (current?.name === name && !current.lease.ending.aborted) return current;
    await leave();
    const { at, credentials } = await accessTo(settings, name);
    const { openGateway } = await import('./gateway/roma-gateway.ts');
    const { underLease } = await import('./gateway/under-lease.ts');
    const proxies = proxiesOf(environment);
    const { lease, silentMs } = await enterWhenFree(settings, { store, clock: systemClock, waitMs, shares, signal, onWait });
    lease.ending.addEventListener('abort', () => emit({ type: 'lease:ended', isShared: lease.ending.reason === 'shared' }));
    // The limit's window may still hold requests of the edict before this one.
    const traffic = await openTraffic(settings, emulator ? 0 : Math.max(0, settings.limit.perMs - silentMs));
    admitted = underLease(lease, traffic.admit);
    const gateway = openGateway(at, credentials, { admit: admitted, mayLeave: lease.isHeld, proxies });
    current = { name, lease, identity: settings, traffic, gateway, engine: null };
    return current;
  };
  const lookUpNames: LookUp = async (of, names) => {
    if (emulator) return invented(names);
    const { found, lookUp } = await import('./engine/look-up.ts');
    const remembered = await store.names(of);
    const isKnown = names.every((name) => remembered.has(nameKey(name)));
    // Only whoever works on the gateway forgets names: one that stands by may have another version of the file.
    const isAtWork = current?.name === JSON.stringify(of) && current.lease.isHeld();
    const forgets = remembered.size > names.length && (isAtWork || !standsBy);
    if (isKnown && !forgets) return lookUp(names, { remembered, signal: unending, gateway: noGateway });
    // Nobody gives the gateway up for names, and to have asked for them is not yet to work on it.
    const { gateway } = await lineTo(of, false);
    try {
      const meanings = await lookUp(names, { remembered, signal: unending, gateway: isKnown ? noGateway : gateway });
      await store.remember(of, found(meanings));
      return meanings;
    } finally {
      if (standsBy && !isAtWork) await leave();
    }
  };
  const engineFor: Rooms['engineFor'] = async (wanted, maxTries, emit, targets = everything, saved = null) => {
    const line = await lineTo(wanted.gateway);
    if (line.engine) return line.engine;
    if (emulator) emulator.world.add(seedFrom(wanted, await store.readAll(wanted.gateway)));
    const { traffic, gateway } = line;
    if (!emulator) prober ??= (await import('./gateway/probe.ts')).openProber(proxiesOf(environment));
    const { Engine } = await import('./engine/engine.ts');
    line.engine = new Engine(wanted, {
      store,
      gateway,
      traffic,
      probe: prober?.probe ?? emulatedProbe,
      emit,
      clock: systemClock,
      random: Math.random,
      maxTries,
      refresh: settings.refresh,
      targets,
      saved,
    });
    return line.engine;
  };
  const close = async (): Promise<number> => {
    const left = await leave();
    await prober?.close();
    await emulator?.close();
    if (!options.store) await store.close();
    return left;
  };
  // Pinned versions come with the engine: here they would make a publication known as offline that the record has online.
  const emulate = (wanted: DesiredState): void => emulator?.world.add({ ...seedFrom(wanted, new Map()), kept: [] });
  const recorded = (gateway: GatewayIdentity): Promise<RecordedState> => store.readAll(gateway);
  return {
    record: store,
    suspend: (gateway, suspension) => store.suspend(gateway, suspension),
    emulate,
    recorded,
    lookUp: lookUpNames,
    engineFor,
    close,
    [Symbol.asyncDispose]: async () => void (await close()),
  };
}

/** Returns the file as the source of what acts, which notes in its record which commit has asked for it. */
export function sourceOf({ file }: Settings, environment: Environment, lookUp: LookUp): FileSource {
  return new FileSource(file, environment, lookUp, (paths) => commitOf(paths, environment));
}

const unending = new AbortController().signal;

/** Where every name is remembered nobody is asked. */
const noGateway: LookUpDeps['gateway'] = {
  apis: () => Promise.reject(new TypeError('no API is to be looked up')),
  environments: () => Promise.reject(new TypeError('no environment is to be looked up')),
};

/** Returns what the command is about. Throws an EdictError `TARGET_UNKNOWN` for a pattern that matches nothing there is. */
export async function targetsOf(settings: Settings, desired: DesiredState, read: () => Promise<RecordedState>): Promise<Targets> {
  if (!isNarrowed(settings.targets)) return everything;
  const { compileTargets, refuseUnknown } = await import('./desired/target-patterns.ts');
  refuseUnknown(settings.targets, desired, await read());
  return compileTargets(settings.targets);
}

/** A saved plan that has been checked, and what applying it goes by. */
export interface OpenedPlan {
  readonly saved: SavedPlan;
  /** A plan that rests on a look at the gateway is compared after a look. */
  readonly settings: Settings;
  /** Throws an EdictError `PLAN_GATEWAY` for another gateway than the plan's. */
  expect(gateway: GatewayIdentity): void;
}

/** Reads the saved plan in the file `path`. Throws an EdictError `PLAN_*` if it is none, or for another kind of gateway. */
export async function openSavedPlan(path: string, settings: Settings): Promise<OpenedPlan> {
  const { readPlanFile } = await import('./store/plan-file.ts');
  const saved = await readPlanFile(path);
  const refuse = (why: string, hint: string): EdictError =>
    new EdictError('PLAN_GATEWAY', `the saved plan ${path} is for another gateway: ${why}`, { hint: `nothing was sent; ${hint}` });
  if (saved.emulated !== settings.emulate) {
    throw saved.emulated
      ? refuse('an emulated one', 'apply it with --emulate, or save a plan for the real one')
      : refuse('a real one', 'apply it without --emulate, or save a plan with it');
  }
  const expect = (gateway: GatewayIdentity): void => {
    const inWords = ({ endpoint, project, instance }: GatewayIdentity): string => `${endpoint}, project ${project}, instance ${instance}`;
    const [planned, now] = [inWords(saved.gateway), inWords(gateway)];
    if (planned !== now) throw refuse(`${planned}; the file's is ${now}`, 'name the file that the plan was made from');
  };
  return { saved, settings: { ...settings, refresh: settings.refresh || saved.refreshed }, expect };
}

/** Returns what a saved plan was about when it was made, whether or not that is there still. */
export async function targetsOfSaved({ targets }: SavedPlan): Promise<Targets> {
  if (!isNarrowed(targets)) return everything;
  const { compileTargets } = await import('./desired/target-patterns.ts');
  return compileTargets(targets);
}

/** Returns what decides when a request to the gateway may leave. `quietMs`: see `TrafficOptions`. */
async function openTraffic(gateway: GatewaySettings, quietMs: number): Promise<Traffic> {
  const { Traffic } = await import('./engine/traffic.ts');
  return new Traffic({ limit: gateway.limit, clock: systemClock, quietMs });
}

/** Opens a gateway that can only be read, the emulated one if there is a `seed` for it, and closes it when `use` has ended. */
export async function withGatewayReader<T>(
  settings: GatewaySettings,
  seed: Seed | null,
  environment: Environment,
  use: (gateway: GatewayReader) => Promise<T>,
): Promise<T> {
  const { openGatewayReader } = await import('./gateway/roma-gateway.ts');
  const emulator = seed ? await openEmulator() : null;
  if (seed) emulator?.world.add(seed);
  const traffic = await openTraffic(settings, 0);
  const { at, credentials } = await openCredentialsOf(settings, emulator, traffic.admit, environment);
  const gateway = openGatewayReader(at, credentials, { admit: traffic.admit, proxies: proxiesOf(environment) });
  try {
    return await use(gateway);
  } finally {
    traffic.close();
    await gateway.close();
    await emulator?.close();
  }
}

/** The credentials that the environment holds, and where they are taken: the gateway of the file, or the emulated one. */
interface Access {
  readonly at: GatewaySettings;
  readonly credentials: Credentials;
}

/** Returns the access to a gateway. Throws an EdictError `CREDENTIALS_*`. */
async function openCredentialsOf(
  gateway: GatewaySettings,
  emulator: Emulator | null,
  admit: Admit,
  environment: Environment,
  onToken: () => void = () => {},
): Promise<Access> {
  const { openCredentials } = await import('./gateway/auth.ts');
  const at = emulator ? { ...gateway, endpoint: emulator.url, iam: emulator.url } : gateway;
  const credentials = openCredentials(emulator ? { HW_AUTH_TOKEN: 'emulated' } : environment, at, { clock: systemClock, admit, onToken });
  return { at, credentials };
}
