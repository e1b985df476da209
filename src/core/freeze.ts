import type { Change, Plan } from './plan.ts';
import type { DesiredState, Freeze, Suspension } from './publication.ts';
import type { Wait } from './wait.ts';

type Place = Pick<Change, 'apiId' | 'environmentId'>;

/** Freezes can follow each other for ever; nobody plans further than so many. */
const mostInARow = 1000;

/**
 * Returns `plan` with every change waiting that is suspended or in a freeze at `nowMs`. A pure function. Whoever makes a change
 * asks `isStopped` once more at the moment of acting, since a freeze may begin in between.
 */
export function delay(plan: Plan, desired: DesiredState, nowMs: number): Plan {
  if (!canStop(desired)) return plan;
  const known = new Map<string, Wait | null>();
  const stopAt = (place: Place): Wait | null => {
    const own = desired.suspendedApis.get(place.apiId);
    const kind = JSON.stringify([place.environmentId, own]);
    const stop = known.has(kind) ? (known.get(kind) ?? null) : stopOf(place, desired, nowMs);
    known.set(kind, stop);
    return stop;
  };
  const changes = plan.changes.map((change) => ({ ...change, waits: change.waits ?? stopAt(change) }));
  return { ...plan, changes };
}

/** Returns whether a change must not be made at `nowMs`: what `stopOf` says, without looking for the end of it. */
export function isStopped(place: Place, desired: DesiredState, nowMs: number): boolean {
  return canStop(desired) && stopsAt(place, desired, nowMs).length > 0;
}

/** Returns why a change must not be made at `nowMs`; `null` if nothing speaks against it. `untilMs` is when the last of all stops is over. */
export function stopOf(place: Place, desired: DesiredState, nowMs: number): Wait | null {
  if (!canStop(desired)) return null;
  const [first] = stopsAt(place, desired, nowMs);
  if (!first) return null;
  let atMs = nowMs;
  for (let rounds = 0; rounds < mostInARow; rounds += 1) {
    const untilMs = stopsAt(place, desired, atMs).reduce((last, stop) => Math.max(last, stop.untilMs ?? Number.POSITIVE_INFINITY), 0);
    if (untilMs === 0) return { ...first, untilMs: atMs };
    if (untilMs === Number.POSITIVE_INFINITY) break;
    atMs = untilMs;
  }
  return { ...first, untilMs: null };
}

function canStop({ freezes, suspension, suspendedApis, environments }: DesiredState): boolean {
  return (
    freezes.length > 0 || suspension !== null || suspendedApis.size > 0 || [...environments.values()].some(({ suspension: own }) => own)
  );
}

/** Returns what stops a change at one moment; a person's word first. */
function stopsAt({ apiId, environmentId }: Place, desired: DesiredState, atMs: number): Wait[] {
  const { freezes, suspension, suspendedApis, environments } = desired;
  const words = [suspendedApis.get(apiId), environments.get(environmentId)?.suspension, suspension];
  const suspended = words.filter((one) => one && (one.untilMs === null || atMs < one.untilMs));
  const frozen = freezes.filter(({ environmentIds }) => environmentIds?.has(environmentId) ?? true);
  return [
    ...suspended.flatMap((one) => (one ? [suspensionWait(one)] : [])),
    ...frozen.flatMap((one) => {
      const untilMs = one.endMs(atMs);
      return untilMs === null ? [] : [freezeWait(one, untilMs)];
    }),
  ];
}

function suspensionWait({ reason, by, untilMs }: Suspension): Wait {
  return { rule: 'suspended', message: `suspended${by === null ? '' : ` by ${by}`} (${reason})`, untilMs };
}

function freezeWait({ name, reason }: Freeze, untilMs: number): Wait {
  const what = [name, reason].filter((text) => text !== null).join(', ');
  return { rule: 'freeze', message: what === '' ? 'frozen' : `frozen (${what})`, untilMs };
}
