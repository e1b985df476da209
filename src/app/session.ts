import { acquireLease } from '../controller/lease-acquisition.ts';
import type { RateLimiter } from '../controller/limit/rate-limiter.ts';
import type { ResolveNamesDeps } from '../controller/name-resolution.ts';
import type { ReconcileRunner } from '../controller/reconcile-runner.ts';
import type { RunnerTriggers } from '../controller/triggers/runner-triggers.ts';
import type { Emulator } from '../emulator/emulator.ts';
import type { AcquireRequestSlot, Gateway, Probe } from '../gateway/interface.ts';
import type { AppContext } from '../model/app-context.ts';
import type { DesiredState } from '../model/desired-state.ts';
import { parseProxySettings } from '../model/env.ts';
import { EdictError, NamesUnresolvedError } from '../model/errors.ts';
import { addressOf, type GatewayAddress, type GatewayIdentity, type GatewaySettings, isSameAddress } from '../model/gateway.ts';
import { nameKey } from '../model/name-ref.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import { allTargets, type Targets } from '../plan/targets.ts';
import { FileSource, type ResolveNames } from '../source/file-source.ts';
import { type OnGitUnsupported, readCommitId } from '../source/git/git.ts';
import type { SourceParser } from '../source/source-parser.ts';
import type { Lease, Store } from '../store/interface.ts';
import { openStore } from '../store/open.ts';
import { emulatedProbe, openEmulatedGateway, placeholderIds, seedFromState } from './emulated-gateway.ts';
import { type GatewayAccess, openGatewayAccess, openRateLimiter } from './gateway-access.ts';
import { assertGatewayApproved, heldGateway, reportUnrecorded } from './read-session.ts';

/*
 * Opens store, lease, rate limiter, gateway and reconcile runner in this order and closes them in reverse. Modules that only some commands
 * need are imported where they are opened, so that `plan` and `validate` start without an HTTP client, a watcher or a server.
 */

/** One gateway under its lease, with its rate limiter, client and, after the first plan, its reconcile runner. */
interface GatewaySession {
  readonly settingsKey: string;
  readonly settings: GatewaySettings;
  readonly lease: Lease;
  readonly rateLimiter: RateLimiter;
  /** Waits for a slot of the rate limit, and for nothing once the lease is lost. */
  readonly acquire: AcquireRequestSlot;
  readonly gateway: Gateway;
  readonly resources: AsyncDisposableStack;
  runner: ReconcileRunner | null;
}

export interface SessionOptions {
  /**
   * Whether to stand by while another process holds the gateway's lease, and to share gateways evenly with other processes. Default: wait
   * for the lease as long as for the store.
   */
  readonly isStandby?: boolean;
  /** An open store, which the session does not close. Default: the session opens its own. */
  readonly store?: Store;
  /**
   * Whether the first gateway of the file needs no approval although the store does not know it: the operator has named the file, or the store was
   * empty. Default: it needs none.
   */
  readonly isTrusted?: boolean;
  /** When this process last sent a request to the gateway, on the monotonic clock: it may still count against the rate limit. Default: never. */
  readonly lastRequestAtMs?: number;
}

export interface RunnerOptions {
  /** Consecutive tries of one change before it is left for a person or a new file. */
  readonly maxTries: number;
  readonly triggers: RunnerTriggers;
  /** Default: all publications. */
  readonly targets?: Targets;
  readonly saved?: SavedPlan | null;
}

/** Opens the configured store for writing. The context's signal ends the wait for its lock. Throws an EdictError `STORE_*`. */
export function openConfiguredStore({ settings, events, signal }: AppContext): Promise<Store> {
  return openStore({
    url: settings.storeUrl,
    isEmulated: settings.emulate,
    lockTimeoutMs: settings.lockTimeoutMs,
    signal,
    onWait: (message) => events.emit({ type: 'store:waiting', message }),
    onUnverified: (sslmode) => events.emit({ type: 'store:unverified', sslmode }),
  });
}

/**
 * Opens the store and, with `emulate`, an emulator. The gateway and the reconcile runner follow with the first file, once the gateway's
 * lease is acquired. Throws an EdictError if the store cannot be opened.
 */
