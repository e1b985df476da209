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
 * How what only looks comes to a file, a record and a plan.
 */

/** Returns the plan that may be carried out, as the engine would make it now, with what probes have answered it last; with `saved` only what that plan has too. */
export async function computeCurrentPlan(
  desired: DesiredState,
  recorded: RecordedState,
  record: StoreReader,
  targets: Targets,
  saved: SavedPlan | null = null,
): Promise<Plan> {
  const nowMs = systemClock.now();
  const condition = await record.status(desired.gateway);
  const probes = new Map(condition?.failedProbes?.map((answer) => [answer.key, answer]));
  const keeping = saved && { saved, lastAttempts: await record.lastAttempts(desired.gateway) };
  return computePlan(desired, recorded, await record.previousState(desired.gateway, nowMs), targets, nowMs, probes, keeping);
}

/**
 * Reads the file and opens the record. Names that were never looked up: the gateway is asked, or they mean nothing that is
 * recorded, and `madeUp` has the IDs that stand for them. `expect` throws for a gateway that must not be asked anything.
 */
export async function openReadSession<T>(
  settings: Settings,
  environment: Env,
  names: 'ask' | 'never ask',
  use: (desired: DesiredState, record: StoreReader, madeUp: ReadonlySet<string>) => Promise<T>,
  expect: (gateway: GatewayIdentity) => void = () => undefined,
): Promise<T> {
  const record = await openReadonly({ url: settings.storeUrl });
  const madeUp = new Set<string>();
  try {
    const lookUp: ResolveNames = async (of, unknown) => {
      expect(of);
      if (settings.emulate) return placeholderIds(unknown);
      const { resolveNames } = await import('../controller/name-resolution.ts');
      const knownIds = await record.resolvedNames(of);
      const known = [...knownIds].map(([key, id]): [NameKey, NameResolution] => [key, { kind: 'one', id }]);
      if (names === 'never ask') {
        const made = placeholderIds(unknown.filter((name) => !knownIds.has(nameKey(name))));
        for (const meaning of made.values()) if (meaning.kind === 'one') madeUp.add(meaning.id);
        return new Map([...made, ...known]);
      }
      return withGatewayReader(of, null, environment, (gateway) => resolveNames(unknown, { gateway, knownIds, signal: neverAborted }));
    };
    const desired = await new FileSource(settings.file, environment, lookUp).load();
    expect(desired.gateway);
    return await use(desired, record, madeUp);
  } finally {
    await record.close();
  }
}

/** Returns the error of a gateway that cannot be seen. */
export function observationFailedError(reason: string, hint: string | null): EdictError {
  return new ObservationFailedError(`the gateway cannot be observed: ${reason}`, hint === null ? {} : { hint });
}

/** Ends nothing: what only looks is ended by ending its process. */
export const neverAborted = new AbortController().signal;
