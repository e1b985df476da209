import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ApiUpdate } from './catalog.ts';
import {
  apiSchema,
  apiUpdateSchema,
  behaviorSchema,
  environmentSchema,
  faultSchema,
  latencySchema,
  manualChangeSchema,
  schemaError,
  sinceSchema,
  throttleSchema,
} from './control-schemas.ts';
import type { Fault, FaultInjector } from './faults.ts';
import type { GatewayState, UnknownBehavior } from './gateway-state.ts';
import type { RequestLog } from './request-log.ts';
import type { SeedApi, SeedResource } from './seed.ts';
import { Throttle, type ThrottleLimit } from './throttle.ts';

type LatencyBody = { readonly ms: number } | { readonly minMs: number; readonly maxMs: number } | null;

interface ManualChange {
  readonly api: string;
  readonly environment: string;
  readonly action: 'online' | 'offline';
}

/** The parts of the emulator that `/_emulator` reads and controls. */
interface ControlDeps {
  readonly state: GatewayState;
  readonly faults: FaultInjector;
  readonly requests: RequestLog;
  readonly operationIds: readonly string[];
}

/** Adds the `/_emulator` routes, which the service does not have. They show state and requests, and inject faults at run time. */
export function addControlRoutes(server: FastifyInstance, { state, faults, requests, operationIds }: ControlDeps): void {
  const withSchema = (schema: Readonly<Record<string, object>>) => ({ schema, schemaErrorFormatter: schemaError });
  const noContent = (reply: FastifyReply): FastifyReply => reply.code(204).send();
  const apiNotFound = (reply: FastifyReply, id: string): FastifyReply => reply.code(404).send({ message: `no API has the ID ${id}` });

  server.get('/_emulator/publications', () => state.publications());
  server.put<{ Body: ManualChange }>('/_emulator/publications', withSchema({ body: manualChangeSchema }), async ({ body }, reply) => {
    const result = state.changeManually(body.api, body.environment, body.action);
    return 'status' in result ? reply.code(result.status).send({ message: result.errorMsg }) : noContent(reply);
  });
  server.post<{ Body: SeedApi }>('/_emulator/apis', withSchema({ body: apiSchema }), async ({ body }, reply) => {
    state.catalog.addApi(body);
    return noContent(reply);
  });
  server.patch<{ Params: { id: string }; Body: ApiUpdate }>(
    '/_emulator/apis/:id',
    withSchema({ body: apiUpdateSchema }),
    async (request, reply) =>
      state.catalog.updateApi(request.params.id, request.body) ? noContent(reply) : apiNotFound(reply, request.params.id),
  );
  server.delete<{ Params: { id: string } }>('/_emulator/apis/:id', async ({ params: { id } }, reply) =>
    state.deleteApi(id) ? noContent(reply) : apiNotFound(reply, id),
  );
  server.post<{ Body: SeedResource }>('/_emulator/environments', withSchema({ body: environmentSchema }), async ({ body }, reply) => {
    state.catalog.addEnvironment(body);
    return noContent(reply);
  });
  server.get<{ Querystring: { since?: string } }>(
    '/_emulator/requests',
    withSchema({ querystring: sinceSchema }),
    ({ query: { since } }) => (since === undefined ? requests.all() : requests.since(Number(since))),
  );
  server.delete('/_emulator/requests', async (_request, reply) => {
    requests.clear();
    return noContent(reply);
  });
  server.delete('/_emulator/tokens', async (_request, reply) => {
    state.auth.revokeTokens();
    return noContent(reply);
  });
  server.post<{ Body: Fault }>('/_emulator/faults', withSchema({ body: faultSchema(operationIds) }), async ({ body }, reply) => {
    faults.add(body);
    return noContent(reply);
  });
  server.delete('/_emulator/faults', async (_request, reply) => {
    faults.clear();
    return noContent(reply);
  });
  server.put<{ Body: LatencyBody }>('/_emulator/latency', withSchema({ body: latencySchema }), async ({ body }, reply) => {
    if (body && 'minMs' in body && body.minMs > body.maxMs) throw new TypeError('body/minMs must be <= body/maxMs');
    faults.latencyMs = body === null ? 0 : 'ms' in body ? body.ms : body;
    return noContent(reply);
  });
  server.put<{ Body: ThrottleLimit | null }>('/_emulator/throttle', withSchema({ body: throttleSchema }), async ({ body }, reply) => {
    faults.throttle = body && new Throttle(body);
    return noContent(reply);
  });
  server.put<{ Body: Partial<UnknownBehavior> }>('/_emulator/behavior', withSchema({ body: behaviorSchema }), async ({ body }, reply) => {
    state.behavior = { ...state.behavior, ...body };
    return noContent(reply);
  });
}
