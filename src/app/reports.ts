import type { Approval } from '../model/approval.ts';
import type { Plan } from '../model/change.ts';
import type { Env } from '../model/env.ts';
import type { DriftNotice, ListedVersion } from '../model/observation.ts';
import type { Attempt, ControllerStatus, StoreReader } from '../model/ports.ts';
import type { CommitLookup, DesiredState, PublicationNames, RecordedState } from '../model/publication.ts';
import type { Settings } from '../model/settings.ts';
import { findPublication, type PublicationRef } from '../plan/publication-lookup.ts';
import { type SavedPlan, toSavedPlan } from '../plan/saved-plan.ts';
import { type StatusInput, statusInput } from '../plan/status.ts';
import { hasTargets, isTargeted, type Targets } from '../plan/targets.ts';
import type { ExportedFile } from '../source/export/export.ts';
import type { GatewayArguments } from '../source/export/gateway-options.ts';
import { FileSource } from '../source/file-source.ts';
import { SourceDirectory } from '../source/source-directory.ts';
import { placeholderIds, seedFromState } from './emulated-gateway.ts';
import { computeCurrentPlan, neverAborted, observationFailedError, openReadSession } from './read-session.ts';
import { openSavedPlan, resolveTargets, targetsOfSavedPlan, withGatewayReader } from './session.ts';
import { systemClock } from './system-clock.ts';

/*
 * What the commands that only look show: file, record and gateway are read, nothing is written and no call is made.
 */

/** Returns the files that `paths` name now, as `FilesIn` has it, and whether that is one file and no folder. Throws an EdictError `FILE_NOT_FOUND`. */
export function listFiles(paths: readonly string[]): { readonly files: readonly string[]; readonly isSingleFile: boolean } {
  const files = new SourceDirectory(paths).list();
  return { files, isSingleFile: files.length === 1 && files[0] === paths[0] };
}

/** Returns what the file declares, without asking anybody: what has a name only gets an ID that is made up. Throws as `FileSource.load` does. */
export function readDesiredState(settings: Settings, environment: Env): Promise<DesiredState> {
  return new FileSource(settings.file, environment, async (_, names) => placeholderIds(names)).load();
}

/** A plan, and what was seen at the gateway on the way to it. */
export interface PlanReport {
  readonly desired: DesiredState;
  readonly plan: Plan;
  readonly notices: readonly DriftNotice[];
}

/**
 * Returns the plan from the record to the file, or what of it is targeted; with `refresh` from what the gateway itself shows.
 * Writes nothing, and nothing is opened here that could change the gateway. Throws an EdictError if the gateway cannot be
 * seen, or a target is none.
 */
export async function readPlan(settings: Settings, environment: Env): Promise<PlanReport> {
  return openReadSession(settings, environment, 'ask', (desired, record) => buildPlanReport(desired, record, settings, environment, null));
}

/** Returns who has committed the lines of the file that ask for a plan's changes, as far as Git knows. Takes a few seconds at most. */
export async function readCommits({ changes }: Plan, environment: Env): Promise<CommitLookup> {
  const { blame } = await import('../source/git/blame.ts');
  return blame(
    changes.flatMap(({ source }) => source ?? []),
    environment,
  );
}

/** A plan, and the record that it was made from. */
interface PlanReportWithState extends PlanReport {
  readonly recorded: RecordedState;
}

async function buildPlanReport(
  desired: DesiredState,
  record: StoreReader,
  settings: Settings,
  environment: Env,
  saved: SavedPlan | null,
): Promise<PlanReportWithState> {
  const before = await record.readRecordedState(desired.gateway);
  const targets = saved ? await targetsOfSavedPlan(saved) : await resolveTargets(settings, desired, async () => before);
  const { recorded, notices } = settings.refresh
    ? await observeForPlan(desired, record, settings, environment)
    : { recorded: before, notices: [] };
  const plan = await computeCurrentPlan(desired, recorded, record, targets, saved);
  return { desired, plan, recorded, notices: notices.filter((note) => isTargeted(targets, note)) };
}

/**
 * Returns the plan as `readPlan` does, and writes it into the file `out`, which is all that is written. Throws an EdictError
 * `SAVED_PLAN_WRITE_FAILED` if that cannot be.
 */
export async function writeSavedPlan(settings: Settings, environment: Env, out: string): Promise<PlanReport> {
  const { writePlanFile } = await import('./plan-file.ts');
  return openReadSession(settings, environment, 'ask', async (desired, record) => {
    const createdAtMs = systemClock.now();
    const attempts = await record.lastAttempts(desired.gateway);
    const planned = await buildPlanReport(desired, record, settings, environment, null);
    const { emulate: isEmulated, refresh: isRefreshed } = settings;
    await writePlanFile(out, toSavedPlan(planned.plan, planned.recorded, attempts, { isEmulated, isRefreshed, createdAtMs }));
    return planned;
  });
}

/**
 * Returns what an apply of the saved plan in the file `from` would do. Writes nothing and makes no call that changes
 * anything. Throws as `openSavedPlan` does, and a StalePlanError if something has moved under the plan.
 */
export async function previewSavedPlan(settings: Settings, environment: Env, from: string): Promise<PlanReport> {
  const opened = await openSavedPlan(from, settings);
  return openReadSession(
    opened.settings,
    environment,
    'ask',
    async (desired, record) => {
      const planned = await buildPlanReport(desired, record, opened.settings, environment, opened.saved);
      const { assertNotStale } = await import('../controller/planner.ts');
      assertNotStale(planned.plan, opened.saved);
      return planned;
    },
    opened.assertGateway,
  );
}

