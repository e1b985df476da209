import { basename, extname } from 'node:path';
import type { DaemonSettings, Settings } from './config.ts';
import type { Emit } from './core/events.ts';
import type { NewApproval } from './core/guards.ts';
import type { Plan } from './core/plan.ts';
import type { HistoryFilter, RecordReader } from './core/ports.ts';
import type { GatewayIdentity, Suspension } from './core/publication.ts';
import { Board } from './server/board.ts';
import { Broadcast } from './server/broadcast.ts';
import { type Answer, Health } from './server/health.ts';
import { startServer } from './server/server.ts';
import { openMetrics } from './telemetry/metrics.ts';
import { releaseCommand } from './words/release-command.ts';
import { version } from './words/version.ts';

/** What a running daemon shows to those who look after it. */
export interface Face {
  /** Returns what hears the engine's events of a file. */
  emitOf(file: string): Emit;
  readonly url: string;
  close(): Promise<void>;
}

/** What is shown of one file, and what can be done with it. */
export interface FaceOfFile {
  readonly settings: Settings;
  readonly record: Pick<RecordReader, 'history' | 'approvals' | 'lastAttempts'>;
  readonly approve: (gateway: GatewayIdentity, approval: NewApproval) => Promise<void>;
  readonly suspend: (gateway: GatewayIdentity, suspension: Suspension | null) => Promise<void>;
  /** Asks for a pass now. */
  readonly resync: () => void;
}

export interface FaceDeps {
  /** `EDICT_TOKEN` lets requests act, `EDICT_HOSTS` names the hosts that the daemon is known as. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Returns milliseconds since 1970. */
  readonly now: () => number;
  readonly files: readonly FaceOfFile[];
}

/** Opens what answers people, health checks and monitoring, fed with the engine's events. Throws an EdictError `LISTEN` if the address cannot be had. */
export async function openFace(address: NonNullable<DaemonSettings['listen']>, { environment, now, files }: FaceDeps): Promise<Face> {
  const metrics = openMetrics(version());
  const names = siteNames(files.map(({ settings }) => settings.file));
  const sites = files.map(({ settings, record, ...acts }, index) => {
    const [health, board] = [new Health(), new Board(now)];
    const about = { version: version(), file: settings.file, release: (plan: Plan) => releaseCommand(plan, settings) };
    const count = metrics.of(settings.file);
    const emit: Emit = (event) => {
      // What was tried before this process is looked up once, when the gateway is known.
      if (event.type === 'plan:made' && board.plan === null) void recall(event.plan, record, board);
      count(event);
      health.emit(event);
      board.emit(event);
    };
    const site = {
      ...{ name: names[index] ?? '', board, about, now, broadcast: new Broadcast(board, about), token: environment['EDICT_TOKEN'] || null },
      history: (gateway: GatewayIdentity, filter: HistoryFilter) => record.history(gateway, filter),
      approvals: (gateway: GatewayIdentity) => record.approvals(gateway),
      ...acts,
    };
    return { file: settings.file, health, emit, site };
  });
  const server = await startServer(address, {
    metrics,
    health: { live: () => worst(sites, ({ health }) => health.live()), ready: () => worst(sites, ({ health }) => health.ready()) },
    sites: sites.map(({ site }) => site),
    names: (environment['EDICT_HOSTS'] ?? '').split(',').flatMap((name) => name.trim() || []),
  });
  const emitOf = (of: string): Emit => sites.find(({ file }) => file === of)?.emit ?? (() => {});
  const close = async (): Promise<void> => {
    for (const { site } of sites) site.broadcast.close();
    await server.close();
  };
  return { emitOf, url: server.url, close };
}

/** Returns the answer of the first file that is not well, which it names where there are several; otherwise that of the first. */
function worst<T extends { readonly file: string }>(sites: readonly T[], ask: (of: T) => Answer): Answer {
  for (const site of sites) {
    const { ok, message } = ask(site);
    if (!ok) return { ok, message: sites.length > 1 ? `${site.file}: ${message}` : message };
  }
  return sites[0] ? ask(sites[0]) : { ok: false, message: 'no file' };
}

/** Returns names for the paths of each file, no two the same; an only one needs none. */
export function siteNames(files: readonly string[]): readonly string[] {
  if (files.length === 1) return [''];
  const names: string[] = [];
  for (const file of files) {
    const name = basename(file, extname(file)).replaceAll(/[^\w.-]/g, '-');
    const isTaken = (of: string): boolean => names.includes(of) || reserved.has(of);
    let unique = name;
    for (let number = 2; isTaken(unique); number += 1) unique = `${name}-${number}`;
    names.push(unique);
  }
  return names;
}

const reserved = new Set(['', '.', '..', 'api', 'page', 'metrics', 'livez', 'readyz']);

/** A store that cannot be read is told by the engine; the board then knows less of the past. */
async function recall({ gateway }: Plan, record: FaceOfFile['record'], board: Board): Promise<void> {
  board.recall(await record.lastAttempts(gateway).catch(() => new Map()));
}
