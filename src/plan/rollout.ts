import type { Change, Deferral, Plan, ProbeResults } from '../model/change.ts';
import type { DesiredPublication, DesiredState, RolloutStep } from '../model/desired-state.ts';
import { type PublicationKey, type PublicationState, publicationKey } from '../model/publication.ts';
import type { RecordedState } from '../model/recorded-state.ts';

export interface RolloutInput {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly probes: ProbeResults;
  readonly nowMs: number;
}

interface RolloutContext extends RolloutInput {
  readonly changes: ReadonlyMap<PublicationKey, Change>;
  /** Drifted publications that the plan leaves in place. */
  readonly drifted: ReadonlySet<PublicationKey>;
}

/** A soak ends at a whole second, so that APIs that changed together proceed together. */
const soakRoundingMs = 1000;

/**
 * Returns `plan` with every change deferred whose rollout step has not started: an API's change waits
 * until the environment of each earlier step matches the file, has soaked and has passed its probe. A pure function. It must
 * see the whole plan, because changes that are not targeted count too. A change that is already deferred stays as it is.
 *
 * The same steps apply to both actions. A soak counts from when the recorded state last changed, so a publication that has
 * long been in sync does not soak again; and a gate that a change passed on its way to an intermediate environment is not
 * checked again. Soak and probe count only in an environment that gets the same state: an API that is offline in test says
 * nothing about one that goes online in release. A switch to an existing version never waits: it publishes nothing new, and is
 * how a change is rolled back.
 */
export function applyRollout(plan: Plan, { desired, recorded, probes, nowMs }: RolloutInput): Plan {
  const { steps } = desired.rollout;
  if (steps.length === 0) return plan;
  const ranks = new Map(steps.map(({ environmentId }, rank) => [environmentId, rank]));
  const changes = new Map(plan.changes.map((change) => [change.key, change]));
  const context = { desired, recorded, probes, nowMs, changes, drifted: new Set(plan.drifted.map(({ key }) => key)) };
  return {
    ...plan,
    changes: plan.changes.map((change) => {
      const earlierSteps = steps.slice(0, ranks.get(change.environmentId) ?? 0);
      if (change.deferred || change.version !== null || earlierSteps.length === 0) return change;
      return { ...change, deferred: previousStep(change, earlierSteps, context) ?? stepGate(change, earlierSteps, context) };
    }),
  };
}

/** Returns the deferral for the first earlier environment that does not match the file; `null` if all do. */
function previousStep({ apiId }: Change, earlierSteps: readonly RolloutStep[], { changes, drifted }: RolloutContext): Deferral | null {
  for (const { environment, environmentId } of earlierSteps) {
    const key = publicationKey(apiId, environmentId);
    const pending = changes.get(key);
    if (pending) return { rule: 'rollout', message: `waits for ${environment}${pending.held ? ', where it is held' : ''}`, untilMs: null };
    if (!drifted.has(key)) continue;
    return { rule: 'rollout', message: `waits for ${environment}, which was changed outside edict`, untilMs: null };
  }
  return null;
}

/** Returns the deferral for a soak or probe of an earlier environment; `null` if none is pending. */
function stepGate({ apiId, action }: Change, earlierSteps: readonly RolloutStep[], context: RolloutContext): Deferral | null {
  const { desired, recorded, nowMs } = context;
  let soak: Deferral | null = null;
  let probeGate: Deferral | null = null;
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const step of earlierSteps.toReversed()) {
    const key = publicationKey(apiId, step.environmentId);
    const declared = desired.publications.get(key);
    const previous = recorded.get(key);
    if (!previous || previous.recordedAtMs <= newestMs) continue;
    const state: PublicationState | null = declared?.state ?? (previous.state === 'offline' ? 'offline' : null);
    if (state === null) continue;
    newestMs = previous.recordedAtMs;
    if (state !== action) continue;
    soak = laterDeferral(soak, soakDeferral(step, previous.recordedAtMs, nowMs));
    if (declared && action === 'online')
      probeGate = probeDeferral(step, { declared, sinceMs: previous.recordedAtMs }, context) ?? probeGate;
  }
  return soak ?? probeGate;
}

function soakDeferral({ environment, soakMs }: RolloutStep, sinceMs: number, nowMs: number): Deferral | null {
  const untilMs = soakMs === 0 ? 0 : Math.ceil((sinceMs + soakMs) / soakRoundingMs) * soakRoundingMs;
  return nowMs < untilMs ? { rule: 'rollout', message: `soaks in ${environment}`, untilMs } : null;
}

function laterDeferral(a: Deferral | null, b: Deferral | null): Deferral | null {
  return a && b ? ((a.untilMs ?? 0) > (b.untilMs ?? 0) ? a : b) : (a ?? b);
}

function probeDeferral(
  { environment, probe }: RolloutStep,
  { declared: { key, api, apiId, environmentId }, sinceMs }: { readonly declared: DesiredPublication; readonly sinceMs: number },
  { desired: { rollout }, probes }: RolloutContext,
): Deferral | null {
  const probeUrl = rollout.probeUrls.get(apiId);
  if (!probe || probeUrl === null) return null;
  const url = expandProbeUrl(probeUrl ?? probe.url, { api, environment });
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
  const result = probes.get(key);
  if (!result || result.url !== url || result.sinceMs !== sinceMs) {
    return { rule: 'rollout', message: `${environment} is probed first: ${url}`, untilMs: null, probe: target };
  }
  if (result.isExpected) return null;
  return { rule: 'rollout', message: `waits for a probe of ${environment}, ${url}: ${result.message}`, untilMs: null, probe: target };
}

/** Half of a character, as in the name "\ud800", has no encoding. */
function encode(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

/** Returns the URL of a probe for an API in an environment. Names are encoded, so they cannot change other parts of the URL. */
export function expandProbeUrl(template: string, { api, environment }: { readonly api: string; readonly environment: string }): string {
  return template.replaceAll('{api}', encode(api)).replaceAll('{environment}', encode(environment));
}
