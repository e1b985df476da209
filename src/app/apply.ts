import type { Emulator, EmulatorOptions } from '../emulator/emulator.ts';
import type { NewApproval } from '../model/approval.ts';
import type { Plan } from '../model/change.ts';
import type { Env } from '../model/env.ts';
import { EdictError, errorMessage, LeaseHeldError, StoreLockedError } from '../model/errors.ts';
import type { Emit, ReconcileSummary } from '../model/events.ts';
import type { LogOptions } from '../model/log-options.ts';
import type { DesiredState } from '../model/publication.ts';
import type { StaleChange } from '../model/saved-plan-diff.ts';
import type { Settings } from '../model/settings.ts';
import { type ApprovalRequest, createApproval } from '../plan/approvals.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import { excludeOwnChanges } from '../plan/saved-plan-check.ts';
import type { Targets } from '../plan/targets.ts';
import type { ResolveNames } from '../source/file-source.ts';
import { type PlanReport, readPlan } from './reports.ts';
import {
  createFileSource,
  type OpenedSavedPlan,
  openSavedPlan,
  openSession,
  resolveTargets,
  type Session,
  targetsOfSavedPlan,
} from './session.ts';
import { systemClock } from './system-clock.ts';

/*
 * The commands that act, and the rooms that they need. How rooms are opened together stands in rooms.ts, what only looks in reports.ts.
 */

/** What ends a run early: `stop` lets the calls in flight finish. */
export interface Stopper {
  readonly signal: AbortSignal;
}

/** What `apply` came to, and the plan that was left in the end. `left` counts changes that were not sent because the run was stopped. */
export interface ApplyResult {
  readonly plan: Plan;
  readonly summary: ReconcileSummary;
  readonly unsent: number;
  /** Changes of the saved plan that were left out since something moved under them while it was carried out. */
  readonly superseded: readonly StaleChange[];
}

/** How often `apply` tries one change before it leaves it to a person. */
const maxAttemptsPerChange = 4;

/** Makes one pass over the file, or what of it is targeted, and returns when no call is left to make. Throws an EdictError if it cannot begin. */
export function applyOnce(settings: Settings, environment: Env, emit: Emit, stopper: Stopper): Promise<ApplyResult> {
  return runApply(settings, null, environment, emit, stopper);
}

/**
 * Makes exactly the changes of the saved plan in the file `from` and returns when no call is left to make. Throws an EdictError
 * `PLAN_*` with nothing sent if the file is no plan, or one of its changes rests on what has moved.
 */
export async function applySavedPlan(
  settings: Settings,
  from: string,
  environment: Env,
  emit: Emit,
  stopper: Stopper,
): Promise<ApplyResult> {
  const opened = await openSavedPlan(from, settings);
  return runApply(opened.settings, opened, environment, emit, stopper);
}

async function runApply(
  settings: Settings,
  plan: OpenedSavedPlan | null,
  environment: Env,
  emit: Emit,
  stopper: Stopper,
): Promise<ApplyResult> {
  let opened: Session | null = null;
  const open = async (): Promise<Session> => {
    opened ??= await openSession(settings, environment, emit, stopper);
    return opened;
  };
  try {
    const lookUp: ResolveNames = async (of, names) => {
      plan?.assertGateway(of);
      return (await open()).resolveNames(of, names);
    };
    const desired = await createFileSource(settings, environment, lookUp).load();
    plan?.assertGateway(desired.gateway);
    const rooms = await open();
    const targets = plan
      ? await targetsOfSavedPlan(plan.saved)
      : await resolveTargets(settings, desired, () => rooms.readRecordedState(desired.gateway));
    return await applyInSession(rooms, desired, targets, plan?.saved ?? null, emit, stopper);
  } catch (error) {
    throw withHint(error, 'stop that one first, wait for it with --wait, or let a daemon apply the file: `edict wait`');
  } finally {
    await (opened as Session | null)?.close();
  }
}