export async function openSession(context: AppContext, options: SessionOptions = {}): Promise<Session> {
  await using resources = new AsyncDisposableStack();
  const store = options.store ?? resources.adopt(await openConfiguredStore(context), (opened) => opened.close());
  const emulator = context.settings.emulate ? resources.adopt(await openEmulatedGateway(), (opened) => opened.close()) : null;
  const { isStandby = false, isTrusted = true, lastRequestAtMs = Number.NEGATIVE_INFINITY } = options;
  return new Session(context, { store, emulator, isStandby, isTrusted, lastRequestAtMs, resources: resources.move() });
}

/** An open store and the reconcile runner for the gateway of the current file. */
export class Session implements AsyncDisposable {
  readonly store: Store;
  readonly #context: AppContext;
  readonly #emulator: Emulator | null;
  readonly #isStandby: boolean;
  readonly #lastRequestAtMs: number;
  readonly #resources: AsyncDisposableStack;
  #gateway: GatewaySession | null = null;
  #access: (GatewayAccess & { readonly settingsKey: string }) | null = null;
  #probe: Probe | null = null;
  #tail: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  /** The last address that a file of a daemon was applied to; `null` before the first one. */
  #applied: GatewayAddress | null = null;
  /** Whether the next gateway is accepted although the store does not know it. */
  #isTrusted: boolean;

