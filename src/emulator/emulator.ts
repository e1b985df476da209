import Fastify, { type FastifyError } from 'fastify';
import { refusal, wrongAddress } from './answers.ts';
import { addControl } from './control.ts';
import { plain } from './course.ts';
import { deliver } from './deliver.ts';
import { type Fault, Faults, type Latency } from './faults.ts';
import { implementations, implemented } from './implementations.ts';
import { addOperation } from './operation-route.ts';
import { randomFrom } from './random.ts';
import { keepRawBodies } from './raw-bodies.ts';
import { RequestLog } from './request-log.ts';
import type { Seed } from './seed.ts';
import { operations } from './specification.ts';
import { type Limit, Throttle } from './throttle.ts';
import { World, type WorldTimes } from './world.ts';

export interface EmulatorOptions extends WorldTimes, Conditions {
  readonly seed: Seed;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 0, any free one. */
  readonly port?: number;
  /** Default: this machine's clock. */
  readonly now?: () => Date;
}

/** What makes the service hard to use from the start. */
export interface Conditions {
  readonly faults?: readonly Fault[];
  readonly latencyMs?: Latency | undefined;
  readonly throttle?: Limit | undefined;
  /** A whole number from which everything follows that is left to chance; default: 1. */
  readonly random?: number | undefined;
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
export async function startEmulator({
  seed,
  host = '127.0.0.1',
  port = 0,
  now = () => new Date(),
  random: randomSeed = 1,
  ...more
}: EmulatorOptions): Promise<Emulator> {
  const world = new World(seed, now, more);
  const random = randomFrom(randomSeed);
  const faults = faultsFrom(more, new Faults(random));
  const requests = new RequestLog();
  const closing = new AbortController();
  const server = Fastify({
    bodyLimit,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    frameworkErrors: (_error, _request, reply) => void deliver(reply, plain(wrongAddress()).delivery),
  });
  const rawBody = keepRawBodies(server);
  const known = operations();
  for (const operation of implemented(known, implementations)) {
    addOperation(server, operation, { world, faults, requests, random, rawBody, closing: closing.signal });
  }
  addControl(server, { world, faults, requests, operationIds: known.map(({ id }) => id) });
  server.setNotFoundHandler((_request, reply) => deliver(reply, plain(wrongAddress()).delivery));
  server.setErrorHandler(({ message: errorMsg }: FastifyError, request, reply) => {
    const answer = request.is404 ? wrongAddress() : refusal({ status: 400, errorCode: 'APIG.2011', errorMsg });
    return deliver(reply, plain(answer).delivery);
  });
  const url = await server.listen({ host, port });
  const close = async (): Promise<void> => {
    await server.close();
    closing.abort();
  };
  return { url, world, faults, requests, close };
}

function faultsFrom({ faults: given = [], latencyMs = 0, throttle }: Conditions, faults: Faults): Faults {
  for (const fault of given) faults.add(fault);
  faults.latencyMs = latencyMs;
  if (throttle) faults.throttle = new Throttle(throttle);
  return faults;
}
