import type { Change, Plan } from '../model/change.ts';
import { type Diagnostic, EdictError, InvalidFileError } from '../model/errors.ts';
import type { EdictEvent, ReconcileSummary, TriggerCause } from '../model/events.ts';
import { applyOutcome, type Outcome } from '../model/outcome.ts';
import type { RateLimit, RequestPause } from '../model/ports.ts';
import type { DesiredState, PublicationKey, RecordedPublication, RecordedState } from '../model/publication.ts';
import { type AttemptSummary, publicationKeys, type StatusInput, statusInput } from '../plan/status.ts';

/** A pass as it is shown. Times are milliseconds since 1970. */
export interface ReconciliationView {
  readonly id: string;
  readonly cause: TriggerCause;
  readonly startedAtMs: number;
  /** `null`: it is being made. */
  result: ReconcileSummary | null;
}

/** Why the file as it is now is not acted on. */
export interface FileError {
  readonly message: string;
  /** Empty if it cannot be read at all. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What has changed on the board: some publications, perhaps all, or only what is beside them. */
export type ChangeScope = PublicationKey | 'all' | 'live';

/** So many passes are worth looking at. */
const maxReconciliations = 20;

/**
 * What is shown of a running daemon, as the engine's events have it: the newest desired state and record with what has been
 * done since. Nothing is worked out before somebody looks.
 */
export class StatusCache {
  readonly startedAtMs: number;
  readonly #now: () => number;
  readonly #lastAttempts = new Map<PublicationKey, AttemptSummary>();
  readonly #inFlight = new Set<PublicationKey>();
  readonly #listeners = new Set<(touched: ChangeScope) => void>();
  #loaded: { readonly desired: DesiredState; readonly atMs: number } | null = null;
  #fileError: FileError | null = null;
  #planned: { readonly desired: DesiredState; readonly recorded: RecordedState; readonly plan: Plan } | null = null;
  /** What attempts have made of the record since the plan. */
  #finished = new Map<PublicationKey, { readonly recorded: RecordedPublication | undefined; readonly isDone: boolean }>();
  #matrix:
    | (StatusInput & { readonly recorded: Map<PublicationKey, RecordedPublication>; readonly changes: Map<PublicationKey, Change> })
    | null = null;
  #reconciliations: ReconciliationView[] = [];
  #rate: RateLimit | null = null;
  #paused: RequestPause | null = null;
  #standbyReason: string | null = null;

  /** `now` returns milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
    this.startedAtMs = now();
  }

  /** Which other edict works on the gateway; `null` while this one does. */
  get standbyReason(): string | null {
    return this.#standbyReason;
  }

  get loadedAtMs(): number | null {
    return this.#loaded?.atMs ?? null;
  }
  /** `null`: the file is acted on. */
  get fileError(): FileError | null {
    return this.#fileError;
  }
  /** The newest plan; `null` before the first. */
  get plan(): Plan | null {
    return this.#planned?.plan ?? null;
  }
  /** Newest first. */
  get reconciliations(): readonly ReconciliationView[] {
    return this.#reconciliations;
  }
  /** The rate that is kept now; `null`: the file's limit. */
  get rate(): RateLimit | null {
    return this.#rate;
  }
  get paused(): RequestPause | null {
    return this.#paused;
  }
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** What cells are made of, as of now; `null` before the first plan. */
  get matrix(): StatusInput | null {
    if (this.#matrix || !this.#planned) return this.#matrix;
    const { desired, recorded, plan } = this.#planned;
    const { changes, ...rest } = statusInput(desired, recorded, plan, this.#lastAttempts);
    this.#matrix = { ...rest, recorded: new Map(recorded), changes: new Map(changes) };
    for (const key of this.#finished.keys()) this.#applyFinished(key);
    return this.#matrix;
  }

  /** Takes what earlier processes have tried last; what this one has tried is newer. */
  addLastAttempts(attempts: ReadonlyMap<PublicationKey, AttemptSummary>): void {
    for (const [key, attempt] of attempts) if (!this.#lastAttempts.has(key)) this.#lastAttempts.set(key, attempt);
    this.#notify('all');
  }

  /** Calls `listener` for whatever changes until the returned function is called. */
  subscribe(listener: (touched: ChangeScope) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Hears what happens in the engine. */
  emit(event: EdictEvent): void {
    switch (event.type) {
      case 'file:loaded':
        // For a gateway with other settings the engine begins anew.
        if (JSON.stringify(event.desired.gateway) !== JSON.stringify(this.#loaded?.desired.gateway)) {
          this.#rate = null;
          this.#paused = null;
        }
        this.#loaded = { desired: event.desired, atMs: this.#now() };
        this.#fileError = null;
        break;
      case 'file:failed':
      case 'file:invalid':
      case 'file:unreadable':
        this.#fileError = toFileError(event.type === 'file:invalid' ? event.error : new EdictError('', event.message));
        break;
      case 'reconcile:started':
        if (this.#reconciliations[0]?.id === event.reconcileId) return;
        this.#reconciliations = [
          { id: event.reconcileId, cause: event.cause, startedAtMs: this.#now(), result: null },
          ...this.#reconciliations,
        ].slice(0, maxReconciliations);
        break;
      case 'reconcile:finished':
        for (const pass of this.#reconciliations) if (pass.id === event.reconcileId) pass.result = event.summary;
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

  #onPlan(plan: Plan, recorded: RecordedState): void {
    if (!this.#loaded) return;
    this.#planned = { desired: this.#loaded.desired, recorded, plan };
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
      const recorded = applyOutcome(change, outcome, before, { id: attemptId, marker: null, finishedAtMs: atMs });
      this.#finished.set(key, { recorded, isDone: outcome.kind === 'succeeded' });
      this.#applyFinished(key);
    }
    this.#notify(key);
  }

  #applyFinished(key: PublicationKey): void {
    const settled = this.#finished.get(key);
    if (!this.#matrix || !settled) return;
    if (settled.recorded) this.#matrix.recorded.set(key, settled.recorded);
    if (settled.isDone) this.#matrix.changes.delete(key);
  }

  #notify(touched: ChangeScope): void {
    for (const listener of this.#listeners) listener(touched);
  }
}

function toFileError(error: EdictError): FileError {
  return { message: error.message, diagnostics: error instanceof InvalidFileError ? error.diagnostics : [] };
}

/** Returns the keys of all publications on a board. */
export function publicationKeysOf(board: Pick<StatusCache, 'matrix'>): ReadonlySet<PublicationKey> {
  return board.matrix ? publicationKeys(board.matrix) : new Set();
}
