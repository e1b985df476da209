import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import PQueue from 'p-queue';
import type { components } from '../../generated/edict-api.d.ts';
import type { Approval, NewApproval } from '../model/approval.ts';
import type { Attempt, HistoryFilter } from '../model/attempt.ts';
import type { Plan } from '../model/change.ts';
import { parseDurationMs } from '../model/clock.ts';
import type { Suspension } from '../model/desired-state.ts';
import { EdictError } from '../model/errors.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import { createApproval, maxApprovalMs } from '../plan/approvals.ts';
import { approvalJson, historyAttemptJson } from '../render/attempt-json.ts';
import { formatTimestamp } from '../render/format.ts';
import type { AccessControl } from './access-control.ts';
import { readApiDocument, requestSchemas } from './api-document.ts';
import type { Broadcaster } from './broadcaster.ts';
import type { ConnectionLimiter } from './connection-limiter.ts';
import type { DaemonInfo } from './daemon-status.ts';
import { streamEvents } from './event-stream.ts';
import { createJsonBody, sendBody } from './response-body.ts';
import type { SharedDocuments } from './shared-documents.ts';
import type { StatusCache } from './status-cache.ts';

type Schemas = components['schemas'];

/** The data that the HTTP API serves for one file and the actions it can trigger. */
export interface ApiDeps {
  readonly statusCache: StatusCache;
  readonly documents: SharedDocuments;
  readonly broadcaster: Broadcaster;
  readonly daemonInfo: DaemonInfo;
  readonly history: (gateway: GatewayIdentity, filter: HistoryFilter, signal: AbortSignal) => Promise<readonly Attempt[]>;
  readonly approvals: (gateway: GatewayIdentity) => Promise<readonly Approval[]>;
  readonly approve: (gateway: GatewayIdentity, approval: NewApproval) => Promise<void>;
  /** Suspends calls to the gateway; `null` resumes them. Resolves when the suspension is recorded. */
  readonly suspend: (gateway: GatewayIdentity, suspension: Suspension | null) => Promise<void>;
  readonly resync: () => Promise<void>;
  /** Returns the time in milliseconds since 1970. */
  readonly now: () => number;
}

/** What limits the clients of a server. */
export interface ClientControl {
  readonly access: AccessControl;
  readonly limiter: Pick<ConnectionLimiter, 'startEventStream'>;
}

/** How many requests read the history at a time: each has up to a thousand attempts in memory. */
const concurrentHistoryReads = 2;

/**
 * Adds the routes under /api/v1 to `server`. Requests are validated against the OpenAPI document. `fileOf` returns the file that a request is
 * about, or throws if there is none: files come and go, and the routes stay.
 */
