import type { Change, Plan, PlanHolds } from '../model/change.ts';
import type { RequestPause } from '../model/controller-status.ts';
import type { DesiredState } from '../model/desired-state.ts';
import type { Diagnostic } from '../model/errors.ts';
import type { EdictEvent, ReconcileSummary, TriggerCause } from '../model/events.ts';
import type { RateLimit } from '../model/gateway.ts';
import { applyOutcome, type Outcome } from '../model/outcome.ts';
import type { PublicationKey } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';
import { type AttemptSummary, publicationKeys, type StatusInput, statusInput } from '../plan/status.ts';

/** A reconciliation as shown to people. Times are in milliseconds since 1970. */
export interface ReconciliationView {
  readonly id: string;
  readonly cause: TriggerCause;
  readonly startedAtMs: number;
  /** `null` while it runs. */
  result: ReconcileSummary | null;
}

/** Why the present content of the file is not applied. */
export interface FileError {
  readonly message: string;
  /** Empty if the file cannot be read. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The part that changed: one publication, `all`, or `live`, which is everything but publications. */
export type ChangeScope = PublicationKey | 'all' | 'live';

/** The number of reconciliations kept. */
const maxReconciliations = 20;

/**
 * The status of a running daemon, built from events: the newest desired and recorded state with the attempts made since. Derived data is
 * computed only when it is read.
 */
export class StatusCache {
  readonly startedAtMs: number;
  readonly #now: () => number;
  readonly #lastAttempts = new Map<PublicationKey, AttemptSummary>();
  readonly #inFlight = new Set<PublicationKey>();
  readonly #listeners = new Set<(scope: ChangeScope) => void>();
  #loaded: { readonly desired: DesiredState; readonly atMs: number } | null = null;
  #fileError: FileError | null = null;
  #fileHolds: PlanHolds | null = null;
  #planned: { readonly desired: DesiredState; readonly recorded: RecordedState; readonly plan: Plan } | null = null;
  /** Recorded state after the attempts that finished since the plan. */
  #finished = new Map<PublicationKey, { readonly recorded: RecordedPublication | undefined; readonly isDone: boolean }>();
  #matrix:
    | (StatusInput & { readonly recorded: Map<PublicationKey, RecordedPublication>; readonly changes: Map<PublicationKey, Change> })
    | null = null;
  #reconciliations: ReconciliationView[] = [];
  #rate: RateLimit | null = null;
  #paused: RequestPause | null = null;
  #standbyReason: string | null = null;
  #unobservedReason: string | null = null;
  #revision = 0;

  /** `now` returns milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
    this.startedAtMs = now();
  }

  /** A number that changes with the status. */
  get revision(): number {
    return this.#revision;
  }

  /** The message that names the lease holder; `null` while this process holds the lease. */
  get standbyReason(): string | null {
    return this.#standbyReason;
  }

  /** Why there is no plan yet: the gateway could not be observed, and is looked at again; `null` if there is one, or nothing has failed. */
  get unobservedReason(): string | null {
    return this.#planned ? null : this.#unobservedReason;
  }

