import type { components } from '../../generated/edict-api.d.ts';
import { estimate } from '../core/estimate.ts';
import type { Standing } from '../core/matrix.ts';
import type { Change } from '../core/plan.ts';
import type { Allowance } from '../core/ports.ts';
import type { DesiredState } from '../core/publication.ts';
import { durationInWords, momentInWords } from '../words/phrases.ts';
import { summaryJson, suspensionJson } from '../words/plan-json.ts';
import type { Board, ShownPass } from './board.ts';

type Schemas = components['schemas'];

/** What is said of the daemon and is not on the board. */
export interface About {
  readonly version: string;
  /** The path of the file. */
  readonly file: string;
  /** Returns the command that releases what a plan holds; `null` if it holds nothing. */
  readonly release: (plan: NonNullable<Board['plan']>) => string | null;
}

/** More of them than this hide the first ones. */
const mostMistakes = 50;

const noAllowance: Allowance = { calls: 0, perMs: 1000 };

/** Returns how the daemon is getting on, as programs and the page read it. */
export function liveJson(board: Board, standings: Readonly<Partial<Record<Standing, number>>>, about: About): Schemas['Live'] {
  const { plan, matrix } = board;
  return {
    format: 1,
    version: about.version,
    startedAt: momentInWords(board.startedAtMs),
    gateway: plan && { endpoint: plan.gateway.endpoint, project: plan.gateway.project, instance: plan.gateway.instance },
    file: fileJson(board, about.file),
    environments: matrix ? environmentsJson(matrix) : [],
    standings: { ...standings },
    summary: plan && summaryJson(plan),
    standsBy: board.standsBy,
    suspension: plan?.suspension ? suspensionJson(plan.suspension) : null,
    suspicion: plan?.suspicion ? { rule: plan.suspicion.rule, message: plan.suspicion.message, hint: plan.suspicion.hint } : null,
    release: plan && about.release(plan),
    queue: queueJson(board),
    passes: board.passes.map(passJson),
  };
}

function fileJson({ acceptedAtMs, complaint }: Board, path: string): Schemas['File'] {
  return {
    path,
    acceptedAt: acceptedAtMs === null ? null : momentInWords(acceptedAtMs),
    complaint: complaint?.message ?? null,
    mistakes: (complaint?.mistakes ?? []).slice(0, mostMistakes).map(({ rule: _, ...mistake }) => mistake),
  };
}

function environmentsJson({ desired, recorded }: NonNullable<Board['matrix']>): Schemas['Live']['environments'] {
  const known = new Map([...recorded.values()].map(({ environmentId, environment }) => [environmentId, environment]));
  const left = [...known].filter(([id]) => !desired.environments.has(id));
  return [
    ...[...desired.environments.values()].map(({ id, name, protected: isProtected }) => ({ id, name, protected: isProtected })),
    ...left.map(([id, name]) => ({ id, name, protected: false })),
  ];
}

function queueJson({ matrix, rate, stopped, inFlight }: Board): Schemas['Queue'] {
  const limit: Allowance = matrix?.desired.gateway.limit ?? noAllowance;
  const now = rate ?? limit;
  const changes = matrix ? [...matrix.changes.values()].filter((change) => !change.held && !change.waits) : [];
  return {
    left: changes.length,
    inFlight,
    rate: { calls: now.calls, perMs: now.perMs },
    limit: { calls: limit.calls, perMs: limit.perMs },
    secondsToGo: stopped || !matrix ? null : secondsFor(changes, matrix.desired, now),
    slowedBy: slowedBy(changes.length, now, limit, stopped?.message),
    stopped: stopped && { why: stopped.why, message: stopped.message, since: momentInWords(stopped.sinceMs) },
  };
}

function secondsFor(changes: readonly Change[], { gateway }: DesiredState, { calls, perMs }: Allowance): number {
  return estimate(changes, { ...gateway, limit: { ...gateway.limit, calls, perMs } }).seconds;
}

function slowedBy(left: number, rate: Allowance, limit: Allowance, stop: string | undefined): string | null {
  if (stop !== undefined) return stop;
  if (left === 0) return null;
  const inWords = ({ calls, perMs }: Allowance): string => `${calls} per ${durationInWords(perMs)}`;
  const isLower = rate.calls * limit.perMs < limit.calls * rate.perMs;
  return isLower ? `the gateway asks for less: ${inWords(rate)} of ${inWords(limit)}` : `the file’s limit: ${inWords(limit)}`;
}

function passJson({ id, cause, startedAtMs, result }: ShownPass): Schemas['Pass'] {
  return { id, cause, startedAt: momentInWords(startedAtMs), result };
}
