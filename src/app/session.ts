import { acquireLease } from '../controller/lease-acquisition.ts';
import type { RateLimiter } from '../controller/limit/rate-limiter.ts';
import type { ResolveNamesDeps } from '../controller/name-resolution.ts';
import type { ReconcileRunner } from '../controller/reconcile-runner.ts';
import type { Emulator } from '../emulator/emulator.ts';
import type { Seed } from '../emulator/seed.ts';
import type { Credentials } from '../gateway/auth/credentials.ts';
import type { Prober } from '../gateway/prober.ts';
import type { Env } from '../model/env.ts';
import { EdictError } from '../model/errors.ts';
import type { Emit } from '../model/events.ts';
import { nameKey } from '../model/name-ref.ts';
import type { AcquireRequestSlot, Gateway, GatewayReader, Lease, Store, StoreReader } from '../model/ports.ts';
import { parseProxySettings } from '../model/proxy-settings.ts';
import type { DesiredState, GatewayIdentity, GatewaySettings, RecordedState, Suspension } from '../model/publication.ts';
import type { Settings } from '../model/settings.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import { allTargets, hasTargets, type Targets } from '../plan/targets.ts';
import { FileSource, type ResolveNames } from '../source/file-source.ts';
import { readCommitId } from '../source/git/git.ts';
import { openStore } from '../store/open.ts';
import { emulatedProbe, openEmulatedGateway, placeholderIds, seedFromState } from './emulated-gateway.ts';
import { systemClock } from './system-clock.ts';

/*
 * Opens rooms in order and closes them in reverse. What only some commands need is imported where it is opened, so that
 * `plan` and `validate` start without an HTTP client, a watcher or a server.
 */

/** A store, and over it an engine for the gateway of the file at hand. */
export interface Session extends AsyncDisposable {
  /** Tells the emulator, if there is one, of APIs and environments that it does not know. */
  seedEmulator(desired: DesiredState): void;
  /** Finds out what names of the file mean, and remembers it. Rejects with an EdictError if the gateway cannot be asked. */
  readonly resolveNames: ResolveNames;
  /** Returns the record of a gateway. */
  readRecordedState(gateway: GatewayIdentity): Promise<RecordedState>;
  /** The record, as what only looks sees it. */
  readonly store: StoreReader;
  /** Notes a person's word that no call is to be made; `null` takes it back. */
  suspend(gateway: GatewayIdentity, suspension: Suspension | null): Promise<void>;
  /** Returns the engine for the gateway that `desired` names; the same one while its settings are the same. */
  runnerFor(desired: DesiredState, maxTries: number, emit: Emit, targets?: Targets, saved?: SavedPlan | null): Promise<ReconcileRunner>;
  /** Stops and closes everything; resolves to the number of changes left unsent. */
  close(): Promise<number>;
}

/** The way to one gateway, and what works on it. */
interface GatewayWork {
  readonly settingsKey: string;
  readonly lease: Lease;
  readonly identity: GatewayIdentity;
  readonly rateLimiter: RateLimiter;
  readonly gateway: Gateway;
  runner: ReconcileRunner | null;
}

export interface SessionOptions {
  /** Whether it stands by while another edict has the lease of the gateway, and shares gateways evenly; default: it waits as long as for the store. */
  readonly isStandby?: boolean;
  /** A store that is open already, and stays open; default: one is opened. */
  readonly store?: Store;
  /** Ends the waiting for another edict; default: nothing does. */
  readonly signal?: AbortSignal;
}

/** Opens the store that the settings name, for writing; `signal` ends the waiting for it. Throws an EdictError `STORE_*`. */
export function openConfiguredStore(
  { storeUrl, emulate, lockTimeoutMs }: Settings,
  emit: Emit,
  signal: AbortSignal = neverAborted,
): Promise<Store> {
  return openStore({
    url: storeUrl,
    isEmulated: emulate,
    lockTimeoutMs,
    signal,
    onWait: (message) => emit({ type: 'store:waiting', message }),
  });
}