export function addApi(server: FastifyInstance, fileOf: (request: FastifyRequest) => ApiDeps, { access, limiter }: ClientControl): void {
  const schema = requestSchemas(readApiDocument());
  const historyReads = new PQueue({ concurrency: concurrentHistoryReads });
  server.addHook('onRequest', async (request) => {
    fileOf(request);
    const { method, raw } = request;
    if (method === 'GET' || method === 'HEAD') access.requireReader(raw);
    else access.requireActor(raw);
  });

  server.get<{ Querystring: { api?: string } }>('/api/v1/status', { schema: schema('GET', '/api/v1/status') }, async (request, reply) => {
    const { api } = request.query;
    const { documents } = fileOf(request);
    return sendBody(request, reply, api === undefined ? await documents.status() : await createJsonBody(await documents.statusOf(api)));
  });

  server.get('/api/v1/plan', { schema: schema('GET', '/api/v1/plan') }, async (request, reply) =>
    sendBody(request, reply, (await fileOf(request).documents.plan()) ?? throwNotReady()),
  );

  server.get<{ Querystring: { api?: string; environment?: string; limit: number } }>(
    '/api/v1/history',
    { schema: schema('GET', '/api/v1/history') },
    async (request, reply) => {
      const { api, environment, limit } = request.query;
      const file = fileOf(request);
      const { gateway } = requirePlan(file);
      const filter = { ...(api && { apis: [api] }), ...(environment && { environments: [environment] }), limit };
      const left = new AbortController();
      reply.raw.once('close', () => left.abort(new EdictError('BUSY', 'the client has closed its connection')));
      const body = await historyReads.add(async () => {
        left.signal.throwIfAborted();
        const attempts = await file.history(gateway, filter, left.signal);
        const approvals = (await file.approvals(gateway)).slice(0, limit);
        return createJsonBody({ format: 1, attempts: attempts.map(historyAttemptJson), approvals: approvals.map(approvalJson) });
      });
      return sendBody(request, reply, body);
    },
  );

  server.get('/api/v1/events', { schema: schema('GET', '/api/v1/events') }, (request, reply) => {
    if (request.method === 'HEAD') {
      reply.header('cache-control', 'no-store').type('text/event-stream; charset=utf-8').send(Readable.from([]));
      return;
    }
    const { broadcaster } = fileOf(request);
    limiter.startEventStream(request.raw.socket);
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value);
    streamEvents(request.raw, reply.raw, broadcaster).catch(() => reply.raw.destroy());
  });

  server.post('/api/v1/resync', { schema: schema('POST', '/api/v1/resync') }, async (request, reply) => {
    await fileOf(request).resync();
    return reply.code(202).send();
  });

  server.post<{ Body: Required<Schemas['ApprovalRequest']> }>(
    '/api/v1/approvals',
    { schema: schema('POST', '/api/v1/approvals') },
    async (request, reply) => {
      const { digest, by, reason, expiresAfter } = request.body;
      const expiresAfterMs = parseDurationMs(expiresAfter) ?? 0;
      if (expiresAfterMs === 0 || expiresAfterMs > maxApprovalMs) {
        throw new EdictError('OPTION_INVALID', `expiresAfter: ${expiresAfter} is out of range`, {
          hint: 'expected more than 0s and at most 168h',
        });
      }
      const file = fileOf(request);
      const holds = file.statusCache.holds ?? throwNotReady();
      const approval = createApproval(holds, { digest, by, reason, expiresAfterMs }, file.now());
      await file.approve(holds.gateway, approval);
      return reply.code(201).send(createdApprovalJson(approval));
    },
  );

  server.put<{ Body: Schemas['SuspensionRequest'] }>(
    '/api/v1/suspension',
    { schema: schema('PUT', '/api/v1/suspension') },
    async (request, reply) => {
      const { by, reason, for: time } = request.body;
      const file = fileOf(request);
      const forMs = time === undefined ? null : parseDurationMs(time);
      if (time !== undefined && !forMs)
        throw new EdictError('OPTION_INVALID', `for: ${time} is not a duration`, { hint: 'expected a duration such as 30m or 2h' });
      const nowMs = file.now();
      const suspension = { by, reason, sinceMs: nowMs, untilMs: forMs === null ? null : nowMs + forMs };
      await file.suspend(requirePlan(file).gateway, suspension);
      return reply.code(204).send();
    },
  );

  server.delete('/api/v1/suspension', { schema: schema('DELETE', '/api/v1/suspension') }, async (request, reply) => {
    const file = fileOf(request);
    await file.suspend(requirePlan(file).gateway, null);
    return reply.code(204).send();
  });
}

function requirePlan({ statusCache }: ApiDeps): Plan {
  return statusCache.plan ?? throwNotReady();
}

function throwNotReady(): never {
  throw new EdictError('PLAN_NOT_READY', 'there is no plan yet', {
    hint: 'the first plan follows the first valid file; /readyz shows what is missing',
  });
}

function createdApprovalJson({ digest, by, reason, approvedAtMs, expiresAtMs }: NewApproval): Schemas['CreatedApproval'] {
  return { format: 1, digest, by, reason, approvedAt: formatTimestamp(approvedAtMs), expiresAt: formatTimestamp(expiresAtMs) };
}