  get loadedAtMs(): number | null {
    return this.#loaded?.atMs ?? null;
  }
  /** `null` if the present file is valid. */
  get fileError(): FileError | null {
    return this.#fileError;
  }
  /** The newest plan; `null` before the first. */
  get plan(): Plan | null {
    return this.#planned?.plan ?? null;
  }
  /** What is held now: the present file if it names a gateway that nobody has approved, otherwise the newest plan; `null` if there is neither. */
  get holds(): PlanHolds | null {
    return this.#fileHolds ?? this.plan;
  }
  /** Newest first. */
  get reconciliations(): readonly ReconciliationView[] {
    return this.#reconciliations;
  }
  /** The current rate; `null` means the file's limit. */
  get rate(): RateLimit | null {
    return this.#rate;
  }
  get paused(): RequestPause | null {
    return this.#paused;
  }
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** The current input for status cells; `null` before the first plan. */
  get matrix(): StatusInput | null {
    if (this.#matrix || !this.#planned) return this.#matrix;
    const { desired, recorded, plan } = this.#planned;
    const { changes, ...rest } = statusInput(plan, { desired, recorded, lastAttempts: this.#lastAttempts, inFlight: this.#inFlight });
    this.#matrix = { ...rest, recorded: new Map(recorded), changes: new Map(changes) };
    for (const key of this.#finished.keys()) this.#applyFinished(key);
    return this.#matrix;
  }

  /** Adds the last attempts of earlier processes. Attempts of this process are newer and stay. */
  addLastAttempts(attempts: ReadonlyMap<PublicationKey, AttemptSummary>): void {
    for (const [key, attempt] of attempts) if (!this.#lastAttempts.has(key)) this.#lastAttempts.set(key, attempt);
    this.#notify('all');
  }

  /** Calls `listener` on each change until the returned function is called. */
  subscribe(listener: (scope: ChangeScope) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Updates the status from an event. */
  emit(event: EdictEvent): void {
    switch (event.type) {
      case 'file:loaded':
        // Changed gateway settings restart the controller, so its rate and pause no longer apply.
        if (JSON.stringify(event.desired.gateway) !== JSON.stringify(this.#loaded?.desired.gateway)) {
          this.#rate = null;
          this.#paused = null;
        }
        this.#loaded = { desired: event.desired, atMs: this.#now() };
        this.#setFileError(null);
        break;
      case 'file:held':
        this.#setFileError({ message: event.message, diagnostics: [] }, event.holds);
        break;
      case 'file:failed':
      case 'file:unreadable':
        this.#setFileError({ message: event.message, diagnostics: [] });
        break;
      case 'file:invalid':
        this.#setFileError({ message: event.error.message, diagnostics: event.error.diagnostics });
        break;
      case 'reconcile:started':
        if (this.#reconciliations[0]?.id === event.reconcileId) return;
        this.#reconciliations = [
          { id: event.reconcileId, cause: event.cause, startedAtMs: this.#now(), result: null },
          ...this.#reconciliations,
        ].slice(0, maxReconciliations);
        break;
      case 'reconcile:finished':
        for (const reconciliation of this.#reconciliations)
          if (reconciliation.id === event.reconcileId) reconciliation.result = event.summary;
        break;
      case 'plan:computed':
        this.#onPlan(event.plan, event.recorded);
        return;
      case 'attempt:started':
        this.#inFlight.add(event.change.key);
        this.#onAttempt(event.change, event.attemptId, null);
        return;
      case 'attempt:finished':
      case 'attempt:recovered':
        this.#inFlight.delete(event.change.key);
        this.#onAttempt(event.change, event.attemptId, event.outcome);
        return;
      case 'gateway:observe_failed':
        this.#unobservedReason = event.reason;
        break;
      case 'rate:changed':
        this.#rate = { calls: event.calls, perMs: event.perMs };
        break;
      case 'requests:paused':
        this.#paused = { reason: event.reason, message: event.message, sinceMs: this.#now() };
        break;
      case 'requests:resumed':
        this.#paused = null;
        break;
      case 'lease:standby':
        this.#standbyReason = event.reason;
        break;
      case 'lease:acquired':
        this.#standbyReason = null;
        break;
      default:
        return;
    }
    this.#notify('live');
  }

  #setFileError(error: FileError | null, holds: PlanHolds | null = null): void {
    this.#fileError = error;
    this.#fileHolds = holds;
  }

  #onPlan(plan: Plan, recorded: RecordedState): void {
    if (!this.#loaded) return;
    this.#planned = { desired: this.#loaded.desired, recorded, plan };
    this.#unobservedReason = null;
    this.#finished.clear();
    this.#matrix = null;
    this.#notify('all');
  }

  /** `outcome` is `null` while the attempt is in flight. */
  #onAttempt(change: Change, attemptId: number, outcome: Outcome | null): void {
    const { key, action, revision } = change;
    const atMs = this.#now();
    const failure = outcome && 'failure' in outcome ? outcome.failure : null;
    const startedAtMs = outcome ? (this.#lastAttempts.get(key)?.startedAtMs ?? atMs) : atMs;
    this.#lastAttempts.set(key, {
      ...{ id: attemptId, action, revision, startedAtMs, outcome: outcome?.kind ?? null },
      ...{ code: failure?.code ?? null, message: failure?.message ?? null },
    });
    if (outcome) {
      const before = this.#finished.get(key)?.recorded ?? this.#planned?.recorded.get(key);
      const recorded = applyOutcome(before, { change, outcome, id: attemptId, marker: null, startedAtMs, finishedAtMs: atMs });
      this.#finished.set(key, { recorded, isDone: outcome.kind === 'succeeded' });
      this.#applyFinished(key);
    }
    this.#notify(key);
  }

  #applyFinished(key: PublicationKey): void {
    const finished = this.#finished.get(key);
    if (!this.#matrix || !finished) return;
    if (finished.recorded) this.#matrix.recorded.set(key, finished.recorded);
    if (finished.isDone) this.#matrix.changes.delete(key);
  }

  #notify(scope: ChangeScope): void {
    this.#revision += 1;
    for (const listener of this.#listeners) listener(scope);
  }
}

/** Returns the keys of all publications in a status cache. */
export function publicationKeysOf(statusCache: Pick<StatusCache, 'matrix'>): ReadonlySet<PublicationKey> {
  return statusCache.matrix ? publicationKeys(statusCache.matrix) : new Set();
}
