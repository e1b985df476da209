import { Controller } from '../controller/controller.ts';
import { GatewayWatcher } from '../controller/triggers/gateway-watcher.ts';
import type { Emulator, EmulatorOptions } from '../emulator/emulator.ts';
import type { AppContext } from '../model/app-context.ts';
import type { NewApproval } from '../model/approval.ts';
import type { Plan } from '../model/change.ts';
import type { DesiredState } from '../model/desired-state.ts';
import { EdictError, errorMessage, exitCodes, LeaseHeldError, StoreLockedError } from '../model/errors.ts';
import type { ReconcileSummary, TriggerCause } from '../model/events.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import { PlanChangedError, type StaleChange } from '../model/saved-plan-diff.ts';
import { type ApprovalRequest, createApproval } from '../plan/approvals.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import { excludeOwnChanges } from '../plan/saved-plan-check.ts';
import { type ChangeProgress, summarizeProgress } from '../plan/summary.ts';
import type { Targets } from '../plan/targets.ts';
import type { ResolveNames } from '../source/file-source.ts';
import type { OpenedSavedPlan } from './plan-file.ts';
import { resolveTargets, targetsOfSavedPlan } from './read-session.ts';
import { assertChecked, type PlanReport, readPlan, readSavablePlan } from './reports.ts';
import { createFileSource, openSession, type Session, type SessionOptions } from './session.ts';

/*
 * `edict apply`, `approve` and `emulate`: the commands that send calls or write. session.ts opens what they need, reports.ts serves the
 * read-only commands.
 */

/** The result of an apply. `plan` is the plan that remains; `unsent` counts changes not sent because the run was stopped. */
export interface ApplyResult {
  readonly plan: Plan;
  readonly summary: ReconcileSummary;
  readonly unsent: number;
  /** Changes of the saved plan that became stale during the run and were not made. */
  readonly superseded: readonly StaleChange[];
}

/** The most attempts that `apply` makes for one change; after the last one the change counts as failed. */
const maxAttemptsPerChange = 4;

/**
 * Reconciles the file once, or only its targeted part, and returns when no call is left to make or the context's signal is aborted.
 * Throws an EdictError if it cannot start.
 */
export function applyOnce(context: AppContext): Promise<ApplyResult> {
  return runApply(context, null);
}

/**
 * Makes exactly the changes of the saved plan in the file `from` and returns when no call is left to make. Throws an EdictError
 * `SAVED_PLAN_*` with nothing sent if the file is not a valid saved plan, and a StalePlanError if one of its changes is stale.
 */
export async function applySavedPlan(context: AppContext, from: string): Promise<ApplyResult> {
  const { openSavedPlan } = await import('./plan-file.ts');
  const opened = await openSavedPlan(from, context.settings);
  return runApply({ ...context, settings: opened.settings }, opened);
}

/**
 * Resolves to whether to carry out a plan, which it has shown to a person. `isChanged`: the plan before was confirmed, and is not the plan
 * any more.
 */
export type ConfirmPlan = (report: PlanReport, isChanged: boolean) => Promise<boolean>;

/**
 * Reconciles the file once with exactly the changes that `confirm` has shown. It asks before the gateway's lease is taken, and asks again
 * with the new plan if the plan under the lease is another one. Resolves to `null` if the answer is no. Throws as `applyOnce` does.
 */
export async function applyConfirmed(context: AppContext, confirm: ConfirmPlan): Promise<ApplyResult | null> {
  const { clock, events, signal } = context;
  let hasRead = false;
  using _subscription = events.subscribe((event) => {
    if (event.type === 'gateway:page_read') hasRead = true;
  });
  for (let isChanged = false; ; isChanged = true) {
    const { report, saved } = await readSavablePlan(context, { isConfirmed: true }).catch((error: unknown) => {
      throw signal.aborted ? interruptedError(signal, error) : error;
    });
    const lastRequestAtMs = hasRead ? clock.monotonicMs() : Number.NEGATIVE_INFINITY;
    await assertCredentials(context, report.desired);
    if (!(await confirm(report, isChanged))) return null;
    const assertGateway = (gateway: GatewayIdentity): void => {
      const { endpoint, project, instance } = saved.gateway;
      if (gateway.endpoint !== endpoint || gateway.project !== project || gateway.instance !== instance) throw new PlanChangedError();
    };
    try {
      return await runApply(context, { saved, assertGateway }, { lastRequestAtMs });
    } catch (error) {
      if (!(error instanceof PlanChangedError)) throw error;
    }
  }
}

/** Throws an EdictError `CREDENTIALS_*` without credentials, so that nobody is asked to confirm a plan that cannot be applied. */
async function assertCredentials(context: AppContext, { gateway: settings }: DesiredState): Promise<void> {
  const { openGatewayAccess } = await import('./gateway-access.ts');
  const acquire = (): Promise<never> => Promise.reject(new TypeError('credentials are opened without a request'));
  await openGatewayAccess(context, { settings, emulator: null, acquire });
}

