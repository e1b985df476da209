import type { FastifyReply } from 'fastify';
import type { Fault, FaultKind } from './faults.ts';
import type { GatewayState } from './gateway-state.ts';
import { pickRandom, type Random } from './random.ts';
import { type EmulatedResponse, errorResponse } from './responses.ts';
import type { SuccessSpec } from './specification.ts';

/** An answer as it is written. */
export interface SerializedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What becomes of a call: a whole answer, half of one, or none, with the connection cut or left hanging. */
export type Delivery = { readonly kind: 'whole' | 'half'; readonly response: SerializedResponse } | { readonly kind: 'cut' | 'hang' };

/** The course that a call took. */
export interface FaultPlan {
  readonly delivery: Delivery;
  /** What went wrong with it; `null` if it is the service's own answer. */
  readonly fault: FaultKind | null;
}

/** Returns the course of a call that gets this answer, whole. */
export function withoutFault(answer: EmulatedResponse): FaultPlan {
  return { delivery: { kind: 'whole', response: serializeResponse(answer) }, fault: null };
}

/**
 * Returns the course of a call with `fault`. `implementation` changes the world and answers; where the fault is not applied, it is
 * only rehearsed. A call that the service would refuse is refused, unless the fault comes between it and the service.
 */
export function applyFault(
  fault: Fault,
  implementation: () => EmulatedResponse,
  { state, success, random }: { readonly state: GatewayState; readonly success: SuccessSpec; readonly random: Random },
): FaultPlan {
  const { kind = 'answer', applied = false } = fault;
  const answer = applied ? implementation() : state.dryRun(implementation);
  const reachesService = applied || kind === 'half' || kind === 'invalid';
  if (reachesService && answer.status >= 400) return withoutFault(answer);
  return { delivery: planDelivery(fault, answer, success, random), fault: kind };
}

function planDelivery(fault: Fault, answer: EmulatedResponse, { required }: SuccessSpec, random: Random): Delivery {
  switch (fault.kind) {
    case 'cut':
    case 'hang':
      return { kind: fault.kind };
    case 'half':
      return { kind: 'half', response: serializeResponse(answer) };
    case 'invalid':
      return { kind: 'whole', response: { ...serializeResponse(answer), text: invalidBody(answer.body, required, random) } };
    default:
      return { kind: 'whole', response: serializeResponse({ ...errorResponse(fault), headers: fault.headers ?? {} }) };
  }
}

function serializeResponse({ status, headers = {}, body }: EmulatedResponse): SerializedResponse {
  return { status, headers, text: JSON.stringify(body) };
}

const contentType = { 'content-type': 'application/json' };

/** Gives a caller what becomes of the call. */
export function respondWith(reply: FastifyReply, delivery: Delivery): FastifyReply {
  switch (delivery.kind) {
    case 'whole': {
      const { status, headers, text } = delivery.response;
      return reply
        .code(status)
        .headers({ ...contentType, ...headers })
        .send(text);
    }
    case 'half': {
      const { status, headers, text } = delivery.response;
      const { raw } = reply.hijack();
      raw.writeHead(status, { ...contentType, ...headers, 'content-length': Buffer.byteLength(text) });
      raw.write(firstHalf(text), () => raw.destroy());
      return reply;
    }
    case 'cut':
      reply.hijack().raw.destroy();
      return reply;
    case 'hang':
      return reply.hijack();
  }
}

/** Returns `body`, which is valid, as a text that breaks the specification in a way chosen at random. `required` are its required fields. */
export function invalidBody(body: unknown, required: readonly string[], random: Random): string {
  const field = pickRandom(required, random);
  const fields = body as Readonly<Record<string, unknown>>;
  return pickRandom(
    [
      () => '',
      () => '<html><body><h1>It works!</h1></body></html>',
      () => firstHalf(JSON.stringify(body)),
      () => JSON.stringify([body]),
      () => JSON.stringify({ ...fields, [field]: undefined }),
      () => JSON.stringify({ ...fields, [field]: {} }),
    ],
    random,
  )();
}

/** Returns the first half of a text. */
export function firstHalf(text: string): string {
  return text.slice(0, Math.floor(text.length / 2));
}
