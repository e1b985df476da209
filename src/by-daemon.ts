import type { Applied, Stopper } from './app.ts';
import type { Settings } from './config.ts';
import { wantedDigest } from './core/acted.ts';
import { EdictError } from './core/errors.ts';
import type { Emit } from './core/events.ts';
import { sinceFirst } from './core/keep-to.ts';
import type { Outcome } from './core/outcome.ts';
import { type Change, isMade, type Plan } from './core/plan.ts';
import type { Attempt, Condition, RecordReader } from './core/ports.ts';
import { type DesiredState, type PublicationKey, publicationKey } from './core/publication.ts';
import type { LastAttempts } from './core/saved-plan.ts';
import { systemClock } from './engine/system-clock.ts';
import { classify } from './gateway/classify.ts';
import { planOf, withFile } from './reading.ts';
import { type Environment, openSavedPlan, targetsOf, targetsOfSaved } from './rooms.ts';

/*
 * What a pipeline leaves to the daemon: it is the daemon that makes the calls, for what its own file asks; here it is asked to look now, and
 * its changes are waited for and told of.
 */

/** How long the daemon may take unless told otherwise, in milliseconds. */
const defaultWaitMs = 600_000;

/** How long nobody may have the lease, in milliseconds: one daemon takes over from another meanwhile. */
const unheldMs = 10_000;

const lookEveryMs = 500;

/**
 * Leaves the changes that the file needs, or those of the saved plan in the file `from`, to the edict that has the lease of the gateway:
 * asks it for a pass, and returns when it has made them, or cannot. Makes no call itself. `left` counts what was not made when the time was over.
 *
 * @throws EdictError `NO_DAEMON` if nobody has the lease, `PLAN_*` as for `applySaved`, `STORE_*` if the store cannot be read, and still
 * cannot when the time is over
 */
export async function applyByDaemon(
  settings: Settings,
  from: string | null,
  environment: Environment,
  emit: Emit,
  { signal }: Stopper,
): Promise<Applied> {
  const opened = from === null ? null : await openSavedPlan(from, settings);
  const saved = opened?.saved ?? null;
  const beganAtMs = systemClock.monotonic();
  const waitMs = settings.waitMs || defaultWaitMs;
  const isOver = (): boolean => signal.aborted || systemClock.monotonic() - beganAtMs >= waitMs;
  const rest = () => systemClock.sleep(lookEveryMs, signal);
  const use = async (desired: DesiredState, record: RecordReader): Promise<Applied> => {
    const { gateway } = desired;
    const targets = saved ? await targetsOfSaved(saved) : await targetsOf(settings, desired, () => record.readAll(gateway));
    const planned = async () => {
      const recorded = await record.readAll(gateway);
      return { recorded, plan: await planOf(desired, recorded, record, targets, saved) };
    };
    const before = await record.lastAttempts(gateway);
    const first = await planned();
    if (saved) (await import('./engine/plan-of-pass.ts')).refuseStale(first.plan, saved);
    emit({ type: 'file:accepted', desired });
    emit({ type: 'plan:made', passId: '', cause: 'start', ...first });
    const watched = new Watched(first.plan, before, emit);
    const holder = new Holder(desired, waitMs, emit);
    const look = async (): Promise<void> => {
      const { plan } = await planned();
      // What the plan says is done has its attempt settled.
      watched.see(plan, await record.lastAttempts(gateway));
      const [name, acted, condition] = await Promise.all([record.holder(gateway), record.acted(gateway), record.condition(gateway)]);
      holder.see({ name, acted, condition }, watched.open.length);
    };
    const patient = new Patience(emit, (ms) => holder.unseen(ms), isOver, rest);
    if (watched.open.length > 0) {
      await patient.until(look);
      await patient.until(() => holder.ask(settings.state));
    }
    while (watched.open.length > 0 && !isOver()) {
      holder.expect();
      await rest();
      await patient.until(look);
    }
    const leftWhy = signal.aborted ? 'not waited for any longer, which the daemon goes on with' : holder.whyLate;
    return { ...watched.applied(systemClock.monotonic() - beganAtMs), leftWhy };
  };
  // Once it waits for changes, a store that is away comes here only when the time is over.
  return new Patience(emit, () => {}, isOver, rest).until(() => withFile(settings, environment, 'ask', use, opened?.expect));
}

