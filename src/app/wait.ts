import { findErrorRule } from '../gateway/error-rules.ts';
import type { AppContext } from '../model/app-context.ts';
import type { FileHold } from '../model/approval.ts';
import type { Attempt } from '../model/attempt.ts';
import type { Change, Plan } from '../model/change.ts';
import type { Clock } from '../model/clock.ts';
import type { DesiredState } from '../model/desired-state.ts';
import { EdictError, StoreError, StoreLockedError, StoreUnavailableError, storeError } from '../model/errors.ts';
import type { Unobserved } from '../model/observation.ts';
import { publicationKey } from '../model/publication.ts';
import { isActionable } from '../plan/diff.ts';
import { desiredDigest, isStaleSource } from '../plan/digest.ts';
import type { LastAttempts } from '../plan/saved-plan.ts';
import { computeCurrentPlan, type ReadSession, whyUnresolved, withReadSession } from './read-session.ts';

/*
 * `edict wait`: polls the store until the daemon has brought the file into effect. It never calls the gateway.
 */

/** How long the lease may be free, in milliseconds: another daemon takes over within that time. */
const graceMs = 10_000;

const pollEveryMs = 500;

export interface WaitOptions {
  /** How long to wait, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether to ask the lease holder to reconcile now. */
  readonly reconcile: boolean;
}

/** The reason why `wait` is still waiting: the store, a missing lease holder, or unfinished work of the daemon. */
export type WaitProgress =
  | { readonly kind: 'store'; readonly message: string }
  /** `hold`: the names of the file have no IDs, without which no daemon takes the lease; `null` if they have. */
  | { readonly kind: 'holder'; readonly hold: FileHold | null }
  | { readonly kind: 'daemon'; readonly status: WaitStatus };

/** How far the daemon has brought the file into effect. */
export interface WaitStatus {
  /** The process that holds the lease; `null` if none does, as far as this machine can tell. */
  readonly holder: string | null;
  /** Whether the desired state that the daemon reconciled last equals that of this file. */
  readonly isReconciled: boolean;
  /** Why the daemon's calls are paused; `null` if they are not. */
  readonly paused: string | null;
  /** Why the daemon has no plan: it could not observe the gateway at first contact, and looks again; `null` otherwise. */
  readonly unobserved: Unobserved | null;
  readonly plan: Plan;
  /** Changes that the daemon has neither made nor given up. */
  readonly pending: readonly Change[];
  /** The last attempts that did not succeed, of changes that are still to be made. */
  readonly failed: readonly FailedChange[];
}

/** A change whose last attempt did not succeed. */
export interface FailedChange {
  readonly change: Change;
  readonly attempt: Attempt;
  readonly hint: string | null;
}

/** How the wait ended, and the last status. */
export interface WaitResult {
  readonly kind: 'in-sync' | 'drifted' | 'deferred' | 'held' | 'failed' | 'timeout' | 'interrupted';
  /** Why there are pending changes at a `timeout`; `null` otherwise. */
  readonly reason: string | null;
  readonly status: WaitStatus;
  readonly durationMs: number;
}

/**
 * Waits until the daemon has made every change that the file asks for, or has only held, deferred or rejected ones left. Writes nothing
 * but, with `reconcile`, the request for a reconciliation. Throws an EdictError `DAEMON_NOT_RUNNING` if no process holds the lease, although it could, `STORE_*` if the
 * store cannot be read, and is still unreachable when the time is over.
 */