/**
 * Opens the store, and an emulator if asked for; the gateway and the engine with the first file, when another edict has given its lease
 * free. Throws an EdictError if the store cannot be opened.
 */
export async function openSession(settings: Settings, environment: Env, emit: Emit, options: SessionOptions = {}): Promise<Session> {
  const { isStandby = false, signal = neverAborted } = options;
  const store = options.store ?? (await openConfiguredStore(settings, emit, signal));
  const waitMs = isStandby ? 0 : settings.lockTimeoutMs;
  const onWait = (message: string): void => emit({ type: 'store:waiting', message });
  const emulator = settings.emulate ? await openEmulatedGateway() : null;
  let current: GatewayWork | null = null;
  let known: (GatewayAccess & { readonly name: string }) | null = null;
  let prober: Prober | null = null;

  const leave = async (): Promise<number> => {
    if (!current) return 0;
    const { runner, rateLimiter, gateway, identity } = current;
    current = null;
    try {
      return (await runner?.stop()) ?? 0;
    } finally {
      // Whatever the engine could not write: a lease that is not given back could not be taken again.
      rateLimiter.close();
      await gateway.close();
      await store.release(identity, systemClock.now()).catch((error: unknown) => {
        // Nothing works under it any more, and it ends by itself.
        if (!(error instanceof EdictError)) throw error;
        emit({ type: 'store:error', reconcileId: '', message: error.message });
      });
    }
  };
  let admitted: AcquireRequestSlot = () => Promise.reject(new TypeError('nobody has a lease yet'));
  /** Kept from one lease to the next: a token is good for both, and what was refused once is not sent again. */
  const accessTo = async (settings: GatewaySettings, name: string): Promise<GatewayAccess> => {
    const onToken = (): void => emit({ type: 'token:issued' });
    const admit: AcquireRequestSlot = (until) => admitted(until);
    if (known?.name !== name) known = { name, ...(await openGatewayAccess(settings, emulator, admit, environment, onToken)) };
    return known;
  };
  const lineTo = async (settings: GatewaySettings, sharesEvenly = isStandby): Promise<GatewayWork> => {
    const settingsKey = JSON.stringify(settings);
    if (current?.settingsKey === settingsKey && !current.lease.signal.aborted) return current;
    await leave();
    const { settings: at, credentials } = await accessTo(settings, settingsKey);
    const { openGateway } = await import('../gateway/gateway.ts');
    const { withLease } = await import('../gateway/request-middleware.ts');
    const proxies = parseProxySettings(environment);
    const { lease, idleMs } = await acquireLease(settings, { store, clock: systemClock, waitMs, sharesEvenly, signal, onWait });
    lease.signal.addEventListener('abort', () => emit({ type: 'lease:lost', isRebalanced: lease.signal.reason === 'shared' }));
    // The limit's window may still hold requests of the edict before this one.
    const rateLimiter = await openRateLimiter(settings, emulator ? 0 : Math.max(0, settings.limit.perMs - idleMs));
    admitted = withLease(lease, rateLimiter.acquire);
    const gateway = openGateway(at, credentials, { acquire: admitted, canSend: lease.isHeld, proxies });
    current = { settingsKey, lease, identity: settings, rateLimiter, gateway, runner: null };
    return current;
  };
  const lookUpNames: ResolveNames = async (of, names) => {
    if (emulator) return placeholderIds(names);
    const { resolvedIds, resolveNames } = await import('../controller/name-resolution.ts');
    const knownIds = await store.resolvedNames(of);
    const isKnown = names.every((name) => knownIds.has(nameKey(name)));
    // Only whoever works on the gateway forgets names: one that stands by may have another version of the file.
    const isAtWork = current?.settingsKey === JSON.stringify(of) && current.lease.isHeld();
    const forgets = knownIds.size > names.length && (isAtWork || !isStandby);
    if (isKnown && !forgets) return resolveNames(names, { knownIds, signal: neverAborted, gateway: lookupForbidden });
    // Nobody gives the gateway up for names, and to have asked for them is not yet to work on it.
    const { gateway } = await lineTo(of, false);
    try {
      const meanings = await resolveNames(names, { knownIds, signal: neverAborted, gateway: isKnown ? lookupForbidden : gateway });
      await store.saveNames(of, resolvedIds(meanings));
      return meanings;
    } finally {
      if (isStandby && !isAtWork) await leave();
    }
  };
  const runnerFor: Session['runnerFor'] = async (wanted, maxTries, emit, targets = allTargets, saved = null) => {
    const line = await lineTo(wanted.gateway);
    if (line.runner) return line.runner;
    if (emulator) emulator.state.add(seedFromState(wanted, await store.readRecordedState(wanted.gateway)));
    const { rateLimiter, gateway } = line;
    if (!emulator) prober ??= (await import('../gateway/prober.ts')).openProber(parseProxySettings(environment));
    const { ReconcileRunner } = await import('../controller/reconcile-runner.ts');
    line.runner = new ReconcileRunner(wanted, {
      store,
      gateway,
      rateLimiter,
      probe: prober?.probe ?? emulatedProbe,
      emit,
      clock: systemClock,
      random: Math.random,
      maxTries,
      refresh: settings.refresh,
      targets,
      saved,
    });
    return line.runner;
  };
  const close = async (): Promise<number> => {
    const left = await leave();
    await prober?.close();
    await emulator?.close();
    if (!options.store) await store.close();
    return left;
  };
  // Pinned versions come with the engine: here they would make a publication known as offline that the record has online.
  const seedEmulator = (wanted: DesiredState): void => emulator?.state.add({ ...seedFromState(wanted, new Map()), kept: [] });
  const readRecordedState = (gateway: GatewayIdentity): Promise<RecordedState> => store.readRecordedState(gateway);
  return {
    store,
    suspend: (gateway, suspension) => store.saveSuspension(gateway, suspension),
    seedEmulator,
    readRecordedState,
    resolveNames: lookUpNames,
    runnerFor,
    close,
    [Symbol.asyncDispose]: async () => void (await close()),
  };
}