/** Lets a store that is away for a while come back. */
class Patience {
  readonly #emit: Emit;
  readonly #away: (ms: number) => void;
  readonly #isOver: () => boolean;
  readonly #rest: () => Promise<void>;

  /** `away` hears for how many milliseconds the store has been away. */
  constructor(emit: Emit, away: (ms: number) => void, isOver: () => boolean, rest: () => Promise<void>) {
    this.#emit = emit;
    this.#away = away;
    this.#isOver = isOver;
    this.#rest = rest;
  }

  /** Resolves with what `act` resolves with; rejects with what it rejects with if that is another thing than a store that is away, or the time is over. */
  async until<T>(act: () => Promise<T>): Promise<T> {
    const sinceMs = systemClock.monotonic();
    for (let isTold = false; ; isTold = true) {
      try {
        return await act();
      } catch (error) {
        const isAway = error instanceof EdictError && /^STORE_(?:UNREACHABLE|LOCKED)$/.test(error.code);
        if (!isAway || this.#isOver()) throw error;
        if (!isTold) this.#emit({ type: 'store:waited', message: error.message });
        this.#away(systemClock.monotonic() - sinceMs);
        await this.#rest();
      }
    }
  }
}

/** What the store says of whoever is to make the changes. */
interface Presence {
  /** Who it is; `null`: nobody, as far as can be told from here. */
  readonly name: string | null;
  /** Digests of what was acted on, the latest last. */
  readonly acted: readonly string[];
  readonly condition: Condition | null;
}

/** Whoever is to make the changes. */
class Holder {
  readonly #gateway: DesiredState['gateway'];
  readonly #wanted: string;
  readonly #waitMs: number;
  readonly #emit: Emit;
  #seenAtMs = systemClock.monotonic();
  #allowedMs = unheldMs;
  #presence: Presence = { name: null, acted: [], condition: null };
  #told = '';
  #stopped = '';

  constructor(desired: DesiredState, waitMs: number, emit: Emit) {
    this.#gateway = desired.gateway;
    this.#wanted = wantedDigest(desired);
    this.#waitMs = waitMs;
    this.#emit = emit;
  }

