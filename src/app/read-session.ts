import type { Plan } from '../model/change.ts';
import type { Env } from '../model/env.ts';
import { type EdictError, ObservationFailedError } from '../model/errors.ts';
import { type NameKey, type NameResolution, nameKey } from '../model/name-ref.ts';
import type { StoreReader } from '../model/ports.ts';
import type { DesiredState, GatewayIdentity, RecordedState } from '../model/publication.ts';
import type { Settings } from '../model/settings.ts';
import { computePlan } from '../plan/planner.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import type { Targets } from '../plan/targets.ts';
import { FileSource, type ResolveNames } from '../source/file-source.ts';
import { openReadonly } from '../store/open.ts';
import { placeholderIds } from './emulated-gateway.ts';
import { withGatewayReader } from './session.ts';
import { systemClock } from './system-clock.ts';

/*
 * How the read-only commands open the file and the store, and compute the plan.
 */

/** Returns the plan that the controller would compute now, with its last probe results; with `saved` restricted to that plan's changes. */
export async function computeCurrentPlan(
  desired: DesiredState,
  recorded: RecordedState,
  store: StoreReader,
  targets: Targets,
  saved: SavedPlan | null = null,
): Promise<Plan> {
  const nowMs = systemClock.now();
  const status = await store.status(desired.gateway);
  const probes = new Map(status?.failedProbes?.map((answer) => [answer.key, answer]));
  const savedPlanInput = saved && { saved, lastAttempts: await store.lastAttempts(desired.gateway) };
  return computePlan(desired, recorded, await store.previousState(desired.gateway, nowMs), targets, nowMs, probes, savedPlanInput);
}

/**
 * Reads the file and opens the store read-only. With `ask`, the gateway resolves names that are not in the store; with `never ask`, such
 * names get placeholder IDs, which `use` receives as a set. `assertGateway` throws for a gateway that must not be contacted.
 */
export async function openReadSession<T>(
  settings: Settings,
  env: Env,
  names: 'ask' | 'never ask',
  use: (desired: DesiredState, store: StoreReader, placeholders: ReadonlySet<string>) => Promise<T>,
  assertGateway: (gateway: GatewayIdentity) => void = () => undefined,
): Promise<T> {
  const store = await openReadonly({ url: settings.storeUrl });
  const placeholders = new Set<string>();
  try {
    const resolve: ResolveNames = async (of, unknown) => {
      assertGateway(of);
      if (settings.emulate) return placeholderIds(unknown);
      const { resolveNames } = await import('../controller/name-resolution.ts');
      const knownIds = await store.resolvedNames(of);
      const known = [...knownIds].map(([key, id]): [NameKey, NameResolution] => [key, { kind: 'one', id }]);
      if (names === 'never ask') {
        const placeholderResolutions = placeholderIds(unknown.filter((name) => !knownIds.has(nameKey(name))));
        for (const resolution of placeholderResolutions.values()) if (resolution.kind === 'one') placeholders.add(resolution.id);
        return new Map([...placeholderResolutions, ...known]);
      }
      return withGatewayReader(of, null, env, (gateway) => resolveNames(unknown, { gateway, knownIds, signal: neverAborted }));
    };
    const desired = await new FileSource(settings.file, env, resolve).load();
    assertGateway(desired.gateway);
    return await use(desired, store, placeholders);
  } finally {
    await store.close();
  }
}

/** Returns the error for a failed observation. */
export function observationFailedError(reason: string, hint: string | null): EdictError {
  return new ObservationFailedError(`the gateway cannot be observed: ${reason}`, hint === null ? {} : { hint });
}

/** Never aborts: a read-only command is stopped by ending its process. */
export const neverAborted = new AbortController().signal;
