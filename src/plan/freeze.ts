import type { Change, Deferral, Plan } from '../model/change.ts';
import type { DesiredState, Freeze, Suspension } from '../model/desired-state.ts';

type PublicationIds = Pick<Change, 'apiId' | 'environmentId'>;

/** Freezes can follow each other without end. After this many, the end counts as unknown. */
const maxConsecutiveFreezes = 1000;

/**
 * How often one plan asks freezes whether they are active: each answer takes a fraction of a millisecond, and the loop waits for it. When none is
 * left, the ends that are still missing count as unknown.
 */
const maxQuestions = 2000;

/**
 * Returns `plan` with every change deferred that is suspended or frozen at `nowMs`. A pure function. The reconciler calls
 * `isFrozen` again immediately before a call, since a freeze may begin in between.
 */
export function applyFreezes(plan: Plan, desired: DesiredState, nowMs: number): Plan {
  if (!hasFreezes(desired)) return plan;
  const search = new FreezeSearch(desired);
  const cache = new Map<string, Deferral | null>();
  const deferralAt = (publication: PublicationIds): Deferral | null => {
    const apiSuspension = desired.suspendedApis.get(publication.apiId);
    const cacheKey = JSON.stringify([publication.environmentId, apiSuspension]);
    const deferral = cache.has(cacheKey) ? (cache.get(cacheKey) ?? null) : search.deferralOf(publication, nowMs);
    cache.set(cacheKey, deferral);
    return deferral;
  };
  const changes = plan.changes.map((change) => ({ ...change, deferred: change.deferred ?? deferralAt(change) }));
  return { ...plan, changes };
}

/** Returns whether a change is frozen at `nowMs`: like `freezeFor`, without searching for the end. */
export function isFrozen(publication: PublicationIds, desired: DesiredState, nowMs: number): boolean {
  return (
    hasFreezes(desired) && (suspensionsAt(publication, desired, nowMs).length > 0 || freezesAt(publication, desired, nowMs).length > 0)
  );
}

/**
 * Returns why a change is frozen at `nowMs`; `null` if it is not. `untilMs` is when the last of all freezes and suspensions
 * ends.
 */
export function freezeFor(publication: PublicationIds, desired: DesiredState, nowMs: number): Deferral | null {
  return hasFreezes(desired) ? new FreezeSearch(desired).deferralOf(publication, nowMs) : null;
}

/** Searches for the ends of freezes. One search serves the others, since the freezes of an environment are the same for all APIs. */
class FreezeSearch {
  readonly #desired: DesiredState;
  readonly #frozen = new Map<string, readonly Deferral[]>();
  #questionsLeft = maxQuestions;

  constructor(desired: DesiredState) {
    this.#desired = desired;
  }

  deferralOf(publication: PublicationIds, nowMs: number): Deferral | null {
    const suspensions = suspensionsAt(publication, this.#desired, nowMs);
    const [first] = [...suspensions, ...this.#freezesAt(publication, nowMs)];
    if (!first) return null;
    // A suspension has no start, so that only freezes can follow the last one.
    const untilMs = lastEnd(suspensions) ?? nowMs;
    return { ...first, untilMs: untilMs === Number.POSITIVE_INFINITY ? null : this.#endOfFreezes(publication, untilMs) };
  }

  /** Returns when an environment is no longer frozen, from `atMs` on; `null` if that is unknown. */
  #endOfFreezes(publication: PublicationIds, fromMs: number): number | null {
    let atMs = fromMs;
    for (let rounds = 0; rounds < maxConsecutiveFreezes && this.#questionsLeft > 0; rounds += 1) {
      const untilMs = lastEnd(this.#freezesAt(publication, atMs));
      if (untilMs === null) return atMs;
      if (untilMs === Number.POSITIVE_INFINITY) return null;
      atMs = untilMs;
    }
    return null;
  }

  #freezesAt(publication: PublicationIds, atMs: number): readonly Deferral[] {
    const key = `${atMs} ${publication.environmentId}`;
    const known = this.#frozen.get(key);
    if (known) return known;
    const frozen = freezesAt(publication, this.#desired, atMs);
    this.#questionsLeft -= this.#desired.freezes.length;
    this.#frozen.set(key, frozen);
    return frozen;
  }
}

/** Returns the last of the ends; `null` if there are none, infinity if one of them never ends. */
function lastEnd(deferrals: readonly Deferral[]): number | null {
  return deferrals.length === 0 ? null : Math.max(...deferrals.map(({ untilMs }) => untilMs ?? Number.POSITIVE_INFINITY));
}

function hasFreezes({ freezes, suspension, suspendedApis, environments }: DesiredState): boolean {
  return (
    freezes.length > 0 || suspension !== null || suspendedApis.size > 0 || [...environments.values()].some(({ suspension: own }) => own)
  );
}

/** Returns the suspensions that apply to a change at one moment. */
function suspensionsAt(
  { apiId, environmentId }: PublicationIds,
  { suspension, suspendedApis, environments }: DesiredState,
  atMs: number,
): Deferral[] {
  const suspensions = [suspendedApis.get(apiId), environments.get(environmentId)?.suspension, suspension];
  const suspended = suspensions.filter((one) => one && (one.untilMs === null || atMs < one.untilMs));
  return suspended.flatMap((one) => (one ? [suspensionDeferral(one)] : []));
}

/** Returns the freezes that apply to a change at one moment. */
function freezesAt({ environmentId }: PublicationIds, { freezes }: DesiredState, atMs: number): Deferral[] {
  const frozen = freezes.filter(({ environmentIds }) => environmentIds?.has(environmentId) ?? true);
  return frozen.flatMap((one) => {
    const untilMs = one.endsAtMs(atMs);
    return untilMs === null ? [] : [freezeDeferral(one, untilMs)];
  });
}

function suspensionDeferral({ reason, by, untilMs }: Suspension): Deferral {
  return { rule: 'suspended', message: `suspended${by === null ? '' : ` by ${by}`} (${reason})`, untilMs };
}

function freezeDeferral({ name, reason }: Freeze, untilMs: number): Deferral {
  const label = [name, reason].filter((text) => text !== null).join(', ');
  return { rule: 'freeze', message: label === '' ? 'frozen' : `frozen (${label})`, untilMs };
}
