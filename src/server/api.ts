import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { components } from '../../generated/edict-api.d.ts';
import type { Approval, NewApproval } from '../model/approval.ts';
import type { Attempt, HistoryFilter } from '../model/attempt.ts';
import type { Plan } from '../model/change.ts';
import { parseDurationMs } from '../model/clock.ts';
import type { Suspension } from '../model/desired-state.ts';
import { EdictError } from '../model/errors.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import { createApproval, maxApprovalMs } from '../plan/approvals.ts';
import { computeStatusCell } from '../plan/status.ts';
import { approvalJson, historyAttemptJson } from '../render/attempt-json.ts';
import { formatTimestamp } from '../render/format.ts';
import { planJson } from '../render/plan-json.ts';
import { publicationJson } from '../render/status-json.ts';
import { readApiDocument, requestSchemas } from './api-document.ts';
import { type Broadcaster, streamEvents } from './broadcaster.ts';
import { type DaemonInfo, daemonStatusJson } from './daemon-status.ts';
import { publicationKeysOf, type StatusCache } from './status-cache.ts';

type Schemas = components['schemas'];

/** The data that the HTTP API serves and the actions it can trigger. */
export interface ApiDeps {
  readonly statusCache: StatusCache;
  readonly broadcaster: Broadcaster;
  readonly daemonInfo: DaemonInfo;
  readonly history: (gateway: GatewayIdentity, filter: HistoryFilter) => Promise<readonly Attempt[]>;
  readonly approvals: (gateway: GatewayIdentity) => Promise<readonly Approval[]>;
  readonly approve: (gateway: GatewayIdentity, approval: NewApproval) => Promise<void>;
  /** Suspends calls to the gateway; `null` resumes them. Resolves when the suspension is recorded. */
  readonly suspend: (gateway: GatewayIdentity, suspension: Suspension | null) => Promise<void>;
  readonly resync: () => Promise<void>;
  /** The bearer token required for actions; `null` disables actions. */
  readonly token: string | null;
  /** Returns the time in milliseconds since 1970. */
  readonly now: () => number;
}

/** Maximum number of concurrent event streams. */
const maxEventStreams = 200;

