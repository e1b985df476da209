import { type EmulatedResponse, errorResponse } from './answers.ts';
import type { Fault, FaultKind } from './faults.ts';
import { invalidBody } from './invalid-body.ts';
import type { Random } from './random.ts';
import type { SuccessSpec } from './specification.ts';
import type { GatewayState } from './world.ts';

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
