import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authenticate } from './auth.ts';
import { applyFault, type FaultPlan, respondWith, withoutFault } from './delivery.ts';
import type { FaultInjector } from './faults.ts';
import type { GatewayState } from './gateway-state.ts';
import type { ImplementedOperation, OperationCall } from './implementations.ts';
import type { Random } from './random.ts';
import type { RequestLog, RequestSummary } from './request-log.ts';
import { type EmulatedResponse, errorResponse, invalidParameterResponse } from './responses.ts';

/** What every operation works with. */
export interface RouteDeps {
  readonly state: GatewayState;
  readonly faults: FaultInjector;
  readonly requests: RequestLog;
  readonly random: Random;
  /** Returns the bytes of a request's body. */
  readonly rawBody: (request: FastifyRequest) => Buffer;
  /** Ends the waiting of answers that are held back. */
  readonly closeSignal: AbortSignal;
}

/** Lets `server` answer an operation: throttle, credentials, form, fault and implementation, in this order; then the log. */
export function addOperationRoute(server: FastifyInstance, operation: ImplementedOperation, parts: RouteDeps): void {
  const respond = async (request: FastifyRequest, reply: FastifyReply, take: () => FaultPlan): Promise<FastifyReply> => {
    const { state, faults, requests, closeSignal } = parts;
    const atMs = performance.timeOrigin + performance.now();
    const changesBefore = state.changes;
    const refused = checkThrottle(operation, atMs, parts) ?? checkAccess(operation, request, parts);
    const { delivery, fault } = refused ? withoutFault(refused) : take();
    const status = 'response' in delivery ? delivery.response.status : null;
    requests.add({ atMs, operation: operation.id, status, ...summarizeRequest(request), fault, applied: state.changes > changesBefore });
    const delayMs = faults.nextDelayMs();
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: closeSignal }).catch(() => {});
    return respondWith(reply, delivery);
  };
  server.route({
    method: operation.method,
    url: operation.url,
    handler: (request, reply) => respond(request, reply, () => planResponse(operation, request, parts)),
    errorHandler: (error, request, reply) => respond(request, reply, () => withoutFault(requestErrorResponse(error))),
  });
}

function planResponse(operation: ImplementedOperation, request: FastifyRequest, { state, faults, random }: RouteDeps): FaultPlan {
  const asking = { body: request.body, params: request.params as OperationCall['params'], query: { ...(request.query as object) } };
  const wrong = validateRequest(operation, asking);
  if (wrong) return withoutFault(wrong);
  const call: OperationCall = { ...asking, apiErrors: apiErrorsOf(operation, request, faults) };
  const implementation = (): EmulatedResponse => operation.implementation(call, state);
  const { api, environment } = summarizeRequest(request);
  const fault = faults.take({ operation: operation.id, apiId: api, environmentId: environment });
  return fault ? applyFault(fault, implementation, { state, random, success: operation.success }) : withoutFault(implementation());
}

/** The throttle is the front gateway's, so it is for calls that need credentials: others go to the identity service. */
function checkThrottle({ requiresToken }: ImplementedOperation, atMs: number, { faults }: RouteDeps): EmulatedResponse | null {
  return requiresToken && faults.throttle ? faults.throttle.check(atMs) : null;
}

/** Returns the service's answer to a caller who may not call, or `null`. Credentials are looked at before anything else of a request. */
function checkAccess(
  { requiresToken }: ImplementedOperation,
  request: FastifyRequest,
  { state, rawBody }: RouteDeps,
): EmulatedResponse | null {
  if (!requiresToken) return null;
  const { method, headers, params, originalUrl: url } = request;
  const { project_id: project = '', instance_id: instance = '' } = params as OperationCall['params'];
  const caller = authenticate({ method, url, headers, body: rawBody(request) }, state.auth);
  const refused = state.checkAccess(caller, project, instance);
  return refused && errorResponse(refused);
}

/** Returns the service's answer to a request that breaks the specification, or `null`. Fills in the defaults of the query. */
function validateRequest(
  { validQuery, validBody }: ImplementedOperation,
  { query, body }: Pick<OperationCall, 'query' | 'body'>,
): EmulatedResponse | null {
  const failed = !validQuery(query) ? validQuery : validBody && !validBody(body) ? validBody : null;
  if (failed === null) return null;
  const error = failed.errors?.[0];
  const name = error?.params['missingProperty'] ?? error?.instancePath.split('/').at(-1);
  return invalidParameterResponse(String(name || 'body'));
}

/** Returns the answer to a body that cannot be read. Any other error is the emulator's own. */
function requestErrorResponse({ statusCode = 500, message }: FastifyError): EmulatedResponse {
  if (statusCode < 500) return invalidParameterResponse('body');
  return errorResponse({ status: 500, errorCode: 'APIG.9999', errorMsg: `The emulator failed: ${message}` });
}

/** Returns the faults that are meant for single APIs of a batch. */
function apiErrorsOf({ id }: ImplementedOperation, request: FastifyRequest, faults: FaultInjector): OperationCall['apiErrors'] {
  const own = (summarizeRequest(request).apis ?? []).map((api) => [api, faults.takeForApi(api, id)] as const);
  return new Map(own.flatMap(([api, fault]) => (fault ? [[api, fault]] : [])));
}

/** Returns what a request asks for, as far as it says so: what it wants changed, or what it wants to know of an API. */
function summarizeRequest({ body, params, query }: FastifyRequest): RequestSummary {
  const written = { ...(query as object), ...(isObject(body) ? body : {}) } as Readonly<Record<string, unknown>>;
  const { action, api_id: api, env_id: environment, remark, apis, version_id: version } = written;
  const { api_id: named } = params as OperationCall['params'];
  if (named !== undefined) return { api: named, ...(typeof version === 'string' && { version }) };
  if (typeof action !== 'string' || typeof environment !== 'string') return {};
  const more = { action, environment, ...(typeof remark === 'string' && { remark }) };
  if (Array.isArray(apis)) return { ...more, apis: apis.filter((id) => typeof id === 'string') };
  return typeof api === 'string' ? { ...more, api } : {};
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