/** Returns the file as the source of what acts, which notes in its record which commit has asked for it. */
export function createFileSource({ file }: Settings, environment: Env, lookUp: ResolveNames): FileSource {
  return new FileSource(file, environment, lookUp, (paths) => readCommitId(paths, environment));
}

const neverAborted = new AbortController().signal;

/** Where every name is remembered nobody is asked. */
const lookupForbidden: ResolveNamesDeps['gateway'] = {
  listApis: () => Promise.reject(new TypeError('no API is to be looked up')),
  listEnvironments: () => Promise.reject(new TypeError('no environment is to be looked up')),
};

/** Returns what the command is about. Throws an EdictError `TARGET_NOT_FOUND` for a pattern that matches nothing there is. */
export async function resolveTargets(settings: Settings, desired: DesiredState, read: () => Promise<RecordedState>): Promise<Targets> {
  if (!hasTargets(settings.targets)) return allTargets;
  const { compileTargets, assertTargetsExist } = await import('../plan/target-patterns.ts');
  assertTargetsExist(settings.targets, desired, await read());
  return compileTargets(settings.targets);
}

/** A saved plan that has been checked, and what applying it goes by. */
export interface OpenedSavedPlan {
  readonly saved: SavedPlan;
  /** A plan that rests on a look at the gateway is compared after a look. */
  readonly settings: Settings;
  /** Throws an EdictError `SAVED_PLAN_GATEWAY_MISMATCH` for another gateway than the plan's. */
  assertGateway(gateway: GatewayIdentity): void;
}

