import type { Change, Plan } from '../model/change.ts';
import type { Clock } from '../model/clock.ts';
import type { DesiredState } from '../model/desired-state.ts';
import type { PublicationKey } from '../model/publication.ts';
import type { RecordedPublication } from '../model/recorded-state.ts';
import { isActionable } from '../plan/diff.ts';
import { isFrozen } from '../plan/freeze.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import { isStillValid } from '../plan/saved-plan-check.ts';

export interface AllowedChangesDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** The saved plan that limits the changes; `null` allows every change of the newest plan. */
  readonly saved: SavedPlan | null;
  /** The newest valid desired state. */
  readonly desired: () => DesiredState;
  /** Called when the plan no longer allows one of its changes, so that a new plan is needed. */
  readonly onExpired: () => void;
}

/** The changes that the newest plan allows. Policies are evaluated on whole plans, so no other change may be sent. */
export class AllowedChanges {
  readonly #deps: AllowedChangesDeps;
  #changes: ReadonlyMap<PublicationKey, Change> = new Map();

  constructor(deps: AllowedChangesDeps) {
    this.#deps = deps;
  }

  /** Replaces the allowed changes with those of `plan`. */
  setPlan(plan: Plan): void {
    this.#changes = new Map(plan.changes.filter(isActionable).map((change) => [change.key, change]));
  }

  /**
   * Returns the change allowed now for the publication of `change`; `null` if none. Since the plan was computed, its approval may
   * have expired, a freeze may have begun, or `recorded`, just read, may no longer match the saved plan's preconditions.
   */
  get({ key }: Change, recorded: RecordedPublication | undefined): Change | null {
    const { clock, saved, desired, onExpired } = this.#deps;
    const allowed = this.#changes.get(key);
    if (!allowed) return null;
    const nowMs = clock.now();
    if (nowMs >= (allowed.approval?.expiresAtMs ?? Number.POSITIVE_INFINITY) || isFrozen(allowed, desired(), nowMs)) {
      onExpired();
      return null;
    }
    const planned = saved?.changes.get(key);
    return saved && !(planned && isStillValid(planned, recorded)) ? null : allowed;
  }
}
