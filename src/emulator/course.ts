import { type Answer, refusal } from './answers.ts';
import type { Fault, FaultKind } from './faults.ts';
import { invalidBody } from './invalid-body.ts';
import type { Random } from './random.ts';
import type { Success } from './specification.ts';
import type { World } from './world.ts';

/** An answer as it is written. */
export interface Written {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What becomes of a call: a whole answer, half of one, or none, with the connection cut or left hanging. */
export type Delivery = { readonly kind: 'whole' | 'half'; readonly written: Written } | { readonly kind: 'cut' | 'hang' };

/** The course that a call took. */
export interface Course {
  readonly delivery: Delivery;
  /** What went wrong with it; `null` if it is the service's own answer. */
  readonly fault: FaultKind | null;
}

/** Returns the course of a call that gets this answer, whole. */
export function plain(answer: Answer): Course {
  return { delivery: { kind: 'whole', written: written(answer) }, fault: null };
}

/**
 * Returns the course of a call with `fault`. `implementation` changes the world and answers; where the fault is not applied, it is
 * only rehearsed. A call that the service would refuse is refused, unless the fault comes between it and the service.
 */
export function courseOf(
  fault: Fault,
  implementation: () => Answer,
  { world, success, random }: { readonly world: World; readonly success: Success; readonly random: Random },
): Course {
  const { kind = 'answer', applied = false } = fault;
  const answer = applied ? implementation() : world.rehearse(implementation);
  const reachesService = applied || kind === 'half' || kind === 'invalid';
  if (reachesService && answer.status >= 400) return plain(answer);
  return { delivery: deliveryOf(fault, answer, success, random), fault: kind };
}

function deliveryOf(fault: Fault, answer: Answer, { required }: Success, random: Random): Delivery {
  switch (fault.kind) {
    case 'cut':
    case 'hang':
      return { kind: fault.kind };
    case 'half':
      return { kind: 'half', written: written(answer) };
    case 'invalid':
      return { kind: 'whole', written: { ...written(answer), text: invalidBody(answer.body, required, random) } };
    default:
      return { kind: 'whole', written: written({ ...refusal(fault), headers: fault.headers ?? {} }) };
  }
}

function written({ status, headers = {}, body }: Answer): Written {
  return { status, headers, text: JSON.stringify(body) };
}
