import type { Change } from '../model/change.ts';

/**
 * Returns the key of the batch call that can include `change`: changes with the same environment, action and remark share a
 * call. `null` for a change that needs its own call, because it switches to a version.
 */
export function batchKey({ environmentId, action, remark, version }: Change): string | null {
  return version === null ? JSON.stringify([environmentId, action, remark]) : null;
}

/** Returns `changes` sorted so that those that share a call are adjacent; without batches, in the order of the plan. */
export function sortByBatch(changes: readonly Change[], batchSize: number): readonly Change[] {
  return batchSize === 1 ? changes : [...Map.groupBy(changes, batchKey).values()].flat();
}
