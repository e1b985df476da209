/*
 * The emulator: an HTTP server that behaves like ROMA Connect or API Gateway on this machine, for tests, `--emulate` and trials. It is built from
 * spec/ and generated/ alone. It must never import the client's code, since it would share the client's bugs.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Fastify, { type FastifyError } from 'fastify';
import { addControlRoutes } from './control.ts';
import { respondWith, withoutFault } from './delivery.ts';
import { type Fault, FaultInjector, type Latency } from './faults.ts';
import { GatewayState, type GatewayTiming, type UnknownBehavior } from './gateway-state.ts';
import { implementations, implementOperations } from './implementations.ts';
import { addOperationRoute } from './operation-route.ts';
import { seededRandom } from './random.ts';
import { RequestLog } from './request-log.ts';
import { errorResponse, unknownApiResponse } from './responses.ts';
import type { Seed } from './seed.ts';
import { loadOperations, type OperationSpec } from './specification.ts';
import { Throttle, type ThrottleLimit } from './throttle.ts';

export interface EmulatorOptions extends GatewayTiming, FaultInjection {
  readonly seed: Seed;
  /** The services whose paths exist; default: that of the seed. */
  readonly services?: readonly (keyof typeof pathSegments)[];
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 0, which picks a free port. */
  readonly port?: number;
  /** Default: the system clock. */
  readonly now?: () => Date;
  readonly behavior?: Partial<UnknownBehavior>;
}

/** Faults, latency and throttling from the start. */
export interface FaultInjection {
  readonly faults?: readonly Fault[];
  readonly latencyMs?: Latency | undefined;
  readonly throttle?: ThrottleLimit | undefined;
  /** The integer seed of all random choices; default: 1. */
  readonly random?: number | undefined;
}

/** A running emulator. */
export interface Emulator {
  /** The base URL, without a trailing slash. */
  readonly url: string;
  readonly state: GatewayState;
  readonly faults: FaultInjector;
  readonly requests: RequestLog;
  /** Closes all connections and frees the port. */
  close(): Promise<void>;
}

/** The segment of each service in the path of an operation; the specification has that of ROMA Connect. */
const pathSegments = { roma: 'apic', apig: 'apigw' } as const;

/** Larger bodies are rejected, as by the service ("body at most 12 MB"). */
const bodyLimit = 12 * 1024 * 1024;

/** Starts an emulator from the specification. Throws an Error if the port is in use or operations and implementations do not match. */
export async function startEmulator({
  seed,
  services = [seed.service ?? 'roma'],
  host = '127.0.0.1',
  port = 0,
  now = () => new Date(),
  random: randomSeed = 1,
  behavior = {},
  ...options
}: EmulatorOptions): Promise<Emulator> {
  const state = new GatewayState(seed, now, options);
  state.behavior = { ...state.behavior, ...behavior };
  const random = seededRandom(randomSeed);
  const faults = configureFaults(options, new FaultInjector(random));
  const requests = new RequestLog();
  const closing = new AbortController();
  const server = Fastify({
    bodyLimit,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    // The schemas are constants: compiling the meta-schema, too, would take half of the startup time.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, meta: false, validateSchema: false } },
    frameworkErrors: (_error, _request, reply) => void respondWith(reply, withoutFault(unknownApiResponse()).delivery),
  });
  const rawBody = captureRawBodies(server);
  const operations = operationsOf(services);
  const routeDeps = { state, faults, requests, random, rawBody, changing: new Set<string>(), closeSignal: closing.signal };
  for (const operation of implementOperations(operations, implementations)) addOperationRoute(server, operation, routeDeps);
  addUnknownMethods(server, operations);
  addControlRoutes(server, { state, faults, requests, operationIds: loadOperations().map(({ id }) => id) });
  server.setNotFoundHandler((_request, reply) => respondWith(reply, withoutFault(unknownApiResponse()).delivery));
  server.setErrorHandler(({ message: errorMsg }: FastifyError, request, reply) => {
    const response = request.is404 ? unknownApiResponse() : errorResponse({ status: 400, errorCode: 'APIG.2011', errorMsg });
    return respondWith(reply, withoutFault(response).delivery);
  });
  const url = await server.listen({ host, port });
  const close = async (): Promise<void> => {
    await server.close();
    closing.abort();
  };
  return { url, state, faults, requests, close };
}

/** Returns the operations of services, each at its own path. The path of the login has no segment of a service, so that it is there once. */
function operationsOf(services: readonly (keyof typeof pathSegments)[]): OperationSpec[] {
  const paths = services.map((service) => `/${pathSegments[service]}/`);
  return loadOperations().flatMap((operation) =>
    [...new Set(paths.map((path) => operation.url.replace('/apic/', path)))].map((url) => ({ ...operation, url })),
  );
}

/** Answers the methods that a fixed path does not have: its last segment, such as `action`, is not the ID of an API. */
function addUnknownMethods(server: FastifyInstance, operations: readonly OperationSpec[]): void {
  for (const url of new Set(operations.map((operation) => operation.url).filter((path) => !path.split('/').at(-1)?.startsWith(':')))) {
    const known = new Set(operations.filter((operation) => operation.url === url).map(({ method }) => method));
    for (const method of (['GET', 'POST', 'PUT'] as const).filter((one) => !known.has(one)))
      server.route({ method, url, handler: (_request, reply) => respondWith(reply, withoutFault(unknownApiResponse()).delivery) });
  }
}

function configureFaults({ faults: initialFaults = [], latencyMs = 0, throttle }: FaultInjection, faults: FaultInjector): FaultInjector {
  for (const fault of initialFaults) faults.add(fault);
  faults.latencyMs = latencyMs;
  if (throttle) faults.throttle = new Throttle(throttle);
  return faults;
}

/**
 * Captures the raw bytes of JSON bodies of requests with an `Authorization` header, since a signature covers bytes. Returns a lookup of a
 * request's bytes, empty if it has none. They are released with the request.
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
