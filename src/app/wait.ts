import { findErrorRule } from '../gateway/error-rules.ts';
import type { Change, Plan } from '../model/change.ts';
import type { Env } from '../model/env.ts';
import { EdictError } from '../model/errors.ts';
import type { Attempt, StoreReader } from '../model/ports.ts';
import { type DesiredState, publicationKey } from '../model/publication.ts';
import type { Settings } from '../model/settings.ts';
import { isActionable } from '../plan/diff.ts';
import { desiredDigest, isStaleSource } from '../plan/digest.ts';
import type { LastAttempts } from '../plan/saved-plan.ts';
import { allTargets } from '../plan/targets.ts';
import { computeCurrentPlan, openReadSession } from './read-session.ts';

import { systemClock } from './system-clock.ts';

/*
 * `edict wait`: polls the store until the daemon has brought the file into effect. It never calls the gateway.
 */

/** How long no process may hold the lease, in milliseconds: one daemon takes over from another within that time. */
const graceMs = 10_000;

const pollEveryMs = 500;

export interface WaitOptions {
  /** How long to wait, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether the lease holder is asked to reconcile now. */
  readonly reconcile: boolean;
}

/** What the waiting is for at present. */
export type WaitProgress =
  | { readonly kind: 'store'; readonly message: string }
  | { readonly kind: 'holder' }
  | { readonly kind: 'daemon'; readonly status: WaitStatus };

/** How far the daemon has brought the file into effect. */
export interface WaitStatus {
  /** Which process holds the lease; `null`: none, as far as can be told from here. */
  readonly holder: string | null;
  /** Whether the newest file that the daemon has acted on asks for the same as this one. */
  readonly isReconciled: boolean;
  /** Why the daemon makes no calls; `null` if it makes them. */
  readonly paused: string | null;
  readonly plan: Plan;
  /** Changes that the daemon has not made yet and has not given up. */
  readonly pending: readonly Change[];
  /** The last attempts that did not succeed, of changes that are still to be made. */
  readonly failed: readonly FailedChange[];
}

/** A change that was tried without success. */
export interface FailedChange {
  readonly change: Change;
  readonly attempt: Attempt;
  readonly hint: string | null;
}

/** How the waiting ended, and with which status. */
export interface WaitResult {
  readonly kind: 'in-sync' | 'deferred' | 'held' | 'failed' | 'timeout' | 'interrupted';
  /** Why there are pending changes at a `timeout`; `null` otherwise. */
  readonly reason: string | null;
  readonly status: WaitStatus;
  readonly tookMs: number;
}

/**
 * Waits until the daemon has made every change that the file asks for, or has only held, deferred or rejected ones left. Writes nothing
 * but, with `reconcile`, the request for a reconciliation. Throws an EdictError `DAEMON_NOT_RUNNING` if no process holds the lease, `STORE_*` if the
 * store cannot be read, and is still unreachable when the time is over.
 */
export async function waitForDaemon(
  settings: Settings,
  options: WaitOptions,
  environment: Env,
  onProgress: (progress: WaitProgress) => void,
  signal: AbortSignal,
): Promise<WaitResult> {
  const startedAtMs = systemClock.monotonicMs();
  const grace = new Grace();
  const watch = new ChangeWatch();
  let isRequested = !options.reconcile;
  let awaySinceMs: number | null = null;
  const isOver = (): boolean => signal.aborted || systemClock.monotonicMs() - startedAtMs >= options.timeoutMs;
  const pause = () => systemClock.sleep(pollEveryMs, signal);

  const poll = async (desired: DesiredState, record: StoreReader): Promise<WaitStatus> => {
    const { gateway } = desired;
    // Read first: whatever changes the record after it, changes it for this file.
    const acted = await record.appliedDigests(gateway);
    const plan = await computeCurrentPlan(desired, await record.readRecordedState(gateway), record, allTargets);
    // Read last: an outcome that the plan knows is recorded by now.
    const attempts = await record.lastAttempts(gateway);
    const [holder, condition] = await Promise.all([record.leaseHolder(gateway), record.status(gateway)]);
    const isReconciled = acted.at(-1) === desiredDigest(desired);
    // A new file, and a request, have the daemon try rejected changes again.
    watch.start(isReconciled && !options.reconcile ? new Map() : attempts);
    if (holder !== null && !isRequested) {
      await request(settings.storeUrl, desired);
      isRequested = true;
    }
    return { holder, isReconciled, paused: condition?.paused?.message ?? null, plan, ...watch.split(plan, attempts) };
  };

  /** Returns the result; `null` to read file and store anew: a daemon may make the store, or look up names of the file. */
  const pollUntilDone = async (desired: DesiredState, record: StoreReader, madeUp: ReadonlySet<string>): Promise<WaitResult | null> => {
    for (; ; await pause()) {
      const status = await poll(desired, record);
      awaySinceMs = null;
      const isSeen = status.holder !== null;
      if (isSeen) grace.reset();
      onProgress(isSeen ? { kind: 'daemon', status } : { kind: 'holder' });
      const ended = (kind: WaitResult['kind'], reason: string | null = null): WaitResult => {
        return { kind, reason, status, tookMs: systemClock.monotonicMs() - startedAtMs };
      };
      const kind = isSeen && madeUp.size === 0 ? doneKind(status) : null;
      if (kind !== null) return ended(kind);
      if (signal.aborted) return ended('interrupted');
      if (!isSeen && (grace.isOver || isOver())) throw noDaemon();
      if (isOver()) return ended('timeout', lateReason(status, await record.appliedDigests(desired.gateway), desired));
      if (!isSeen || madeUp.size > 0) return null;
    }
  };

  for (;;) {
    try {
      const result = await openReadSession(settings, environment, 'never ask', pollUntilDone);
      if (result) return result;
    } catch (error) {
      if (!(error instanceof EdictError) || !isAway(error) || isOver()) throw error;
      awaySinceMs ??= systemClock.monotonicMs();
      onProgress({ kind: 'store', message: error.message });
      grace.extend(systemClock.monotonicMs() - awaySinceMs);
    }
    await pause();
  }
}

