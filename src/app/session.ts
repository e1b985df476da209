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
 * Opens store, lease, gateway and reconcile runner in this order and closes them in reverse. Modules that only some commands need are
 * imported where they are opened, so that `plan` and `validate` start without an HTTP client, a watcher or a server.
 */

/** An open store and the reconcile runner for the gateway of the current file. */
export interface Session extends AsyncDisposable {
  /** Adds the file's APIs and environments to the emulator, if there is one. */
  seedEmulator(desired: DesiredState): void;
  /** Resolves names in the file to IDs and stores the result. Rejects with an EdictError if the gateway cannot be read. */
  readonly resolveNames: ResolveNames;
  /** Returns the recorded state of a gateway. */
  readRecordedState(gateway: GatewayIdentity): Promise<RecordedState>;
  /** The store, for reading. */
  readonly store: StoreReader;
  /** Stores a suspension, during which no calls are made; `null` ends it. */
  suspend(gateway: GatewayIdentity, suspension: Suspension | null): Promise<void>;
  /** Returns the reconcile runner for the gateway in `desired`; the same one while the gateway's settings are unchanged. */
  runnerFor(desired: DesiredState, maxTries: number, emit: Emit, targets?: Targets, saved?: SavedPlan | null): Promise<ReconcileRunner>;
  /** Stops and closes everything; resolves to the number of unsent changes. */
  close(): Promise<number>;
}

/** One gateway under its lease, with its rate limiter and reconcile runner. */
interface GatewayWork {
  readonly settingsKey: string;
  readonly lease: Lease;
  readonly identity: GatewayIdentity;
  readonly rateLimiter: RateLimiter;
  readonly gateway: Gateway;
  runner: ReconcileRunner | null;
}

export interface SessionOptions {
  /** Whether to stand by while another process holds the gateway's lease, and to share gateways evenly. Default: wait for the lease as long as for the store. */
  readonly isStandby?: boolean;
  /** An open store, which the session does not close. Default: the session opens its own. */
  readonly store?: Store;
  /** Ends the wait for another edict process. Default: only the time limit does. */
  readonly signal?: AbortSignal;
}

/** Opens the configured store for writing; `signal` ends the wait for its lock. Throws an EdictError `STORE_*`. */
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
 * Opens the store and, with `emulate`, an emulator. The gateway and the reconcile runner follow with the first file, once the gateway's
 * lease is acquired. Throws an EdictError if the store cannot be opened.
 */
