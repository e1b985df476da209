import { EdictError, InvalidFileError, type Mistake } from '../core/errors.ts';
import type { EngineEvent, PassCause, PassSummary } from '../core/events.ts';
import { keysOf, type LastAttempt, type Matrix, matrixOf } from '../core/matrix.ts';
import { nextRecord, type Outcome } from '../core/outcome.ts';
import type { Change, Plan } from '../core/plan.ts';
import type { Allowance, Stopped } from '../core/ports.ts';
import type { DesiredState, PublicationKey, RecordedPublication, RecordedState } from '../core/publication.ts';

/** A pass as it is shown. Times are milliseconds since 1970. */
export interface ShownPass {
  readonly id: string;
  readonly cause: PassCause;
  readonly startedAtMs: number;
  /** `null`: it is being made. */
  result: PassSummary | null;
}

/** Why the file as it is now is not acted on. */
export interface Complaint {
  readonly message: string;
  /** Empty if it cannot be read at all. */
  readonly mistakes: readonly Mistake[];
}

/** What has changed on the board: some publications, perhaps all, or only what is beside them. */
export type Touched = PublicationKey | 'all' | 'live';

/** So many passes are worth looking at. */
const mostPasses = 20;

/**
 * What is shown of a running daemon, as the engine's events have it: the newest desired state and record with what has been
 * done since. Nothing is worked out before somebody looks.
 */
export class Board {
  readonly startedAtMs: number;
  readonly #now: () => number;
  readonly #lastAttempts = new Map<PublicationKey, LastAttempt>();
  readonly #inFlight = new Set<PublicationKey>();
  readonly #listeners = new Set<(touched: Touched) => void>();
  #accepted: { readonly desired: DesiredState; readonly atMs: number } | null = null;
  #complaint: Complaint | null = null;
  #planned: { readonly desired: DesiredState; readonly recorded: RecordedState; readonly plan: Plan } | null = null;
  /** What attempts have made of the record since the plan. */
  #settled = new Map<PublicationKey, { readonly recorded: RecordedPublication | undefined; readonly isDone: boolean }>();
  #matrix:
    | (Matrix & { readonly recorded: Map<PublicationKey, RecordedPublication>; readonly changes: Map<PublicationKey, Change> })
    | null = null;
  #passes: ShownPass[] = [];
  #rate: Allowance | null = null;
  #stopped: Stopped | null = null;
  #standsBy: string | null = null;

  /** `now` returns milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
    this.startedAtMs = now();
  }

  /** Which other edict works on the gateway; `null` while this one does. */
  get standsBy(): string | null {
    return this.#standsBy;
  }