async function runApply(
  context: AppContext,
  plan: Pick<OpenedSavedPlan, 'saved' | 'assertGateway'> | null,
  options: SessionOptions = {},
): Promise<ApplyResult> {
  await using resources = new AsyncDisposableStack();
  let opened: Session | null = null;
  const open = async (): Promise<Session> => {
    opened ??= resources.use(await openSession(context, options));
    return opened;
  };
  try {
    const resolveNames: ResolveNames = async (of, names, signal) => {
      plan?.assertGateway(of);
      return (await open()).resolveNames(of, names, signal);
    };
    const desired = await createFileSource(context, resolveNames).load(context.signal);
    plan?.assertGateway(desired.gateway);
    const session = await open();
    const targets = plan ? await targetsOfSavedPlan(plan.saved) : await resolveTargets(context, desired, session.store);
    return await applyInSession(context, session, { desired, targets, saved: plan?.saved ?? null });
  } catch (error) {
    throw withHint(error, 'stop that one first, wait for it with --lock-timeout, or let a daemon apply the file: `edict wait`');
  }
}

async function applyInSession(
  { events, clock, signal }: AppContext,
  session: Session,
  { desired, targets, saved }: { readonly desired: DesiredState; readonly targets: Targets; readonly saved: SavedPlan | null },
): Promise<ApplyResult> {
  // Assigned in a callback, which the compiler does not see.
  let initialPlan = null as Plan | null;
  let plan = null as Plan | null;
  let lastSummary = null as ReconcileSummary | null;
  let superseded: readonly StaleChange[] = [];
  using _subscription = events.subscribe((event) => {
    if (event.type === 'plan:computed') {
      plan = event.plan;
      initialPlan ??= event.plan;
      superseded = event.plan.savedPlanDiff?.staleChanges ?? [];
    }
    if (event.type === 'reconcile:finished') lastSummary = event.summary;
  });
  const startedAtMs = clock.now();
  // The kill switch stops a long apply as it stops a daemon. Other requests are for a daemon.
  const trigger = (cause: TriggerCause): void => void (cause === 'suspension' && controller.trigger(cause));
  using watcher = new GatewayWatcher({ store: session.store, trigger, onAvailable: () => {} });
  const controller = new Controller({
    source: { load: async () => desired, watch: async () => ({ close: async () => {} }) },
    clock,
    emit: events.emit,
    debounceMs: 0,
    resyncMs: Number.POSITIVE_INFINITY,
    maxTries: maxAttemptsPerChange,
    runnerFor: async (of, triggers) => {
      await watcher.follow(of.gateway);
      return session.runnerFor(of, { maxTries: maxAttemptsPerChange, targets, saved, triggers });
    },
    checkStaleSource: async () => 'free',
    isWaiting: () => false,
  });
  const stop = (): void => controller.stop();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  await controller.runOnce();
  signal.removeEventListener('abort', stop);
  const unsent = await session.stop();
  if (!initialPlan || !plan) throw interruptedError(signal);
  const nothing: ChangeProgress = { made: new Map(), failed: new Set(), unknown: new Set() };
  const counts = lastSummary ?? { ...summarizeProgress(plan, nothing), failedProbes: 0 };
  return {
    plan: saved?.isConfirmed ? { ...plan, savedPlanDiff: null } : excludeOwnChanges(plan, initialPlan),
    summary: { ...counts, durationMs: clock.now() - startedAtMs },
    unsent,
    superseded,
  };
}

function interruptedError(signal: AbortSignal, cause?: unknown): EdictError {
  const exitCode = signal.reason === 'SIGINT' ? exitCodes.interrupted : exitCodes.error;
  return new EdictError('APPLY_INTERRUPTED', 'stopped before a plan was computed; nothing was sent', { exitCode, cause });
}

/** Returns `error`, with `hint` instead of its own if another edict process holds the store or the lease. */
function withHint(error: unknown, hint: string): unknown {
  if (error instanceof StoreLockedError) return new StoreLockedError(error.message, { hint, cause: error });
  return error instanceof LeaseHeldError ? new LeaseHeldError(error.message, { hint, cause: error }) : error;
}

/** An approval as written to the store, and the plan that it approves. */
export interface ApprovedPlan extends PlanReport {
  readonly approval: NewApproval;
}

/**
 * Writes the approval of the plan's held changes to the store. Makes no call: the daemon or the next apply reads the approval from
 * there. Throws as `createApproval` does, and an EdictError `STORE_*`.
 */
export async function recordApproval(context: AppContext, request: ApprovalRequest): Promise<ApprovedPlan> {
  const report = await readPlan(context);
  assertChecked(report);
  const approval = createApproval(report.plan, request, context.clock.now());
  const { writeApproval } = await import('../store/requests.ts');
  const { storeUrl, emulate } = context.settings;
  await writeApproval({ url: storeUrl, isEmulated: emulate }, report.plan.gateway, approval);
  return { ...report, approval };
}

/** Starts the emulator without a client. Throws an EdictError `EMULATOR_FAILED` if the seed is invalid or the address cannot be bound. */
export async function startStandaloneEmulator(seedFile: string | null, options: Omit<EmulatorOptions, 'seed'>): Promise<Emulator> {
  const { startEmulator } = await import('../emulator/emulator.ts');
  const { defaultSeed, readSeed } = await import('../emulator/seed.ts');
  try {
    return await startEmulator({ seed: seedFile === null ? defaultSeed : await readSeed(seedFile), ...options });
  } catch (cause) {
    throw new EdictError('EMULATOR_FAILED', `the emulator cannot start: ${errorMessage(cause)}`, { cause });
  }
}
