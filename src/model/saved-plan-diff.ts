import { EdictError } from './errors.ts';
import type { Action, PublicationNames, PublicationState } from './publication.ts';

/** How a plan that is kept to a saved one differs from it. */
export interface SavedPlanDiff {
  /** Changes of the saved plan that must not be made any more, since what they rest on has moved. */
  readonly staleChanges: readonly StaleChange[];
  /** How many changes of the saved plan have been made since, by exactly that work. */
  readonly appliedCount: number;
  /** How many changes are needed now and are not in the saved plan. */
  readonly notInPlan: number;
}

/** A change of a saved plan, and everything that has moved under it. */
export interface StaleChange extends PublicationNames {
  readonly action: Action;
  /** At least one. */
  readonly divergences: readonly Divergence[];
  /** The newest attempt on it since the plan was made; `null` if there is none. `atMs`: milliseconds since 1970. */
  readonly attempt: { readonly id: number; readonly atMs: number } | null;
}

/** One thing that is not as it was when a plan was saved. */
export type Divergence =
  /** What the record says. */
  | { readonly kind: 'recorded state'; readonly was: PublicationState | null; readonly now: PublicationState | null }
  | { readonly kind: 'recorded revision' | 'effective version'; readonly was: string | null; readonly now: string | null }
  /** The API's draft was edited again at the gateway, in milliseconds since 1970. */
  | { readonly kind: 'edited'; readonly was: number; readonly now: number }
  /** Another attempt has no known outcome. */
  | { readonly kind: 'unresolved'; readonly was: number | null; readonly now: number }
  /** The record is as it was, and yet something was done in between. */
  | { readonly kind: 'done and undone' }
  /** What the file asks for. */
  | {
      readonly kind: 'wanted state' | 'wanted revision' | 'wanted remark' | 'wanted version';
      readonly was: string | null;
      readonly now: string | null;
    }
  /** Nothing needs to be done any more. */
  | { readonly kind: 'not needed' }
  /** edict refuses it now, or makes it later, and did not when the plan was made. */
  | { readonly kind: 'held' | 'waits'; readonly message: string };

/** A saved plan rests on what has moved since. Nothing of it was sent. */
export class StalePlanError extends EdictError {
  readonly staleChanges: readonly StaleChange[];

  constructor(moved: readonly StaleChange[], all: number) {
    super(
      'SAVED_PLAN_STALE',
      `the saved plan is out of date: ${moved.length} of its ${all === 1 ? '1 change' : `${all} changes`} cannot be made as planned`,
      {
        hint: 'nothing was sent; make a new plan with `edict plan --out FILE`',
      },
    );
    this.name = 'StalePlanError';
    this.staleChanges = moved;
  }
}