  /** Learns how it is getting on with the `left` changes, and tells what is new of it. */
  see(presence: Presence, left: number): void {
    this.#presence = presence;
    if (presence.name === null) return;
    this.#seenAtMs = systemClock.monotonic();
    this.#allowedMs = unheldMs;
    const stands = `${presence.name} has ${this.#hasActed ? 'acted on this file' : 'not acted on this file yet'}`;
    const changes = left === 1 ? '1 change' : `${left} changes`;
    if (left > 0 && stands !== this.#told) this.#tell(`${changes}, ${Math.round(this.#waitMs / 1000)} s at most; ${stands}`);
    this.#told = stands;
    const { why = null, message = '' } = presence.condition?.stopped ?? {};
    if (why !== null && message !== this.#stopped) this.#emit({ type: 'calls:stopped', why, message });
    if (why === null && this.#stopped !== '') this.#emit({ type: 'calls:resumed' });
    this.#stopped = message;
  }

  /** It could not be seen for `ms` milliseconds, and cannot see the store either: it comes back as late again. */
  unseen(ms: number): void {
    this.#seenAtMs = systemClock.monotonic();
    this.#allowedMs = unheldMs + ms;
  }

  /** Throws if nobody was there for longer than it takes one daemon to take over from another. */
  expect(): void {
    if (systemClock.monotonic() - this.#seenAtMs <= this.#allowedMs) return;
    throw new EdictError('NO_DAEMON', 'no edict works on the gateway, as far as can be told from here', {
      hint: 'start the daemon, look whether it has the same --state, or leave --via-daemon out',
    });
  }

  /** Asks it for a pass. Who may not write the store waits for one that it makes by itself. Rejects if the store is away. */
  async ask(state: string): Promise<void> {
    const { askPass } = await import('./store/ask-pass.ts');
    try {
      await askPass(state, this.#gateway);
    } catch (error) {
      if (!(error instanceof EdictError) || /^STORE_(?:UNREACHABLE|LOCKED)$/.test(error.code)) throw error;
      this.#tell(`the daemon is not told to look now: ${error.message}`);
    }
  }

  /** Why changes are left when the time is over. */
  get whyLate(): string {
    const late = 'not made by the daemon in time: ';
    if (this.#stopped !== '') return `${late}it makes no call, ${this.#stopped}`;
    return `${late}${this.#hasActed ? 'see edict status' : 'it has not acted on this file yet, see whether its own copy has come or is held'}`;
  }

  get #hasActed(): boolean {
    return this.#presence.acted.at(-1) === this.#wanted;
  }

  #tell(reason: string): void {
    this.#emit({ type: 'daemon:awaited', reason });
  }
}

/** The changes that are waited for, and what came of them. */
class Watched {
  readonly #first: Plan;
  /** The newest attempts when the waiting began. */
  readonly #before: LastAttempts;
  readonly #emit: Emit;
  /** Every change that was needed at some time since, as it first was: an order lets some be made later. */
  readonly #changes = new Map<PublicationKey, Change>();
  readonly #last = new Map<PublicationKey, Attempt>();
  #plan: Plan;

  constructor(first: Plan, before: LastAttempts, emit: Emit) {
    this.#first = first;
    this.#before = before;
    this.#emit = emit;
    this.#plan = first;
    this.see(first, before);
  }

  /** Changes that the daemon makes by itself, and has not given up. */
  get open(): readonly Change[] {
    return this.#plan.changes.filter((change) => isAwaited(change) && this.#last.get(change.key)?.outcome !== 'stalled');
  }

  /** Learns what is left, and what was tried, and tells of what has come to an end since the last time. */
  see(plan: Plan, attempts: LastAttempts): void {
    this.#plan = plan;
    for (const change of plan.changes) if (!this.#changes.has(change.key)) this.#changes.set(change.key, change);
    for (const attempt of [...attempts.values()].sort((a, b) => a.id - b.id)) {
      const key = publicationKey(attempt.apiId, attempt.environmentId);
      const change = this.#changes.get(key);
      if (!change || attempt.settledAtMs === null || attempt.outcome === null || !isFor(change, attempt)) continue;
      const told = this.#last.get(key) ?? this.#before.get(key);
      if (told?.id === attempt.id && told.outcome === attempt.outcome) continue;
      this.#last.set(key, attempt);
      const tookMs = attempt.settledAtMs - attempt.beganAtMs;
      const { id: attemptId, passId } = attempt;
      this.#emit({ type: 'attempt:settled', passId, attemptId, change, outcome: outcomeOf(attempt, attempt.outcome), tookMs });
    }
  }

  /** Returns what it came to. */
  applied(tookMs: number): Applied {
    const { changes, kept } = this.#plan;
    const made = [...this.#last.values()].filter(({ outcome }) => outcome === 'succeeded');
    const count = (action: Attempt['action']): number => made.filter((attempt) => attempt.action === action).length;
    const awaited = changes.filter(isAwaited);
    const failed = awaited.filter(({ key }) => (this.#last.get(key)?.outcome ?? 'succeeded') !== 'succeeded').length;
    const held = changes.filter((change) => change.held).length;
    const waiting = changes.filter((change) => change.waits && !change.held).length;
    const { unchanged } = this.#first;
    const summary = { online: count('online'), offline: count('offline'), unchanged, held, waiting, failed, tookMs };
    const plan = sinceFirst(this.#plan, this.#first);
    return { plan, summary, left: awaited.length - failed, dropped: kept?.moved ?? [] };
  }
}

/** Returns whether the daemon makes a change by itself now, or when a probe has been answered. */
function isAwaited(change: Change): boolean {
  return isMade(change) || (change.held === null && change.waits?.probe !== undefined);
}

/** Returns whether an attempt was made for just this: an older file of the daemon may ask for something else. */
function isFor({ action, revision, version }: Change, attempt: Attempt): boolean {
  if (attempt.action !== action) return false;
  return action === 'offline' || (attempt.revision === revision && attempt.askedVersionId === version);
}

/** Returns the outcome that an attempt was recorded with. */
function outcomeOf({ code, status, message, requestId, action, versionId, publishId }: Attempt, kind: Outcome['kind']): Outcome {
  if (kind === 'succeeded') return { kind, versionId, publishId };
  if (kind === 'dropped' || kind === 'absent') return { kind };
  const hint = code === null ? null : classify(code, status, action).hint;
  return { kind, failure: { code: code ?? kind, status, message: message ?? '', hint, requestId, pauseMs: null } };
}
