import type { Change, Plan } from '../model/change.ts';
import type { Deferral, ProbeResults, ProbeTarget } from '../model/deferral.ts';
import {
  type DesiredState,
  type PublicationKey,
  type PublicationState,
  publicationKey,
  type RecordedState,
  type RolloutStep,
} from '../model/publication.ts';

interface RolloutContext {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly probes: ProbeResults;
  readonly nowMs: number;
  readonly changes: ReadonlyMap<PublicationKey, Change>;
  /** What somebody else has changed and the plan leaves. */
  readonly drifted: ReadonlySet<PublicationKey>;
}

/** A soak ends with a whole second, so that APIs that went together go on together. */
const soakRoundingMs = 1000;

/**
 * Returns `plan` with every change waiting that has not its turn: in an environment of the order, an API's change waits until each
 * environment before is as the file says, and has soaked and answered its probe. A pure function. It must see the whole plan: what
 * is not targeted counts too. What waits already is left as it is.
 *
 * The same order holds for both actions. A soak counts from the moment since which the record is as it is, so what has been in sync
 * for long does not soak anew; and a gate that a change has passed on its way to an environment between is not passed again. Soak
 * and probe are of an environment that is to be in the same state: an API that is offline in test tells nothing of one that goes
 * online in release. A switch to a kept version never waits: it makes nothing new, and is the way back.
 */
export function applyRollout(plan: Plan, desired: DesiredState, recorded: RecordedState, probes: ProbeResults, nowMs: number): Plan {
  const { steps } = desired.rollout;
  if (steps.length === 0) return plan;
  const ranks = new Map(steps.map(({ environmentId }, rank) => [environmentId, rank]));
  const changes = new Map(plan.changes.map((change) => [change.key, change]));
  const situation = { desired, recorded, probes, nowMs, changes, drifted: new Set(plan.drifted.map(({ key }) => key)) };
  return {
    ...plan,
    changes: plan.changes.map((change) => {
      const before = steps.slice(0, ranks.get(change.environmentId) ?? 0);
      if (change.deferred || change.version !== null || before.length === 0) return change;
      return { ...change, deferred: previousStep(change, before, situation) ?? stepGate(change, before, situation) };
    }),
  };
}

/** Returns the wait for the first environment that is not as the file says; `null` if all are. */
function previousStep({ apiId }: Change, before: readonly RolloutStep[], { changes, drifted }: RolloutContext): Deferral | null {
  for (const { environment, environmentId } of before) {
    const key = publicationKey(apiId, environmentId);
    const pending = changes.get(key);
    if (pending) return { rule: 'order', message: `waits for ${environment}${pending.held ? ', where it is held' : ''}`, untilMs: null };
    if (!drifted.has(key)) continue;
    return { rule: 'order', message: `waits for ${environment}, where somebody else has changed it`, untilMs: null };
  }
  return null;
}

/** Returns the wait for a soak or a probe of an environment before; `null` if there is nothing to wait for. */
function stepGate(
  { apiId, action }: Change,
  before: readonly RolloutStep[],
  { desired, recorded, probes, nowMs }: RolloutContext,
): Deferral | null {
  let soak: Deferral | null = null;
  let asked: Deferral | null = null;
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const step of before.toReversed()) {
    const key = publicationKey(apiId, step.environmentId);
    const wanted = desired.publications.get(key);
    const was = recorded.get(key);
    if (!was || was.recordedAtMs <= newestMs) continue;
    const state: PublicationState | null = wanted?.state ?? (was.state === 'offline' ? 'offline' : null);
    if (state === null) continue;
    newestMs = was.recordedAtMs;
    if (state !== action) continue;
    soak = laterDeferral(soak, soakDeferral(step, was.recordedAtMs, nowMs));
    if (wanted && action === 'online') asked = probeDeferral(step, wanted, was.recordedAtMs, desired, probes) ?? asked;
  }
  return soak ?? asked;
}

function soakDeferral({ environment, soakMs }: RolloutStep, sinceMs: number, nowMs: number): Deferral | null {
  const untilMs = soakMs === 0 ? 0 : Math.ceil((sinceMs + soakMs) / soakRoundingMs) * soakRoundingMs;
  return nowMs < untilMs ? { rule: 'order', message: `soaks in ${environment}`, untilMs } : null;
}

function laterDeferral(a: Deferral | null, b: Deferral | null): Deferral | null {
  return a && b ? ((a.untilMs ?? 0) > (b.untilMs ?? 0) ? a : b) : (a ?? b);
}

function probeDeferral(
  { environment, probe }: RolloutStep,
  { key, api, apiId, environmentId }: Pick<ProbeTarget, 'key' | 'api' | 'apiId' | 'environmentId'>,
  sinceMs: number,
  { rollout }: DesiredState,
  probes: ProbeResults,
): Deferral | null {
  const own = rollout.probeUrls.get(apiId);
  if (!probe || own === null) return null;
  const url = expandProbeUrl(own ?? probe.url, { api, environment });
  const target = {
    key,
    api,
    apiId,
    environment,
    environmentId,
    url,
    expectedStatus: probe.expectedStatus,
    timeoutMs: probe.timeoutMs,
    sinceMs,
  };
  const answer = probes.get(key);
  if (!answer || answer.url !== url || answer.sinceMs !== sinceMs) {
    return { rule: 'order', message: `${environment} is probed first: ${url}`, untilMs: null, probe: target };
  }
  if (answer.isExpected) return null;
  return { rule: 'order', message: `waits for a probe of ${environment}, ${url}: ${answer.message}`, untilMs: null, probe: target };
}

/** Returns the address that `template` means for an API in an environment. What a name holds cannot leave its place in it. */
export function expandProbeUrl(template: string, { api, environment }: { readonly api: string; readonly environment: string }): string {
  return template.replaceAll('{api}', encodeURIComponent(api)).replaceAll('{environment}', encodeURIComponent(environment));
}
