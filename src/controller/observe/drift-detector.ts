/*
 * The observe folder asks the gateway what is really published and brings the recorded state up to date before a plan is computed.
 * It must never turn an implausible list into changes: whatever would cause harm if the list were wrong is confirmed one by one.
 */

import type { GatewayReader } from '../../gateway/interface.ts';
import type { Clock } from '../../model/clock.ts';
import type { DesiredPublication, DesiredState } from '../../model/desired-state.ts';
import { LeaseHeldError, StoreError } from '../../model/errors.ts';
import type { Emit } from '../../model/events.ts';
import type { DriftNotice, Unobserved } from '../../model/observation.ts';
import type { Failure } from '../../model/outcome.ts';
import type { RefreshMode } from '../../model/settings.ts';
import { recordAge, unseenPublications } from '../../plan/policies.ts';
import type { Store } from '../../store/interface.ts';
import { backoffMs } from '../retry.ts';
import { type ObservationFailed, unobservedBecause } from './confirmation.ts';
import type { KnownVersions } from './earlier-publications.ts';
import { type ObserveDeps, observeGateway, observeUnseen, planObservationError } from './observation.ts';

export interface DriftDetectorDeps {
  readonly store: Store;
  readonly gateway: GatewayReader;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly emit: Emit;
  /** `always`: the first observation is due immediately, even if the file does not ask for it. `never`: there is none. */
  readonly refresh: RefreshMode;
  /** Whether the gateway is an emulated one, which always is as the record says: it is observed only on request. */
  readonly isEmulated: boolean;
  /** Whether a gateway that was observed before is observed again when the file's interval is over. */
  readonly observesAgain: boolean;
  /** Returns whether the gateway rejects the credentials: nothing is read until they change. */
  readonly isUnauthorized: () => boolean;
  /** Called when an observation has ended and a new plan is needed. */
  readonly onEnded: (ended: ObservationEnded) => void;
}

/** How an observation has ended. */
export interface ObservationEnded {
  /** The observation failed, and no plan may be computed without it; `null` otherwise. */
  readonly error: Error | null;
  /** The failure with which the gateway rejected the credentials; `null` if it did not. */
  readonly unauthorized: Failure | null;
}

const withoutError: ObservationEnded = { error: null, unauthorized: null };

const turnedOffMessage = 'the gateway is not observed again until the file changes or edict gets SIGHUP';

const nothingObserved = { updates: [], newestAttemptId: 0 };

/** The longest delay after a failed observation, in milliseconds; a shorter refresh interval in the file takes precedence. */
const maxFailureDelayMs = 60_000;

/** How far the wall clock may run away from the monotonic clock between two observations without having been set, in milliseconds. */
const maxClockDriftMs = 60_000;

/**
 * The part of the gateway that a plan depends on: `everything` at first contact, or whether `unseen` publications are online. A command that
 * observes only once looks again at a record that is `stale`, and goes on without that if it fails.
 */
type Need =
  | { readonly kind: 'everything' | 'stale' | 'nothing' }
  | { readonly kind: 'unseen'; readonly publications: readonly DesiredPublication[] };

/** Observes the gateway when an observation is due, beside the control loop, and updates the recorded state accordingly. */
export class DriftDetector {
  readonly #deps: DriftDetectorDeps;
  readonly #stopping = new AbortController();
  #nextAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;
  #failures = 0;
  /** Whether a requested first observation has not succeeded yet. */
  #isRequested: boolean;
  /** The desired state that the gateway was last observed for: a list that takes longer than the interval must not be repeated forever. */
  #observedFor: DesiredState | null = null;
  /** The part of the gateway that the newest plan depends on. */
  #need: Need = { kind: 'nothing' };
  /** Whether no plan may be computed before an observation has succeeded. */
  #isRequired = false;
  /** Why the last observation failed that a plan needed, but that it does not wait for; `null` if it did not. */
  #unobserved: Unobserved | null = null;
  /** The desired state for which a needed observation has failed last, and new publications are held; `null` if none has since it succeeded. */
  #failedFor: DesiredState | null = null;
  /** Whether an observation is being written, in several transactions: guards would see only a part of its drift. */
  #isSaving = false;
  /** Wall clock minus monotonic clock, in milliseconds, when it was last looked at. */
  #clockOffsetMs: number;
  /** Since when the wall clock is known not to have been set, on the monotonic clock. */
  #steadySinceMs: number;
  /** What observations that have failed since the last one have read of it: they may have made thousands of reads. */
  readonly #knownVersions: KnownVersions = new Map();
  /** Notices of deleted APIs that were already emitted: each is emitted once, because a deleted API stays deleted. */
  #reportedDeleted = new Set<string>();

