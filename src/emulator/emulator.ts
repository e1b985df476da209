import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { addControl } from './control.ts';
import { Faults } from './faults.ts';
import { type Answer, type Call, implementations, implemented, refusal, type WithImplementation } from './implementations.ts';
import { RequestLog } from './request-log.ts';
import type { Seed } from './seed.ts';
import { type Operation, operations } from './specification.ts';
import { type Refusal, World } from './world.ts';

export interface EmulatorOptions {
  readonly seed: Seed;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 0, any free one. */
  readonly port?: number;
  /** Default: this machine's clock. */
  readonly now?: () => Date;
}

/** The service on this machine. */
export interface Emulator {
  /** Its address, without a slash at the end. */
  readonly url: string;
  readonly world: World;
  readonly faults: Faults;
  readonly requests: RequestLog;
  /** Ends all connections and gives the port free. */
  close(): Promise<void>;
}

/** Larger bodies are refused, as the service does ("body at most 12 MB"). */
const bodyLimit = 12 * 1024 * 1024;

/** Starts the service from its specification. Throws an Error if the port is taken or operations and implementations do not match. */
export async function startEmulator({ seed, host = '127.0.0.1', port = 0, now = () => new Date() }: EmulatorOptions): Promise<Emulator> {
  const world = new World(seed, now);
  const faults = new Faults();
  const requests = new RequestLog();
  const closing = new AbortController();
  const server = Fastify({
    bodyLimit,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    frameworkErrors: (_error, _request, reply) => send(reply, wrongAddress()),
  });
  for (const operation of implemented(operations(), implementations)) {
    addOperation(server, operation, { world, faults, requests, closing: closing.signal });
  }
  addControl(server, { world, faults, requests });
  server.setNotFoundHandler((_request, reply) => send(reply, wrongAddress()));
  server.setErrorHandler((error: FastifyError, request, reply) =>
    send(reply, request.is404 ? wrongAddress() : refusal({ ...wrongBody('body'), errorMsg: error.message })),
  );
  const url = await server.listen({ host, port });
  const close = async (): Promise<void> => {
    await server.close();
    closing.abort();
  };
  return { url, world, faults, requests, close };
}

interface Parts {
  readonly world: World;
  readonly faults: Faults;
  readonly requests: RequestLog;
  /** Ends the waiting of answers that are held back. */
  readonly closing: AbortSignal;
}

function addOperation(server: FastifyInstance, operation: WithImplementation, { world, faults, requests, closing }: Parts): void {
  const respond = async (request: FastifyRequest, reply: FastifyReply, answerTo: (body: unknown) => Answer): Promise<FastifyReply> => {
    const atMs = performance.timeOrigin + performance.now();
    const { body } = request;
    const answer = refuse(operation, request, world) ?? answerTo(body);
    requests.add({ atMs, operation: operation.id, status: answer.status, ...asked(body) });
    if (faults.latencyMs > 0) await sleep(faults.latencyMs, undefined, { signal: closing }).catch(() => {});
    return send(reply, answer);
  };
  server.route({
    method: operation.method,
    url: operation.url,
    handler: (request, reply) =>
      respond(request, reply, (body) => check(operation, body) ?? operation.implementation(callOf(request), world, faults)),
    errorHandler: (error, request, reply) => respond(request, reply, () => broken(error)),
  });
}

/** Returns the service's answer to a caller who may not call, or `null`. Credentials are looked at before anything else. */
function refuse({ needsToken }: Operation, { headers, params }: FastifyRequest, world: World): Answer | null {
  if (!needsToken) return null;
  const token = headers['x-auth-token'];
  const { project_id: project = '', instance_id: instance = '' } = params as Readonly<Record<string, string>>;
  const refused = world.refusal(typeof token === 'string' ? token : '', project, instance);
  return refused && refusal(refused);
}

function callOf({ body, params, query }: FastifyRequest): Call {
  return { body, params: params as Call['params'], query: query as Call['query'] };
}

/** Returns the service's answer to a request whose body breaks the specification, or `null`. */
function check({ validBody }: Operation, body: unknown): Answer | null {
  if (!validBody || validBody(body)) return null;
  const error = validBody.errors?.[0];
  const name = error?.params['missingProperty'] ?? error?.instancePath.split('/').at(-1);
  return refusal(wrongBody(String(name || 'body')));
}

/** Returns the answer to a body that cannot be read. Any other error is the emulator's own. */
function broken({ statusCode = 500, message }: FastifyError): Answer {
  if (statusCode < 500) return refusal(wrongBody('body'));
  return refusal({ status: 500, errorCode: 'APIG.9999', errorMsg: `The emulator failed: ${message}` });
}

/** The page's own example of a 400. */
function wrongBody(parameter: string): Refusal {
  return {
    status: 400,
    errorCode: 'APIG.2011',
    errorMsg: `Invalid parameter value,parameterName:${parameter}. Please refer to the support documentation`,
  };
}

/** What the front gateway says to an address that it does not know. */
function wrongAddress(): Answer {
  return refusal({ status: 404, errorCode: 'APIG.0101', errorMsg: 'The API does not exist or has not been published in the environment' });
}

function asked(body: unknown): { action?: string; api?: string; environment?: string } {
  const { action, api_id: api, env_id: environment } = (body ?? {}) as Record<string, unknown>;
  return typeof action === 'string' && typeof api === 'string' && typeof environment === 'string' ? { action, api, environment } : {};
}

function send(reply: FastifyReply, { status, body, headers = {} }: Answer): FastifyReply {
  return reply.code(status).headers(headers).type('application/json').send(JSON.stringify(body));
}
