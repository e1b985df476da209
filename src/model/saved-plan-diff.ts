import { EdictError } from './errors.ts';
import type { Action, PublicationNames, PublicationState } from './publication.ts';

/** How a plan differs from the saved plan that restricts it. */
export interface SavedPlanDiff {
  /** Changes of the saved plan that must not be made any more, because their preconditions no longer hold. */
  readonly staleChanges: readonly StaleChange[];
  /** How many changes of the saved plan have since been made exactly as planned. */
  readonly appliedCount: number;
  /** How many needed changes are not in the saved plan. */
  readonly notInPlan: number;
}

/** A change of a saved plan, and all its preconditions that no longer hold. */
export interface StaleChange extends PublicationNames {
  readonly action: Action;
  /** At least one. */
  readonly divergences: readonly Divergence[];
  /** The newest attempt on it since the plan was saved; `null` if there is none. `atMs`: milliseconds since 1970. */
  readonly attempt: { readonly id: number; readonly atMs: number } | null;
}

/** One difference between now and when the plan was saved. */
export type Divergence =
  /** The recorded state changed. */
  | { readonly kind: 'recordedState'; readonly was: PublicationState | null; readonly now: PublicationState | null }
  | { readonly kind: 'recordedRevision' | 'effectiveVersion'; readonly was: string | null; readonly now: string | null }
  /** The API's draft was edited again at the gateway, in milliseconds since 1970. */
  | { readonly kind: 'edited'; readonly was: number; readonly now: number }
  /** Another attempt has no known outcome. */
  | { readonly kind: 'unknownOutcome'; readonly was: number | null; readonly now: number }
  /** The recorded state is the same, but attempts were made in between. */
  | { readonly kind: 'reverted' }
  /** The desired state changed. */
  | {
      readonly kind: 'desiredState' | 'desiredRevision' | 'desiredRemark' | 'desiredVersion';
      readonly was: string | null;
      readonly now: string | null;
    }
  /** The change is no longer needed. */
  | { readonly kind: 'notNeeded' }
  /** The change is now held or deferred and was not when the plan was saved. */
  | { readonly kind: 'held' | 'deferred'; readonly message: string };

/** A plan that a person has confirmed is not the one that would be carried out now. Nothing of it was sent. */
export class PlanChangedError extends EdictError {
  constructor() {
    super('PLAN_CHANGED', 'the plan has changed since it was shown', { hint: 'nothing was sent' });
    this.name = 'PlanChangedError';
  }
}

/** The preconditions of a saved plan no longer hold. Nothing of it was sent. */
export class StalePlanError extends EdictError {
  readonly staleChanges: readonly StaleChange[];

  constructor(staleChanges: readonly StaleChange[], changeCount: number) {
    super(
      'SAVED_PLAN_STALE',
      `the saved plan is out of date: ${staleChanges.length} of its ${changeCount === 1 ? '1 change' : `${changeCount} changes`} cannot be made as planned`,
      {
        hint: 'nothing was sent; make a new plan with `edict plan --out FILE`',
      },
    );
    this.name = 'StalePlanError';
    this.staleChanges = staleChanges;
  }
}
