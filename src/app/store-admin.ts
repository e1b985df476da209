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
 * `edict state`: shows and copies the store, and deletes recorded state in it. Never contacts the gateway.
 */

/** The contents of a store. */
export interface StoreReport {
  /** The store's address, without a password. */
  readonly store: string;
  readonly gateways: readonly KnownGateway[];
}

/** Returns the gateways in the store. Throws an EdictError `STORE_*` if it cannot be read. */
export async function readStore({ storeUrl }: Settings): Promise<StoreReport> {
  return { store: await toDisplayUrl(storeUrl), gateways: await listGateways(storeUrl) };
}

/** The result of a copy. */
export interface CopyReport extends CopyCounts {
  readonly from: string;
  readonly to: string;
}

/** Copies the store into the empty store `to`, a path or a store URL. Text that may contain a password is never taken for a path. Throws as `copyStore` does. */
export async function copyStoreTo({ storeUrl }: Settings, to: string): Promise<CopyReport> {
  const address = /^(?:sqlite|postgres(?:ql)?):|:.*@/s.test(to) ? to : `sqlite:${to}`;
  return { from: await toDisplayUrl(storeUrl), to: await toDisplayUrl(address), ...(await copyStore(storeUrl, address)) };
}

/** The result of deleting the recorded state of a publication. */
export interface RemovedRecord {
  readonly names: PublicationNames;
  /** The deleted recorded state; `null` if there was none and nothing changed. */
  readonly was: RecordedPublication | null;
  /** The plan after the deletion. */
  readonly plan: Plan;
}

/**
 * Deletes the recorded state of a publication. Throws an EdictError `PUBLICATION_NOT_FOUND` if it is neither declared nor recorded,
 * `STORE_LOCKED` or `LEASE_HELD` while another process holds the gateway's lease.
 */
export async function removeRecord(settings: Settings, of: PublicationRef, env: Env): Promise<RemovedRecord> {
  const target = await openReadSession(settings, env, 'never ask', async (desired, record) => {
    const recorded = await record.readRecordedState(desired.gateway);
    const { key, api, apiId, environment, environmentId } = findPublication(of, desired, recorded);
    return { key, gateway: desired.gateway, names: { api, apiId, environment, environmentId }, was: recorded.get(key) ?? null };
  });
  if (target.was) {
    const store = await openConfiguredStore(settings, () => undefined);
    try {
      await store.acquire(target.gateway, systemClock.now());
      await store.deleteRecord(target.gateway, target.key, systemClock.now());
      await store.release(target.gateway, systemClock.now());
    } finally {
      await store.close();
    }
  }
  const plan = await openReadSession(settings, env, 'never ask', async (desired, record) =>
    computeCurrentPlan(desired, await record.readRecordedState(desired.gateway), record, allTargets),
  );
  return { names: target.names, was: target.was, plan };
}
