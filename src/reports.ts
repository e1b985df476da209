import type { Settings } from './config.ts';
import type { Commits } from './core/commit.ts';
import type { Approval } from './core/guards.ts';
import { type Matrix, matrixOf } from './core/matrix.ts';
import type { Note } from './core/observe.ts';
import type { Plan } from './core/plan.ts';
import type { Attempt, Condition, RecordReader } from './core/ports.ts';
import type { DesiredState, PublicationNames, RecordedState } from './core/publication.ts';
import type { ListedVersion } from './core/resolve.ts';
import { type SavedPlan, savedPlanOf } from './core/saved-plan.ts';
import { isNarrowed, isTargeted, type Targets } from './core/targets.ts';
import type { AskedGateway } from './desired/asked-gateway.ts';
import { FileSource } from './desired/file-source.ts';
import { FilesIn } from './desired/files-in.ts';
import { findPublication, type NamedPublication } from './desired/find-publication.ts';
import type { WrittenDesired } from './desired/write-desired.ts';
import { invented, seedFrom } from './emulated.ts';
import { systemClock } from './engine/system-clock.ts';
import { planOf, unending, unseen, withFile } from './reading.ts';
import { type Environment, openSavedPlan, targetsOf, targetsOfSaved, withGatewayReader } from './rooms.ts';

/*
 * What the commands that only look show: file, record and gateway are read, nothing is written and no call is made.
 */

/** Returns the files that `paths` name now, as `FilesIn` has it, and whether that is one file and no folder. Throws an EdictError `FILE_ABSENT`. */
export function filesAt(paths: readonly string[]): { readonly files: readonly string[]; readonly isOne: boolean } {
  const files = new FilesIn(paths).look();
  return { files, isOne: files.length === 1 && files[0] === paths[0] };
}

/** Returns what the file declares, without asking anybody: what has a name only gets an ID that is made up. Throws as `FileSource.load` does. */
export function checkFile(settings: Settings, environment: Environment): Promise<DesiredState> {
  return new FileSource(settings.file, environment, async (_, names) => invented(names)).load();
}

/** A plan, and what was seen at the gateway on the way to it. */
export interface Planned {
  readonly desired: DesiredState;
  readonly plan: Plan;
  readonly notes: readonly Note[];
}

/**
 * Returns the plan from the record to the file, or what of it is targeted; with `refresh` from what the gateway itself shows.
 * Writes nothing, and nothing is opened here that could change the gateway. Throws an EdictError if the gateway cannot be
 * seen, or a target is none.
 */
export async function readPlan(settings: Settings, environment: Environment): Promise<Planned> {
  return withFile(settings, environment, 'ask', (desired, record) => planFrom(desired, record, settings, environment, null));
}

/** Returns who has committed the lines of the file that ask for a plan's changes, as far as Git knows. Takes a few seconds at most. */
export async function readCommits({ changes }: Plan, environment: Environment): Promise<Commits> {
  const { blame } = await import('./desired/blame.ts');
  return blame(
    changes.flatMap(({ source }) => source ?? []),
    environment,
  );
}

/** A plan, and the record that it was made from. */
interface PlannedFrom extends Planned {
  readonly recorded: RecordedState;
}

async function planFrom(
  desired: DesiredState,
  record: RecordReader,
  settings: Settings,
  environment: Environment,
  saved: SavedPlan | null,
): Promise<PlannedFrom> {
  const before = await record.readAll(desired.gateway);
  const targets = saved ? await targetsOfSaved(saved) : await targetsOf(settings, desired, async () => before);
  const { recorded, notes } = settings.refresh ? await seeGateway(desired, record, settings, environment) : { recorded: before, notes: [] };
  const plan = await planOf(desired, recorded, record, targets, saved);
  return { desired, plan, recorded, notes: notes.filter((note) => isTargeted(targets, note)) };
}

/**
 * Returns the plan as `readPlan` does, and writes it into the file `out`, which is all that is written. Throws an EdictError
 * `PLAN_UNWRITABLE` if that cannot be.
 */
export async function savePlan(settings: Settings, environment: Environment, out: string): Promise<Planned> {
  const { writePlanFile } = await import('./store/plan-file.ts');
  return withFile(settings, environment, 'ask', async (desired, record) => {
    const madeAtMs = systemClock.now();
    const attempts = await record.lastAttempts(desired.gateway);
    const planned = await planFrom(desired, record, settings, environment, null);
    const { emulate: emulated, refresh: refreshed } = settings;
    await writePlanFile(out, savedPlanOf(planned.plan, planned.recorded, attempts, { emulated, refreshed, madeAtMs }));
    return planned;
  });
}

/**
 * Returns what an apply of the saved plan in the file `from` would do. Writes nothing and makes no call that changes
 * anything. Throws as `openSavedPlan` does, and a StalePlanError if something has moved under the plan.
 */