  get acceptedAtMs(): number | null {
    return this.#accepted?.atMs ?? null;
  }
  /** `null`: the file is acted on. */
  get complaint(): Complaint | null {
    return this.#complaint;
  }
  /** The newest plan; `null` before the first. */
  get plan(): Plan | null {
    return this.#planned?.plan ?? null;
  }
  /** Newest first. */
  get passes(): readonly ShownPass[] {
    return this.#passes;
  }
  /** The rate that is kept now; `null`: the file's limit. */
  get rate(): Allowance | null {
    return this.#rate;
  }
  get stopped(): Stopped | null {
    return this.#stopped;
  }
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** What cells are made of, as of now; `null` before the first plan. */
  get matrix(): Matrix | null {
    if (this.#matrix || !this.#planned) return this.#matrix;
    const { desired, recorded, plan } = this.#planned;
    const { changes, ...rest } = matrixOf(desired, recorded, plan, this.#lastAttempts);
    this.#matrix = { ...rest, recorded: new Map(recorded), changes: new Map(changes) };
    for (const key of this.#settled.keys()) this.#overlay(key);
    return this.#matrix;
  }

  /** Takes what earlier processes have tried last; what this one has tried is newer. */
  recall(attempts: ReadonlyMap<PublicationKey, LastAttempt>): void {
    for (const [key, attempt] of attempts) if (!this.#lastAttempts.has(key)) this.#lastAttempts.set(key, attempt);
    this.#touch('all');
  }

  /** Calls `listener` for whatever changes until the returned function is called. */
  listen(listener: (touched: Touched) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Hears what happens in the engine. */
  emit(event: EngineEvent): void {
    switch (event.type) {
      case 'file:accepted':
        // For a gateway with other settings the engine begins anew.
        if (JSON.stringify(event.desired.gateway) !== JSON.stringify(this.#accepted?.desired.gateway)) {
          this.#rate = null;
          this.#stopped = null;
        }
        this.#accepted = { desired: event.desired, atMs: this.#now() };
        this.#complaint = null;
        break;
      case 'file:failed':
      case 'file:rejected':
      case 'file:missed':
        this.#complaint = complaintOf(event.type === 'file:rejected' ? event.error : new EdictError('', event.message));
        break;
      case 'pass:started':
        if (this.#passes[0]?.id === event.passId) return;
        this.#passes = [{ id: event.passId, cause: event.cause, startedAtMs: this.#now(), result: null }, ...this.#passes].slice(
          0,
          mostPasses,
        );
        break;
      case 'pass:finished':
        for (const pass of this.#passes) if (pass.id === event.passId) pass.result = event.summary;
        break;
      case 'plan:made':
        this.#planMade(event.plan, event.recorded);
        return;
      case 'attempt:begun':
        this.#inFlight.add(event.change.key);
        this.#tried(event.change, event.attemptId, null);
        return;
      case 'attempt:settled':
      case 'attempt:resolved':
        this.#inFlight.delete(event.change.key);
        this.#tried(event.change, event.attemptId, event.outcome);
        return;
      case 'rate:changed':
        this.#rate = { calls: event.calls, perMs: event.perMs };
        break;
      case 'calls:stopped':
        this.#stopped = { why: event.why, message: event.message, sinceMs: this.#now() };
        break;
      case 'calls:resumed':
        this.#stopped = null;
        break;
      case 'lease:waited':
        this.#standsBy = event.reason;
        break;
      case 'lease:taken':
        this.#standsBy = null;
        break;
      default:
        return;
    }
    this.#touch('live');
  }

  #planMade(plan: Plan, recorded: RecordedState): void {
    if (!this.#accepted) return;
    this.#planned = { desired: this.#accepted.desired, recorded, plan };
    this.#settled.clear();
    this.#matrix = null;
    this.#touch('all');
  }

  /** `outcome` is `null` while the attempt is in flight. */
  #tried(change: Change, attemptId: number, outcome: Outcome | null): void {
    const { key, action, revision } = change;
    const atMs = this.#now();
    const failure = outcome && 'failure' in outcome ? outcome.failure : null;
    const beganAtMs = outcome ? (this.#lastAttempts.get(key)?.beganAtMs ?? atMs) : atMs;
    this.#lastAttempts.set(key, {
      ...{ id: attemptId, action, revision, beganAtMs, outcome: outcome?.kind ?? null },
      ...{ code: failure?.code ?? null, message: failure?.message ?? null },
    });
    if (outcome) {
      const before = this.#settled.get(key)?.recorded ?? this.#planned?.recorded.get(key);
      const recorded = nextRecord(change, outcome, before, { id: attemptId, marker: null, settledAtMs: atMs });
      this.#settled.set(key, { recorded, isDone: outcome.kind === 'succeeded' });
      this.#overlay(key);
    }
    this.#touch(key);
  }

  #overlay(key: PublicationKey): void {
    const settled = this.#settled.get(key);
    if (!this.#matrix || !settled) return;
    if (settled.recorded) this.#matrix.recorded.set(key, settled.recorded);
    if (settled.isDone) this.#matrix.changes.delete(key);
  }

  #touch(touched: Touched): void {
    for (const listener of this.#listeners) listener(touched);
  }
}

function complaintOf(error: EdictError): Complaint {
  return { message: error.message, mistakes: error instanceof InvalidFileError ? error.mistakes : [] };
}

/** Returns the keys of all publications on a board. */
export function keysOn(board: Pick<Board, 'matrix'>): ReadonlySet<PublicationKey> {
  return board.matrix ? keysOf(board.matrix) : new Set();
}