  constructor(
    context: AppContext,
    opened: {
      store: Store;
      emulator: Emulator | null;
      isStandby: boolean;
      isTrusted: boolean;
      lastRequestAtMs: number;
      resources: AsyncDisposableStack;
    },
  ) {
    this.#context = context;
    this.store = opened.store;
    this.#emulator = opened.emulator;
    this.#isStandby = opened.isStandby;
    this.#isTrusted = opened.isTrusted;
    this.#lastRequestAtMs = opened.lastRequestAtMs;
    this.#resources = opened.resources;
    const onEvent = context.events.subscribe((event) => {
      if (event.type === 'plan:computed' && !event.plan.fileHeld && this.#gateway) this.#applied = addressOf(this.#gateway.settings);
    });
    this.#resources.use(onEvent);
  }

  /**
   * Adds the file's APIs and environments to the emulator, if there is one. Pinned versions are added with the runner: adding them here
   * would make a publication offline that is recorded as online.
   */
  seedEmulator(desired: DesiredState): void {
    this.#emulator?.state.add({ ...seedFromState(desired, new Map()), kept: [] });
  }

  /** Resolves names in the file to IDs and stores the result. Rejects with an EdictError if the gateway cannot be read. */
  readonly resolveNames: ResolveNames = async (of, names, signal) => {
    if (this.#emulator) return placeholderIds(names);
    const { resolvedIds, resolveNames } = await import('../controller/name-resolution.ts');
    const knownIds = await this.store.resolvedNames(of);
    const isKnown = names.every((name) => knownIds.has(nameKey(name)));
    // Only the lease holder removes unused names from the store: a standby may have another version of the file.
    const isLeaseHolder = this.#gateway?.settingsKey === JSON.stringify(of) && this.#gateway.lease.isHeld();
    const removesNames = knownIds.size > names.length && (isLeaseHolder || !this.#isStandby);
    if (isKnown && !removesNames) return resolveNames(names, { knownIds, signal, gateway: lookupForbidden });
    await this.#admit(of);
    if (!isKnown) await assertGatewayApproved(this.#context, this.store, of);
    // Resolving names must not claim a share of the gateways, so take this lease without even sharing and release it afterwards.
    const { gateway } = await this.#serialize(() => this.#openGateway(of, false));
    try {
      const resolutions = await resolveNames(names, { knownIds, signal, gateway: isKnown ? lookupForbidden : gateway }).catch(
        async (error: unknown) => {
          // `status` says why nothing happens.
          if (error instanceof NamesUnresolvedError && !signal.aborted) await this.store.saveUnobserved(of, error.unobserved);
          throw error;
        },
      );
      await this.store.saveNames(of, resolvedIds(resolutions));
      if (!isKnown) await this.store.saveUnobserved(of, null);
      return resolutions;
    } finally {
      if (this.#isStandby && !isLeaseHolder) await this.#serialize(() => this.#closeUnusedGateway());
    }
  };

  /** Returns the reconcile runner for the gateway in `desired`; the same one while the gateway's settings are unchanged. */
  runnerFor(desired: DesiredState, options: RunnerOptions): Promise<ReconcileRunner> {
    return this.#serialize(() => this.#runnerFor(desired, options));
  }

  async #runnerFor(
    desired: DesiredState,
    { maxTries, triggers, targets = allTargets, saved = null }: RunnerOptions,
  ): Promise<ReconcileRunner> {
    const { clock, random, events, settings } = this.#context;
    await this.#admit(desired.gateway);
    const current = await this.#openGateway(desired.gateway, this.#isStandby);
    if (current.runner) return current.runner;
    this.#emulator?.state.add(seedFromState(desired, await this.store.readRecordedState(desired.gateway)));
    if (await this.#isFirstContact(desired)) await reportUnrecorded(this.#context);
    const { rateLimiter, gateway } = current;
    this.#probe ??= await this.#openProbe();
    const { ReconcileRunner } = await import('../controller/reconcile-runner.ts');
    current.runner = new ReconcileRunner(desired, {
      store: this.store,
      gateway,
      rateLimiter,
      probe: this.#probe,
      emit: events.emit,
      clock,
      random,
      maxTries,
      refresh: settings.refresh,
      isEmulated: settings.emulate,
      targets,
      saved,
      triggers,
    });
    return current.runner;
  }

  /**
   * Records that the file names another gateway than the one it was applied to, or one that the store does not know, so that it is held. Another
   * process may have had the same gateway approved.
   */
  async #admit(gateway: GatewayAddress): Promise<void> {
    if (!this.#isStandby || this.#emulator) return;
    const from = this.#applied;
    if (from !== null && isSameAddress(from, gateway)) return;
    const moved = await this.store.gatewayMove(gateway);
    if (from !== null) {
      if (!moved?.isApproved || (moved.from !== null && !isSameAddress(moved.from, from))) await this.store.saveMove(gateway, from);
      return;
    }
    const isPending = moved !== null && !moved.isApproved;
    if (isPending && moved.from !== null) return;
    if (this.#isTrusted) await this.store.acceptAddress(gateway);
    this.#isTrusted = false;
    const isAccepted = await this.store.isAcceptedAddress(gateway);
    // Another process that did not know the gateway yet may have held the file.
    if (isAccepted && isPending) await this.store.endMove(gateway, null);
    if (!isAccepted && !isPending) await this.store.saveMove(gateway, null);
  }

  /** Whether the store has no record of the gateway, and the gateway is observed before the first plan. */
  async #isFirstContact({ gateway, refreshIntervalMs }: DesiredState): Promise<boolean> {
    const { refresh, emulate } = this.#context.settings;
    const isObserved = refresh === 'always' || (refresh === 'due' && refreshIntervalMs !== null);
    if (emulate || !isObserved || (await this.store.lastObservation(gateway)) !== null) return false;
    // At a gateway that nobody has approved nothing is read.
    if ((await heldGateway(this.#context, this.store, gateway)) !== null) return false;
    return (await this.store.readRecordedState(gateway)).size === 0;
  }

  /** Sends nothing more and resolves to the number of unsent changes once the calls in flight are recorded. The session stays open. */
  stop(): Promise<number> {
    return this.#serialize(async () => (await this.#gateway?.runner?.stop()) ?? 0);
  }

  /** Stops and closes everything; resolves to the number of unsent changes. */
  async close(): Promise<number> {
    this.#isClosed = true;
    await using _resources = this.#resources;
    return await this.#serialize(() => this.#closeGateway());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #openGateway(settings: GatewaySettings, sharesEvenly: boolean): Promise<GatewaySession> {
    // Names may still be resolved for a load that was abandoned.
    if (this.#isClosed) throw new EdictError('SESSION_CLOSED', 'edict is stopping');
    const settingsKey = JSON.stringify(settings);
    if (this.#gateway?.settingsKey === settingsKey && !this.#gateway.lease.signal.aborted) return this.#gateway;
    await this.#closeGateway();
    const { settings: clientSettings, credentials } = await this.#accessFor(settings, settingsKey);
    const { openGateway } = await import('../gateway/gateway.ts');
    const { withLease } = await import('../gateway/request-middleware.ts');
    const { env, clock, events, signal, settings: appSettings } = this.#context;
    const { store } = this;
    await using resources = new AsyncDisposableStack();
    const { lease, idleMs } = await acquireLease(settings, {
      store,
      clock,
      waitMs: this.#isStandby ? 0 : appSettings.lockTimeoutMs,
      sharesEvenly,
      signal,
      onWait: (message) => events.emit({ type: 'store:waiting', message }),
    });
    resources.defer(() => this.#releaseLease(settings));
    lease.signal.addEventListener('abort', () => events.emit({ type: 'lease:lost', isRebalanced: lease.signal.reason === 'shared' }));
    // The previous lease holder's requests, and this process's own before it, may still count against the current rate limit window.
    const quietMs = Math.min(idleMs, clock.monotonicMs() - this.#lastRequestAtMs);
    const rateLimiter = await openRateLimiter(this.#context, settings, this.#emulator ? 0 : Math.max(0, settings.limit.perMs - quietMs));
    const acquire = withLease(lease, rateLimiter.acquire);
    const gateway = openGateway(clientSettings, credentials, {
      acquire,
      canSend: lease.isHeld,
      proxies: parseProxySettings(env),
      onPageRead: (page) => events.emit({ type: 'gateway:page_read', ...page }),
    });
    resources.defer(() => gateway.close());
    resources.defer(() => rateLimiter.close());
    this.#gateway = { settingsKey, settings, lease, rateLimiter, acquire, gateway, runner: null, resources: resources.move() };
    return this.#gateway;
  }

  /** Runs one after the other what opens or closes a gateway: names are resolved beside the control loop. */
  #serialize<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(run);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Closes the gateway unless a runner has begun to use it meanwhile. */
  async #closeUnusedGateway(): Promise<void> {
    if (this.#gateway?.runner === null) await this.#closeGateway();
  }

  /** Stops the runner, then closes what it used and releases the lease, also if the runner fails to stop. */
  async #closeGateway(): Promise<number> {
    if (!this.#gateway) return 0;
    const { runner, resources } = this.#gateway;
    await using _resources = resources;
    this.#gateway = null;
    return (await runner?.stop()) ?? 0;
  }

  /** Reports a failed release and continues: nothing runs under the lease any more, and it expires. */
  async #releaseLease(gateway: GatewayIdentity): Promise<void> {
    try {
      await this.store.release(gateway, this.#context.clock.now());
    } catch (error) {
      if (!(error instanceof EdictError)) throw error;
      this.#context.events.emit({ type: 'store:error', reconcileId: '', message: error.message });
    }
  }

  /** Returns credentials that outlive a lease: a token stays valid, and rejected credentials are not sent again. */
  async #accessFor(settings: GatewaySettings, settingsKey: string): Promise<GatewayAccess> {
    if (this.#access?.settingsKey === settingsKey) return this.#access;
    const acquire: AcquireRequestSlot = (until) => this.#gateway?.acquire(until) ?? Promise.reject(new TypeError('no lease is held'));
    this.#access = { settingsKey, ...(await openGatewayAccess(this.#context, { settings, emulator: this.#emulator, acquire })) };
    return this.#access;
  }

  async #openProbe(): Promise<Probe> {
    if (this.#emulator) return emulatedProbe;
    const { openProber } = await import('../gateway/prober.ts');
    const { env, settings } = this.#context;
    const options = { proxies: parseProxySettings(env), allowedHosts: settings.allowedProbeHosts };
    return this.#resources.adopt(openProber(options), (prober) => prober.close()).probe;
  }
}

/** Returns the source for commands that write: it also reads the commit ID, which is recorded with each attempt. */
export function createFileSource({ settings, env, events }: AppContext, resolveNames: ResolveNames, parser?: SourceParser): FileSource {
  const onUnsupported: OnGitUnsupported = (version) => events.emit({ type: 'git:unsupported', version });
  return new FileSource(settings.file, {
    allowedFolders: settings.allowedFolders,
    variables: env,
    resolveNames,
    parser,
    readCommitId: (files) => readCommitId(files, { env, onUnsupported }),
  });
}

/** Rejects every read: passed where all names are already resolved. */
const lookupForbidden: ResolveNamesDeps['gateway'] = {
  listApis: () => Promise.reject(new TypeError('no API is to be looked up')),
  listEnvironments: () => Promise.reject(new TypeError('no environment is to be looked up')),
};
