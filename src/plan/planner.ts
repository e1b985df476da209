// The decisions of edict: which changes a plan has and which of them are held, deferred or out of scope. Everything in this
// folder is a pure function of its inputs. Nothing here may use a clock, a file, a socket, a process or a logger, or import
// any folder but model/.

import type { PreviousState } from '../model/approval.ts';
import type { Deferral, Plan, ProbeResults } from '../model/change.ts';
import type { DesiredState, Suspension } from '../model/desired-state.ts';
import type { LastObservation, UnmanagedPublication, Unobserved } from '../model/observation.ts';
import type { PublicationKey } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';
import { compareNames, diffStates } from './diff.ts';
import { applyFreezes } from './freeze.ts';
import { applyApprovals, applyPolicies, awaitFirstLook, gatewayHold } from './policies.ts';
import { applyRollout } from './rollout.ts';
import type { LastAttempts, SavedPlan } from './saved-plan.ts';
import { excludeNewlyHeld, restrictToSaved } from './saved-plan-check.ts';
import { filterPlan, type Targets } from './targets.ts';

/** A saved plan that is applied, and the newest attempt of each publication. */
export interface SavedPlanInput {
  readonly saved: SavedPlan;
  readonly lastAttempts: LastAttempts;
}

export interface PlanInput {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly previous: PreviousState;
  readonly targets: Targets;
  readonly nowMs: number;
  /** Default: nothing was probed. */
  readonly probes?: ProbeResults;
  /** Default: no saved plan restricts the plan. */
  readonly savedPlanInput?: SavedPlanInput | null;
  /** The last list of the gateway; default `null`: none. */
  readonly observation?: LastObservation | null;
  /** Whether the gateway is an emulated one, which always is as the record says; default: no. */
  readonly isEmulated?: boolean;
  /** Why the gateway was not observed when the plan needed it; default `null`: it was, or need not be. */
  readonly unobserved?: Unobserved | null;
  /** Why names in the file have no IDs; default `null`: all have one. */
  readonly unresolvedNames?: Unobserved | null;
}

/**
 * Returns the plan to apply. The steps are: compute the changes that the file needs, hold those that break a policy, defer by
 * recent removal, freezes and rollout order, restrict to the targets and to a saved plan if there is one, release what is approved. A pure
 * function. Policies and rollout see the whole plan, so that splitting a change into targeted parts cannot bypass them.
 */
export function computePlan(input: PlanInput): Plan {
  const {
    desired,
    recorded,
    previous,
    targets,
    nowMs,
    probes = new Map(),
    savedPlanInput = null,
    unobserved = null,
    unresolvedNames = null,
    isEmulated = false,
  } = input;
  const suspension = isInEffect(previous.suspension, nowMs) ? previous.suspension : null;
  const unapproved = isEmulated ? null : gatewayHold(desired.gateway, previous, nowMs);
  // Nothing may be asked there, so that there is nothing to plan yet, and nothing to approve but the gateway.
  if (unapproved) return { ...diffObserved(input), suspension, changes: [], fileHeld: unapproved };
  const { observation = null } = input;
  const looked = awaitFirstLook(diffObserved(input), { desired, recorded, observation, unobserved });
  const heldPlan = applyPolicies({ ...looked, suspension }, { desired, recorded, previous, unobserved, unresolvedNames });
  const whole = applyRollout(
    applyFreezes(
      deferRemovals(heldPlan, desired, nowMs),
      { ...desired, suspension: longerSuspension(desired.suspension, suspension) },
      nowMs,
    ),
    { desired, recorded, probes, nowMs },
  );
  const targeted = filterPlan(whole, desired, targets);
  if (!savedPlanInput) return applyApprovals(targeted, previous.approvals, nowMs);
  const { saved, lastAttempts } = savedPlanInput;
  return excludeNewlyHeld(
    applyApprovals(restrictToSaved({ targeted, whole }, saved, { desired, recorded, lastAttempts }), previous.approvals, nowMs),
    saved,
  );
}

/** How long an observation is current for a file that asks for none, in milliseconds: as long as by default. */
const defaultRefreshMs = 5 * 60_000;

/** Returns the changes that the file needs, with what the last list of the gateway says of all other publications. */
function diffObserved({ desired, recorded, previous, nowMs, observation = null, isEmulated = false }: PlanInput): Plan {
  const { refreshIntervalMs, gateway } = desired;
  const isObserved = refreshIntervalMs !== null && !isEmulated;
  const atMs = observation?.observedAtMs ?? null;
  const isSettling = ({ changedAtMs }: RecordedPublication): boolean =>
    isObserved && changedAtMs !== null && changedAtMs > nowMs - gateway.propagationDelayMs;
  const plan = diffStates(desired, recorded, {
    isSettling,
    missingApiIds: observation?.missingApiIds ?? [],
    observedAtMs: atMs ?? 0,
    unreadVersions: observation?.unreadVersions ?? [],
    wasDeclared: (key) => previous.declared.has(key),
  });
  const isUnmanaged = ({ key }: UnmanagedPublication): boolean =>
    !desired.publications.has(key) && recorded.get(key)?.state !== 'online' && !recorded.get(key)?.unknownAttempt;
  return {
    ...plan,
    ...(isEmulated && { isEmulated }),
    unmanaged: [...plan.unmanaged, ...(observation?.unmanaged ?? []).filter(isUnmanaged)].sort(compareNames),
    newlyUnmanaged: plan.unmanaged.filter(({ key }) => previous.declared.has(key)),
    lastChecked: { atMs, isCurrent: isEmulated || (atMs !== null && Math.abs(nowMs - atMs) < (refreshIntervalMs ?? defaultRefreshMs)) },
  };
}

/** Returns `plan` with every change deferred whose publication left the file too recently. */
function deferRemovals(plan: Plan, { publications, pruneAtMs }: DesiredState, nowMs: number): Plan {
  if (!pruneAtMs) return plan;
  const deferralOf = (key: PublicationKey): Deferral | null => {
    const untilMs = publications.has(key) ? nowMs : pruneAtMs(key);
    return nowMs < untilMs ? { rule: 'removal', message: 'removed from the file a moment ago', untilMs } : null;
  };
  return { ...plan, changes: plan.changes.map((change) => ({ ...change, deferred: change.deferred ?? deferralOf(change.key) })) };
}

/** Returns whether a suspension set with a command has not ended yet. */
export function isInEffect(suspension: Suspension | null, nowMs: number): suspension is Suspension {
  return suspension !== null && nowMs < (suspension.untilMs ?? Number.POSITIVE_INFINITY);
}

/** Returns the suspension that lasts longer. */
function longerSuspension(a: Suspension | null, b: Suspension | null): Suspension | null {
  if (a === null || b === null) return a ?? b;
  return (a.untilMs ?? Number.POSITIVE_INFINITY) >= (b.untilMs ?? Number.POSITIVE_INFINITY) ? a : b;
}