async function observeForPlan(desired: DesiredState, record: StoreReader, settings: Settings, environment: Env) {
  const { observeGateway } = await import('../controller/observe/observation.ts');
  const seed = settings.emulate ? seedFromState(desired, await record.readRecordedState(desired.gateway)) : null;
  const seen = await withGatewayReader(desired.gateway, seed, environment, (gateway) =>
    observeGateway(desired, { gateway, record, clock: systemClock, signal: neverAborted }),
  );
  if (seen.kind === 'observed') return seen;
  throw observationFailedError(seen.reason, 'without --refresh the plan starts from the record alone');
}

/**
 * Returns the file that declares what a live gateway shows, and what it could not say. Only reads leave, within the limit that
 * the file will have. Throws an EdictError: `OPTION_INVALID` for a gateway that no file may name, `CREDENTIALS_*`, `OBSERVATION_FAILED` if it cannot be read.
 */
export async function importGateway(asked: GatewayArguments, environment: Env): Promise<ExportedFile> {
  const { parseGatewayArguments } = await import('../source/export/gateway-options.ts');
  const { exportGateway } = await import('../source/export/export.ts');
  const { readInventory } = await import('../controller/observe/inventory.ts');
  return withGatewayReader(parseGatewayArguments(asked), null, environment, async (gateway) => {
    const listing = await readInventory(gateway, { clock: systemClock, random: Math.random, signal: new AbortController().signal });
    return exportGateway({ gateway: asked, ...listing });
  });
}

/** What `status` shows. */
export interface StatusReport {
  readonly input: StatusInput;
  /** What of all this is to be shown. */
  readonly targets: Targets;
  readonly plan: Plan;
  /** How the process that works on the gateway is getting on, or was when it was killed; `null` if none does. */
  readonly controllerStatus: ControllerStatus | null;
  /** Which edict works on the gateway; `null` if none does, as far as can be told from here. */
  readonly leaseHolder: string | null;
}

/** Returns desired, recorded and last attempts side by side. Makes no call and writes nothing. */
export async function readStatus(settings: Settings, environment: Env): Promise<StatusReport> {
  return openReadSession(settings, environment, 'never ask', async (desired, record) => {
    const recorded = await record.readRecordedState(desired.gateway);
    const targets = await resolveTargets(settings, desired, async () => recorded);
    const controllerStatus = await record.status(desired.gateway);
    const plan = await computeCurrentPlan(desired, recorded, record, targets);
    return {
      input: statusInput(desired, recorded, plan, await record.lastAttempts(desired.gateway)),
      targets,
      plan,
      controllerStatus,
      leaseHolder: await record.leaseHolder(desired.gateway),
    };
  });
}

/** What `history` shows: newest first. */
export interface HistoryReport {
  readonly attempts: readonly Attempt[];
  readonly approvals: readonly Approval[];
}

/**
 * Returns at most `limit` attempts on what is targeted of the file's gateway, and as many approvals of it. Makes no call and writes nothing.
 * A pattern finds an API by the name it has now, and all its attempts then, under earlier names too; an earlier name finds its own.
 */
export async function readHistory(settings: Settings, environment: Env, limit: number): Promise<HistoryReport> {
  const { apis, environments } = settings.targets;
  return openReadSession(settings, environment, 'never ask', async ({ gateway, publications }, record) => {
    const approvals = (await record.approvals(gateway)).slice(0, limit);
    if (!hasTargets(settings.targets)) return { attempts: await record.history(gateway, { limit }), approvals };
    const { compileTargets } = await import('../plan/target-patterns.ts');
    const targets = compileTargets(settings.targets);
    const known = [...publications.values(), ...(await record.lastAttempts(gateway)).values()];
    const apiIds = known.filter(targets.matchesApi).map(({ apiId }) => apiId);
    const environmentIds = known.filter(targets.matchesEnvironment).map(({ environmentId }) => environmentId);
    const attempts = await record.history(gateway, {
      ...(apis.length > 0 && { apis: [...new Set([...apis, ...apiIds])] }),
      ...(environments.length > 0 && { environments: [...new Set([...environments, ...environmentIds])] }),
      limit,
    });
    return { attempts, approvals };
  });
}

/** The versions of one API in one environment. */
export interface VersionsReport {
  readonly names: PublicationNames;
  /** Newest first. */
  readonly versions: readonly ListedVersion[];
  /** The version that the file pins; `null` if it pins none. */
  readonly pinnedVersionId: string | null;
}

/**
 * Returns what the gateway keeps of a publication of the file or the record, whose API and environment are named by name or
 * ID. Throws an EdictError `PUBLICATION_NOT_FOUND` if there is none such, `OBSERVATION_FAILED` if the gateway cannot be asked.
 */
export async function readVersions(settings: Settings, environment: Env, of: PublicationRef): Promise<VersionsReport> {
  return openReadSession(settings, environment, 'ask', async (desired, record) => {
    const recorded = await record.readRecordedState(desired.gateway);
    const names = findPublication(of, desired, recorded);
    const seed = settings.emulate ? seedFromState(desired, recorded) : null;
    const read = await withGatewayReader(desired.gateway, seed, environment, (gateway) => gateway.listVersions(names, neverAborted));
    if (read.kind !== 'read') throw observationFailedError(`${read.failure.code} ${read.failure.message}`, read.failure.hint);
    const versions = [...read.value].sort((a, b) => (b.publishedAtMs ?? 0) - (a.publishedAtMs ?? 0));
    const { api, apiId, environment: place, environmentId, key } = names;
    return {
      names: { api, apiId, environment: place, environmentId },
      versions,
      pinnedVersionId: desired.publications.get(key)?.version ?? null,
    };
  });
}
