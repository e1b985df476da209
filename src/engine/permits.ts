import { isFrozen } from '../core/freeze.ts';
import { isStillValid } from '../core/keep-to.ts';
import { type Change, isActionable, type Plan } from '../core/plan.ts';
import type { Clock } from '../core/ports.ts';
import type { DesiredState, PublicationKey, RecordedPublication } from '../core/publication.ts';
import type { SavedPlan } from '../core/saved-plan.ts';

export interface AllowedChangesDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** What alone may be done; `null`: whatever the newest plan allows. */
  readonly saved: SavedPlan | null;
  /** The newest valid desired state. */
  readonly desired: () => DesiredState;
  /** Called where what the plan allows may not be done any more, so that another plan is needed. */
  readonly onExpired: () => void;
}

/** What the newest plan allows to be done. Guards look at whole plans, so nothing else leaves. */
export class AllowedChanges {
  readonly #deps: AllowedChangesDeps;
  #changes: ReadonlyMap<PublicationKey, Change> = new Map();

  constructor(deps: AllowedChangesDeps) {
    this.#deps = deps;
  }

  /** Takes the changes that `plan` makes in place of those before. */
  setPlan(plan: Plan): void {
    this.#changes = new Map(plan.changes.filter(isActionable).map((change) => [change.key, change]));
  }

  /**
   * Returns what may be done now for the publication of `change`; `null` if nothing. Since the plan was made its approval may
   * have expired, a freeze have begun, and the record, read just now, have left what a saved plan rests on.
   */
  get({ key }: Change, recorded: RecordedPublication | undefined): Change | null {
    const { clock, saved, desired, onExpired } = this.#deps;
    const permitted = this.#changes.get(key);
    if (!permitted) return null;
    const nowMs = clock.now();
    if (nowMs >= (permitted.approval?.expiresAtMs ?? Number.POSITIVE_INFINITY) || isFrozen(permitted, desired(), nowMs)) {
      onExpired();
      return null;
    }
    const planned = saved?.changes.get(key);
    return saved && !(planned && isStillValid(planned, recorded)) ? null : permitted;
  }
}