export async function openSession(settings: Settings, env: Env, emit: Emit, options: SessionOptions = {}): Promise<Session> {
  const { isStandby = false, signal = neverAborted } = options;
  const store = options.store ?? (await openConfiguredStore(settings, emit, signal));
  const waitMs = isStandby ? 0 : settings.lockTimeoutMs;
  const onWait = (message: string): void => emit({ type: 'store:waiting', message });
  const emulator = settings.emulate ? await openEmulatedGateway() : null;
  let current: GatewayWork | null = null;
  let gatewayAccess: (GatewayAccess & { readonly name: string }) | null = null;
  let prober: Prober | null = null;

  const closeGateway = async (): Promise<number> => {
    if (!current) return 0;
    const { runner, rateLimiter, gateway, identity } = current;
    current = null;
    try {
      return (await runner?.stop()) ?? 0;
    } finally {
      // Release the lease even if the runner failed to stop: a lease that is never released cannot be acquired again.
      rateLimiter.close();
      await gateway.close();
      await store.release(identity, systemClock.now()).catch((error: unknown) => {
        // A failed release is only reported: nothing runs under the lease any more, and it expires.
        if (!(error instanceof EdictError)) throw error;
        emit({ type: 'store:error', reconcileId: '', message: error.message });
      });
    }
  };
  let acquireUnderLease: AcquireRequestSlot = () => Promise.reject(new TypeError('nobody has a lease yet'));
  /** Credentials outlive a lease: a token stays valid, and rejected credentials are not sent again. */
  const accessFor = async (settings: GatewaySettings, name: string): Promise<GatewayAccess> => {
    const onToken = (): void => emit({ type: 'token:issued' });
    const admit: AcquireRequestSlot = (until) => acquireUnderLease(until);
    if (gatewayAccess?.name !== name) gatewayAccess = { name, ...(await openGatewayAccess(settings, emulator, admit, env, onToken)) };
    return gatewayAccess;
  };
  const openGatewayWork = async (settings: GatewaySettings, sharesEvenly = isStandby): Promise<GatewayWork> => {
    const settingsKey = JSON.stringify(settings);
    if (current?.settingsKey === settingsKey && !current.lease.signal.aborted) return current;
    await closeGateway();
    const { settings: clientSettings, credentials } = await accessFor(settings, settingsKey);
    const { openGateway } = await import('../gateway/gateway.ts');
    const { withLease } = await import('../gateway/request-middleware.ts');
    const proxies = parseProxySettings(env);
    const { lease, idleMs } = await acquireLease(settings, { store, clock: systemClock, waitMs, sharesEvenly, signal, onWait });
    lease.signal.addEventListener('abort', () => emit({ type: 'lease:lost', isRebalanced: lease.signal.reason === 'shared' }));
    // The previous lease holder's requests may still count against the current rate limit window.
    const rateLimiter = await openRateLimiter(settings, emulator ? 0 : Math.max(0, settings.limit.perMs - idleMs));
    acquireUnderLease = withLease(lease, rateLimiter.acquire);
    const gateway = openGateway(clientSettings, credentials, { acquire: acquireUnderLease, canSend: lease.isHeld, proxies });
    current = { settingsKey, lease, identity: settings, rateLimiter, gateway, runner: null };
    return current;
  };
  const resolveGatewayNames: ResolveNames = async (of, names) => {
    if (emulator) return placeholderIds(names);
    const { resolvedIds, resolveNames } = await import('../controller/name-resolution.ts');
    const knownIds = await store.resolvedNames(of);
    const isKnown = names.every((name) => knownIds.has(nameKey(name)));
    // Only the lease holder removes unused names from the store: a standby may have another version of the file.
    const isLeaseHolder = current?.settingsKey === JSON.stringify(of) && current.lease.isHeld();
    const removesNames = knownIds.size > names.length && (isLeaseHolder || !isStandby);
    if (isKnown && !removesNames) return resolveNames(names, { knownIds, signal: neverAborted, gateway: lookupForbidden });
    // Resolving names must not claim a share of the gateways, so take this lease without even sharing and release it afterwards.
    const { gateway } = await openGatewayWork(of, false);
    try {
      const resolutions = await resolveNames(names, { knownIds, signal: neverAborted, gateway: isKnown ? lookupForbidden : gateway });
      await store.saveNames(of, resolvedIds(resolutions));
      return resolutions;
    } finally {
      if (isStandby && !isLeaseHolder) await closeGateway();
    }
  };
  const runnerFor: Session['runnerFor'] = async (desired, maxTries, emit, targets = allTargets, saved = null) => {
    const work = await openGatewayWork(desired.gateway);
    if (work.runner) return work.runner;
    if (emulator) emulator.state.add(seedFromState(desired, await store.readRecordedState(desired.gateway)));
    const { rateLimiter, gateway } = work;
    if (!emulator) prober ??= (await import('../gateway/prober.ts')).openProber(parseProxySettings(env));
    const { ReconcileRunner } = await import('../controller/reconcile-runner.ts');
    work.runner = new ReconcileRunner(desired, {
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
    return work.runner;
  };
  const close = async (): Promise<number> => {
    const unsentCount = await closeGateway();
    await prober?.close();
    await emulator?.close();
    if (!options.store) await store.close();
    return unsentCount;
  };
  // Pinned versions are added with the runner: adding them here would make a publication offline that is recorded as online.
  const seedEmulator = (desired: DesiredState): void => emulator?.state.add({ ...seedFromState(desired, new Map()), kept: [] });
  const readRecordedState = (gateway: GatewayIdentity): Promise<RecordedState> => store.readRecordedState(gateway);
  return {
    store,
    suspend: (gateway, suspension) => store.saveSuspension(gateway, suspension),
    seedEmulator,
    readRecordedState,
    resolveNames: resolveGatewayNames,
    runnerFor,
    close,
    [Symbol.asyncDispose]: async () => void (await close()),
  };
}

/** Returns the source for commands that write: it also reads the commit ID, which is recorded with each attempt. */
export function createFileSource({ file }: Settings, env: Env, resolveNames: ResolveNames): FileSource {
  return new FileSource(file, env, resolveNames, (paths) => readCommitId(paths, env));
}

const neverAborted = new AbortController().signal;

/** Rejects every read: passed where all names are already resolved. */
const lookupForbidden: ResolveNamesDeps['gateway'] = {
  listApis: () => Promise.reject(new TypeError('no API is to be looked up')),
  listEnvironments: () => Promise.reject(new TypeError('no environment is to be looked up')),
};

/** Returns the targets of the command. Throws an EdictError `TARGET_NOT_FOUND` for a pattern that matches nothing. */
export async function resolveTargets(settings: Settings, desired: DesiredState, read: () => Promise<RecordedState>): Promise<Targets> {
  if (!hasTargets(settings.targets)) return allTargets;
  const { compileTargets, assertTargetsExist } = await import('../plan/target-patterns.ts');
  assertTargetsExist(settings.targets, desired, await read());
  return compileTargets(settings.targets);
}

/** A saved plan that was read and checked, and the settings to apply it with. */
export interface OpenedSavedPlan {
  readonly saved: SavedPlan;
  /** Has `refresh` if the plan was made with --refresh, so that it is compared with a fresh observation. */
  readonly settings: Settings;
  /** Throws an EdictError `SAVED_PLAN_GATEWAY_MISMATCH` unless it is the plan's gateway. */
  assertGateway(gateway: GatewayIdentity): void;
}

/** Reads the saved plan in the file `path`. Throws an EdictError `SAVED_PLAN_*` if it is invalid, or made for an emulated gateway and not for a real one, or the reverse. */
export async function openSavedPlan(path: string, settings: Settings): Promise<OpenedSavedPlan> {
  const { readPlanFile } = await import('./plan-file.ts');
  const saved = await readPlanFile(path);
  const gatewayMismatch = (why: string, hint: string): EdictError =>
    new EdictError('SAVED_PLAN_GATEWAY_MISMATCH', `the saved plan ${path} is for another gateway: ${why}`, {
      hint: `nothing was sent; ${hint}`,
    });
  if (saved.isEmulated !== settings.emulate) {
    throw saved.isEmulated
      ? gatewayMismatch('an emulated one', 'apply it with --emulate, or save a plan for the real one')
      : gatewayMismatch('a real one', 'apply it without --emulate, or save a plan with it');
  }
  const assertGateway = (gateway: GatewayIdentity): void => {
    const describe = ({ endpoint, project, instance }: GatewayIdentity): string => `${endpoint}, project ${project}, instance ${instance}`;
    const [planned, now] = [describe(saved.gateway), describe(gateway)];
    if (planned !== now) throw gatewayMismatch(`${planned}; the file's is ${now}`, 'name the file that the plan was made from');
  };
  return { saved, settings: { ...settings, refresh: settings.refresh || saved.isRefreshed }, assertGateway };
}

/** Returns the targets that a saved plan was made with, whether or not they still match anything. */
export async function targetsOfSavedPlan({ targets }: SavedPlan): Promise<Targets> {
  if (!hasTargets(targets)) return allTargets;
  const { compileTargets } = await import('../plan/target-patterns.ts');
  return compileTargets(targets);
}

/** Returns the limiter that every request to the gateway passes. `initialDelayMs`: see `RateLimiterOptions`. */
async function openRateLimiter(gateway: GatewaySettings, initialDelayMs: number): Promise<RateLimiter> {
  const { RateLimiter } = await import('../controller/limit/rate-limiter.ts');
  return new RateLimiter({ limit: gateway.limit, clock: systemClock, initialDelayMs });
}

/** Opens a read-only gateway, an emulated one if there is a `seed`, and closes it after `use`. */
export async function withGatewayReader<T>(
  settings: GatewaySettings,
  seed: Seed | null,
  env: Env,
  use: (gateway: GatewayReader) => Promise<T>,
): Promise<T> {
  const { openGatewayReader } = await import('../gateway/gateway.ts');
  const emulator = seed ? await openEmulatedGateway() : null;
  if (seed) emulator?.state.add(seed);
  const rateLimiter = await openRateLimiter(settings, 0);
  const { settings: clientSettings, credentials } = await openGatewayAccess(settings, emulator, rateLimiter.acquire, env);
  const gateway = openGatewayReader(clientSettings, credentials, { acquire: rateLimiter.acquire, proxies: parseProxySettings(env) });
  try {
    return await use(gateway);
  } finally {
    rateLimiter.close();
    await gateway.close();
    await emulator?.close();
  }
}

/** The credentials from `env`, and the gateway that they are for: the one in the file, or the emulated one. */
interface GatewayAccess {
  readonly settings: GatewaySettings;
  readonly credentials: Credentials;
}

/** Returns the credentials for a gateway. Throws an EdictError `CREDENTIALS_*`. */
async function openGatewayAccess(
  gateway: GatewaySettings,
  emulator: Emulator | null,
  acquire: AcquireRequestSlot,
  env: Env,
  onTokenIssued: () => void = () => {},
): Promise<GatewayAccess> {
  const { openCredentials } = await import('../gateway/auth/env-credentials.ts');
  const settings = emulator ? { ...gateway, endpoint: emulator.url, iamEndpoint: emulator.url } : gateway;
  const credentials = openCredentials(emulator ? { HW_AUTH_TOKEN: 'emulated' } : env, settings, {
    clock: systemClock,
    acquire,
    onTokenIssued,
  });
  return { settings, credentials };
}
