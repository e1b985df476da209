import type { Change } from '../model/change.ts';

/**
 * Returns a name for the batch call that can make `change`: all of one environment, action and remark may go in one;
 * `null` for a change that needs a call of its own, since it switches to a version.
 */
export function batchKey({ environmentId, action, remark, version }: Change): string | null {
  return version === null ? JSON.stringify([environmentId, action, remark]) : null;
}

/** Returns `changes` ordered so that what may go in one call comes together; without batches in the order of the plan. */
export function sortByBatch(changes: readonly Change[], batch: number): readonly Change[] {
  return batch === 1 ? changes : [...Map.groupBy(changes, batchKey).values()].flat();
}
