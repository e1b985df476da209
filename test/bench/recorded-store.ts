import { nextRecord } from '../../src/core/outcome.ts';
import { plan } from '../../src/core/plan.ts';
import type { DesiredState } from '../../src/core/publication.ts';
import { openStore } from '../../src/store/open-store.ts';

/** Writes a store at `url` as a whole `apply` of `desired` leaves it: one attempt for each publication that had to move. */
export async function recordAsApplied(url: string, desired: DesiredState): Promise<void> {
  const store = await openStore({ url, emulated: false });
  const { gateway } = desired;
  const { changes } = plan(desired, new Map());
  const ids = await Promise.all(
    changes.map((change, index) => store.begin(gateway, change, { passId: 'bench', marker: null, commitId: null, atMs: index })),
  );
  await Promise.all(
    changes.map((change, index) => {
      const attempt = { id: ids[index] ?? 0, marker: null, settledAtMs: index + 1 };
      const outcome = { kind: 'succeeded', versionId: `${change.apiId.slice(0, 24)}${index}`, publishId: null } as const;
      return store.settle(gateway, change.key, attempt.id, outcome, nextRecord(change, outcome, undefined, attempt), attempt.settledAtMs);
    }),
  );
  await store.close();
}
