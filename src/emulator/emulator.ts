import type { FastifyInstance, FastifyRequest } from 'fastify';
import Fastify, { type FastifyError } from 'fastify';
import { addControlRoutes } from './control.ts';
import { respondWith, withoutFault } from './delivery.ts';
import { type Fault, FaultInjector, type Latency } from './faults.ts';
import { GatewayState, type GatewayTiming } from './gateway-state.ts';
import { implementations, implementOperations } from './implementations.ts';
import { addOperationRoute } from './operation-route.ts';
import { seededRandom } from './random.ts';
import { RequestLog } from './request-log.ts';
import { errorResponse, unknownApiResponse } from './responses.ts';
import type { Seed } from './seed.ts';
import { loadOperations } from './specification.ts';
import { Throttle, type ThrottleLimit } from './throttle.ts';

export interface EmulatorOptions extends GatewayTiming, FaultInjection {
  readonly seed: Seed;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 0, any free one. */
  readonly port?: number;
  /** Default: this machine's clock. */
  readonly now?: () => Date;
}

/** What makes the service hard to use from the start. */
export interface FaultInjection {
  readonly faults?: readonly Fault[];
  readonly latencyMs?: Latency | undefined;
  readonly throttle?: ThrottleLimit | undefined;
  /** A whole number from which everything follows that is left to chance; default: 1. */
  readonly random?: number | undefined;
}

/** The service on this machine. */
export interface Emulator {
  /** Its address, without a slash at the end. */
  readonly url: string;
  readonly state: GatewayState;
  readonly faults: FaultInjector;
  readonly requests: RequestLog;
  /** Ends all connections and gives the port free. */
  close(): Promise<void>;
}

/** Larger bodies are refused, as the service does ("body at most 12 MB"). */
const bodyLimit = 12 * 1024 * 1024;

/** Starts the service from its specification. Throws an Error if the port is taken or operations and implementations do not match. */
export async function startEmulator({
  seed,
  host = '127.0.0.1',
  port = 0,
  now = () => new Date(),
  random: randomSeed = 1,
  ...more
}: EmulatorOptions): Promise<Emulator> {
  const state = new GatewayState(seed, now, more);
  const random = seededRandom(randomSeed);
  const faults = configureFaults(more, new FaultInjector(random));
  const requests = new RequestLog();
  const closing = new AbortController();
  const server = Fastify({
    bodyLimit,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    frameworkErrors: (_error, _request, reply) => void respondWith(reply, withoutFault(unknownApiResponse()).delivery),
  });
  const rawBody = captureRawBodies(server);
  const known = loadOperations();
  for (const operation of implementOperations(known, implementations)) {
    addOperationRoute(server, operation, { state, faults, requests, random, rawBody, closeSignal: closing.signal });
  }
  addControlRoutes(server, { state, faults, requests, operationIds: known.map(({ id }) => id) });
  server.setNotFoundHandler((_request, reply) => respondWith(reply, withoutFault(unknownApiResponse()).delivery));
  server.setErrorHandler(({ message: errorMsg }: FastifyError, request, reply) => {
    const answer = request.is404 ? unknownApiResponse() : errorResponse({ status: 400, errorCode: 'APIG.2011', errorMsg });
    return respondWith(reply, withoutFault(answer).delivery);
  });
  const url = await server.listen({ host, port });
  const close = async (): Promise<void> => {
    await server.close();
    closing.abort();
  };
  return { url, state, faults, requests, close };
}

function configureFaults({ faults: given = [], latencyMs = 0, throttle }: FaultInjection, faults: FaultInjector): FaultInjector {
  for (const fault of given) faults.add(fault);
  faults.latencyMs = latencyMs;
  if (throttle) faults.throttle = new Throttle(throttle);
  return faults;
}

/**
 * Keeps the bytes of the JSON bodies of requests with an `Authorization`: a signature goes over bytes. Returns how to get those of a
 * request, empty if it has none; they are gone when the request is.
 */
export function captureRawBodies(server: FastifyInstance): (request: FastifyRequest) => Buffer {
  const bodies = new WeakMap<FastifyRequest, Buffer>();
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (request.headers.authorization !== undefined) bodies.set(request, body);
    void parse(request, body.toString(), done);
  });
  return (request) => bodies.get(request) ?? Buffer.alloc(0);
}