/** Reads the saved plan in the file `path`. Throws an EdictError `PLAN_*` if it is none, or for another kind of gateway. */
export async function openSavedPlan(path: string, settings: Settings): Promise<OpenedSavedPlan> {
  const { readPlanFile } = await import('./plan-file.ts');
  const saved = await readPlanFile(path);
  const refuse = (why: string, hint: string): EdictError =>
    new EdictError('SAVED_PLAN_GATEWAY_MISMATCH', `the saved plan ${path} is for another gateway: ${why}`, {
      hint: `nothing was sent; ${hint}`,
    });
  if (saved.isEmulated !== settings.emulate) {
    throw saved.isEmulated
      ? refuse('an emulated one', 'apply it with --emulate, or save a plan for the real one')
      : refuse('a real one', 'apply it without --emulate, or save a plan with it');
  }
  const assertGateway = (gateway: GatewayIdentity): void => {
    const inWords = ({ endpoint, project, instance }: GatewayIdentity): string => `${endpoint}, project ${project}, instance ${instance}`;
    const [planned, now] = [inWords(saved.gateway), inWords(gateway)];
    if (planned !== now) throw refuse(`${planned}; the file's is ${now}`, 'name the file that the plan was made from');
  };
  return { saved, settings: { ...settings, refresh: settings.refresh || saved.isRefreshed }, assertGateway };
}

/** Returns what a saved plan was about when it was made, whether or not that is there still. */
export async function targetsOfSavedPlan({ targets }: SavedPlan): Promise<Targets> {
  if (!hasTargets(targets)) return allTargets;
  const { compileTargets } = await import('../plan/target-patterns.ts');
  return compileTargets(targets);
}

/** Returns what decides when a request to the gateway may leave. `quietMs`: see `TrafficOptions`. */
async function openRateLimiter(gateway: GatewaySettings, initialDelayMs: number): Promise<RateLimiter> {
  const { RateLimiter } = await import('../controller/limit/rate-limiter.ts');
  return new RateLimiter({ limit: gateway.limit, clock: systemClock, initialDelayMs });
}

/** Opens a gateway that can only be read, the emulated one if there is a `seed` for it, and closes it when `use` has ended. */
export async function withGatewayReader<T>(
  settings: GatewaySettings,
  seed: Seed | null,
  environment: Env,
  use: (gateway: GatewayReader) => Promise<T>,
): Promise<T> {
  const { openGatewayReader } = await import('../gateway/gateway.ts');
  const emulator = seed ? await openEmulatedGateway() : null;
  if (seed) emulator?.state.add(seed);
  const traffic = await openRateLimiter(settings, 0);
  const { settings: at, credentials } = await openGatewayAccess(settings, emulator, traffic.acquire, environment);
  const gateway = openGatewayReader(at, credentials, { acquire: traffic.acquire, proxies: parseProxySettings(environment) });
  try {
    return await use(gateway);
  } finally {
    traffic.close();
    await gateway.close();
    await emulator?.close();
  }
}

/** The credentials that the environment holds, and where they are taken: the gateway of the file, or the emulated one. */
interface GatewayAccess {
  readonly settings: GatewaySettings;
  readonly credentials: Credentials;
}

/** Returns the access to a gateway. Throws an EdictError `CREDENTIALS_*`. */
async function openGatewayAccess(
  gateway: GatewaySettings,
  emulator: Emulator | null,
  acquire: AcquireRequestSlot,
  environment: Env,
  onTokenIssued: () => void = () => {},
): Promise<GatewayAccess> {
  const { openCredentials } = await import('../gateway/auth/env-credentials.ts');
  const settings = emulator ? { ...gateway, endpoint: emulator.url, iamEndpoint: emulator.url } : gateway;
  const credentials = openCredentials(emulator ? { HW_AUTH_TOKEN: 'emulated' } : environment, settings, {
    clock: systemClock,
    acquire,
    onTokenIssued,
  });
  return { settings, credentials };
}