/** Adds all routes under /api/v1 to `server`. Requests are validated against the OpenAPI document. */
export function addApi(server: FastifyInstance, deps: ApiDeps): void {
  const { statusCache, broadcaster, daemonInfo } = deps;
  const text = readApiDocument();
  const schema = requestSchemas(text);
  const authorize = async (request: FastifyRequest): Promise<void> => requireToken(request.headers.authorization, deps.token);

  server.get('/api/v1/openapi.json', async (_, reply) => reply.type('application/json').send(text));

  server.get<{ Querystring: { api?: string } }>('/api/v1/status', { schema: schema('GET', '/api/v1/status') }, async ({ query }) =>
    apiStatusJson(statusCache, daemonInfo, query.api),
  );

  server.get('/api/v1/plan', { schema: schema('GET', '/api/v1/plan') }, async () => {
    const { plan, matrix } = requirePlan(statusCache);
    return planJson({
      plan,
      desired: matrix.desired,
      notices: [],
      approveCommand: daemonInfo.approveCommand(plan),
    });
  });

  server.get<{ Querystring: { api?: string; environment?: string; limit: number } }>(
    '/api/v1/history',
    { schema: schema('GET', '/api/v1/history') },
    async ({ query: { api, environment, limit } }) => {
      const { gateway } = requirePlan(statusCache).plan;
      const filter = { ...(api && { apis: [api] }), ...(environment && { environments: [environment] }) };
      const attempts = await deps.history(gateway, { ...filter, limit });
      const approvals = (await deps.approvals(gateway)).slice(0, limit);
      return { format: 1, attempts: attempts.map(historyAttemptJson), approvals: approvals.map(approvalJson) };
    },
  );

  server.get('/api/v1/events', { schema: schema('GET', '/api/v1/events') }, (_, reply: FastifyReply) => {
    if (broadcaster.subscribers >= maxEventStreams) {
      throw new EdictError('BUSY', `there are ${maxEventStreams} event streams already`, { hint: 'close some of the pages that are open' });
    }
    reply.hijack();
    streamEvents(reply.raw, broadcaster);
  });

  server.post('/api/v1/resync', { schema: schema('POST', '/api/v1/resync'), onRequest: authorize }, async (_, reply) => {
    await deps.resync();
    return reply.code(202).send();
  });

  server.post<{ Body: Required<Schemas['ApprovalRequest']> }>(
    '/api/v1/approvals',
    { schema: schema('POST', '/api/v1/approvals'), onRequest: authorize },
    async ({ body: { digest, by, reason, expiresAfter } }, reply) => {
      const expiresAfterMs = parseDurationMs(expiresAfter) ?? 0;
      if (expiresAfterMs === 0 || expiresAfterMs > maxApprovalMs) {
        throw new EdictError('OPTION_INVALID', `expiresAfter: ${expiresAfter} is out of range`, {
          hint: 'expected more than 0s and at most 168h',
        });
      }
      const { plan } = requirePlan(statusCache);
      const approval = createApproval(plan, { digest, by, reason, expiresAfterMs }, deps.now());
      await deps.approve(plan.gateway, approval);
      return reply.code(201).send(createdApprovalJson(approval));
    },
  );

  server.put<{ Body: Schemas['SuspensionRequest'] }>(
    '/api/v1/suspension',
    { schema: schema('PUT', '/api/v1/suspension'), onRequest: authorize },
    async ({ body: { by, reason, for: time } }, reply) => {
      const forMs = time === undefined ? null : parseDurationMs(time);
      if (time !== undefined && !forMs)
        throw new EdictError('OPTION_INVALID', `for: ${time} is not a duration`, { hint: 'expected a duration such as 30m or 2h' });
      const nowMs = deps.now();
      const suspension = { by, reason, sinceMs: nowMs, untilMs: forMs === null ? null : nowMs + forMs };
      await deps.suspend(requirePlan(statusCache).plan.gateway, suspension);
      return reply.code(204).send();
    },
  );

  server.delete('/api/v1/suspension', { schema: schema('DELETE', '/api/v1/suspension'), onRequest: authorize }, async (_, reply) => {
    await deps.suspend(requirePlan(statusCache).plan.gateway, null);
    return reply.code(204).send();
  });
}

function requirePlan({ plan, matrix }: StatusCache): { readonly plan: Plan; readonly matrix: NonNullable<StatusCache['matrix']> } {
  if (plan && matrix) return { plan, matrix };
  throw new EdictError('PLAN_NOT_READY', 'there is no plan yet', {
    hint: 'the first plan follows the first valid file; /readyz shows what is missing',
  });
}

function apiStatusJson(statusCache: StatusCache, daemonInfo: DaemonInfo, apiId: string | undefined): Schemas['Status'] {
  const { matrix } = statusCache;
  const cells = matrix ? [...publicationKeysOf(statusCache)].flatMap((key) => computeStatusCell(key, matrix) ?? []) : [];
  const statusCounts = Object.fromEntries([...Map.groupBy(cells, ({ status }) => status)].map(([name, { length }]) => [name, length]));
  const shown = apiId === undefined ? cells : cells.filter((cell) => cell.apiId === apiId);
  return { daemon: daemonStatusJson(statusCache, statusCounts, daemonInfo), publications: shown.map(publicationJson) };
}

function createdApprovalJson({ digest, by, reason, approvedAtMs, expiresAtMs }: NewApproval): Schemas['CreatedApproval'] {
  return { format: 1, digest, by, reason, approvedAt: formatTimestamp(approvedAtMs), expiresAt: formatTimestamp(expiresAtMs) };
}

/**
 * Checks that a request carries the token, in constant time.
 *
 * @throws EdictError `TOKEN_NOT_CONFIGURED` if the daemon has no token, `TOKEN` if the request has a missing or wrong one
 */
export function requireToken(authorization: string | undefined, token: string | null): void {
  if (token === null) {
    throw new EdictError('TOKEN_NOT_CONFIGURED', 'this daemon has no token, so it is read-only', {
      hint: 'set EDICT_TOKEN in its environment to allow actions',
    });
  }
  const given = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '';
  if (!timingSafeEqual(sha256(given), sha256(token))) {
    throw new EdictError('TOKEN', 'the token is missing or wrong', { hint: 'send the daemon’s EDICT_TOKEN as Authorization: Bearer …' });
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
