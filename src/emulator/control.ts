import type { FastifyInstance } from 'fastify';
import type { Fault, Faults } from './faults.ts';
import type { RequestLog } from './request-log.ts';
import type { World } from './world.ts';

/** Adds what the service does not have: `/_emulator` shows what has happened and sets faults while it runs. */
export function addControl(
  server: FastifyInstance,
  parts: { readonly world: World; readonly faults: Faults; readonly requests: RequestLog },
): void {
  const { world, faults, requests } = parts;
  server.get('/_emulator/publications', () => world.publications());
  server.get('/_emulator/requests', () => requests.all());
  server.delete('/_emulator/requests', async (_request, reply) => {
    requests.clear();
    return reply.code(204).send();
  });
  server.post<{ Body: Fault }>('/_emulator/faults', { schema: { body: faultSchema } }, async (request, reply) => {
    faults.add(request.body);
    return reply.code(204).send();
  });
  server.put<{ Body: { ms: number } }>('/_emulator/latency', { schema: { body: latencySchema } }, async (request, reply) => {
    faults.latencyMs = request.body.ms;
    return reply.code(204).send();
  });
  server.delete('/_emulator/faults', async (_request, reply) => {
    faults.clear();
    return reply.code(204).send();
  });
}

const faultSchema = {
  type: 'object',
  required: ['times', 'status', 'errorCode', 'errorMsg'],
  additionalProperties: false,
  properties: {
    times: { type: 'integer', minimum: 1 },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    errorCode: { type: 'string' },
    errorMsg: { type: 'string' },
    apiId: { type: 'string' },
    applied: { type: 'boolean' },
    headers: {
      type: 'object',
      additionalProperties: false,
      // What HTTP allows in a header's name and value.
      patternProperties: { "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$": { type: 'string', pattern: '^[\\t -~]*$' } },
    },
  },
} as const;

const latencySchema = {
  type: 'object',
  required: ['ms'],
  additionalProperties: false,
  properties: { ms: { type: 'integer', minimum: 0, maximum: 600_000 } },
} as const;
