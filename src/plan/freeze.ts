import type { Change, Deferral, Plan } from '../model/change.ts';
import type { DesiredState, Freeze, Suspension } from '../model/desired-state.ts';

type PublicationIds = Pick<Change, 'apiId' | 'environmentId'>;

/** Freezes can follow each other without end. After this many, the end counts as unknown. */
const maxConsecutiveFreezes = 1000;

/**
 * Returns `plan` with every change deferred that is suspended or frozen at `nowMs`. A pure function. The reconciler calls
 * `isFrozen` again immediately before a call, since a freeze may begin in between.
 */
export function applyFreezes(plan: Plan, desired: DesiredState, nowMs: number): Plan {
  if (!hasFreezes(desired)) return plan;
  const cache = new Map<string, Deferral | null>();
  const deferralAt = (publication: PublicationIds): Deferral | null => {
    const apiSuspension = desired.suspendedApis.get(publication.apiId);
    const cacheKey = JSON.stringify([publication.environmentId, apiSuspension]);
    const deferral = cache.has(cacheKey) ? (cache.get(cacheKey) ?? null) : freezeFor(publication, desired, nowMs);
    cache.set(cacheKey, deferral);
    return deferral;
  };
  const changes = plan.changes.map((change) => ({ ...change, deferred: change.deferred ?? deferralAt(change) }));
  return { ...plan, changes };
}

/** Returns whether a change is frozen at `nowMs`: like `freezeFor`, without searching for the end. */
export function isFrozen(publication: PublicationIds, desired: DesiredState, nowMs: number): boolean {
  return hasFreezes(desired) && freezesAt(publication, desired, nowMs).length > 0;
}

/**
 * Returns why a change is frozen at `nowMs`; `null` if it is not. `untilMs` is when the last of all freezes and suspensions
 * ends.
 */
export function freezeFor(publication: PublicationIds, desired: DesiredState, nowMs: number): Deferral | null {
  if (!hasFreezes(desired)) return null;
  const [first] = freezesAt(publication, desired, nowMs);
  if (!first) return null;
  let atMs = nowMs;
  for (let rounds = 0; rounds < maxConsecutiveFreezes; rounds += 1) {
    const untilMs = freezesAt(publication, desired, atMs).reduce(
      (last, deferral) => Math.max(last, deferral.untilMs ?? Number.POSITIVE_INFINITY),
      0,
    );
    if (untilMs === 0) return { ...first, untilMs: atMs };
    if (untilMs === Number.POSITIVE_INFINITY) break;
    atMs = untilMs;
  }
  return { ...first, untilMs: null };
}

function hasFreezes({ freezes, suspension, suspendedApis, environments }: DesiredState): boolean {
  return (
    freezes.length > 0 || suspension !== null || suspendedApis.size > 0 || [...environments.values()].some(({ suspension: own }) => own)
  );
}

/** Returns the suspensions and freezes that apply to a change at one moment, suspensions first. */
function freezesAt({ apiId, environmentId }: PublicationIds, desired: DesiredState, atMs: number): Deferral[] {
  const { freezes, suspension, suspendedApis, environments } = desired;
  const suspensions = [suspendedApis.get(apiId), environments.get(environmentId)?.suspension, suspension];
  const suspended = suspensions.filter((one) => one && (one.untilMs === null || atMs < one.untilMs));
  const frozen = freezes.filter(({ environmentIds }) => environmentIds?.has(environmentId) ?? true);
  return [
    ...suspended.flatMap((one) => (one ? [suspensionDeferral(one)] : [])),
    ...frozen.flatMap((one) => {
      const untilMs = one.endsAtMs(atMs);
      return untilMs === null ? [] : [freezeDeferral(one, untilMs)];
    }),
  ];
}

function suspensionDeferral({ reason, by, untilMs }: Suspension): Deferral {
  return { rule: 'suspended', message: `suspended${by === null ? '' : ` by ${by}`} (${reason})`, untilMs };
}

function freezeDeferral({ name, reason }: Freeze, untilMs: number): Deferral {
  const label = [name, reason].filter((text) => text !== null).join(', ');
  return { rule: 'freeze', message: label === '' ? 'frozen' : `frozen (${label})`, untilMs };
}
