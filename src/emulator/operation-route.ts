import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authenticate } from './auth.ts';
import { applyFault, type FaultPlan, respondWith, withoutFault } from './delivery.ts';
import { type FaultInjector, overlapError } from './faults.ts';
import type { GatewayState } from './gateway-state.ts';
import type { ImplementedOperation, OperationCall } from './implementations.ts';
import type { Random } from './random.ts';
import type { RequestLog, RequestSummary } from './request-log.ts';
import { type EmulatedResponse, errorResponse, invalidParameterResponse } from './responses.ts';

/** The dependencies of all operation routes. */
export interface RouteDeps {
  readonly state: GatewayState;
  readonly faults: FaultInjector;
  readonly requests: RequestLog;
  readonly random: Random;
  /** The APIs with a change that has not been answered yet. */
  readonly changing: Set<string>;
  /** Returns the raw body of a request. */
  readonly rawBody: (request: FastifyRequest) => Buffer;
  /** Aborts the delay of responses when the emulator closes. */
  readonly closeSignal: AbortSignal;
}

/**
 * Adds the route of an operation. In this order it checks throttle, credentials and schema, applies a fault, runs the implementation and logs
 * the request.
 */
export function addOperationRoute(server: FastifyInstance, operation: ImplementedOperation, deps: RouteDeps): void {
  const respond = async (request: FastifyRequest, reply: FastifyReply, plan: () => FaultPlan): Promise<FastifyReply> => {
    const { state, faults, requests, changing, closeSignal } = deps;
    const atMs = performance.timeOrigin + performance.now();
    const changesBefore = state.changes;
    const rejection = checkThrottle(operation, atMs, deps) ?? checkAccess(operation, request, deps);
    const { delivery, fault } = rejection ? withoutFault(rejection) : plan();
    const status = 'response' in delivery ? delivery.response.status : null;
    requests.add({ atMs, operation: operation.id, status, ...summarizeRequest(request), fault, applied: state.changes > changesBefore });
    const delayMs = faults.nextDelayMs();
    // A change is under way until it is answered.
    const started = operation.method === 'GET' || rejection ? [] : changedApis(request).filter((api) => !changing.has(api));
    for (const api of started) changing.add(api);
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: closeSignal }).catch(() => {});
    for (const api of started) changing.delete(api);
    return respondWith(reply, delivery);
  };
  server.route({
    method: operation.method,
    url: operation.url,
    handler: (request, reply) => respond(request, reply, () => planResponse(operation, request, deps)),
    errorHandler: (error, request, reply) => respond(request, reply, () => withoutFault(requestErrorResponse(error))),
  });
}

function planResponse(operation: ImplementedOperation, request: FastifyRequest, deps: RouteDeps): FaultPlan {
  const { state, faults, random } = deps;
  const input = { body: request.body, params: request.params as OperationCall['params'], query: { ...(request.query as object) } };
  const invalid = validateRequest(operation, input);
  if (invalid) return withoutFault(invalid);
  const { apis } = summarizeRequest(request);
  const overlapping = overlappingApis(operation, request, deps);
  if (overlapping.length > 0 && apis === undefined) return withoutFault(errorResponse(overlapError));
  const apiErrors = new Map([...apiErrorsOf(operation, request, faults), ...overlapping.map((api) => [api, overlapError] as const)]);
  const call: OperationCall = { ...input, apiErrors };
  const implementation = (): EmulatedResponse => operation.implementation(call, state);
  const { api, environment } = summarizeRequest(request);
  const fault = faults.take({ operation: operation.id, apiId: api, environmentId: environment });
  return fault ? applyFault(fault, implementation, { state, random, success: operation.success }) : withoutFault(implementation());
}

/** The throttle belongs to the front gateway, so it applies only to calls that need credentials. Other calls go to the identity service. */
function checkThrottle({ requiresToken }: ImplementedOperation, atMs: number, { faults }: RouteDeps): EmulatedResponse | null {
  return requiresToken && faults.throttle ? faults.throttle.check(atMs) : null;
}

/** Returns the error for a caller without access; `null` if access is allowed. Credentials are checked before the rest of the request. */
function checkAccess(
  { requiresToken }: ImplementedOperation,
  request: FastifyRequest,
  { state, rawBody }: RouteDeps,
): EmulatedResponse | null {
  if (!requiresToken) return null;
  const { method, headers, params, originalUrl: url } = request;
  const { project_id: project = '', instance_id: instance = '' } = params as OperationCall['params'];
  const caller = authenticate({ method, url, headers, body: rawBody(request) }, state.auth);
  const rejection = state.checkAccess(caller, project, instance);
  return rejection && errorResponse(rejection);
}

/** Returns the error for a request that violates the specification; `null` if it is valid. Fills in query defaults. */
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

/** Returns the response to an unreadable body. Any other error is a failure of the emulator. */
function requestErrorResponse({ statusCode = 500, message }: FastifyError): EmulatedResponse {
  if (statusCode < 500) return invalidParameterResponse('body');
  return errorResponse({ status: 500, errorCode: 'APIG.9999', errorMsg: `The emulator failed: ${message}` });
}

/** Returns the faults for single APIs of a batch. */
function apiErrorsOf({ id }: ImplementedOperation, request: FastifyRequest, faults: FaultInjector): OperationCall['apiErrors'] {
  const faultsByApi = (summarizeRequest(request).apis ?? []).map((api) => [api, faults.takeForApi(api, id)] as const);
  return new Map(faultsByApi.flatMap(([api, fault]) => (fault ? [[api, fault]] : [])));
}

/** Returns the APIs of a change that are being changed by another one; empty where the gateway does not mind. */
function overlappingApis({ method }: ImplementedOperation, request: FastifyRequest, { state, changing }: RouteDeps): readonly string[] {
  return method !== 'GET' && state.behavior.refuseOverlaps ? changedApis(request).filter((api) => changing.has(api)) : [];
}

/** Returns the APIs that a request other than a read is to change. */
function changedApis(request: FastifyRequest): readonly string[] {
  const { api, apis = [] } = summarizeRequest(request);
  return [...new Set(api === undefined ? apis : [api])];
}

/** Summarizes a request for the log: the requested change, or the API that is read. */
function summarizeRequest({ body, params, query }: FastifyRequest): RequestSummary {
  const fields = { ...(query as object), ...(isObject(body) ? body : {}) } as Readonly<Record<string, unknown>>;
  const { action, api_id: api, env_id: environment, remark, apis, version_id: version } = fields;
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
