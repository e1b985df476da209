import type { FastifyReply } from 'fastify';
import type { Fault, FaultKind } from './faults.ts';
import type { GatewayState } from './gateway-state.ts';
import { newId, pickRandom, type Random } from './random.ts';
import { type EmulatedResponse, errorResponse } from './responses.ts';
import type { SuccessSpec } from './specification.ts';

/** A response as written to the connection. */
export interface SerializedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** How a response is delivered: in whole, in half, or not at all, with the connection cut or left open. */
export type Delivery = { readonly kind: 'whole' | 'half'; readonly response: SerializedResponse } | { readonly kind: 'cut' | 'hang' };

/** The planned response to a call. */
export interface FaultPlan {
  readonly delivery: Delivery;
  /** The injected fault; `null` for the service's own response. */
  readonly fault: FaultKind | null;
}

/** Plans to deliver a response without a fault. */
export function withoutFault(response: EmulatedResponse): FaultPlan {
  return { delivery: { kind: 'whole', response: serializeResponse(response) }, fault: null };
}

/**
 * Plans the response to a call with `fault`. `implementation` changes the state and answers; if the fault is not applied, it runs dry. A
 * call that the service would reject is rejected, unless the fault keeps it from reaching the service.
 */
export function applyFault(
  fault: Fault,
  implementation: () => EmulatedResponse,
  { state, success, random }: { readonly state: GatewayState; readonly success: SuccessSpec; readonly random: Random },
): FaultPlan {
  const { kind = 'answer', applied = false } = fault;
  const response = applied ? implementation() : state.dryRun(implementation);
  const reachesService = applied || kind === 'half' || kind === 'invalid';
  if (reachesService && response.status >= 400) return withoutFault(response);
  return { delivery: planDelivery(fault, response, { required: success.required, random }), fault: kind };
}

function planDelivery(
  fault: Fault,
  response: EmulatedResponse,
  { required, random }: { readonly required: SuccessSpec['required']; readonly random: Random },
): Delivery {
  switch (fault.kind) {
    case 'cut':
    case 'hang':
      return { kind: fault.kind };
    case 'half':
      return { kind: 'half', response: serializeResponse(response) };
    case 'invalid':
      return { kind: 'whole', response: { ...serializeResponse(response), text: invalidBody(response.body, required, random) } };
    default:
      return { kind: 'whole', response: serializeResponse({ ...errorResponse(fault), headers: fault.headers ?? {} }) };
  }
}

function serializeResponse({ status, headers, body, requestId }: EmulatedResponse): SerializedResponse {
  return { status, headers: { ...(requestId !== undefined && { 'x-request-id': requestId }), ...headers }, text: JSON.stringify(body) };
}

/** Returns the headers that every answer of the service has. */
function commonHeaders(): Readonly<Record<string, string>> {
  return { 'content-type': 'application/json', 'x-request-id': newId() };
}

/** Sends the response as planned. */
export function respondWith(reply: FastifyReply, delivery: Delivery): FastifyReply {
  switch (delivery.kind) {
    case 'whole': {
      const { status, headers, text } = delivery.response;
      return reply
        .code(status)
        .headers({ ...commonHeaders(), ...headers })
        .send(text);
    }
    case 'half': {
      const { status, headers, text } = delivery.response;
      const { raw } = reply.hijack();
      raw.writeHead(status, { ...commonHeaders(), ...headers, 'content-length': Buffer.byteLength(text) });
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

/** Turns a valid `body` into a text that violates the specification in a random way. `required` are its required fields. */
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
