import type { AppContext } from '../model/app-context.ts';
import type { Approval } from '../model/approval.ts';
import type { Attempt } from '../model/attempt.ts';
import type { Plan } from '../model/change.ts';
import type { ControllerStatus } from '../model/controller-status.ts';
import type { CommitLookup, DesiredPublication, DesiredState } from '../model/desired-state.ts';
import { CredentialsMissingError, EdictError, NamesUnresolvedError } from '../model/errors.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import type { NameRef } from '../model/name-ref.ts';
import type { DriftNotice, LastObservation, ListedVersion, Unobserved } from '../model/observation.ts';
import { type PublicationNames, pickNames } from '../model/publication.ts';
import type { RecordedState } from '../model/recorded-state.ts';
import type { TargetPatterns } from '../model/settings.ts';
import { recordAge, unseenPublications } from '../plan/policies.ts';
import { findPublication, type PublicationRef } from '../plan/publication-lookup.ts';
import { type SavedPlan, toSavedPlan } from '../plan/saved-plan.ts';
import { type StatusInput, statusInput } from '../plan/status.ts';
import { hasTargets, isTargeted, type Targets } from '../plan/targets.ts';
import { FileSource } from '../source/file-source.ts';
import { SourceDirectory } from '../source/source-directory.ts';
import type { StoreReader } from '../store/interface.ts';
import { placeholderIds, seedFromState } from './emulated-gateway.ts';
import { withGatewayReader } from './gateway-access.ts';
import {
  computeCurrentPlan,
  heldGateway,
  observationFailedError,
  type ReadSession,
  readUnseen,
  reportUnrecorded,
  resolveTargets,
  targetsOfSavedPlan,
  whyUnresolved,
  withApprovedReader,
  withReadSession,
} from './read-session.ts';
import { isFileError, withKnownGateway } from './store/known-gateway.ts';

/*
 * The reports of the read-only commands: they read the file, the store and the gateway, write nothing to them and change no publication.
 */

/** Resolves to the files that `paths` name now (see `SourceDirectory`), and whether that is a single file, not a folder. Throws an EdictError `FILE_NOT_FOUND`. */
export async function listFiles(paths: readonly string[]): Promise<{ readonly files: readonly string[]; readonly isSingleFile: boolean }> {
  const files = await new SourceDirectory(paths).list();
  return { files, isSingleFile: files.length === 1 && files[0] === paths[0] };
}

/** A valid file, the variables that it uses and that are not set, and the names for which it has placeholder IDs. */
export interface ValidatedFile {
  readonly desired: DesiredState;
  readonly nameRefs: readonly NameRef[];
  readonly unsetVariables: ReadonlySet<string>;
}

/**
 * Checks the file without contacting the gateway: names without an ID get placeholder IDs, and variables that are not set get placeholders,
 * because the pull request of a fork has none. Throws as `FileSource.load` does.
 */
export async function validateFile({ settings, env }: AppContext): Promise<ValidatedFile> {
  const unsetVariables = new Set<string>();
  let nameRefs: readonly NameRef[] = [];
  const source = new FileSource(settings.file, {
    allowedFolders: settings.allowedFolders,
    variables: env,
    onUnsetVariable: (name) => unsetVariables.add(name),
    resolveNames: async (_, names) => {
      nameRefs = names;
      return placeholderIds(names);
    },
  });
  return { desired: await source.load(), unsetVariables, nameRefs };
}

/** A plan, and the drift observed while it was computed. */
export interface PlanReport {
  readonly desired: DesiredState;
  readonly plan: Plan;
  readonly notices: readonly DriftNotice[];
  /** Why a gateway without recorded state was not observed, so that the plan may publish again what is online; `null` otherwise. */
  readonly uncheckedReason: string | null;
  /** Why names in the file have placeholder IDs, so that nothing of the plan can be done; `null` if all have their own. */
  readonly unresolved: EdictError | null;
}

