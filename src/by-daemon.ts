import type { Applied, Stopper } from './app.ts';
import type { Settings } from './config.ts';
import { EdictError } from './core/errors.ts';
import type { Emit } from './core/events.ts';
import type { Outcome } from './core/outcome.ts';
import { type Change, isMade, type Plan } from './core/plan.ts';
import type { Attempt, RecordReader } from './core/ports.ts';
import type { PublicationKey } from './core/publication.ts';
import { systemClock } from './engine/system-clock.ts';
import { classify } from './gateway/classify.ts';
import { planOf, withFile } from './reading.ts';
import { type Environment, openSavedPlan, targetsOf, targetsOfSaved } from './rooms.ts';

/*
 * What a pipeline leaves to the daemon: it is the daemon that makes the calls, and here they are waited for and told of.
 */

/** How long the daemon may take unless told otherwise, in milliseconds. */
const defaultWaitMs = 600_000;

/** How long nobody may have the lease, in milliseconds: one daemon takes over from another meanwhile. */
const unheldMs = 10_000;

const lookEveryMs = 500;

/** The outcomes that stay as they are until a person or a new file comes. */
const isFinal = (outcome: Attempt['outcome']): boolean => outcome === 'stalled';

/**
 * Leaves the changes that the file needs, or those of the saved plan in the file `from`, to the edict that has the lease of the gateway,
 * and returns when it has made them, or cannot. Makes no call and writes nothing. `left` counts what it has not made when the time is over.
 *
 * @throws EdictError `NO_DAEMON` if nobody has the lease, `PLAN_*` as for `applySaved`
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
  const untilMs = beganAtMs + (settings.waitMs || defaultWaitMs);
  return withFile(
    settings,
    environment,
    'ask',
    async (desired, record) => {
      const targets = saved ? await targetsOfSaved(saved) : await targetsOf(settings, desired, () => record.readAll(desired.gateway));
      const planned = async () => {
        const recorded = await record.readAll(desired.gateway);
        return { recorded, plan: await planOf(desired, recorded, record, targets, saved) };
      };
      const [newest] = await record.history(desired.gateway, { limit: 1 });
      const first = await planned();
      if (saved) (await import('./engine/plan-of-pass.ts')).refuseStale(first.plan, saved);
      emit({ type: 'file:accepted', desired });
      emit({ type: 'plan:made', passId: '', cause: 'start', ...first });
      const watched = new Watched(first.plan, newest?.id ?? 0, emit);
      const holder = new Holder(record, desired.gateway);
      let plan = first.plan;
      for (;;) {
        watched.tell(await record.lastAttempts(desired.gateway));
        const open = plan.changes.filter((change) => isMade(change) && !watched.isFinal(change.key));
        if (open.length === 0 || signal.aborted || systemClock.monotonic() >= untilMs) break;
        await holder.expect();
        await systemClock.sleep(lookEveryMs, signal);
        plan = (await planned()).plan;
      }
      return watched.applied(plan, systemClock.monotonic() - beganAtMs);
    },
    opened?.expect,
  );
}

/** Whoever is to make the changes. */
class Holder {
  readonly #record: RecordReader;
  readonly #gateway: Parameters<RecordReader['holder']>[0];
  #seenAtMs = systemClock.monotonic();

  constructor(record: RecordReader, gateway: Parameters<RecordReader['holder']>[0]) {
    this.#record = record;
    this.#gateway = gateway;
  }

  /** Rejects if nobody was there for longer than it takes one daemon to take over from another. */
  async expect(): Promise<void> {
    const nowMs = systemClock.monotonic();
    if ((await this.#record.holder(this.#gateway)) !== null) this.#seenAtMs = nowMs;
    if (nowMs - this.#seenAtMs <= unheldMs) return;
    throw new EdictError('NO_DAEMON', 'no edict works on the gateway, as far as can be told from here', {
      hint: 'start the daemon, look whether it has the same --state, or leave --via-daemon out',
    });
  }
}

/** The changes that are waited for, and what came of them. */
class Watched {
  readonly #unchanged: number;
  readonly #changes: ReadonlyMap<PublicationKey, Change>;
  /** What was there before. */
  readonly #upTo: number;
  readonly #emit: Emit;
  readonly #last = new Map<PublicationKey, Attempt>();

  constructor({ changes, unchanged }: Plan, upTo: number, emit: Emit) {
    this.#changes = new Map(changes.filter(isMade).map((change) => [change.key, change]));
    this.#unchanged = unchanged;
    this.#upTo = upTo;
    this.#emit = emit;
  }

  /** Tells of what has come to an end since the last time. */
  tell(attempts: ReadonlyMap<PublicationKey, Attempt>): void {
    for (const [key, change] of this.#changes) {
      const attempt = attempts.get(key);
      if (!attempt || attempt.id <= this.#upTo || attempt.settledAtMs === null || attempt.outcome === null) continue;
      const told = this.#last.get(key);
      if (told?.id === attempt.id && told.outcome === attempt.outcome) continue;
      this.#last.set(key, attempt);
      const tookMs = attempt.settledAtMs - attempt.beganAtMs;
      const { id: attemptId, passId } = attempt;
      this.#emit({ type: 'attempt:settled', passId, attemptId, change, outcome: outcomeOf(attempt, attempt.outcome), tookMs });
    }
  }

  isFinal(key: PublicationKey): boolean {
    return isFinal(this.#last.get(key)?.outcome ?? null);
  }

  /** Returns what it came to, with `plan` as what is left. */
  applied(plan: Plan, tookMs: number): Applied {
    const made = [...this.#last.values()].filter(({ outcome }) => outcome === 'succeeded');
    const count = (action: Attempt['action']): number => made.filter((attempt) => attempt.action === action).length;
    const open = plan.changes.filter(isMade);
    const failed = open.filter(({ key }) => this.#last.has(key)).length;
    const held = plan.changes.filter((change) => change.held).length;
    const waiting = plan.changes.filter((change) => change.waits && !change.held).length;
    const summary = { online: count('online'), offline: count('offline'), unchanged: this.#unchanged, held, waiting, failed, tookMs };
    return { plan, summary, left: open.length - failed, dropped: plan.kept?.moved ?? [] };
  }
}

/** Returns the outcome that an attempt was recorded with. */
function outcomeOf({ code, status, message, requestId, action, versionId, publishId }: Attempt, kind: Outcome['kind']): Outcome {
  if (kind === 'succeeded') return { kind, versionId, publishId };
  if (kind === 'dropped' || kind === 'absent') return { kind };
  const hint = code === null ? null : classify(code, status, action).hint;
  return { kind, failure: { code: code ?? kind, status, message: message ?? '', hint, requestId, pauseMs: null } };
}