  constructor(deps: DriftDetectorDeps) {
    this.#deps = deps;
    this.#isRequested = deps.refresh === 'always';
    this.#steadySinceMs = deps.clock.monotonicMs();
    this.#clockOffsetMs = deps.clock.now() - this.#steadySinceMs;
  }

  /** Whether an observation is in progress. */
  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Why edict does not know whether new publications are online already; `null` if it knows, or if the plan waits for an observation. */
  get unobserved(): Unobserved | null {
    return this.#unobserved;
  }

  /** Milliseconds until a required observation that has failed is repeated; `null` if there is none. */
  get retryAfterMs(): number | null {
    return this.#isRequired && !this.isRunning ? Math.max(0, this.#nextAtMs - this.#deps.clock.monotonicMs()) : null;
  }

  /**
   * Starts an observation if one is due. Resolves to `required` while no plan may be computed: an observation was requested, or is being
   * saved, or the plan needs one because it could publish again what is already online. Otherwise resolves to whether one is in progress.
   * Rejects with an EdictError `STORE_*`.
   */
  async start(desired: DesiredState, reconcileId: string): Promise<'required' | 'running' | 'none'> {
    const { clock, observesAgain, refresh, isEmulated, isUnauthorized } = this.#deps;
    if (this.#isSaving) return 'required';
    if (refresh === 'never' || (!this.#isRequested && (isEmulated || desired.refreshIntervalMs === null))) return 'none';
    this.#need = await this.#needOf(desired);
    this.#isRequired = this.#isRequested || this.#need.kind !== 'nothing';
    if (!this.#isRequired && !observesAgain) return 'none';
    // Tried once for each file: if it fails, what is unseen is held.
    const isDue = clock.monotonicMs() >= this.#nextAtMs || (this.#need.kind === 'unseen' && !this.#isRequested);
    if (!this.isRunning && isDue && !isUnauthorized()) {
      this.#running = this.#observe(desired, reconcileId).then((ended) => {
        this.#running = null;
        if (!this.#stopping.signal.aborted) this.#deps.onEnded(ended);
      });
    }
    if (this.#isRequired) return 'required';
    return this.isRunning ? 'running' : 'none';
  }

  /**
   * Returns what the plan needs to know of the gateway. A daemon that has observed the gateway does not wait until it has observed it again,
   * because a slow list must not delay a newer file; it waits only if the file adds what the last list showed.
   */
  async #needOf(desired: DesiredState): Promise<Need> {
    const { store, clock, observesAgain } = this.#deps;
    if (this.#failedFor === desired || this.#observedFor === desired) return { kind: 'nothing' };
    const observation = await store.lastObservation(desired.gateway);
    const age = recordAge(desired, observation?.observedAtMs ?? null, clock.now());
    if (age === 'never') return { kind: 'everything' };
    const isObservedAtIntervals = observesAgain && this.#observedFor !== null && this.#failures === 0;
    const recorded = await store.readRecordedState(desired.gateway);
    const publications = unseenPublications({ desired, recorded, observation, age: isObservedAtIntervals ? 'fresh' : age });
    if (publications.length > 0) return { kind: 'unseen', publications };
    return { kind: age === 'stale' && !observesAgain ? 'stale' : 'nothing' };
  }

  /** Abandons an observation in progress; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Makes an observation due that has failed and is to be repeated later, or not at all. Returns whether there is one. */
  retryNow(): boolean {
    if (this.#failures > 0) this.#nextAtMs = Number.NEGATIVE_INFINITY;
    return this.#failures > 0;
  }

  async #observe(desired: DesiredState, reconcileId: string): Promise<ObservationEnded> {
    const { store, gateway, clock, emit, isEmulated } = this.#deps;
    const { signal } = this.#stopping;
    const intervalMs = desired.refreshIntervalMs ?? Number.POSITIVE_INFINITY;
    try {
      const deps: ObserveDeps = {
        ...{ gateway, record: store, clock, signal, isEmulated },
        steadyMs: this.#steadyMs(),
        knownVersions: this.#knownVersions,
        // They may take minutes.
        onVersionsRead: (progress) => emit({ type: 'gateway:page_read', ...progress }),
      };
      const observation = await (this.#need.kind === 'unseen' && !this.#isRequested
        ? observeUnseen(desired, this.#need.publications, deps)
        : observeGateway(desired, deps));
      if (observation.kind === 'failed') {
        if (observation.listed !== null)
          await store.saveObservation(desired.gateway, {
            ...nothingObserved,
            listed: { ...observation.listed, observedAtMs: null, unmanaged: [], missingApiIds: [], unreadVersions: [], lookedUp: null },
          });
        if (!signal.aborted) await store.saveUnobserved(desired.gateway, unobservedBecause(observation));
        return this.#onFailed(observation, desired, reconcileId);
      }
      this.#knownVersions.clear();
      this.#isSaving = true;
      await store.saveObservation(desired.gateway, observation);
      if (observation.isComplete) {
        this.#nextAtMs = clock.monotonicMs() + intervalMs;
        this.#failures = 0;
      }
      this.#isRequested = false;
      this.#isRequired = false;
      this.#unobserved = null;
      this.#failedFor = null;
      this.#observedFor = desired;
      const { apiCount: listedApiCount, updates, notices } = observation;
      const adoptedCount = notices.filter(({ kind }) => kind === 'adopted').length;
      emit({ type: 'gateway:observed', reconcileId, listedApiCount, changedCount: updates.length, adoptedCount });
      for (const notice of this.#newNotices(notices)) emit({ type: 'publication:drift', reconcileId, notice });
      return withoutError;
    } catch (error) {
      // Another process may hold the lease by now. The session reports the loss, and this observation is dropped.
      if (error instanceof LeaseHeldError) return withoutError;
      if (!(error instanceof StoreError)) throw error;
      emit({ type: 'store:error', reconcileId, message: error.message });
      this.#postpone(intervalMs);
      return this.#isRequired ? { ...withoutError, error } : withoutError;
    } finally {
      this.#isSaving = false;
    }
  }

  /** A command that observes only once cannot wait until it knows. */
  #steadyMs(): number {
    const { clock, observesAgain } = this.#deps;
    const nowMs = clock.monotonicMs();
    const offsetMs = clock.now() - nowMs;
    if (Math.abs(offsetMs - this.#clockOffsetMs) > maxClockDriftMs) this.#steadySinceMs = nowMs;
    this.#clockOffsetMs = offsetMs;
    return observesAgain ? nowMs - this.#steadySinceMs : Number.POSITIVE_INFINITY;
  }

  /**
   * A plan waits only for the first observation, and only if the gateway does not refuse it. Otherwise new publications are held. A command
   * that makes its calls only once ends where the credentials are rejected; a daemon waits for other ones.
   */
  #onFailed(failed: ObservationFailed, desired: DesiredState, reconcileId: string): ObservationEnded {
    const { reason, isRefused, unauthorized } = failed;
    const { observesAgain, emit } = this.#deps;
    const isHeld = this.#need.kind === 'unseen' ? observesAgain || unauthorized === null : this.#need.kind === 'everything' && isRefused;
    if (!this.#isRequested && (isHeld || this.#need.kind === 'stale')) {
      if (isHeld) this.#unobserved = unobservedBecause(failed);
      this.#failedFor = desired;
      this.#isRequired = false;
    }
    this.#postpone(desired.refreshIntervalMs ?? Number.POSITIVE_INFINITY);
    // While publications are held, the end of the refusal must be noticed without a person.
    const isTurnedOff = isRefused && observesAgain && !this.#isRequired && this.#unobserved === null;
    if (isTurnedOff) this.#nextAtMs = Number.POSITIVE_INFINITY;
    if (this.#stopping.signal.aborted) return withoutError;
    emit({ type: 'gateway:observe_failed', reconcileId, reason: isTurnedOff ? `${reason}; ${turnedOffMessage}` : reason });
    const isOnlyRequested = this.#isRequested && this.#need.kind !== 'everything';
    const error = this.#isRequired ? planObservationError(failed, { isOnlyRequested }) : null;
    return { error, unauthorized };
  }

  /** Schedules the next observation after a failure: within seconds if the plan waits for it. */
  #postpone(intervalMs: number): void {
    this.#failures += 1;
    const delayMs = this.#isRequired ? backoffMs(this.#failures, 1) : maxFailureDelayMs;
    this.#nextAtMs = this.#deps.clock.monotonicMs() + Math.min(intervalMs, maxFailureDelayMs, delayMs);
  }

  #newNotices(notices: readonly DriftNotice[]): DriftNotice[] {
    const idOf = ({ key, replacementId }: DriftNotice): string => `${key} ${replacementId}`;
    const reported = this.#reportedDeleted;
    this.#reportedDeleted = new Set(notices.filter(({ kind }) => kind === 'apiDeleted').map(idOf));
    return notices.filter((notice) => notice.kind !== 'apiDeleted' || !reported.has(idOf(notice)));
  }
}