/**
 * Returns the plan from the recorded state to the desired state, or only its targeted part; with `refresh` from the observed state.
 * Writes nothing, and opens only a gateway reader, which cannot send changes. Throws an EdictError if the gateway cannot be observed
 * or a target matches nothing.
 */
export async function readPlan(context: AppContext): Promise<PlanReport> {
  return withReadSession(context, { resolvesNames: 'ifAllowed' }, (session) => buildPlanReport(context, session, null));
}

/** Returns the commits of the lines that declare a plan's changes, as far as Git knows them. Takes a few seconds at most. */
export async function readCommits({ settings, env, events }: AppContext, { changes }: Plan): Promise<CommitLookup> {
  const { blame } = await import('../source/git/blame.ts');
  const { SourceFolder } = await import('../source/source-folder.ts');
  const folder = await SourceFolder.open(settings.file, settings.allowedFolders);
  return blame(
    changes.flatMap(({ source }) => source ?? []),
    { folder, env, onUnsupported: (version) => events.emit({ type: 'git:unsupported', version }) },
  );
}

/** A plan, the recorded state that it was computed from, and whether that includes an observation. */
interface PlanReportWithState extends PlanReport {
  readonly recorded: RecordedState;
  readonly isObserved: boolean;
}

async function buildPlanReport(context: AppContext, session: ReadSession, saved: SavedPlan | null): Promise<PlanReportWithState> {
  const { desired, store, unresolved } = session;
  const recordedBefore = await store.readRecordedState(desired.gateway);
  const targets = saved ? await targetsOfSavedPlan(saved) : await resolveTargets(context, desired, store);
  const observation = unresolved === null ? await observeIfNeeded(context, session, recordedBefore) : null;
  const unresolvedNames = unresolved instanceof NamesUnresolvedError ? unresolved.unobserved : null;
  const none = { recorded: recordedBefore, notices: [], uncheckedReason: unresolvedNames === null ? (unresolved?.message ?? null) : null };
  const { recorded, notices, uncheckedReason } = observation ?? none;
  const plan = await computeCurrentPlan(context, { desired, recorded, store, targets, saved, observation, unresolvedNames });
  const isObserved = observation !== null && uncheckedReason === null && observation.unobserved === null;
  const shownNotices = notices.filter((notice) => isTargeted(targets, notice));
  return { desired, plan, recorded, isObserved, uncheckedReason, unresolved, notices: shownNotices };
}

/**
 * Observes the gateway with `refresh`, at first contact, and if the last observation is older than the file's `refresh`; or only looks for
 * publications that may be online although the record does not have them: the plan could publish them again. Returns `null` if no observation is
 * needed, or if one that is not necessary failed: the plan then says when the gateway was observed last.
 */
async function observeIfNeeded(
  context: AppContext,
  { desired, store }: ReadSession,
  recorded: RecordedState,
): Promise<PlanObservation | null> {
  const { clock } = context;
  const { refresh, emulate } = context.settings;
  if (refresh === 'never') return null;
  if (!emulate && (await heldGateway(context, store, desired.gateway)) !== null) return null;
  const isRequested = refresh === 'always';
  const checked = { uncheckedReason: null, unobserved: null, listed: null };
  const lastObservation = await store.lastObservation(desired.gateway);
  const observedAtMs = lastObservation?.observedAtMs ?? null;
  // An emulated gateway ends with its command, so nothing is online there.
  const age = emulate ? 'fresh' : recordAge(desired, observedAtMs, clock.now());
  const isUnseenPossible = !emulate && desired.refreshIntervalMs !== null;
  const unseen = isUnseenPossible ? unseenPublications({ desired, recorded, observation: lastObservation, age }) : [];
  const isUnrecorded = lastObservation === null && recorded.size === 0;
  const isOptional = !isRequested && age === 'stale' && unseen.length === 0;
  const isComplete = isRequested || isOptional || age === 'never';
  if (!isComplete && unseen.length === 0) return null;
  const { planObservationError } = await import('../controller/observe/observation.ts');
  const { unobservedBecause } = await import('../controller/observe/confirmation.ts');
  try {
    const observation = await observeForPlan(context, { desired, store, unseen: isComplete ? null : unseen, isUnrecorded });
    if (observation.kind === 'observed') return { ...checked, ...observation };
    if (isOptional) return null;
    const isHeld = !isRequested && (age !== 'never' || observation.isRefused);
    if (!isHeld) throw planObservationError(observation, { isOnlyRequested: isRequested && !isUnrecorded });
    return { ...checked, recorded, notices: [], unobserved: unobservedBecause(observation) };
  } catch (error) {
    if (!(error instanceof CredentialsMissingError) || isRequested) throw error;
    if (isOptional) return null;
    return { ...checked, recorded, notices: [], uncheckedReason: error.message };
  }
}