/** Returns how the waiting ends with this status; `null` if it goes on. */
function doneKind({ isReconciled, plan, pending, failed }: WaitStatus): 'in-sync' | 'deferred' | 'held' | 'failed' | null {
  if (plan.fileHeld) return 'held';
  if (!isReconciled || pending.length > 0) return null;
  if (failed.length > 0) return 'failed';
  if (plan.changes.some(({ held }) => held)) return 'held';
  return plan.changes.length > 0 ? 'deferred' : 'in-sync';
}

function lateReason({ isReconciled, paused }: WaitStatus, acted: readonly string[], desired: DesiredState): string | null {
  if (paused !== null) return `the daemon makes no calls: ${paused}`;
  if (isReconciled) return null;
  return isStaleSource(acted, desiredDigest(desired))
    ? 'the daemon has reconciled a different file since this one'
    : 'the daemon has not reconciled this file yet; check that its copy is current and valid';
}

/** Lets a lease be taken over, also by a daemon that notices only later that the store is back. */
class Grace {
  #sinceMs = systemClock.monotonicMs();
  #allowedMs = graceMs;

  get isOver(): boolean {
    return systemClock.monotonicMs() - this.#sinceMs > this.#allowedMs;
  }

  /** The lease is held. */
  reset(): void {
    this.extend(0);
  }

  /** The store has been away for `ms`: a daemon comes back as late again. */
  extend(ms: number): void {
    this.#sinceMs = systemClock.monotonicMs();
    this.#allowedMs = graceMs + ms;
  }
}

/** Tells changes that the daemon has given up from those that it has not tried yet. */
class ChangeWatch {
  #before: LastAttempts | null = null;

  /** Takes the attempts that do not count, since the daemon tries their changes again. Only the first call does something. */
  start(before: LastAttempts): void {
    this.#before ??= before;
  }

  /** Returns the changes of `plan` that the daemon still makes, and those that it has tried without success. */
  split(plan: Plan, attempts: LastAttempts): Pick<WaitStatus, 'pending' | 'failed'> {
    const last = new Map([...attempts.values()].map((attempt) => [publicationKey(attempt.apiId, attempt.environmentId), attempt]));
    const failed = plan.changes.filter(isAwaited).flatMap((change) => {
      const attempt = last.get(change.key);
      if (!attempt || !isFailed(attempt) || !isFor(change, attempt) || !this.#isNew(attempt)) return [];
      const { code, status } = attempt;
      return { change, attempt, hint: code === null ? null : findErrorRule(code, status, change.action).hint };
    });
    const rejected = new Set(failed.filter(({ attempt }) => attempt.outcome === 'stalled').map(({ change }) => change));
    return { pending: plan.changes.filter((change) => isAwaited(change) && !rejected.has(change)), failed };
  }

  #isNew({ id, apiId, environmentId, outcome }: Attempt): boolean {
    const before = this.#before?.get(publicationKey(apiId, environmentId));
    return before?.id !== id || before.outcome !== outcome;
  }
}

/** Returns whether the daemon makes a change now, or as soon as a probe is answered. */
function isAwaited(change: Change): boolean {
  return isActionable(change) || (change.held === null && change.deferred?.probe !== undefined);
}

function isFailed({ finishedAtMs, outcome }: Attempt): boolean {
  return finishedAtMs !== null && outcome !== null && outcome !== 'succeeded';
}

/** Returns whether an attempt was made for just this change: an older copy of the file may have asked for a different one. */
function isFor({ action, revision, version }: Change, attempt: Attempt): boolean {
  if (attempt.action !== action) return false;
  return action === 'offline' || (attempt.revision === revision && attempt.requestedVersionId === version);
}

/** Asks the lease holder to reconcile now. */
async function request(state: string, { gateway }: DesiredState): Promise<void> {
  const { requestReconcile } = await import('../store/requests.ts');
  try {
    await requestReconcile(state, gateway);
  } catch (error) {
    if (!(error instanceof EdictError) || isAway(error)) throw error;
    throw new EdictError(error.code, `no reconciliation can be requested: ${error.message}`, {
      hint: 'leave out --reconcile to wait without writing to the store',
    });
  }
}

/** A database that restarts, and a SQLite file that is locked for a moment, come back. */
function isAway({ code }: EdictError): boolean {
  return /^STORE_(?:UNREACHABLE|LOCKED)$/.test(code);
}

function noDaemon(): EdictError {
  return new EdictError('DAEMON_NOT_RUNNING', 'no daemon holds the lease of the gateway', {
    hint: 'start `edict run`, or check that it uses the same --state; with SQLite it must run on this machine',
  });
}
