import type { Settings } from './config.ts';
import type { Plan } from './core/plan.ts';
import type { PublicationNames, RecordedPublication } from './core/publication.ts';
import { everything } from './core/targets.ts';
import { findPublication, type NamedPublication } from './desired/find-publication.ts';
import { systemClock } from './engine/system-clock.ts';
import { planOf, withFile } from './reading.ts';
import { type Environment, openStoreOf } from './rooms.ts';
import { nameOf } from './store/open-store.ts';
import { backUp, type KnownGateway, listGateways, moveRecord } from './store/whole-store.ts';

/*
 * What is done to the store itself.
 */

/** What a store has the record of. */
export interface StoreReport {
  /** The store's address, without a password. */
  readonly store: string;
  readonly gateways: readonly KnownGateway[];
}

/** Returns what is in the store. Throws an EdictError `STORE_*` for one that cannot be read. */
export async function readStore({ state }: Settings): Promise<StoreReport> {
  return { store: await nameOf(state), gateways: await listGateways(state) };
}

/** What was copied, from where and to where. */
export interface CopyReport {
  readonly from: string;
  readonly to: string;
  readonly gateways: number;
  readonly publications: number;
  readonly attempts: number;
}

/** Copies the record into the store `to`, a path or an address, or moves it there; what may hold a password is no path. Throws as `backUp` and `moveRecord` do. */
export async function copyStore(how: 'backup' | 'move', { state }: Settings, to: string): Promise<CopyReport> {
  const address = /^(?:sqlite|postgres(?:ql)?):|:.*@/s.test(to) ? to : `sqlite:${to}`;
  const copied = how === 'move' ? await moveRecord(state, address) : await backUp(state, address);
  return { from: await nameOf(state), to: await nameOf(address), ...copied };
}

/** What was forgotten, and what comes of it. */
export interface Forgotten {
  readonly names: PublicationNames;
  /** What was recorded; `null`: nothing was, and nothing has changed. */
  readonly was: RecordedPublication | null;
  /** The plan afterwards. */
  readonly plan: Plan;
}

/**
 * Makes the record say nothing of a publication. Throws an EdictError `PUBLICATION_UNKNOWN` for what neither file nor record has,
 * `STORE_LOCKED` or `GATEWAY_HELD` while another edict works on the gateway.
 */
export async function forgetPublication(settings: Settings, of: NamedPublication, environment: Environment): Promise<Forgotten> {
  const found = await withFile(settings, environment, 'never ask', async (desired, record) => {
    const recorded = await record.readAll(desired.gateway);
    const { key, api, apiId, environment, environmentId } = findPublication(of, desired, recorded);
    return { key, gateway: desired.gateway, names: { api, apiId, environment, environmentId }, was: recorded.get(key) ?? null };
  });
  if (found.was) {
    const store = await openStoreOf(settings, () => undefined);
    try {
      await store.enter(found.gateway, systemClock.now());
      await store.forget(found.gateway, found.key, systemClock.now());
      await store.leave(found.gateway, systemClock.now());
    } finally {
      await store.close();
    }
  }
  const plan = await withFile(settings, environment, 'never ask', async (desired, record) =>
    planOf(desired, await record.readAll(desired.gateway), record, everything),
  );
  return { names: found.names, was: found.was, plan };
}