async function applyInSession(
  rooms: Session,
  desired: DesiredState,
  targets: Targets,
  saved: SavedPlan | null,
  emit: Emit,
  { signal }: Stopper,
): Promise<ApplyResult> {
  const totals = { online: 0, offline: 0 };
  let plan: Plan | null = null;
  let last: ReconcileSummary | null = null;
  let superseded: readonly StaleChange[] = [];
  const heard: Emit = (event) => {
    if ((event.type === 'attempt:finished' || event.type === 'attempt:recovered') && event.outcome.kind === 'succeeded') {
      totals[event.change.action] += 1;
    }
    if (event.type === 'plan:computed') plan = event.plan;
    if (event.type === 'reconcile:finished') last = event.summary;
    if (event.type === 'plan:computed') superseded = event.plan.savedPlanDiff?.staleChanges ?? [];
    emit(event);
  };
  const engine = await rooms.runnerFor(desired, maxAttemptsPerChange, heard, targets, saved);
  const startedAtMs = systemClock.now();
  emit({ type: 'file:loaded', desired });
  const made = await engine.reconcile(desired, 'start', signal);
  await Promise.race([engine.idle(), onceAborted(signal)]);
  const unsent = await engine.stop();
  const finished: ReconcileSummary = last ?? {
    online: 0,
    offline: 0,
    unchanged: made.unchanged,
    held: 0,
    deferred: 0,
    failed: 0,
    durationMs: 0,
  };
  return {
    plan: excludeOwnChanges(plan ?? made, made),
    summary: { ...finished, ...totals, unchanged: made.unchanged, durationMs: systemClock.now() - startedAtMs },
    unsent,
    superseded,
  };
}

/** Returns `error`, with another `hint` where it says that another edict is at work. */
function withHint(error: unknown, hint: string): unknown {
  const isAtWork = error instanceof StoreLockedError || error instanceof LeaseHeldError;
  return isAtWork ? new EdictError(error.code, error.message, { hint }) : error;
}

/** An approval as it was written, and the plan that it is for. */
export interface ApprovedPlan extends PlanReport {
  readonly approval: NewApproval;
}

/**
 * Writes down that a person agrees to what the plan holds. It makes no call: the daemon, or the next apply, finds it in the store. Throws as `approvalOf` does, and an EdictError `STORE_*`.
 */
export async function recordApproval(settings: Settings, environment: Env, agreeing: ApprovalRequest): Promise<ApprovedPlan> {
  const planned = await readPlan(settings, environment);
  const approval = createApproval(planned.plan, agreeing, systemClock.now());
  const { writeApproval } = await import('../store/requests.ts');
  await writeApproval(settings.storeUrl, planned.plan.gateway, approval);
  return { ...planned, approval };
}

/** What a command says while it works. */
export interface CommandLogger {
  readonly emit: Emit;
  /** Returns what tells of one file of several, which is in every line. */
  forFile(file: string): Emit;
  /** Logs what is not an event of the engine. */
  log(event: string, message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Returns the log on stderr, fed with the engine's events. */
export async function openCommandLogger(options: LogOptions): Promise<CommandLogger> {
  const { logEvents, openLogger } = await import('../telemetry/log.ts');
  const logger = await openLogger(options);
  return {
    emit: logEvents(logger),
    forFile: (file) => logEvents(logger.child({ file })),
    log: (event, message, fields) => logger.info({ event, ...fields }, message),
  };
}

/** Starts the emulator by itself. Throws an EdictError if the seed is none or the address cannot be had. */
export async function startStandaloneEmulator(seedFile: string | null, options: Omit<EmulatorOptions, 'seed'>): Promise<Emulator> {
  const { startEmulator } = await import('../emulator/emulator.ts');
  const { defaultSeed, readSeed } = await import('../emulator/seed.ts');
  try {
    return await startEmulator({ seed: seedFile === null ? defaultSeed : await readSeed(seedFile), ...options });
  } catch (cause) {
    throw new EdictError('EMULATOR_FAILED', `the emulator cannot start: ${errorMessage(cause)}`, { cause });
  }
}

function onceAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}
