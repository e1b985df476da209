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
import { type Site, startServer } from './server/server.ts';
import { openMetrics } from './telemetry/metrics.ts';
import { releaseCommand } from './words/release-command.ts';
import { version } from './words/version.ts';

/** What a running daemon shows to those who look after it. */
export interface Face {
  /** Returns what hears the engine's events of a file. */
  emitOf(file: string): Emit;
  /** Shows one more file. */
  add(file: FaceOfFile): Promise<void>;
  /** Shows a file no more. */
  remove(file: string): Promise<void>;
  readonly url: string;
  close(): Promise<void>;
}

/** What is shown of one file, and what can be done with it. */
export interface FaceOfFile {
  readonly settings: Settings;
  readonly record: Pick<RecordReader, 'history' | 'approvals' | 'lastAttempts'>;
  readonly approve: (gateway: GatewayIdentity, approval: NewApproval) => Promise<void>;
  readonly suspend: (gateway: GatewayIdentity, suspension: Suspension | null) => Promise<void>;
  /** Asks whoever holds the gateway's lease to reconcile now. */
  readonly resync: () => Promise<void>;
}

export interface FaceDeps {
  /** `EDICT_TOKEN` lets requests act, `EDICT_HOSTS` names the hosts that the daemon is known as. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Returns milliseconds since 1970. */
  readonly now: () => number;
  /** Whether there will only be one file, whose page is the first then. */
  readonly isOne: boolean;
  /** The first ones, which the daemon is not ready without. */
  readonly files: readonly FaceOfFile[];
}

interface Shown {
  readonly file: string;
  readonly health: Health;
  readonly emit: Emit;
  readonly site: Site;
}

/** Opens what answers people, health checks and monitoring, fed with the engine's events. Throws an EdictError `LISTEN` if the address cannot be had. */
export async function openFace(
  address: NonNullable<DaemonSettings['listen']>,
  { environment, now, isOne, files }: FaceDeps,
): Promise<Face> {
  const metrics = openMetrics(version());
  const token = environment['EDICT_TOKEN'] || null;
  const shown: Shown[] = [];
  const show = ({ settings, record, ...acts }: FaceOfFile): Shown => {
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
    const taken = shown.map(({ site }) => site.name);
    const site: Site = {
      ...{ name: isOne ? '' : siteName(settings.file, taken), board, about, now, broadcast: new Broadcast(board, about), token },
      history: (gateway: GatewayIdentity, filter: HistoryFilter) => record.history(gateway, filter),
      approvals: (gateway: GatewayIdentity) => record.approvals(gateway),
      ...acts,
    };
    const one = { file: settings.file, health, emit, site };
    shown.push(one);
    return one;
  };
  // A file that comes later may be broken: that is no reason to take what edict stands beside out of service.
  const awaited = files.map(show);
  const server = await startServer(address, {
    metrics,
    health: { live: () => worst(shown, ({ health }) => health.live()), ready: () => worst(awaited, ({ health }) => health.ready()) },
    sites: shown.map(({ site }) => site),
    names: (environment['EDICT_HOSTS'] ?? '').split(',').flatMap((name) => name.trim() || []),
  });
  const update = (): Promise<void> => server.show(shown.map(({ site }) => site));
  return {
    emitOf: (of) => shown.find(({ file }) => file === of)?.emit ?? (() => {}),
    add: async (file) => {
      show(file);
      await update();
    },
    remove: async (of) => {
      const [gone] = shown.filter(({ file }) => file === of);
      for (const list of [shown, awaited]) if (gone && list.includes(gone)) list.splice(list.indexOf(gone), 1);
      gone?.site.broadcast.close();
      metrics.drop(of);
      await update();
    },
    url: server.url,
    close: async () => {
      for (const { site } of shown) site.broadcast.close();
      await server.close();
    },
  };
}

/** Returns the answer of the first file that is not well, which it names if there may be several; otherwise that of the first. */
function worst(files: readonly Shown[], ask: (of: Shown) => Answer): Answer {
  for (const of of files) {
    const { ok, message } = ask(of);
    if (!ok) return { ok, message: of.site.name === '' ? message : `${of.file}: ${message}` };
  }
  return files[0] ? ask(files[0]) : { ok: true, message: 'the files of the start have left their folder' };
}

/** Returns a name for the paths of a file, other than those that are `taken`. */
export function siteName(file: string, taken: readonly string[]): string {
  const name = basename(file, extname(file)).replaceAll(/[^\w.-]/g, '-');
  const isTaken = (of: string): boolean => taken.includes(of) || reserved.has(of);
  let unique = name;
  for (let number = 2; isTaken(unique); number += 1) unique = `${name}-${number}`;
  return unique;
}

const reserved = new Set(['', '.', '..', 'api', 'page', 'metrics', 'livez', 'readyz']);

/** A store that cannot be read is told by the engine; the board then knows less of the past. */
async function recall({ gateway }: Plan, record: FaceOfFile['record'], board: Board): Promise<void> {
  board.recall(await record.lastAttempts(gateway).catch(() => new Map()));
}
