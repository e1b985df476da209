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
  /** Whether the first look is due at once, whatever the file says. */
  readonly observeOnStart: boolean;
}

/** After a look that saw nothing the next one is due this much later, or sooner if the file says so. */
const failureRetryMs = 60_000;

/** Looks at the gateway when it is time to, and brings the record up to what is seen. */
export class DriftDetector {
  readonly #deps: DriftDetectorDeps;
  #nextAtMs = Number.NEGATIVE_INFINITY;
  #lastObservation: Promise<unknown> = Promise.resolve();
  /** Whether the first look, asked for by a person, is still to be made. */
  #isRequested: boolean;
  /** What was told of APIs that are gone: it stays so, and is told once. */
  #reportedDeleted = new Set<string>();

  constructor(deps: DriftDetectorDeps) {
    this.#deps = deps;
    this.#isRequested = deps.observeOnStart;
  }

  /**
   * Resolves to the record as the gateway shows it, `null` if it is not time to look or there is no believing what is seen.
   * A look under way is waited for: nobody plans on what it is about to correct.
   *
   * @throws EdictError `OBSERVATION_FAILED` if nothing is seen and the record is no base to plan on: a look was asked for, or the gateway
   * has never been seen, and to publish what is online there already would cost versions. `STORE_*` if it cannot be written
   */
  observe(desired: DesiredState, passId: string, signal: AbortSignal): Promise<RecordedState | null> {
    const looked = this.#lastObservation.then(() => this.#observe(desired, passId, signal));
    this.#lastObservation = looked.catch(() => null);
    return looked;
  }

  async #observe(desired: DesiredState, reconcileId: string, signal: AbortSignal): Promise<RecordedState | null> {
    const { store, gateway, clock, emit } = this.#deps;
    const { refreshIntervalMs } = desired;
    if (!this.#isRequested && refreshIntervalMs === null) return null;
    const isUnknown = (await store.listedApiCount(desired.gateway)) === null;
    if (!this.#isRequested && !isUnknown && clock.monotonicMs() < this.#nextAtMs) return null;
    const everyMs = refreshIntervalMs ?? Number.POSITIVE_INFINITY;
    this.#nextAtMs = clock.monotonicMs() + everyMs;
    const seen = await observeGateway(desired, { gateway, record: store, clock, signal });
    if (seen.kind === 'blind') {
      this.#nextAtMs = clock.monotonicMs() + Math.min(everyMs, failureRetryMs);
      emit({ type: 'gateway:observe_failed', reconcileId, reason: seen.reason });
      if (seen.listed !== null) await store.saveObservation(desired.gateway, [], seen.listed);
      if (this.#isRequested || isUnknown) throw observationError(seen.reason, this.#isRequested);
      return null;
    }
    await store.saveObservation(desired.gateway, seen.updates, seen.listed);
    this.#isRequested = false;
    emit({ type: 'gateway:observed', reconcileId, listedApiCount: seen.listed, changedCount: seen.updates.length });
    for (const notice of this.#newNotices(seen.notices)) emit({ type: 'publication:drift', reconcileId, notice });
    return seen.recorded;
  }

  #newNotices(notes: readonly DriftNotice[]): DriftNotice[] {
    const nameOf = ({ key, replacementId }: DriftNotice): string => `${key} ${replacementId}`;
    const told = this.#reportedDeleted;
    this.#reportedDeleted = new Set(notes.filter(({ kind }) => kind === 'gone').map(nameOf));
    return notes.filter((note) => note.kind !== 'gone' || !told.has(nameOf(note)));
  }
}

function observationError(reason: string, isAwaited: boolean): EdictError {
  const without = isAwaited ? 'without --refresh' : 'with `observe: never`';
  return new ObservationFailedError(`the gateway cannot be observed: ${reason}`, {
    hint: `nothing was sent; ${without} the plan starts from the record alone`,
  });
}