export async function readSavedPlan(settings: Settings, environment: Environment, from: string): Promise<Planned> {
  const opened = await openSavedPlan(from, settings);
  return withFile(
    opened.settings,
    environment,
    'ask',
    async (desired, record) => {
      const planned = await planFrom(desired, record, opened.settings, environment, opened.saved);
      const { refuseStale } = await import('./engine/plan-of-pass.ts');
      refuseStale(planned.plan, opened.saved);
      return planned;
    },
    opened.expect,
  );
}

async function seeGateway(desired: DesiredState, record: RecordReader, settings: Settings, environment: Environment) {
  const { look } = await import('./engine/observer.ts');
  const seed = settings.emulate ? seedFrom(desired, await record.readAll(desired.gateway)) : null;
  const seen = await withGatewayReader(desired.gateway, seed, environment, (gateway) =>
    look(desired, { gateway, record, clock: systemClock, signal: unending }),
  );
  if (seen.kind === 'observed') return seen;
  throw unseen(seen.reason, 'without --refresh the plan starts from the record alone');
}

/**
 * Returns the file that declares what a live gateway shows, and what it could not say. Only reads leave, within the limit that
 * the file will have. Throws an EdictError: `OPTION` for a gateway that no file may name, `CREDENTIALS_*`, `UNSEEN` if it cannot be read.
 */
export async function importGateway(asked: AskedGateway, environment: Environment): Promise<WrittenDesired> {
  const { settingsOfAsked } = await import('./desired/asked-gateway.ts');
  const { writeDesired } = await import('./desired/write-desired.ts');
  const { readListing } = await import('./engine/read-listing.ts');
  return withGatewayReader(settingsOfAsked(asked), null, environment, async (gateway) => {
    const listing = await readListing(gateway, { clock: systemClock, random: Math.random, signal: new AbortController().signal });
    return writeDesired({ gateway: asked, ...listing });
  });
}

/** What `status` shows. */
export interface StatusReport {
  readonly matrix: Matrix;
  /** What of all this is to be shown. */
  readonly targets: Targets;
  readonly plan: Plan;
  /** How the process that works on the gateway is getting on, or was when it was killed; `null` if none does. */
  readonly condition: Condition | null;
  /** Which edict works on the gateway; `null` if none does, as far as can be told from here. */
  readonly holder: string | null;
}

/** Returns desired, recorded and last attempts side by side. Makes no call and writes nothing. */
export async function readStatus(settings: Settings, environment: Environment): Promise<StatusReport> {
  return withFile(settings, environment, 'never ask', async (desired, record) => {
    const recorded = await record.readAll(desired.gateway);
    const targets = await targetsOf(settings, desired, async () => recorded);
    const condition = await record.condition(desired.gateway);
    const plan = await planOf(desired, recorded, record, targets);
    return {
      matrix: matrixOf(desired, recorded, plan, await record.lastAttempts(desired.gateway)),
      targets,
      plan,
      condition,
      holder: await record.holder(desired.gateway),
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
export async function readHistory(settings: Settings, environment: Environment, limit: number): Promise<HistoryReport> {
  const { apis, environments } = settings.targets;
  return withFile(settings, environment, 'never ask', async ({ gateway, publications }, record) => {
    const approvals = (await record.approvals(gateway)).slice(0, limit);
    if (!isNarrowed(settings.targets)) return { attempts: await record.history(gateway, { limit }), approvals };
    const { compileTargets } = await import('./desired/target-patterns.ts');
    const targets = compileTargets(settings.targets);
    const known = [...publications.values(), ...(await record.lastAttempts(gateway)).values()];
    const apiIds = known.filter(targets.hasApi).map(({ apiId }) => apiId);
    const environmentIds = known.filter(targets.hasEnvironment).map(({ environmentId }) => environmentId);
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
  readonly pinned: string | null;
}

/**
 * Returns what the gateway keeps of a publication of the file or the record, whose API and environment are named by name or
 * ID. Throws an EdictError `PUBLICATION_UNKNOWN` if there is none such, `UNSEEN` if the gateway cannot be asked.
 */
export async function readVersions(settings: Settings, environment: Environment, of: NamedPublication): Promise<VersionsReport> {
  return withFile(settings, environment, 'ask', async (desired, record) => {
    const recorded = await record.readAll(desired.gateway);
    const names = findPublication(of, desired, recorded);
    const seed = settings.emulate ? seedFrom(desired, recorded) : null;
    const read = await withGatewayReader(desired.gateway, seed, environment, (gateway) => gateway.versions(names, unending));
    if (read.kind !== 'read') throw unseen(`${read.failure.code} ${read.failure.message}`, read.failure.hint);
    const versions = [...read.value].sort((a, b) => (b.publishedAtMs ?? 0) - (a.publishedAtMs ?? 0));
    const { api, apiId, environment: place, environmentId, key } = names;
    return { names: { api, apiId, environment: place, environmentId }, versions, pinned: desired.publications.get(key)?.version ?? null };
  });
}
