import type { DesiredState } from '../../src/model/desired-state.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { openStore } from '../../src/store/open.ts';
import { lastObservation, savedObservation } from '../support/states.ts';
import { recordedAttempt } from './recorded-attempt.ts';

/** Writes the store at `url` that `apply` of `desired` leaves: an observation, and one attempt for each changed publication. */
export async function recordAsApplied(url: string, desired: DesiredState): Promise<void> {
  const store = await openStore({ url, isEmulated: false });
  const { gateway } = desired;
  await store.acquire(gateway, 0);
  const recorded = diffStates(desired, new Map()).changes.map(async (change) => {
    const { outcomeRecorded } = await recordedAttempt(store, gateway, change, async () => undefined);
    await outcomeRecorded;
  });
  await Promise.all(recorded);
  const apis = new Set([...desired.publications.values()].map(({ apiId }) => apiId)).size;
  await store.saveObservation(gateway, savedObservation([], lastObservation(apis, { observedAtMs: Date.now() })));
  await store.release(gateway, 1);
  await store.close();
}