export async function waitForDaemon(
  context: AppContext,
  options: WaitOptions,
  onProgress: (progress: WaitProgress) => void,
): Promise<WaitResult> {
  const { clock, signal, settings } = context;
  const startedAtMs = clock.monotonicMs();
  const grace = new Grace(clock);
  const changeWatch = new ChangeWatch();
  let isRequested = !options.reconcile;
  let unavailableSinceMs: number | null = null;
  const isOver = (): boolean => signal.aborted || clock.monotonicMs() - startedAtMs >= options.timeoutMs;
  const sleepUntilPoll = () => clock.sleep(pollEveryMs, signal);

  const poll = async ({ desired, store, ...session }: ReadSession): Promise<WaitStatus> => {
    const { gateway } = desired;
    // Read first: once the daemon has reconciled this file, every later write to the recorded state is for this file.
    const appliedDigests = await store.appliedDigests(gateway);
    const recorded = await store.readRecordedState(gateway);
    const unresolvedNames = await whyUnresolved({ desired, store, ...session });
    const plan = await computeCurrentPlan(context, { desired, recorded, store, unresolvedNames });
    // Read last: the attempts then include every outcome that the plan already reflects.
    const attempts = await store.lastAttempts(gateway);
    const [holder, status] = await Promise.all([store.leaseHolder(gateway), store.status(gateway)]);
    const isReconciled = appliedDigests.at(-1) === desiredDigest(desired);
    // The daemon retries rejected changes for a new file and for a request, so earlier attempts do not count then.
    changeWatch.start(isReconciled && !options.reconcile ? new Map() : attempts);
    if (holder !== null && !isRequested) {
      await requestReconciliation(settings.storeUrl, desired);
      isRequested = true;
    }
    const failed = plan.lastChecked.atMs === null ? await store.unobserved(gateway) : null;
    const unobserved = failed?.isRetried ? failed : null;
    return { holder, isReconciled, paused: status?.paused?.message ?? null, unobserved, plan, ...changeWatch.split(plan, attempts) };
  };

  /** Returns the result; `null` to reopen file and store: meanwhile a daemon may create the store or resolve names of the file. */
  const pollUntilDone = async (session: ReadSession): Promise<WaitResult | null> => {
    const { desired, store, placeholders } = session;
    for (; ; await sleepUntilPoll()) {
      const status = await poll(session);
      unavailableSinceMs = null;
      const isHeld = status.holder !== null;
      if (isHeld) grace.reset();
      const hold = status.plan.fileHeld?.rule === 'unresolvedNames' ? status.plan.fileHeld : null;
      onProgress(isHeld ? { kind: 'daemon', status } : { kind: 'holder', hold });
      const ended = (kind: WaitResult['kind'], reason: string | null = null): WaitResult => {
        return { kind, reason, status, durationMs: clock.monotonicMs() - startedAtMs };
      };
      const kind = isHeld && placeholders.size === 0 ? doneKind(status) : null;
      if (kind !== null) return ended(kind);
      if (signal.aborted) return ended('interrupted');
      if (!isHeld && (grace.isOver || isOver())) {
        // A daemon takes the lease only once all names have IDs.
        if (hold) return ended('held');
        throw daemonNotRunningError();
      }
      if (isOver()) return ended('timeout', timeoutReason(status, await store.appliedDigests(desired.gateway), desired));
      if (!isHeld || placeholders.size > 0) return null;
    }
  };

  for (;;) {
    try {
      const result = await withReadSession(context, { resolvesNames: false }, pollUntilDone);
      if (result) return result;
    } catch (error) {
      if (!isUnavailable(error) || isOver()) throw error;
      unavailableSinceMs ??= clock.monotonicMs();
      onProgress({ kind: 'store', message: error.message });
      grace.extend(clock.monotonicMs() - unavailableSinceMs);
    }
    await sleepUntilPoll();
  }
}

/** Returns how the wait ends with this status; `null` if it continues. */
function doneKind({ isReconciled, plan, pending, failed }: WaitStatus): 'in-sync' | 'drifted' | 'deferred' | 'held' | 'failed' | null {
  if (plan.fileHeld) return 'held';
  if (!isReconciled || pending.length > 0) return null;
  if (failed.length > 0) return 'failed';
  if (plan.changes.some(({ held }) => held)) return 'held';
  if (plan.drifted.length > 0) return 'drifted';
  return plan.changes.length > 0 ? 'deferred' : 'in-sync';
}

function timeoutReason(
  { isReconciled, paused, unobserved }: WaitStatus,
  appliedDigests: readonly string[],
  desired: DesiredState,
): string | null {
  if (paused !== null) return `the daemon makes no calls: ${paused}`;
  if (isReconciled) return null;
  if (unobserved !== null) return `the gateway could not be observed: ${unobserved.reason}; ${unobserved.remedy}`;
  return isStaleSource(appliedDigests, desiredDigest(desired))
    ? 'the daemon has reconciled a different file since this one'
    : 'the daemon has not reconciled this file yet; check that its copy is current and valid';
}

