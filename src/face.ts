import type { DaemonSettings, Settings } from './config.ts';
import type { Emit } from './core/events.ts';
import type { NewApproval } from './core/guards.ts';
import type { Plan } from './core/plan.ts';
import type { RecordReader } from './core/ports.ts';
import type { GatewayIdentity, Suspension } from './core/publication.ts';
import { Board } from './server/board.ts';
import { Broadcast } from './server/broadcast.ts';
import { Health } from './server/health.ts';
import { startServer } from './server/server.ts';
import { openMetrics } from './telemetry/metrics.ts';
import { releaseCommand } from './words/release-command.ts';
import { version } from './words/version.ts';

/** What a running daemon shows to those who look after it. */
export interface Face {
  readonly emit: Emit;
  readonly url: string;
  close(): Promise<void>;
}

export interface FaceDeps {
  readonly settings: Settings;
  /** `EDICT_TOKEN` lets requests act, `EDICT_HOSTS` names the hosts that the daemon is known as. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly record: Pick<RecordReader, 'history' | 'approvals' | 'lastAttempts'>;
  readonly approve: (gateway: GatewayIdentity, approval: NewApproval) => Promise<void>;
  readonly suspend: (gateway: GatewayIdentity, suspension: Suspension | null) => Promise<void>;
  /** Asks for a pass now. */
  readonly resync: () => void;
  /** Returns milliseconds since 1970. */
  readonly now: () => number;
}

/** Opens what answers people, health checks and monitoring, fed with the engine's events. Throws an EdictError `LISTEN` if the address cannot be had. */
export async function openFace(address: NonNullable<DaemonSettings['listen']>, deps: FaceDeps): Promise<Face> {
  const { settings, environment, record, now } = deps;
  const [metrics, health, board] = [openMetrics(version()), new Health(), new Board(now)];
  const about = { version: version(), file: settings.file, release: (plan: Plan) => releaseCommand(plan, settings) };
  const broadcast = new Broadcast(board, about);
  const server = await startServer(address, {
    ...{ metrics, health, board, broadcast, about, now },
    names: (environment['EDICT_HOSTS'] ?? '').split(',').flatMap((name) => name.trim() || []),
    token: environment['EDICT_TOKEN'] || null,
    history: (gateway, filter) => record.history(gateway, filter),
    approvals: (gateway) => record.approvals(gateway),
    approve: deps.approve,
    suspend: deps.suspend,
    resync: deps.resync,
  });
  const emit: Emit = (event) => {
    // What was tried before this process is looked up once, when the gateway is known.
    if (event.type === 'plan:made' && board.plan === null) void recall(event.plan, record, board);
    metrics.emit(event);
    health.emit(event);
    board.emit(event);
  };
  const close = async (): Promise<void> => {
    broadcast.close();
    await server.close();
  };
  return { emit, url: server.url, close };
}

/** A store that cannot be read is told by the engine; the board then knows less of the past. */
async function recall({ gateway }: Plan, record: FaceDeps['record'], board: Board): Promise<void> {
  board.recall(await record.lastAttempts(gateway).catch(() => new Map()));
}