/** The state that a plan starts from instead of the recorded state. */
interface PlanObservation extends Pick<PlanReport, 'notices' | 'uncheckedReason'> {
  /** The list that the gateway gave; `null` if it gave none. */
  readonly listed: LastObservation | null;
  readonly recorded: RecordedState;
  /** Why the gateway could not be observed, although the plan needs it: what is new is held; `null` otherwise. */
  readonly unobserved: Unobserved | null;
}

/**
 * Throws an EdictError `GATEWAY_UNCHECKED` for a plan that needs an observation and has none: it may publish again what is online. Throws a
 * NamesUnresolvedError for one whose names have no IDs.
 */
export function assertChecked({ uncheckedReason, unresolved }: PlanReport): void {
  if (unresolved instanceof NamesUnresolvedError) throw unresolved;
  if (uncheckedReason === null) return;
  throw new EdictError('GATEWAY_UNCHECKED', `the plan is not checked against the gateway: ${uncheckedReason}`, {
    hint: 'set the credentials, so that what is already online is adopted instead of published again',
  });
}

/**
 * Returns the plan as `readPlan` does and saves it in the file `out`; writes nothing else. Throws an EdictError
 * `SAVED_PLAN_WRITE_FAILED` if the file cannot be written.
 */
export async function writeSavedPlan(context: AppContext, out: string): Promise<PlanReport> {
  const { writePlanFile } = await import('./plan-file.ts');
  const { report, saved } = await readSavablePlan(context, { isConfirmed: false });
  await writePlanFile(out, saved);
  return report;
}

/** Returns the plan as `readPlan` does, and the saved plan that restricts a later plan to it. Throws as `assertChecked` does. */
export async function readSavablePlan(
  context: AppContext,
  { isConfirmed }: Pick<SavedPlan, 'isConfirmed'>,
): Promise<{ readonly report: PlanReport; readonly saved: SavedPlan }> {
  return withReadSession(context, { resolvesNames: 'ifAllowed' }, async (session) => {
    const createdAtMs = context.clock.now();
    const attempts = await session.store.lastAttempts(session.desired.gateway);
    const report = await buildPlanReport(context, session, null);
    assertChecked(report);
    const { plan, recorded, isObserved: isRefreshed } = report;
    const isEmulated = context.settings.emulate;
    return { report, saved: toSavedPlan(plan, { recorded, attempts }, { isConfirmed, isEmulated, isRefreshed, createdAtMs }) };
  });
}

/**
 * Returns what an apply of the saved plan in the file `from` would do. Writes nothing and sends no changes. Throws as `openSavedPlan`
 * does, and a StalePlanError if the plan is stale.
 */
