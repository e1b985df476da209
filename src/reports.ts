import type { Settings } from './config.ts';
import { EdictError } from './core/errors.ts';
import { type Meaning, type NameKey, nameKey } from './core/names.ts';
import { narrow } from './core/narrow.ts';
import type { Note } from './core/observe.ts';
import { type Plan, plan } from './core/plan.ts';
import type { Attempt, Condition, RecordReader } from './core/ports.ts';
import type {
  DesiredPublication,
  DesiredState,
  PublicationKey,
  PublicationNames,
  RecordedPublication,
  RecordedState,
} from './core/publication.ts';
import type { ListedVersion } from './core/resolve.ts';
import { isNarrowed, isTargeted, type Targets } from './core/targets.ts';
import type { AskedGateway } from './desired/asked-gateway.ts';
import { FileSource, type LookUp } from './desired/file-source.ts';
import { findPublication, type NamedPublication } from './desired/find-publication.ts';
import type { WrittenDesired } from './desired/write-desired.ts';
import { systemClock } from './engine/system-clock.ts';
import { type Environment, invented, seedFrom, targetsOf, withGatewayReader } from './rooms.ts';
import { openRecord } from './store/open-store.ts';

/*
 * What the commands that only look show: file, record and gateway are read, nothing is written and no call is made.
 */

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
  return withFile(settings, environment, 'ask', async (desired, record) => {
    const before = await record.readAll(desired.gateway);
    const targets = await targetsOf(settings, desired, async () => before);
    const { recorded, notes } = settings.refresh
      ? await seeGateway(desired, record, settings, environment)
      : { recorded: before, notes: [] };
    return {
      desired,
      plan: narrow(plan(desired, recorded), desired, targets),
      notes: notes.filter((note) => isTargeted(targets, note)),
    };
  });
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
 * Reads the file and opens the record. Names that were never looked up: the gateway is asked, or they mean nothing that is
 * recorded, and `madeUp` has the IDs that stand for them.
 */
async function withFile<T>(
  settings: Settings,
  environment: Environment,
  names: 'ask' | 'never ask',
  use: (desired: DesiredState, record: RecordReader, madeUp: ReadonlySet<string>) => Promise<T>,
): Promise<T> {
  const record = await openRecord({ url: settings.state });
  const madeUp = new Set<string>();
  try {
    const lookUp: LookUp = async (of, unknown) => {
      if (settings.emulate) return invented(unknown);
      const { lookUp } = await import('./engine/look-up.ts');
      const remembered = await record.names(of);
      const known = [...remembered].map(([key, id]): [NameKey, Meaning] => [key, { kind: 'one', id }]);
      if (names === 'never ask') {
        const made = invented(unknown.filter((name) => !remembered.has(nameKey(name))));
        for (const meaning of made.values()) if (meaning.kind === 'one') madeUp.add(meaning.id);
        return new Map([...made, ...known]);
      }
      return withGatewayReader(of, null, environment, (gateway) => lookUp(unknown, { gateway, remembered, signal: unending }));
    };
    const desired = await new FileSource(settings.file, environment, lookUp).load();
    return await use(desired, record, madeUp);
  } finally {
    await record.close();
  }
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
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  /** What of all this is to be shown. */
  readonly targets: Targets;
  readonly plan: Plan;
  readonly lastAttempts: ReadonlyMap<PublicationKey, Attempt>;
  /** How the process that works on the gateway is getting on; `null` if none does. */
  readonly condition: Condition | null;
}

/** Returns desired, recorded and last attempts side by side. Makes no call and writes nothing. */
export async function readStatus(settings: Settings, environment: Environment): Promise<StatusReport> {
  return withFile(settings, environment, 'never ask', async (desired, record) => {
    const recorded = await record.readAll(desired.gateway);
    const targets = await targetsOf(settings, desired, async () => recorded);
    return {
      desired,
      recorded,
      targets,
      plan: narrow(plan(desired, recorded), desired, targets),
      lastAttempts: await record.lastAttempts(desired.gateway),
      condition: await record.condition(desired.gateway),
    };
  });
}

/**
 * Returns at most `limit` attempts on what is targeted of the file's gateway, newest first. Makes no call and writes nothing.
 * A pattern finds an API by the name it has now, and all its attempts then, under earlier names too; an earlier name finds its own.
 */
