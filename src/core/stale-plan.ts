import { EdictError } from './errors.ts';
import type { StaleChange } from './kept.ts';

/** A saved plan rests on what has moved since. Nothing of it was sent. */
export class StalePlanError extends EdictError {
  readonly staleChanges: readonly StaleChange[];

  constructor(moved: readonly StaleChange[], all: number) {
    super(
      'PLAN_STALE',
      `the saved plan is out of date: ${moved.length} of its ${all === 1 ? '1 change' : `${all} changes`} cannot be made as planned`,
      {
        hint: 'nothing was sent; make a new plan with `edict plan --out FILE`',
      },
    );
    this.name = 'StalePlanError';
    this.staleChanges = moved;
  }
}
