import { basename, extname } from 'node:path';
import type { NewApproval } from '../model/approval.ts';
import type { Plan } from '../model/change.ts';
import type { Emit } from '../model/events.ts';
import type { HistoryFilter, StoreReader } from '../model/ports.ts';
import type { GatewayIdentity, Suspension } from '../model/publication.ts';
import type { DaemonSettings, Settings } from '../model/settings.ts';
import { approveCommand } from '../render/command-line.ts';
import { readVersion } from '../render/version.ts';
import { Broadcaster } from '../server/broadcaster.ts';
import { Health, type HealthResult } from '../server/health.ts';
import { type FileRoutes, startServer } from '../server/server.ts';
import { StatusCache } from '../server/status-cache.ts';
import { openMetrics } from '../telemetry/metrics.ts';

/** What a running daemon shows to those who look after it. */
export interface StatusServer {
  /** Returns what hears the engine's events of a file. */
  emitterFor(file: string): Emit;
  /** Shows one more file. */
  addFile(file: ServedFile): Promise<void>;
  /** Shows a file no more. */
  removeFile(file: string): Promise<void>;
  readonly url: string;
  close(): Promise<void>;
}

/** What is shown of one file, and what can be done with it. */
export interface ServedFile {
  readonly settings: Settings;
  readonly store: Pick<StoreReader, 'history' | 'approvals' | 'lastAttempts'>;
  readonly approve: (gateway: GatewayIdentity, approval: NewApproval) => Promise<void>;
  readonly suspend: (gateway: GatewayIdentity, suspension: Suspension | null) => Promise<void>;
  /** Asks whoever holds the gateway's lease to reconcile now. */
  readonly resync: () => Promise<void>;
}

export interface StatusServerDeps {
  /** `EDICT_TOKEN` lets requests act, `EDICT_HOSTS` names the hosts that the daemon is known as. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Returns milliseconds since 1970. */
  readonly now: () => number;
  /** Whether there will only be one file, whose page is the first then. */
  readonly isSingleFile: boolean;
  /** The first ones, which the daemon is not ready without. */
  readonly files: readonly ServedFile[];
}

interface ServedFileEntry {
  readonly file: string;
  readonly health: Health;
  readonly emit: Emit;
  readonly routes: FileRoutes;
}

/** Opens what answers people, health checks and monitoring, fed with the engine's events. Throws an EdictError `LISTEN_FAILED` if the address cannot be had. */
export async function openStatusServer(
  address: NonNullable<DaemonSettings['listen']>,
  { env, now, isSingleFile, files }: StatusServerDeps,
): Promise<StatusServer> {
  const metrics = openMetrics(readVersion());
  const token = env['EDICT_TOKEN'] || null;
  const shown: ServedFileEntry[] = [];
  const show = ({ settings, store, ...acts }: ServedFile): ServedFileEntry => {
    const [health, statusCache] = [new Health(), new StatusCache(now)];
    const daemonInfo = { version: readVersion(), file: settings.file, approveCommand: (plan: Plan) => approveCommand(plan, settings) };
    const count = metrics.forFile(settings.file);
    const emit: Emit = (event) => {
      // What was tried before this process is looked up once, when the gateway is known.
      if (event.type === 'plan:computed' && statusCache.plan === null) void loadLastAttempts(event.plan, store, statusCache);
      count(event);
      health.emit(event);
      statusCache.emit(event);
    };
    const taken = shown.map(({ routes }) => routes.pathPrefix);
    const routes: FileRoutes = {
      ...{
        pathPrefix: isSingleFile ? '' : routePrefix(settings.file, taken),
        statusCache,
        daemonInfo,
        now,
        broadcaster: new Broadcaster(statusCache, daemonInfo),
        token,
      },
      history: (gateway: GatewayIdentity, filter: HistoryFilter) => store.history(gateway, filter),
      approvals: (gateway: GatewayIdentity) => store.approvals(gateway),
      ...acts,
    };
    const one = { file: settings.file, health, emit, routes };
    shown.push(one);
    return one;
  };
  // A file that comes later may be broken: that is no reason to take what edict stands beside out of service.
  const awaited = files.map(show);
  const server = await startServer(address, {
    metrics,
    health: {
      live: () => aggregateHealth(shown, ({ health }) => health.live()),
      ready: () => aggregateHealth(awaited, ({ health }) => health.ready()),
    },
    routes: shown.map(({ routes }) => routes),
    allowedHosts: (env['EDICT_HOSTS'] ?? '').split(',').flatMap((name) => name.trim() || []),
  });
  const update = (): Promise<void> => server.setRoutes(shown.map(({ routes }) => routes));
  return {
    emitterFor: (of) => shown.find(({ file }) => file === of)?.emit ?? (() => {}),
    addFile: async (file) => {
      show(file);
      await update();
    },
    removeFile: async (of) => {
      const [gone] = shown.filter(({ file }) => file === of);
      for (const list of [shown, awaited]) if (gone && list.includes(gone)) list.splice(list.indexOf(gone), 1);
      gone?.routes.broadcaster.close();
      metrics.removeFile(of);
      await update();
    },
    url: server.url,
    close: async () => {
      for (const { routes } of shown) routes.broadcaster.close();
      await server.close();
    },
  };
}

/** Returns the answer of the first file that is not well, which it names if there may be several; otherwise that of the first. */
function aggregateHealth(files: readonly ServedFileEntry[], ask: (of: ServedFileEntry) => HealthResult): HealthResult {
  for (const of of files) {
    const { ok, message } = ask(of);
    if (!ok) return { ok, message: of.routes.pathPrefix === '' ? message : `${of.file}: ${message}` };
  }
  return files[0] ? ask(files[0]) : { ok: true, message: 'the files of the start have left their folder' };
}

/** Returns a name for the paths of a file, other than those that are `taken`. */
export function routePrefix(file: string, taken: readonly string[]): string {
  const name = basename(file, extname(file)).replaceAll(/[^\w.-]/g, '-');
  const isTaken = (of: string): boolean => taken.includes(of) || reservedPrefixes.has(of);
  let unique = name;
  for (let number = 2; isTaken(unique); number += 1) unique = `${name}-${number}`;
  return unique;
}

const reservedPrefixes = new Set(['', '.', '..', 'api', 'ui', 'metrics', 'livez', 'readyz']);

/** A store that cannot be read is told by the engine; the board then knows less of the past. */
async function loadLastAttempts({ gateway }: Plan, record: ServedFile['store'], board: StatusCache): Promise<void> {
  board.addLastAttempts(await record.lastAttempts(gateway).catch(() => new Map()));
}
