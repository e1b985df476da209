import type { AppContext } from '../../model/app-context.ts';
import type { Plan } from '../../model/change.ts';
import type { PublicationNames } from '../../model/publication.ts';
import type { RecordedPublication } from '../../model/recorded-state.ts';
import { findPublication, type PublicationRef } from '../../plan/publication-lookup.ts';
import { type CopyCounts, copyStore } from '../../store/copy.ts';
import { type KnownGateway, listGateways } from '../../store/list-gateways.ts';
import { toDisplayUrl } from '../../store/open.ts';
import { computeCurrentPlan, withReadSession } from '../read-session.ts';
import { openConfiguredStore } from '../session.ts';
import { assertTrustedStore } from './store-trust.ts';

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
export async function readStore({ settings: { storeUrl } }: AppContext): Promise<StoreReport> {
  return { store: await toDisplayUrl(storeUrl), gateways: await listGateways(storeUrl) };
}

/** The result of a copy. */
export interface CopyReport extends CopyCounts {
  readonly from: string;
  readonly to: string;
}

/** Copies the store into the empty store `to`, a path or a store URL. Text that may contain a password is never taken for a path. Throws as `copyStore` and `assertTrustedStore` do. */
export async function copyStoreTo({ settings: { storeUrl }, env }: AppContext, to: string): Promise<CopyReport> {
  const address = /^(?:sqlite|postgres(?:ql)?):|:.*@/s.test(to) ? to : `sqlite:${to}`;
  await assertTrustedStore(address, { isDefault: false, env });
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
export async function removeRecord(context: AppContext, of: PublicationRef): Promise<RemovedRecord> {
  const target = await withReadSession(context, { resolvesNames: false }, async ({ desired, store }) => {
    const recorded = await store.readRecordedState(desired.gateway);
    const { key, api, apiId, environment, environmentId } = findPublication(of, desired, recorded);
    return { key, gateway: desired.gateway, names: { api, apiId, environment, environmentId }, was: recorded.get(key) ?? null };
  });
  if (target.was) {
    const store = await openConfiguredStore(context);
    try {
      await store.acquire(target.gateway, context.clock.now());
      await store.deleteRecord(target.gateway, target.key, context.clock.now());
      await store.release(target.gateway, context.clock.now());
    } finally {
      await store.close();
    }
  }
  const plan = await withReadSession(context, { resolvesNames: false }, async ({ desired, store }) =>
    computeCurrentPlan(context, { desired, store, recorded: await store.readRecordedState(desired.gateway) }),
  );
  return { names: target.names, was: target.was, plan };
}