export async function readHistory(settings: Settings, environment: Environment, limit: number): Promise<Attempt[]> {
  const { apis, environments } = settings.targets;
  return withFile(settings, environment, 'never ask', async ({ gateway, publications }, record) => {
    if (!isNarrowed(settings.targets)) return record.history(gateway, { limit });
    const { compileTargets } = await import('./desired/target-patterns.ts');
    const targets = compileTargets(settings.targets);
    const known = [...publications.values(), ...(await record.lastAttempts(gateway)).values()];
    const apiIds = known.filter(targets.hasApi).map(({ apiId }) => apiId);
    const environmentIds = known.filter(targets.hasEnvironment).map(({ environmentId }) => environmentId);
    return record.history(gateway, {
      ...(apis.length > 0 && { apis: [...new Set([...apis, ...apiIds])] }),
      ...(environments.length > 0 && { environments: [...new Set([...environments, ...environmentIds])] }),
      limit,
    });
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

/** Everything that there is to say of one publication. */
export interface Explanation {
  readonly names: PublicationNames;
  /** Whether its API, or its environment, has a name only that was never looked up, so that the ID is made up. */
  readonly isMadeUp: { readonly api: boolean; readonly environment: boolean };
  readonly desired: DesiredState;
  /** What the file wants of it, and the text of the line that says so; `null` if it is not in the file. */
  readonly wanted: { readonly publication: DesiredPublication; readonly line: string | null } | null;
  /** What the store says; `null` if nothing. */
  readonly recorded: RecordedPublication | null;
  readonly gateway: GatewayView;
  /** Newest first, each with what a person can do about it. */
  readonly attempts: readonly { readonly attempt: Attempt; readonly hint: string | null }[];
  /** The plan for this publication alone, from what the gateway shows where that is known. */
  readonly plan: Plan;
  readonly notes: readonly Note[];
  /** How the process that works on the gateway is getting on; `null` if none does. */
  readonly condition: Condition | null;
}

/** What is known of the gateway itself. */
export type GatewayView =
  /** Nobody has asked it now. `wasAsked`: an earlier look has been believed, and is in the record. */
  | { readonly kind: 'unasked'; readonly wasAsked: boolean }
  | { readonly kind: 'unseen'; readonly reason: string; readonly hint: string | null }
  /** `recorded`: what the record would be after this look. `versions`: what is kept of the publication; `null` if it cannot be listed. */
  | { readonly kind: 'seen'; readonly recorded: RecordedPublication | null; readonly versions: readonly ListedVersion[] | null };

/**
 * Returns what there is to say of one publication, with its `limit` newest attempts. Writes nothing, and asks nobody but with
 * `refresh`; that the gateway cannot be seen then is part of the answer. Throws an EdictError `PUBLICATION_UNKNOWN` as `findPublication` does.
 */
export async function readExplanation(
  settings: Settings,
  environment: Environment,
  of: NamedPublication,
  limit: number,
): Promise<Explanation> {
  return withFile(settings, environment, settings.refresh ? 'ask' : 'never ask', async (desired, record, madeUp) => {
    const before = await record.readAll(desired.gateway);
    const { key, ...names } = findPublication(of, desired, before);
    const { apiId, environmentId } = names;
    const { view, recorded, notes } = settings.refresh
      ? await viewOf(names, key, desired, record, settings, environment)
      : { view: { kind: 'unasked', wasAsked: (await record.listedApis(desired.gateway)) !== null } as const, recorded: before, notes: [] };
    const only: Targets = {
      patterns: { apis: [apiId], environments: [environmentId] },
      hasApi: (one) => one.apiId === apiId,
      hasEnvironment: (one) => one.environmentId === environmentId,
    };
    const { classify } = await import('./gateway/classify.ts');
    const { sourceLine } = await import('./desired/source-line.ts');
    const attempts = await record.history(desired.gateway, { apis: [apiId], environments: [environmentId], limit });
    const publication = desired.publications.get(key);
    return {
      names,
      isMadeUp: { api: madeUp.has(apiId), environment: madeUp.has(environmentId) },
      desired,
      wanted: publication ? { publication, line: await sourceLine(publication.source) } : null,
      recorded: before.get(key) ?? null,
      gateway: view,
      attempts: attempts.map((attempt) => {
        const { code, status, action } = attempt;
        return { attempt, hint: code === null ? null : classify(code, status, action).hint };
      }),
      plan: narrow(plan(desired, recorded), desired, only),
      notes: notes.filter((note) => isTargeted(only, note)),
      condition: await record.condition(desired.gateway),
    };
  });
}

/** Asks the gateway as `plan --refresh` does, and for the versions of the one publication. */
async function viewOf(
  names: PublicationNames,
  key: PublicationKey,
  desired: DesiredState,
  record: RecordReader,
  settings: Settings,
  environment: Environment,
): Promise<{ readonly view: GatewayView; readonly recorded: RecordedState; readonly notes: readonly Note[] }> {
  const { look } = await import('./engine/observer.ts');
  const recorded = await record.readAll(desired.gateway);
  const seed = settings.emulate ? seedFrom(desired, recorded) : null;
  try {
    return await withGatewayReader(desired.gateway, seed, environment, async (gateway) => {
      const seen = await look(desired, { gateway, record, clock: systemClock, signal: unending });
      if (seen.kind === 'blind') return { view: { kind: 'unseen', reason: seen.reason, hint: null }, recorded, notes: [] };
      const read = await gateway.versions(names, unending);
      const versions = read.kind === 'read' ? read.value : null;
      return { view: { kind: 'seen', recorded: seen.recorded.get(key) ?? null, versions }, recorded: seen.recorded, notes: seen.notes };
    });
  } catch (error) {
    if (!(error instanceof EdictError)) throw error;
    return { view: { kind: 'unseen', reason: error.message, hint: error.hint }, recorded, notes: [] };
  }
}

function unseen(reason: string, hint: string | null): EdictError {
  return new EdictError('UNSEEN', `the gateway cannot be observed: ${reason}`, hint === null ? {} : { hint });
}

const unending = new AbortController().signal;
