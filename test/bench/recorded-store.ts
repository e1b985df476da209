import type { DesiredState } from '../../src/model/desired-state.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { openStore } from '../../src/store/open.ts';
import { recordedAttempt } from './recorded-attempt.ts';

/** Writes the store at `url` that `apply` of `desired` leaves: one attempt for each changed publication. */
export async function recordAsApplied(url: string, desired: DesiredState): Promise<void> {
  const store = await openStore({ url, isEmulated: false });
  const { gateway } = desired;
  await store.acquire(gateway, 0);
  const recorded = diffStates(desired, new Map()).changes.map(async (change) => {
    const { outcomeRecorded } = await recordedAttempt(store, gateway, change, async () => undefined);
    await outcomeRecorded;
  });
  await Promise.all(recorded);
  await store.release(gateway, 1);
  await store.close();
}
