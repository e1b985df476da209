import type { Change, Plan } from '../model/change.ts';
import type { Deferral } from '../model/deferral.ts';
import type { DesiredState, Freeze, Suspension } from '../model/publication.ts';

type PublicationIds = Pick<Change, 'apiId' | 'environmentId'>;

/** Freezes can follow each other for ever; nobody plans further than so many. */
const maxConsecutiveFreezes = 1000;

/**
 * Returns `plan` with every change waiting that is suspended or in a freeze at `nowMs`. A pure function. Whoever makes a change
 * asks `isStopped` once more at the moment of acting, since a freeze may begin in between.
 */
export function applyFreezes(plan: Plan, desired: DesiredState, nowMs: number): Plan {
  if (!hasFreezes(desired)) return plan;
  const known = new Map<string, Deferral | null>();
  const stopAt = (place: PublicationIds): Deferral | null => {
    const own = desired.suspendedApis.get(place.apiId);
    const kind = JSON.stringify([place.environmentId, own]);
    const stop = known.has(kind) ? (known.get(kind) ?? null) : freezeFor(place, desired, nowMs);
    known.set(kind, stop);
    return stop;
  };
  const changes = plan.changes.map((change) => ({ ...change, deferred: change.deferred ?? stopAt(change) }));
  return { ...plan, changes };
}

/** Returns whether a change must not be made at `nowMs`: what `stopOf` says, without looking for the end of it. */
export function isFrozen(place: PublicationIds, desired: DesiredState, nowMs: number): boolean {
  return hasFreezes(desired) && freezesAt(place, desired, nowMs).length > 0;
}

/** Returns why a change must not be made at `nowMs`; `null` if nothing speaks against it. `untilMs` is when the last of all stops is over. */
export function freezeFor(place: PublicationIds, desired: DesiredState, nowMs: number): Deferral | null {
  if (!hasFreezes(desired)) return null;
  const [first] = freezesAt(place, desired, nowMs);
  if (!first) return null;
  let atMs = nowMs;
  for (let rounds = 0; rounds < maxConsecutiveFreezes; rounds += 1) {
    const untilMs = freezesAt(place, desired, atMs).reduce((last, stop) => Math.max(last, stop.untilMs ?? Number.POSITIVE_INFINITY), 0);
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

/** Returns what stops a change at one moment; a person's word first. */
function freezesAt({ apiId, environmentId }: PublicationIds, desired: DesiredState, atMs: number): Deferral[] {
  const { freezes, suspension, suspendedApis, environments } = desired;
  const words = [suspendedApis.get(apiId), environments.get(environmentId)?.suspension, suspension];
  const suspended = words.filter((one) => one && (one.untilMs === null || atMs < one.untilMs));
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
  const what = [name, reason].filter((text) => text !== null).join(', ');
  return { rule: 'freeze', message: what === '' ? 'frozen' : `frozen (${what})`, untilMs };
}
