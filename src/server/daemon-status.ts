import type { components } from '../../generated/edict-api.d.ts';
import type { Change } from '../model/change.ts';
import type { RequestPause } from '../model/controller-status.ts';
import type { DesiredState } from '../model/desired-state.ts';
import type { RateLimit } from '../model/gateway.ts';
import { estimateCost } from '../plan/estimate.ts';
import type { PublicationStatus } from '../plan/status.ts';
import { type PlanSummary, summarizePlan } from '../plan/summary.ts';
import type { ApproveCommand } from '../render/command-line.ts';
import { withoutSource } from '../render/diagnostic.ts';
import { formatRateLimit, formatTimestamp, formatUnobserved } from '../render/format.ts';
import { formatHeadline } from '../render/headline.ts';
import { fileHoldJson, lastCheckedJson, suspensionJson } from '../render/plan-json.ts';
import type { ReconciliationView, StatusCache } from './status-cache.ts';

type Schemas = components['schemas'];

/** Facts about the daemon that are not in the status cache. */
export interface DaemonInfo {
  readonly version: string;
  /** The path of the file. */
  readonly file: string;
  /** Whether an emulated gateway is used in place of the file's; default: no. */
  readonly isEmulated?: boolean;
  /** Returns the command that approves the held changes of a plan; `null` if nothing is held. */
  readonly approveCommand: ApproveCommand;
}

/** The number of diagnostics shown. */
const maxDiagnostics = 50;

const zeroRate: RateLimit = { calls: 0, perMs: 1000 };

/** Returns the status of the daemon as the HTTP API and the page read it. */
export function daemonStatusJson(
  statusCache: StatusCache,
  statusCounts: Readonly<Partial<Record<PublicationStatus, number>>>,
  daemonInfo: DaemonInfo,
): Schemas['DaemonStatus'] {
  const { plan, matrix, holds } = statusCache;
  const summary = summarizeRemaining(statusCache);
  return {
    format: 1,
    version: daemonInfo.version,
    startedAt: formatTimestamp(statusCache.startedAtMs),
    gateway: plan && { endpoint: plan.gateway.endpoint, project: plan.gateway.project, instance: plan.gateway.instance },
    emulated: daemonInfo.isEmulated ?? false,
    file: fileJson(statusCache, daemonInfo.file),
    environments: matrix ? environmentsJson(matrix) : [],
    statusCounts: { ...statusCounts },
    summary,
    headline: headlineOf(statusCache),
    lastChecked: plan && lastCheckedJson(plan),
    standbyReason: statusCache.standbyReason,
    suspension: plan?.suspension ? suspensionJson(plan.suspension) : null,
    fileHeld: holds?.fileHeld ? fileHoldJson(holds.fileHeld) : null,
    approveCommand: holds && daemonInfo.approveCommand(holds),
    queue: queueJson(statusCache),
    reconciliations: statusCache.reconciliations.map(reconciliationJson),
  };
}

/** Returns how the gateway differs from the file, in one sentence, or why that is not known; `null` before the first look. */
export function headlineOf(statusCache: StatusCache): string | null {
  const { unobservedReason: reason, plan, holds } = statusCache;
  if (reason !== null) return formatUnobserved({ reason, remedy: 'it is looked at again automatically' });
  const summary = summarizeRemaining(statusCache);
  return plan && summary && formatHeadline({ ...plan, fileHeld: holds?.fileHeld ?? null }, summary);
}

/** Returns the summary of the newest plan, of which some changes have been made since; `null` before the first plan. */
function summarizeRemaining({ plan, matrix }: StatusCache): PlanSummary | null {
  if (!plan || !matrix) return null;
  const { changes } = matrix;
  const left = plan.changes.filter(({ key }) => changes.has(key));
  return summarizePlan({ ...plan, changes: left, unchanged: plan.unchanged + plan.changes.length - left.length }, matrix);
}

function fileJson({ loadedAtMs, fileError }: StatusCache, path: string): Schemas['File'] {
  return {
    path,
    loadedAt: loadedAtMs === null ? null : formatTimestamp(loadedAtMs),
    error: fileError?.message ?? null,
    errors: (fileError?.diagnostics ?? []).slice(0, maxDiagnostics).map((diagnostic) => {
      const { rule: _, ...shown } = withoutSource(diagnostic);
      return shown;
    }),
  };
}

function environmentsJson({ desired, recorded }: NonNullable<StatusCache['matrix']>): Schemas['DaemonStatus']['environments'] {
  const known = new Map([...recorded.values()].map(({ environmentId, environment }) => [environmentId, environment]));
  const undeclared = [...known].filter(([id]) => !desired.environments.has(id));
  return [
    ...[...desired.environments.values()].map(({ id, name, isProtected }) => ({ id, name, protected: isProtected })),
    ...undeclared.map(([id, name]) => ({ id, name, protected: false })),
  ];
}

function queueJson({ matrix, rate, paused, inFlight }: StatusCache): Schemas['Queue'] {
  const limit: RateLimit = matrix?.desired.gateway.limit ?? zeroRate;
  const now = rate ?? limit;
  const changes = matrix ? [...matrix.changes.values()].filter((change) => !change.held && !change.deferred) : [];
  return {
    remaining: changes.length,
    inFlight,
    rate: { calls: now.calls, perMs: now.perMs },
    limit: { calls: limit.calls, perMs: limit.perMs },
    remainingSeconds: paused || !matrix ? null : estimateSeconds(changes, matrix.desired, now),
    bottleneck: formatBottleneck(changes.length, { rate: now, limit, paused }),
    paused: paused && { reason: paused.reason, message: paused.message, since: formatTimestamp(paused.sinceMs) },
  };
}

function estimateSeconds(changes: readonly Change[], { gateway }: DesiredState, { calls, perMs }: RateLimit): number {
  return estimateCost(changes, { ...gateway, limit: { ...gateway.limit, calls, perMs } }).seconds;
}

function formatBottleneck(
  remaining: number,
  { rate, limit, paused }: { readonly rate: RateLimit; readonly limit: RateLimit; readonly paused: RequestPause | null },
): string | null {
  if (paused) return paused.message;
  if (remaining === 0) return null;
  const isLower = rate.calls * limit.perMs < limit.calls * rate.perMs;
  return isLower
    ? `throttled by the gateway: ${formatRateLimit(rate)} of ${formatRateLimit(limit)}`
    : `limit in the file: ${formatRateLimit(limit)}`;
}

function reconciliationJson({ id, cause, startedAtMs, result }: ReconciliationView): Schemas['Reconciliation'] {
  return { id, cause, startedAt: formatTimestamp(startedAtMs), result };
}
