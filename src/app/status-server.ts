import { basename, extname } from 'node:path';
import type { NewApproval } from '../model/approval.ts';
import type { HistoryFilter } from '../model/attempt.ts';
import type { Plan, PlanHolds } from '../model/change.ts';
import type { Clock } from '../model/clock.ts';
import type { Suspension } from '../model/desired-state.ts';
import type { Env } from '../model/env.ts';
import type { Emit, EventBus } from '../model/events.ts';
import { type GatewayIdentity, isLoopbackHost } from '../model/gateway.ts';
import type { DaemonSettings, Settings } from '../model/settings.ts';
import { approveCommand } from '../render/command-line.ts';
import { readVersion } from '../render/version.ts';
import { Broadcaster } from '../server/broadcaster.ts';
import { Health, type HealthResult } from '../server/health.ts';
import { type ShownFile, startServer } from '../server/server.ts';
import { SharedDocuments } from '../server/shared-documents.ts';
import { StatusCache } from '../server/status-cache.ts';
import type { StoreReader } from '../store/interface.ts';
import { openMetrics } from '../telemetry/metrics.ts';
import { openAccessTokens } from './access-tokens.ts';

/** The daemon's HTTP server: page, API, health checks and metrics. */
export interface StatusServer {
  /** Shows a file from the next request on, and subscribes to its events. */
  addFile(file: ServedFile): void;
  /** Shows a file no longer, and ends its subscription. */
  removeFile(file: string): void;
  readonly url: string;
  close(): Promise<void>;
}

/** One file as the server shows it, and the actions that the server offers for it. */
export interface ServedFile {
  readonly settings: Settings;
  readonly events: EventBus;
  /** Has a connection of its own: a viewer must not delay what is written. */
  readonly store: Pick<StoreReader, 'history' | 'approvals' | 'lastAttempts'>;
  readonly approve: (gateway: GatewayIdentity, approval: NewApproval) => Promise<void>;
  readonly suspend: (gateway: GatewayIdentity, suspension: Suspension | null) => Promise<void>;
  /** Asks the holder of the gateway's lease to reconcile now. */
  readonly resync: () => Promise<void>;
}

export interface StatusServerDeps {
  /** `EDICT_TOKEN` authorizes requests that act, `EDICT_READ_TOKEN` those that read, `EDICT_HOSTS` lists the host names that requests may use. */
  readonly env: Env;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  /** Receives the events of the server, which are of no file. */
  readonly emit: Emit;
  /** Whether there is only one file, whose page is then at the root path. */
  readonly isSingleFile: boolean;
  /** The files at startup, all of which must be ready before the daemon is. */
  readonly files: readonly ServedFile[];
}

interface ServedFileEntry {
  readonly file: string;
  readonly health: Health;
  readonly shown: ShownFile;
  readonly subscription: Disposable;
}

/**
 * Starts the status server, fed with the controller's events. Throws a ListenFailedError if the address cannot be bound, another EdictError for
 * an invalid token.
 */
export async function openStatusServer(
  address: NonNullable<DaemonSettings['listen']>,
  { env, clock, emit, isSingleFile, files }: StatusServerDeps,
): Promise<StatusServer> {
  const metrics = openMetrics(readVersion());
  const { now, monotonicMs } = clock;
  const tokens = await openAccessTokens(env, monotonicMs);
  const entries = new Map<string, ServedFileEntry>();
  const shownFiles = new Map<string, ShownFile>();
  const addFile = ({ settings, events, store, ...acts }: ServedFile): ServedFileEntry => {
    const [health, statusCache] = [new Health(), new StatusCache(now)];
    const { file, emulate: isEmulated } = settings;
    const daemonInfo = { version: readVersion(), file, isEmulated, approveCommand: (holds: PlanHolds) => approveCommand(holds, settings) };
    const count = metrics.forFile(file);
    const subscription = events.subscribe((event) => {
      // Load the attempts of earlier processes once, with the first plan, when the gateway is known.
      if (event.type === 'plan:computed' && statusCache.plan === null) void loadLastAttempts(event.plan, store, statusCache);
      count(event);
      health.emit(event);
      statusCache.emit(event);
    });
    const shown: ShownFile = {
      ...{ pathPrefix: isSingleFile ? '' : pathPrefixOf(file, shownFiles), statusCache, daemonInfo, now },
      documents: new SharedDocuments(statusCache, daemonInfo),
      broadcaster: new Broadcaster(statusCache, daemonInfo),
      history: (gateway: GatewayIdentity, filter: HistoryFilter, signal: AbortSignal) => store.history(gateway, filter, signal),
      approvals: (gateway: GatewayIdentity) => store.approvals(gateway),
      ...acts,
    };
    const entry = { file, health, shown, subscription };
    entries.set(file, entry);
    shownFiles.set(shown.pathPrefix, shown);
    return entry;
  };
  // A file that is added later does not affect readiness: an invalid one must not take the pod out of service.
  const initialEntries = new Set(files.map(addFile));
  const server = await startServer(address, {
    ...{ metrics, tokens, monotonicMs, emit, shownFiles, isSingleFile },
    health: {
      live: () => aggregateHealth(entries.values(), ({ health }) => health.live()),
      ready: () => aggregateHealth(initialEntries, ({ health }) => health.ready()),
    },
    allowedHosts: (env['EDICT_HOSTS'] ?? '').split(',').flatMap((name) => name.trim() || []),
  });
  if (tokens.read() === null && !isLoopbackHost(new URL(server.url).hostname)) emit({ type: 'server:exposed', url: server.url });
  return {
    addFile: (file) => void addFile(file),
    removeFile: (of) => {
      const removed = entries.get(of);
      if (!removed) return;
      entries.delete(of);
      initialEntries.delete(removed);
      shownFiles.delete(removed.shown.pathPrefix);
      removed.subscription[Symbol.dispose]();
      removed.shown.broadcaster.close();
      metrics.removeFile(of);
    },
    url: server.url,
    close: async () => {
      for (const { shown } of entries.values()) shown.broadcaster.close();
      await server.close();
    },
  };
}

/** Returns the result of the first unhealthy file, with its name if there may be several files; otherwise the first file's result. */
function aggregateHealth(files: Iterable<ServedFileEntry>, ask: (of: ServedFileEntry) => HealthResult): HealthResult {
  let first: HealthResult | null = null;
  for (const of of files) {
    const result = ask(of);
    if (!result.ok) return { ok: false, message: of.shown.pathPrefix === '' ? result.message : `${of.file}: ${result.message}` };
    first ??= result;
  }
  return first ?? { ok: true, message: 'the files found at startup were removed' };
}

/** Returns a path prefix for the routes of a file that is not a key of `taken`. */
export function pathPrefixOf(file: string, taken: Pick<ReadonlyMap<string, unknown>, 'has'>): string {
  const name = basename(file, extname(file)).replaceAll(/[^\w.-]/g, '-');
  let unique = name;
  for (let number = 2; taken.has(unique) || reservedPrefixes.has(unique); number += 1) unique = `${name}-${number}`;
  return unique;
}

const reservedPrefixes = new Set(['', '.', '..', 'api', 'ui', 'metrics', 'livez', 'readyz']);

/** Loads the last attempts into the cache. Ignores a store error, since the controller reports it; the cache then lacks earlier attempts. */
async function loadLastAttempts({ gateway }: Plan, store: ServedFile['store'], statusCache: StatusCache): Promise<void> {
  statusCache.addLastAttempts(await store.lastAttempts(gateway).catch(() => new Map()));
}