export async function previewSavedPlan(context: AppContext, from: string): Promise<PlanReport> {
  const { openSavedPlan } = await import('./plan-file.ts');
  const { saved, settings, assertGateway } = await openSavedPlan(from, context.settings);
  const planContext = { ...context, settings };
  return withReadSession(planContext, { resolvesNames: true, assertGateway }, async (session) => {
    const report = await buildPlanReport(planContext, session, saved);
    const { assertNotStale } = await import('../controller/planner.ts');
    assertNotStale(report.plan, saved);
    return report;
  });
}

interface PlanObservationInput extends Pick<ReadSession, 'desired' | 'store'> {
  /** The publications to look for; `null`: all. */
  readonly unseen: readonly DesiredPublication[] | null;
  /** Whether the store has no record of the gateway. */
  readonly isUnrecorded: boolean;
}

async function observeForPlan(context: AppContext, { desired, store, unseen, isUnrecorded }: PlanObservationInput) {
  const { observeGateway, observeUnseen } = await import('../controller/observe/observation.ts');
  const { maxPreviewReads } = await import('../controller/observe/earlier-publications.ts');
  const { clock, signal, settings } = context;
  const seed = settings.emulate ? seedFromState(desired, await store.readRecordedState(desired.gateway)) : null;
  return withGatewayReader(context, { settings: desired.gateway, seed }, async (gateway) => {
    // Only now it is certain that the gateway is read: without credentials nobody looks at it.
    if (isUnrecorded && seed === null) await reportUnrecorded(context);
    const deps = { gateway, record: store, clock, signal, isEmulated: settings.emulate, maxLookups: maxPreviewReads };
    return unseen ? observeUnseen(desired, unseen, deps) : observeGateway(desired, deps);
  });
}

/** The report of `edict status`. */
export interface StatusReport {
  readonly input: StatusInput;
  /** The publications to show. */
  readonly targets: Targets;
  readonly plan: Plan;
  /** The last status that a controller wrote, also if that process was killed; `null` if there is none. */
  readonly controllerStatus: ControllerStatus | null;
  /** The process that holds the gateway's lease; `null` if none does, as far as this machine can tell. */
  readonly leaseHolder: string | null;
  /** Why the gateway could not be observed after its last observation; `null` if no observation failed since. */
  readonly unobserved: Unobserved | null;
}

/**
 * Returns the desired state, the recorded state and the last attempts. Writes nothing, and asks the gateway only with `refresh`: the recorded
 * state is then the observed one. Throws as `readPlan` does if it cannot be observed.
 */
export async function readStatus(context: AppContext): Promise<StatusReport> {
  const isRefreshed = context.settings.refresh === 'always';
  return withReadSession(context, { resolvesNames: isRefreshed }, async (session) => {
    const { desired, store } = session;
    const recordedBefore = await store.readRecordedState(desired.gateway);
    const observation = isRefreshed ? await observeIfNeeded(context, session, recordedBefore) : null;
    const recorded = observation?.recorded ?? recordedBefore;
    const targets = await resolveTargets(context, desired, store);
    const controllerStatus = await store.status(desired.gateway);
    const unresolvedNames = await whyUnresolved(session);
    const plan = await computeCurrentPlan(context, { desired, recorded, store, targets, observation, unresolvedNames });
    return {
      input: statusInput(plan, {
        desired,
        recorded,
        lastAttempts: await store.lastAttempts(desired.gateway),
        ...(observation === null && { unseen: await readUnseen(context, { desired, recorded, store }) }),
      }),
      targets,
      plan,
      controllerStatus,
      leaseHolder: await store.leaseHolder(desired.gateway),
      unobserved: observation === null ? await store.unobserved(desired.gateway) : null,
    };
  });
}

/** The report of `edict history`, newest first. */
export interface HistoryReport {
  readonly gateway: GatewayIdentity;
  readonly attempts: readonly Attempt[];
  readonly approvals: readonly Approval[];
  /** Why the file could not be read, so that the gateway is the one that the store knows; `null` if it was read. */
  readonly fileError: EdictError | null;
}

