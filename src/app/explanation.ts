import type { Plan } from '../model/change.ts';
import type { Env } from '../model/env.ts';
import { EdictError } from '../model/errors.ts';
import type { DriftNotice, ListedVersion } from '../model/observation.ts';
import type { Attempt, ControllerStatus, StoreReader } from '../model/ports.ts';
import type {
  DesiredPublication,
  DesiredState,
  PublicationKey,
  PublicationNames,
  RecordedPublication,
  RecordedState,
} from '../model/publication.ts';
import type { Settings } from '../model/settings.ts';
import { findPublication, type PublicationRef } from '../plan/publication-lookup.ts';
import { allTargets, filterPlan, isTargeted, type Targets } from '../plan/targets.ts';
import { seedFromState } from './emulated-gateway.ts';
import { computeCurrentPlan, neverAborted, openReadSession } from './read-session.ts';
import { withGatewayReader } from './session.ts';
import { systemClock } from './system-clock.ts';

/*
 * What `edict explain` shows: file, record and, if asked, the gateway are read, nothing is written and no call is made.
 */

/** Everything that there is to say of one publication. */
export interface Explanation {
  readonly names: PublicationNames;
  /** Whether its API, or its environment, has a name only that was never looked up, so that the ID is made up. */
  readonly isPlaceholder: { readonly api: boolean; readonly environment: boolean };
  readonly desired: DesiredState;
  /** What the file wants of it, and the text of the line that says so; `null` if it is not in the file. */
  readonly declaration: { readonly publication: DesiredPublication; readonly line: string | null } | null;
  /** What the store says; `null` if nothing. */
  readonly recorded: RecordedPublication | null;
  readonly gateway: GatewayLookup;
  /** Newest first, each with what a person can do about it. */
  readonly attempts: readonly { readonly attempt: Attempt; readonly hint: string | null }[];
  /** The plan for this publication alone, from what the gateway shows where that is known. */
  readonly plan: Plan;
  /** The plan of the whole file, which guards look at. */
  readonly wholePlan: Plan;
  readonly notices: readonly DriftNotice[];
  /** How the process that works on the gateway is getting on, or was when it was killed; `null` if none does. */
  readonly controllerStatus: ControllerStatus | null;
  /** Which edict works on the gateway; `null` if none does, as far as can be told from here. */
  readonly leaseHolder: string | null;
}

/** What is known of the gateway itself. */
export type GatewayLookup =
  /** Nobody has asked it now. `wasAsked`: an earlier look has been believed, and is in the record. */
  | { readonly kind: 'unasked'; readonly wasAsked: boolean }
  | { readonly kind: 'unseen'; readonly reason: string; readonly hint: string | null }
  /** `recorded`: what the record would be after this look. `versions`: what is kept of the publication; `null` if it cannot be listed. */
  | { readonly kind: 'seen'; readonly recorded: RecordedPublication | null; readonly versions: readonly ListedVersion[] | null };

/**
 * Returns what there is to say of one publication, with its `limit` newest attempts. Writes nothing, and asks nobody but with
 * `refresh`; that the gateway cannot be seen then is part of the answer. Throws an EdictError `PUBLICATION_NOT_FOUND` as `findPublication` does.
 */
export async function readExplanation(settings: Settings, environment: Env, of: PublicationRef, limit: number): Promise<Explanation> {
  return openReadSession(settings, environment, settings.refresh ? 'ask' : 'never ask', async (desired, record, madeUp) => {
    const before = await record.readRecordedState(desired.gateway);
    const { key, ...names } = findPublication(of, desired, before);
    const { apiId, environmentId } = names;
    const { view, recorded, notices } = settings.refresh
      ? await lookUpGateway(names, key, desired, record, settings, environment)
      : {
          view: { kind: 'unasked', wasAsked: (await record.listedApiCount(desired.gateway)) !== null } as const,
          recorded: before,
          notices: [],
        };
    const only: Targets = {
      patterns: { apis: [apiId], environments: [environmentId] },
      matchesApi: (one) => one.apiId === apiId,
      matchesEnvironment: (one) => one.environmentId === environmentId,
    };
    const { findErrorRule } = await import('../gateway/error-rules.ts');
    const { readSourceLine } = await import('../source/text-file.ts');
    const attempts = await record.history(desired.gateway, { apis: [apiId], environments: [environmentId], limit });
    const publication = desired.publications.get(key);
    const controllerStatus = await record.status(desired.gateway);
    const wholePlan = await computeCurrentPlan(desired, recorded, record, allTargets);
    return {
      names,
      isPlaceholder: { api: madeUp.has(apiId), environment: madeUp.has(environmentId) },
      desired,
      declaration: publication ? { publication, line: await readSourceLine(publication.source) } : null,
      recorded: before.get(key) ?? null,
      gateway: view,
      attempts: attempts.map((attempt) => {
        const { code, status, action } = attempt;
        return { attempt, hint: code === null ? null : findErrorRule(code, status, action).hint };
      }),
      wholePlan,
      plan: filterPlan(wholePlan, desired, only),
      notices: notices.filter((note) => isTargeted(only, note)),
      controllerStatus,
      leaseHolder: await record.leaseHolder(desired.gateway),
    };
  });
}

/** Asks the gateway as `plan --refresh` does, and for the versions of the one publication. */
async function lookUpGateway(
  names: PublicationNames,
  key: PublicationKey,
  desired: DesiredState,
  record: StoreReader,
  settings: Settings,
  environment: Env,
): Promise<{ readonly view: GatewayLookup; readonly recorded: RecordedState; readonly notices: readonly DriftNotice[] }> {
  const { observeGateway } = await import('../controller/observe/observation.ts');
  const recorded = await record.readRecordedState(desired.gateway);
  const seed = settings.emulate ? seedFromState(desired, recorded) : null;
  try {
    return await withGatewayReader(desired.gateway, seed, environment, async (gateway) => {
      const seen = await observeGateway(desired, { gateway, record, clock: systemClock, signal: neverAborted });
      if (seen.kind === 'blind') return { view: { kind: 'unseen', reason: seen.reason, hint: null }, recorded, notices: [] };
      const read = await gateway.listVersions(names, neverAborted);
      const versions = read.kind === 'read' ? read.value : null;
      return { view: { kind: 'seen', recorded: seen.recorded.get(key) ?? null, versions }, recorded: seen.recorded, notices: seen.notices };
    });
  } catch (error) {
    if (!(error instanceof EdictError)) throw error;
    return { view: { kind: 'unseen', reason: error.message, hint: error.hint }, recorded, notices: [] };
  }
}
