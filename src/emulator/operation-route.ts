import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Answer, refusal, wrongParameter } from './answers.ts';
import { callerOf } from './authentication.ts';
import { type Course, courseOf, plain } from './course.ts';
import { deliver } from './deliver.ts';
import type { Faults } from './faults.ts';
import type { Call, WithImplementation } from './implementations.ts';
import type { Random } from './random.ts';
import type { Asked, RequestLog } from './request-log.ts';
import type { World } from './world.ts';

/** What every operation works with. */
export interface Parts {
  readonly world: World;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly random: Random;
  /** Returns the bytes of a request's body. */
  readonly rawBody: (request: FastifyRequest) => Buffer;
  /** Ends the waiting of answers that are held back. */
  readonly closing: AbortSignal;
}

/** Lets `server` answer an operation: throttle, credentials, form, fault and implementation, in this order; then the log. */
export function addOperation(server: FastifyInstance, operation: WithImplementation, parts: Parts): void {
  const respond = async (request: FastifyRequest, reply: FastifyReply, take: () => Course): Promise<FastifyReply> => {
    const { world, faults, requests, closing } = parts;
    const atMs = performance.timeOrigin + performance.now();
    const changesBefore = world.changes;
    const refused = throttled(operation, atMs, parts) ?? refuse(operation, request, parts);
    const { delivery, fault } = refused ? plain(refused) : take();
    const status = 'written' in delivery ? delivery.written.status : null;
    requests.add({ atMs, operation: operation.id, status, ...asked(request), fault, applied: world.changes > changesBefore });
    const delayMs = faults.delayMs();
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: closing }).catch(() => {});
    return deliver(reply, delivery);
  };
  server.route({
    method: operation.method,
    url: operation.url,
    handler: (request, reply) => respond(request, reply, () => courseOfRequest(operation, request, parts)),
    errorHandler: (error, request, reply) => respond(request, reply, () => plain(broken(error))),
  });
}

function courseOfRequest(operation: WithImplementation, request: FastifyRequest, { world, faults, random }: Parts): Course {
  const asking = { body: request.body, params: request.params as Call['params'], query: { ...(request.query as object) } };
  const wrong = check(operation, asking);
  if (wrong) return plain(wrong);
  const call: Call = { ...asking, refused: refusedOf(operation, request, faults) };
  const implementation = (): Answer => operation.implementation(call, world);
  const { api, environment } = asked(request);
  const fault = faults.take({ operation: operation.id, apiId: api, environmentId: environment });
  return fault ? courseOf(fault, implementation, { world, random, success: operation.success }) : plain(implementation());
}

/** The throttle is the front gateway's, so it is for calls that need credentials: others go to the identity service. */
function throttled({ needsToken }: WithImplementation, atMs: number, { faults }: Parts): Answer | null {
  return needsToken && faults.throttle ? faults.throttle.refuse(atMs) : null;
}

/** Returns the service's answer to a caller who may not call, or `null`. Credentials are looked at before anything else of a request. */
function refuse({ needsToken }: WithImplementation, request: FastifyRequest, { world, rawBody }: Parts): Answer | null {
  if (!needsToken) return null;
  const { method, headers, params, originalUrl: url } = request;
  const { project_id: project = '', instance_id: instance = '' } = params as Call['params'];
  const caller = callerOf({ method, url, headers, body: rawBody(request) }, world.callers);
  const refused = world.refusal(caller, project, instance);
  return refused && refusal(refused);
}

/** Returns the service's answer to a request that breaks the specification, or `null`. Fills in the defaults of the query. */
function check({ validQuery, validBody }: WithImplementation, { query, body }: Pick<Call, 'query' | 'body'>): Answer | null {
  const failed = !validQuery(query) ? validQuery : validBody && !validBody(body) ? validBody : null;
  if (failed === null) return null;
  const error = failed.errors?.[0];
  const name = error?.params['missingProperty'] ?? error?.instancePath.split('/').at(-1);
  return wrongParameter(String(name || 'body'));
}

/** Returns the answer to a body that cannot be read. Any other error is the emulator's own. */
function broken({ statusCode = 500, message }: FastifyError): Answer {
  if (statusCode < 500) return wrongParameter('body');
  return refusal({ status: 500, errorCode: 'APIG.9999', errorMsg: `The emulator failed: ${message}` });
}

/** Returns the faults that are meant for single APIs of a batch. */
function refusedOf({ id }: WithImplementation, request: FastifyRequest, faults: Faults): Call['refused'] {
  const own = (asked(request).apis ?? []).map((api) => [api, faults.takeFor(api, id)] as const);
  return new Map(own.flatMap(([api, fault]) => (fault ? [[api, fault]] : [])));
}

/** Returns what a request asks for, as far as it says so: what it wants changed, or what it wants to know of an API. */
function asked({ body, params, query }: FastifyRequest): Asked {
  const written = { ...(query as object), ...(isMap(body) ? body : {}) } as Readonly<Record<string, unknown>>;
  const { action, api_id: api, env_id: environment, remark, apis, version_id: version } = written;
  const { api_id: named } = params as Call['params'];
  if (named !== undefined) return { api: named, ...(typeof version === 'string' && { version }) };
  if (typeof action !== 'string' || typeof environment !== 'string') return {};
  const more = { action, environment, ...(typeof remark === 'string' && { remark }) };
  if (Array.isArray(apis)) return { ...more, apis: apis.filter((id) => typeof id === 'string') };
  return typeof api === 'string' ? { ...more, api } : {};
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