/**
 * Returns at most `limit` attempts on the targeted publications of the file's gateway, and at most `limit` approvals. Does not contact the
 * gateway and writes nothing. A pattern that matches an API's current name finds all its attempts, also those under earlier names; a
 * pattern that matches only an earlier name finds the attempts under that name. If the file is invalid, the gateway is the one in the store
 * with the instance ID `instance`, by default the only one; throws as `findKnownGateway` does.
 */
export async function readHistory(context: AppContext, limit: number, instance: string | null = null): Promise<HistoryReport> {
  const { settings } = context;
  try {
    return await withReadSession(context, { resolvesNames: false }, async ({ desired: { gateway, publications }, store }) => ({
      ...(await historyOf(settings.targets, { gateway, publications: [...publications.values()], store, limit })),
      fileError: null,
    }));
  } catch (error) {
    if (!isFileError(error)) throw error;
    return withKnownGateway(context, { fileError: error, instance }, async (gateway, store) => ({
      ...(await historyOf(settings.targets, { gateway, publications: [], store, limit })),
      fileError: error,
    }));
  }
}

async function historyOf(
  { apis, environments }: TargetPatterns,
  {
    gateway,
    publications,
    store,
    limit,
  }: {
    readonly gateway: GatewayIdentity;
    readonly publications: readonly PublicationNames[];
    readonly store: StoreReader;
    readonly limit: number;
  },
): Promise<Omit<HistoryReport, 'fileError'>> {
  const { endpoint, project, instance } = gateway;
  const identity = { endpoint, project, instance };
  const approvals = (await store.approvals(gateway)).slice(0, limit);
  if (!hasTargets({ apis, environments })) return { gateway: identity, attempts: await store.history(gateway, { limit }), approvals };
  const { compileTargets } = await import('../plan/target-patterns.ts');
  const targets = compileTargets({ apis, environments });
  const known = [...publications, ...(await store.lastAttempts(gateway)).values()];
  const apiIds = known.filter(targets.matchesApi).map(({ apiId }) => apiId);
  const environmentIds = known.filter(targets.matchesEnvironment).map(({ environmentId }) => environmentId);
  const attempts = await store.history(gateway, {
    ...(apis.length > 0 && { apis: [...new Set([...apis, ...apiIds])] }),
    ...(environments.length > 0 && { environments: [...new Set([...environments, ...environmentIds])] }),
    limit,
  });
  return { gateway: identity, attempts, approvals };
}

/** The versions of one publication. */
export interface VersionsReport {
  readonly names: PublicationNames;
  /** Newest first. */
  readonly versions: readonly ListedVersion[];
  /** The version pinned in the file; `null` if none is. */
  readonly pinnedVersionId: string | null;
}

/**
 * Returns the versions that the gateway keeps of a publication that is declared or recorded; API and environment are given by name or
 * ID. Throws an EdictError `PUBLICATION_NOT_FOUND` if there is no such publication, `OBSERVATION_FAILED` if the gateway cannot be read.
 */
export async function readVersions(context: AppContext, of: PublicationRef): Promise<VersionsReport> {
  return withReadSession(context, { resolvesNames: true }, async ({ desired, store }) => {
    const recorded = await store.readRecordedState(desired.gateway);
    const names = findPublication(of, desired, recorded);
    const seed = context.settings.emulate ? seedFromState(desired, recorded) : null;
    const read = await withApprovedReader(context, { settings: desired.gateway, seed, store }, (gateway) =>
      gateway.listVersions(names, context.signal),
    );
    if (read.kind !== 'read') throw observationFailedError(`${read.failure.code} ${read.failure.message}`, read.failure.hint);
    const versions = [...read.value].sort((a, b) => (b.publishedAtMs ?? 0) - (a.publishedAtMs ?? 0));
    return {
      names: pickNames(names),
      versions,
      pinnedVersionId: desired.publications.get(names.key)?.version ?? null,
    };
  });
}
