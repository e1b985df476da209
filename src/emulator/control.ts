import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ApiEdit } from './catalogue.ts';
import {
  apiEditForm,
  apiForm,
  byHandForm,
  environmentForm,
  faultForm,
  formError,
  latencyForm,
  sinceForm,
  throttleForm,
} from './control-forms.ts';
import type { Fault, Faults } from './faults.ts';
import type { RequestLog } from './request-log.ts';
import type { Named, SeedApi } from './seed.ts';
import { type Limit, Throttle } from './throttle.ts';
import type { World } from './world.ts';

type WrittenLatency = { readonly ms: number } | { readonly minMs: number; readonly maxMs: number } | null;

interface ByHand {
  readonly api: string;
  readonly environment: string;
  readonly action: 'online' | 'offline';
}

/** What `/_emulator` shows and sets. */
interface Controlled {
  readonly world: World;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly operationIds: readonly string[];
}

/** Adds what the service does not have: `/_emulator` shows what has happened and makes it misbehave while it runs. */
export function addControl(server: FastifyInstance, { world, faults, requests, operationIds }: Controlled): void {
  const form = (schema: Readonly<Record<string, object>>) => ({ schema, schemaErrorFormatter: formError });
  const done = (reply: FastifyReply): FastifyReply => reply.code(204).send();
  const noSuch = (reply: FastifyReply, id: string): FastifyReply => reply.code(404).send({ message: `no API has the ID ${id}` });

  server.get('/_emulator/publications', () => world.publications());
  server.put<{ Body: ByHand }>('/_emulator/publications', form({ body: byHandForm }), async ({ body }, reply) => {
    const made = world.changeByHand(body.api, body.environment, body.action);
    return 'status' in made ? reply.code(made.status).send({ message: made.errorMsg }) : done(reply);
  });
  server.post<{ Body: SeedApi }>('/_emulator/apis', form({ body: apiForm }), async ({ body }, reply) => {
    world.catalogue.addApi(body);
    return done(reply);
  });
  server.patch<{ Params: { id: string }; Body: ApiEdit }>('/_emulator/apis/:id', form({ body: apiEditForm }), async (request, reply) =>
    world.catalogue.changeApi(request.params.id, request.body) ? done(reply) : noSuch(reply, request.params.id),
  );
  server.delete<{ Params: { id: string } }>('/_emulator/apis/:id', async ({ params: { id } }, reply) =>
    world.deleteApi(id) ? done(reply) : noSuch(reply, id),
  );
  server.post<{ Body: Named }>('/_emulator/environments', form({ body: environmentForm }), async ({ body }, reply) => {
    world.catalogue.addEnvironment(body);
    return done(reply);
  });
  server.get<{ Querystring: { since?: string } }>('/_emulator/requests', form({ querystring: sinceForm }), ({ query: { since } }) =>
    since === undefined ? requests.all() : requests.since(Number(since)),
  );
  server.delete('/_emulator/requests', async (_request, reply) => {
    requests.clear();
    return done(reply);
  });
  server.delete('/_emulator/tokens', async (_request, reply) => {
    world.callers.endTokens();
    return done(reply);
  });
  server.post<{ Body: Fault }>('/_emulator/faults', form({ body: faultForm(operationIds) }), async ({ body }, reply) => {
    faults.add(body);
    return done(reply);
  });
  server.delete('/_emulator/faults', async (_request, reply) => {
    faults.clear();
    return done(reply);
  });
  server.put<{ Body: WrittenLatency }>('/_emulator/latency', form({ body: latencyForm }), async ({ body }, reply) => {
    if (body && 'minMs' in body && body.minMs > body.maxMs) throw new TypeError('body/minMs must be <= body/maxMs');
    faults.latencyMs = body === null ? 0 : 'ms' in body ? body.ms : body;
    return done(reply);
  });
  server.put<{ Body: Limit | null }>('/_emulator/throttle', form({ body: throttleForm }), async ({ body }, reply) => {
    faults.throttle = body && new Throttle(body);
    return done(reply);
  });
}