/** The time in which another daemon may take over the lease, extended after a store outage, which that daemon may notice later. */
class Grace {
  readonly #clock: Clock;
  #sinceMs: number;
  #allowedMs = graceMs;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  get isOver(): boolean {
    return this.#clock.monotonicMs() - this.#sinceMs > this.#allowedMs;
  }

  /** Restarts the grace period; called while the lease is held. */
  reset(): void {
    this.extend(0);
  }

  /** Restarts the grace period after a store outage of `ms`: a daemon may return that much later. */
  extend(ms: number): void {
    this.#sinceMs = this.#clock.monotonicMs();
    this.#allowedMs = graceMs + ms;
  }
}

/** Separates changes that the daemon has given up from those that it has not tried yet. */
class ChangeWatch {
  #before: LastAttempts | null = null;

  /** Sets the attempts to ignore because the daemon retries their changes. Only the first call has an effect. */
  start(before: LastAttempts): void {
    this.#before ??= before;
  }

  /** Returns the changes of `plan` that the daemon still has to make, and those whose last attempt failed. */
  split(plan: Plan, attempts: LastAttempts): Pick<WaitStatus, 'pending' | 'failed'> {
    const last = new Map([...attempts.values()].map((attempt) => [publicationKey(attempt.apiId, attempt.environmentId), attempt]));
    const failed = plan.changes.filter(isAwaited).flatMap((change) => {
      const attempt = last.get(change.key);
      if (!attempt || !isFailed(attempt) || !isFor(change, attempt) || !this.#isNew(attempt)) return [];
      const { code, status } = attempt;
      return { change, attempt, hint: code === null ? null : findErrorRule(code, status, change.action).hint };
    });
    const rejected = new Set(failed.filter(({ attempt }) => attempt.outcome === 'rejected').map(({ change }) => change));
    return { pending: plan.changes.filter((change) => isAwaited(change) && !rejected.has(change)), failed };
  }

  #isNew({ id, apiId, environmentId, outcome }: Attempt): boolean {
    const before = this.#before?.get(publicationKey(apiId, environmentId));
    return before?.id !== id || before.outcome !== outcome;
  }
}

/** Returns whether the daemon makes a change now, or as soon as a probe succeeds. */
function isAwaited(change: Change): boolean {
  return isActionable(change) || (change.held === null && change.deferred?.probe !== undefined);
}

function isFailed({ finishedAtMs, outcome }: Attempt): boolean {
  return finishedAtMs !== null && outcome !== null && outcome !== 'succeeded';
}

/** Returns whether an attempt was made for exactly this change: an older version of the file may have declared a different one. */
function isFor({ action, revision, version }: Change, attempt: Attempt): boolean {
  if (attempt.action !== action) return false;
  return action === 'offline' || (attempt.revision === revision && attempt.requestedVersionId === version);
}

/** Asks the lease holder to reconcile now. */
async function requestReconciliation(storeUrl: string, { gateway }: DesiredState): Promise<void> {
  const { requestReconcile } = await import('../store/requests.ts');
  try {
    await requestReconcile(storeUrl, gateway);
  } catch (error) {
    if (isUnavailable(error) || !(error instanceof StoreError)) throw error;
    throw storeError(error.code, `no reconciliation can be requested: ${error.message}`, {
      hint: 'leave out --reconcile to wait without writing to the store',
      cause: error,
    });
  }
}

/** Returns whether the error is temporary: a restarting database or a briefly locked SQLite file. */
function isUnavailable(error: unknown): error is StoreUnavailableError | StoreLockedError {
  return error instanceof StoreUnavailableError || error instanceof StoreLockedError;
}

function daemonNotRunningError(): EdictError {
  return new EdictError('DAEMON_NOT_RUNNING', 'no daemon holds the lease of the gateway', {
    hint: 'start `edict run`, or check that it uses the same --state; with SQLite it must run on this machine',
  });
}
