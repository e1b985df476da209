import type { AcquireRequestSlot, Gateway } from '../../src/gateway/interface.ts';
import type { DesiredState } from '../../src/model/desired-state.ts';
import type { RequestLimits } from '../../src/model/gateway.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { Store } from '../../src/store/interface.ts';

/** A controller that is broken on purpose, to see whether the checks notice. */
export interface Mutant {
  readonly store: (store: Store) => Store;
  readonly gateway: (gateway: Gateway) => Gateway;
  readonly acquire: (acquire: AcquireRequestSlot) => AcquireRequestSlot;
  readonly limit: (limit: RequestLimits) => RequestLimits;
  readonly desired: (desired: DesiredState) => DesiredState;
  readonly random: (random: () => number) => () => number;
  /** Whether a publication that leaves the file waits before it is taken offline. */
  readonly pruneDelay: boolean;
  /** Whether a request needs the lease. */
  readonly checksLease: boolean;
  /** Whether a new owner leaves a window to the requests of the last one. */
  readonly waitsForTheLastOwner: boolean;
}

const same = <T>(value: T): T => value;

/** The controller as it is. */
export const unbroken: Mutant = {
  store: same,
  gateway: same,
  acquire: same,
  limit: same,
  desired: same,
  random: same,
  pruneDelay: true,
  checksLease: true,
  waitsForTheLastOwner: true,
};

/** Returns `store` with some methods replaced. */
function withMethods(store: Store, over: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const replaced = over[name as keyof Store];
      if (replaced) return replaced;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Returns `change` with the same result for the same file: a new object would be a new file. */
function memoized(change: (desired: DesiredState) => DesiredState): (desired: DesiredState) => DesiredState {
  const made = new WeakMap<DesiredState, DesiredState>();
  return (desired) => {
    const changed = made.get(desired) ?? change(desired);
    made.set(desired, changed);
    return changed;
  };
}

/** Controllers with one plausible bug each. */
export const mutants: Readonly<Record<string, Mutant>> = {
  'forgets outcomes': { ...unbroken, store: (store) => withMethods(store, { finishAttempt: async () => {} }) },
  'sees no versions, and so takes every unknown attempt for not applied': {
    ...unbroken,
    gateway: (gateway) => ({
      ...gateway,
      listVersions: async (publication, signal) => {
        const read = await gateway.listVersions(publication, signal);
        return read.kind === 'read' ? { kind: 'read', value: [] } : read;
      },
    }),
  },
  'takes a timeout for a failure without an effect': {
    ...unbroken,
    gateway: (gateway) => ({
      ...gateway,
      send: async (change, options, signal) => {
        const outcome = await gateway.send(change, options, signal);
        return outcome.kind === 'unknown' ? { kind: 'retryable', failure: outcome.failure } : outcome;
      },
    }),
  },
  'allows one request more than the limit': { ...unbroken, limit: (limit) => ({ ...limit, calls: limit.calls + 1 }) },
  'frees a slot when a request leaves': {
    ...unbroken,
    acquire: (acquire) => async (signal) => {
      const end = await acquire(signal);
      end({ kind: 'answered', retryAfterMs: null, rateLimit: null });
      return () => {};
    },
  },
  'does not wait for the window of the last owner': { ...unbroken, waitsForTheLastOwner: false },
  'sends without a lease': { ...unbroken, checksLease: false },
  'sends what the newest file does not ask for': {
    ...unbroken,
    gateway: (gateway) => ({
      ...gateway,
      send: (change, options, signal) => gateway.send(change, { ...options, isStillDesired: () => true, canSend: () => true }, signal),
    }),
  },
  'ignores a suspension': {
    ...unbroken,
    store: (store) =>
      withMethods(store, { previousState: async (of, nowMs) => ({ ...(await store.previousState(of, nowMs)), suspension: null }) }),
  },
  'has no backoff': { ...unbroken, random: () => () => -0.99 },
  'begins every backoff anew with each file': {
    ...unbroken,
    desired: memoized((desired) => {
      const publications = [...desired.publications].map(
        ([key, declared]) => [key, { ...declared, remark: `${performance.now()}` }] as const,
      );
      return { ...desired, publications: new Map(publications) };
    }),
  },
  'prunes at once': { ...unbroken, pruneDelay: false },
  'never frees the slot of a request that got no answer': {
    ...unbroken,
    acquire: (acquire) => async (signal) => {
      const end = await acquire(signal);
      return (result) => {
        if (result.kind !== 'lost') end(result);
      };
    },
  },
  'ignores that lists lag': {
    ...unbroken,
    desired: memoized((desired) => ({ ...desired, gateway: { ...desired.gateway, propagationDelayMs: 0 } })),
  },
  'gives a request up that waits for its turn': {
    ...unbroken,
    gateway: (gateway) => {
      const soon = <T extends { readonly canSend?: (() => boolean) | undefined }>(options: T): T => {
        const startedAtMs = performance.now();
        return { ...options, canSend: () => performance.now() - startedAtMs <= 3000 && (options.canSend?.() ?? true) };
      };
      return {
        ...gateway,
        send: (change, options, signal) => gateway.send(change, soon(options), signal),
        sendBatch: (changes, options, signal) => gateway.sendBatch(changes, soon(options), signal),
      };
    },
  },
  'does not tell the queue that a call is still under way': {
    ...unbroken,
    gateway: (gateway) => ({
      ...gateway,
      send: (change, options, signal) => {
        const sent = gateway.send(change, options, signal);
        const impatient = new Promise<void>((resolve) => setTimeout(resolve, 50)).then(
          (): Outcome => ({
            kind: 'retryable',
            failure: { code: 'CONNECTION_FAILED', status: null, message: 'impatient', hint: null, requestId: null, retryAfterMs: null },
          }),
        );
        return Promise.race([sent, impatient]);
      },
    }),
  },
};
