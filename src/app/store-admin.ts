import type { Plan } from '../model/change.ts';
import type { Env } from '../model/env.ts';
import type { PublicationNames, RecordedPublication } from '../model/publication.ts';
import type { Settings } from '../model/settings.ts';
import { findPublication, type PublicationRef } from '../plan/publication-lookup.ts';
import { allTargets } from '../plan/targets.ts';
import { type CopyCounts, copyStore } from '../store/copy.ts';
import { type KnownGateway, listGateways } from '../store/list-gateways.ts';
import { toDisplayUrl } from '../store/open.ts';
import { computeCurrentPlan, openReadSession } from './read-session.ts';
import { openConfiguredStore } from './session.ts';
import { systemClock } from './system-clock.ts';

/*
 * `edict state`: what is done to the store itself.
 */

/** What a store has the record of. */
export interface StoreReport {
  /** The store's address, without a password. */
  readonly store: string;
  readonly gateways: readonly KnownGateway[];
}

/** Returns what is in the store. Throws an EdictError `STORE_*` for one that cannot be read. */
export async function readStore({ storeUrl }: Settings): Promise<StoreReport> {
  return { store: await toDisplayUrl(storeUrl), gateways: await listGateways(storeUrl) };
}

/** What was copied, from where and to where. */
export interface CopyReport extends CopyCounts {
  readonly from: string;
  readonly to: string;
}

/** Copies the store into the empty store `to`, a path or an address. Text that may contain a password is not taken for a path. Throws as `copyStore` does. */
export async function copyStoreTo({ storeUrl }: Settings, to: string): Promise<CopyReport> {
  const address = /^(?:sqlite|postgres(?:ql)?):|:.*@/s.test(to) ? to : `sqlite:${to}`;
  return { from: await toDisplayUrl(storeUrl), to: await toDisplayUrl(address), ...(await copyStore(storeUrl, address)) };
}

/** A publication whose recorded state was deleted, and what the plan does with it now. */
export interface RemovedRecord {
  readonly names: PublicationNames;
  /** The state that was recorded; `null`: there was none, and nothing has changed. */
  readonly was: RecordedPublication | null;
  /** The plan afterwards. */
  readonly plan: Plan;
}

/**
 * Deletes the recorded state of a publication. Throws an EdictError `PUBLICATION_NOT_FOUND` for one that neither file nor record has,
 * `STORE_LOCKED` or `LEASE_HELD` while another edict holds the gateway's lease.
 */
export async function removeRecord(settings: Settings, of: PublicationRef, environment: Env): Promise<RemovedRecord> {
  const found = await openReadSession(settings, environment, 'never ask', async (desired, record) => {
    const recorded = await record.readRecordedState(desired.gateway);
    const { key, api, apiId, environment, environmentId } = findPublication(of, desired, recorded);
    return { key, gateway: desired.gateway, names: { api, apiId, environment, environmentId }, was: recorded.get(key) ?? null };
  });
  if (found.was) {
    const store = await openConfiguredStore(settings, () => undefined);
    try {
      await store.acquire(found.gateway, systemClock.now());
      await store.deleteRecord(found.gateway, found.key, systemClock.now());
      await store.release(found.gateway, systemClock.now());
    } finally {
      await store.close();
    }
  }
  const plan = await openReadSession(settings, environment, 'never ask', async (desired, record) =>
    computeCurrentPlan(desired, await record.readRecordedState(desired.gateway), record, allTargets),
  );
  return { names: found.names, was: found.was, plan };
}
