/*
 * The observe folder asks the gateway what is really published and brings the recorded state up to date before a plan is computed.
 * It must never turn an implausible list into changes: whatever would cause harm if the list were wrong is confirmed one by one.
 */
import { type EdictError, ObservationFailedError } from '../../model/errors.ts';
import type { Emit } from '../../model/events.ts';
import type { DriftNotice } from '../../model/observation.ts';
import type { Clock, GatewayReader, Store } from '../../model/ports.ts';
import type { DesiredState, RecordedState } from '../../model/publication.ts';
import { observeGateway } from './observation.ts';

export interface DriftDetectorDeps {
  readonly store: Store;
  readonly gateway: GatewayReader;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly emit: Emit;
  /** Whether the first observation is due immediately, even if the file does not ask for it. */
  readonly observeOnStart: boolean;
}

/** Delay after a failed observation, in milliseconds; a shorter refresh interval in the file takes precedence. */
const failureRetryMs = 60_000;

/** Observes the gateway when an observation is due, and updates the recorded state accordingly. */
export class DriftDetector {
  readonly #deps: DriftDetectorDeps;
  #nextAtMs = Number.NEGATIVE_INFINITY;
  #lastObservation: Promise<unknown> = Promise.resolve();
  /** Whether a requested first observation has not succeeded yet. */
  #isRequested: boolean;
  /** Notices of deleted APIs that were already emitted: each is emitted once, because a deleted API stays deleted. */
  #reportedDeleted = new Set<string>();

  constructor(deps: DriftDetectorDeps) {
    this.#deps = deps;
    this.#isRequested = deps.observeOnStart;
  }

  /**
   * Resolves to the recorded state updated from the gateway; `null` if no observation is due or its result is not plausible.
   * Waits for an observation in progress, so that no plan is based on state that is about to be corrected.
   *
   * @throws EdictError `OBSERVATION_FAILED` if the observation fails and the recorded state alone is no basis for a plan: an observation was
   * requested, or the gateway was never observed, and publishing what is already online would use up versions. `STORE_*` if the store fails
   */
  observe(desired: DesiredState, reconcileId: string, signal: AbortSignal): Promise<RecordedState | null> {
    const observation = this.#lastObservation.then(() => this.#observe(desired, reconcileId, signal));
    this.#lastObservation = observation.catch(() => null);
    return observation;
  }

  async #observe(desired: DesiredState, reconcileId: string, signal: AbortSignal): Promise<RecordedState | null> {
    const { store, gateway, clock, emit } = this.#deps;
    const { refreshIntervalMs } = desired;
    if (!this.#isRequested && refreshIntervalMs === null) return null;
    const neverObserved = (await store.listedApiCount(desired.gateway)) === null;
    if (!this.#isRequested && !neverObserved && clock.monotonicMs() < this.#nextAtMs) return null;
    const intervalMs = refreshIntervalMs ?? Number.POSITIVE_INFINITY;
    this.#nextAtMs = clock.monotonicMs() + intervalMs;
    const observation = await observeGateway(desired, { gateway, record: store, clock, signal });
    if (observation.kind === 'blind') {
      this.#nextAtMs = clock.monotonicMs() + Math.min(intervalMs, failureRetryMs);
      emit({ type: 'gateway:observe_failed', reconcileId, reason: observation.reason });
      if (observation.listed !== null) await store.saveObservation(desired.gateway, [], observation.listed);
      if (this.#isRequested || neverObserved) throw observationError(observation.reason, this.#isRequested);
      return null;
    }
    await store.saveObservation(desired.gateway, observation.updates, observation.listed);
    this.#isRequested = false;
    emit({ type: 'gateway:observed', reconcileId, listedApiCount: observation.listed, changedCount: observation.updates.length });
    for (const notice of this.#newNotices(observation.notices)) emit({ type: 'publication:drift', reconcileId, notice });
    return observation.recorded;
  }

  #newNotices(notices: readonly DriftNotice[]): DriftNotice[] {
    const idOf = ({ key, replacementId }: DriftNotice): string => `${key} ${replacementId}`;
    const reported = this.#reportedDeleted;
    this.#reportedDeleted = new Set(notices.filter(({ kind }) => kind === 'apiDeleted').map(idOf));
    return notices.filter((notice) => notice.kind !== 'apiDeleted' || !reported.has(idOf(notice)));
  }
}

function observationError(reason: string, isRequested: boolean): EdictError {
  const remedy = isRequested ? 'without --refresh' : 'with `refresh: never`';
  return new ObservationFailedError(`the gateway cannot be observed: ${reason}`, {
    hint: `nothing was sent; ${remedy} the plan starts from the record alone`,
  });
}
