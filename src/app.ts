import type { Settings } from './config.ts';
import { type Agreeing, approvalOf } from './core/agreeing.ts';
import { EdictError, messageOf } from './core/errors.ts';
import type { Emit, PassSummary } from './core/events.ts';
import type { NewApproval } from './core/guards.ts';
import { sinceFirst } from './core/keep-to.ts';
import type { Moved } from './core/kept.ts';
import type { LogOptions } from './core/log-options.ts';
import type { Plan } from './core/plan.ts';
import type { DesiredState } from './core/publication.ts';
import type { SavedPlan } from './core/saved-plan.ts';
import type { Targets } from './core/targets.ts';
import type { LookUp } from './desired/file-source.ts';
import type { Emulator, EmulatorOptions } from './emulator/emulator.ts';
import { systemClock } from './engine/system-clock.ts';
import { type Planned, readPlan } from './reports.ts';
import { type Environment, type OpenedPlan, openRooms, openSavedPlan, type Rooms, sourceOf, targetsOf, targetsOfSaved } from './rooms.ts';

/*
 * The commands that act, and the rooms that they need. How rooms are opened together stands in rooms.ts, what only looks in reports.ts.
 */

/** What ends a run early: `stop` lets the calls in flight finish. */
export interface Stopper {
  readonly signal: AbortSignal;
}

/** What `apply` came to, and the plan that was left in the end. `left` counts changes that were not sent because the run was stopped. */
export interface Applied {
  readonly plan: Plan;
  readonly summary: PassSummary;
  readonly left: number;
  /** Changes of the saved plan that were left out since something moved under them while it was carried out. */
  readonly dropped: readonly Moved[];
}

/** How often `apply` tries one change before it leaves it to a person. */
const applyTries = 4;

/** Makes one pass over the file, or what of it is targeted, and returns when no call is left to make. Throws an EdictError if it cannot begin. */
export function applyOnce(settings: Settings, environment: Environment, emit: Emit, stopper: Stopper): Promise<Applied> {
  return applyOf(settings, null, environment, emit, stopper);
}

/**
 * Makes exactly the changes of the saved plan in the file `from` and returns when no call is left to make. Throws an EdictError
 * `PLAN_*` with nothing sent if the file is no plan, or one of its changes rests on what has moved.
 */
export async function applySaved(
  settings: Settings,
  from: string,
  environment: Environment,
  emit: Emit,
  stopper: Stopper,
): Promise<Applied> {
  const opened = await openSavedPlan(from, settings);
  return applyOf(opened.settings, opened, environment, emit, stopper);
}

async function applyOf(
  settings: Settings,
  plan: OpenedPlan | null,
  environment: Environment,
  emit: Emit,
  stopper: Stopper,
): Promise<Applied> {
  let opened: Rooms | null = null;
  const open = async (): Promise<Rooms> => {
    opened ??= await openRooms(settings, environment, emit, stopper);
    return opened;
  };
  try {
    const lookUp: LookUp = async (of, names) => {
      plan?.expect(of);
      return (await open()).lookUp(of, names);
    };
    const desired = await sourceOf(settings, environment, lookUp).load();
    plan?.expect(desired.gateway);
    const rooms = await open();
    const targets = plan ? await targetsOfSaved(plan.saved) : await targetsOf(settings, desired, () => rooms.recorded(desired.gateway));
    return await applyIn(rooms, desired, targets, plan?.saved ?? null, emit, stopper);
  } catch (error) {
    throw besideDaemon(error, 'stop that one first, wait for it with --wait, or let a daemon apply the file: `edict wait`');
  } finally {
    await (opened as Rooms | null)?.close();
  }
}

async function applyIn(
  rooms: Rooms,
  desired: DesiredState,
  targets: Targets,
  saved: SavedPlan | null,
  emit: Emit,
  { signal }: Stopper,
): Promise<Applied> {
  const totals = { online: 0, offline: 0 };
  let plan: Plan | null = null;
  let last: PassSummary | null = null;
  let dropped: readonly Moved[] = [];
  const heard: Emit = (event) => {
    if ((event.type === 'attempt:settled' || event.type === 'attempt:resolved') && event.outcome.kind === 'succeeded') {
      totals[event.change.action] += 1;
    }
    if (event.type === 'plan:made') plan = event.plan;
    if (event.type === 'pass:finished') last = event.summary;
    if (event.type === 'plan:made') dropped = event.plan.kept?.moved ?? [];
    emit(event);
  };
  const engine = await rooms.engineFor(desired, applyTries, heard, targets, saved);
  const startedAtMs = systemClock.now();
  emit({ type: 'file:accepted', desired });
  const made = await engine.pass(desired, 'start', signal);
  await Promise.race([engine.settled(), aborted(signal)]);
  const left = await engine.stop();
  const finished: PassSummary = last ?? { online: 0, offline: 0, unchanged: made.unchanged, held: 0, waiting: 0, failed: 0, tookMs: 0 };
  return {
    plan: sinceFirst(plan ?? made, made),
    summary: { ...finished, ...totals, unchanged: made.unchanged, tookMs: systemClock.now() - startedAtMs },
    left,
    dropped,
  };
}

/** Returns `error`, with another `hint` where it says that another edict is at work. */
function besideDaemon(error: unknown, hint: string): unknown {
  const isAtWork = error instanceof EdictError && /^(?:STORE_LOCKED|GATEWAY_HELD)$/.test(error.code);
  return isAtWork ? new EdictError(error.code, error.message, { hint }) : error;
}

/** An approval as it was written, and the plan that it is for. */
export interface Approved extends Planned {
  readonly approval: NewApproval;
}

/**
 * Writes down that a person agrees to what the plan holds. It makes no call: the daemon, or the next apply, finds it in the store. Throws as `approvalOf` does, and an EdictError `STORE_*`.
 */
export async function approve(settings: Settings, environment: Environment, agreeing: Agreeing): Promise<Approved> {
  const planned = await readPlan(settings, environment);
  const approval = approvalOf(planned.plan, agreeing, systemClock.now());
  const { writeApproval } = await import('./store/write-approval.ts');
  await writeApproval(settings.state, planned.plan.gateway, approval);
  return { ...planned, approval };
}

/** What a command says while it works. */
export interface Talk {
  readonly emit: Emit;
  /** Returns what tells of one file of several, which is in every line. */
  of(file: string): Emit;
  /** Logs what is not an event of the engine. */
  note(event: string, message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Returns the log on stderr, fed with the engine's events. */
export async function openLog(options: LogOptions): Promise<Talk> {
  const { logEvents, openLogger } = await import('./telemetry/log.ts');
  const logger = await openLogger(options);
  return {
    emit: logEvents(logger),
    of: (file) => logEvents(logger.child({ file })),
    note: (event, message, fields) => logger.info({ event, ...fields }, message),
  };
}

/** Starts the emulator by itself. Throws an EdictError if the seed is none or the address cannot be had. */
export async function startEmulatorFrom(seedFile: string | null, options: Omit<EmulatorOptions, 'seed'>): Promise<Emulator> {
  const { startEmulator } = await import('./emulator/emulator.ts');
  const { defaultSeed, readSeed } = await import('./emulator/seed.ts');
  try {
    return await startEmulator({ seed: seedFile === null ? defaultSeed : await readSeed(seedFile), ...options });
  } catch (cause) {
    throw new EdictError('EMULATOR', `the emulator cannot start: ${messageOf(cause)}`, { cause });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}
