import type { AppContext } from '../model/app-context.ts';
import type { Attempt } from '../model/attempt.ts';
import type { Plan } from '../model/change.ts';
import type { ControllerStatus } from '../model/controller-status.ts';
import type { DesiredPublication, DesiredState } from '../model/desired-state.ts';
import { EdictError } from '../model/errors.ts';
import type { DriftNotice, LastObservation, ListedVersion } from '../model/observation.ts';
import { type PublicationKey, type PublicationNames, pickNames } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';
import { findPublication, type PublicationRef } from '../plan/publication-lookup.ts';
import { filterPlan, isTargeted, type Targets } from '../plan/targets.ts';
import type { StoreReader } from '../store/interface.ts';
import { seedFromState } from './emulated-gateway.ts';
import { computeCurrentPlan, readUnseen, whyUnresolved, withApprovedReader, withReadSession } from './read-session.ts';

/*
 * `edict explain`: reads the file, the store and, with --refresh, the gateway. Writes nothing and changes nothing at the gateway.
 */

/** Everything that is known about one publication. */
export interface Explanation {
  readonly names: PublicationNames;
  /** Whether the ID of the API or environment is a placeholder because its name was never resolved. */
  readonly isPlaceholder: { readonly api: boolean; readonly environment: boolean };
  readonly desired: DesiredState;
  /** The declaration in the file and the text of its line; `null` if the file does not declare it. */
  readonly declaration: { readonly publication: DesiredPublication; readonly line: string | null } | null;
  /** The recorded state; `null` if there is none. */
  readonly recorded: RecordedPublication | null;
  readonly gateway: GatewayLookup;
  /** Whether the gateway is looked at before it is published, because it may be online there already. */
  readonly isUnseen: boolean;
  /** Newest first, each with a hint for its error code. */
  readonly attempts: readonly { readonly attempt: Attempt; readonly hint: string | null }[];
  /** The plan for this publication alone, from the observed state where it was read. */
  readonly plan: Plan;
  /** The plan of the whole file, since policies and approvals apply to all its changes. */
  readonly wholePlan: Plan;
  readonly notices: readonly DriftNotice[];
  /** The last status that a controller wrote, also if that process was killed; `null` if there is none. */
  readonly controllerStatus: ControllerStatus | null;
  /** The process that holds the gateway's lease; `null` if none does, as far as this machine can tell. */
  readonly leaseHolder: string | null;
}

/** The observed state of the publication. */
export type GatewayLookup =
  /** The gateway was not read now. `wasObserved`: an earlier observation is part of the recorded state. */
  | { readonly kind: 'notObserved'; readonly wasObserved: boolean }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly hint: string | null }
  /** `recorded`: the recorded state after this observation. `versions`: the versions that the gateway keeps; `null` if they cannot be listed. */
  | { readonly kind: 'observed'; readonly recorded: RecordedPublication | null; readonly versions: readonly ListedVersion[] | null };

/**
 * Returns everything known about one publication, with its `limit` newest attempts. Writes nothing, and asks the gateway only with
 * `refresh`; a failed observation is part of the result. Throws an EdictError `PUBLICATION_NOT_FOUND` as `findPublication` does.
 */
export async function readExplanation(context: AppContext, of: PublicationRef, limit: number): Promise<Explanation> {
  const isRefreshed = context.settings.refresh === 'always';
  return withReadSession(context, { resolvesNames: isRefreshed && 'ifAllowed' }, async (session) => {
    const { desired, store, placeholders } = session;
    const recordedBefore = await store.readRecordedState(desired.gateway);
    const lastObservation = await store.lastObservation(desired.gateway);
    const found = findPublication(of, desired, recordedBefore, lastObservation?.unmanaged);
    const { key, apiId, environmentId } = found;
    const names = pickNames(found);
    const { view, recorded, notices, observation } = isRefreshed
      ? await lookUpGateway(context, { names, key, desired, store })
      : {
          view: { kind: 'notObserved', wasObserved: lastObservation?.observedAtMs != null } as const,
          recorded: recordedBefore,
          notices: [],
          observation: null,
        };
    // A read that failed because the command was stopped is not a result.
    context.signal.throwIfAborted();
    const targets: Targets = {
      patterns: { apis: [apiId], environments: [environmentId] },
      matchesApi: (one) => one.apiId === apiId,
      matchesEnvironment: (one) => one.environmentId === environmentId,
    };
    const { findErrorRule } = await import('../gateway/error-rules.ts');
    const { readSourceLine } = await import('../source/include-reader.ts');
    const { SourceFolder } = await import('../source/source-folder.ts');
    const attempts = await store.history(desired.gateway, { apis: [apiId], environments: [environmentId], limit });
    const publication = desired.publications.get(key);
    const controllerStatus = await store.status(desired.gateway);
    const folder = await SourceFolder.open(context.settings.file, context.settings.allowedFolders);
    const unresolvedNames = await whyUnresolved(session);
    const wholePlan = await computeCurrentPlan(context, { desired, recorded, store, observation, unresolvedNames });
    const isUnseen = observation === null && (await readUnseen(context, { desired, recorded, store })).has(key);
    return {
      names,
      isPlaceholder: { api: placeholders.has(apiId), environment: placeholders.has(environmentId) },
      desired,
      declaration: publication ? { publication, line: await readSourceLine(folder, publication.source) } : null,
      recorded: recordedBefore.get(key) ?? null,
      gateway: view,
      isUnseen,
      attempts: attempts.map((attempt) => {
        const { code, status, action } = attempt;
        return { attempt, hint: code === null ? null : findErrorRule(code, status, action).hint };
      }),
      wholePlan,
      plan: filterPlan(wholePlan, desired, targets),
      notices: notices.filter((notice) => isTargeted(targets, notice)),
      controllerStatus,
      leaseHolder: await store.leaseHolder(desired.gateway),
    };
  });
}

/** What was read at the gateway, and the state that the plan starts from. */
interface GatewayView {
  readonly view: GatewayLookup;
  readonly recorded: RecordedState;
  readonly notices: readonly DriftNotice[];
  /** The list that the gateway gave; `null` if it gave none. */
  readonly observation: { readonly unobserved: null; readonly listed: LastObservation } | null;
}

/** Observes the gateway as `plan --refresh` does, and lists the versions of the publication. */
async function lookUpGateway(
  context: AppContext,
  {
    names,
    key,
    desired,
    store,
  }: { readonly names: PublicationNames; readonly key: PublicationKey; readonly desired: DesiredState; readonly store: StoreReader },
): Promise<GatewayView> {
  const { clock, signal } = context;
  const { observeGateway } = await import('../controller/observe/observation.ts');
  const { maxPreviewReads } = await import('../controller/observe/earlier-publications.ts');
  const recorded = await store.readRecordedState(desired.gateway);
  const seed = context.settings.emulate ? seedFromState(desired, recorded) : null;
  try {
    return await withApprovedReader(context, { settings: desired.gateway, seed, store }, async (gateway) => {
      const deps = { gateway, record: store, clock, signal, isEmulated: context.settings.emulate, maxLookups: maxPreviewReads };
      const observation = await observeGateway(desired, deps);
      if (observation.kind === 'failed')
        return { view: { kind: 'unavailable', reason: observation.reason, hint: null }, recorded, notices: [], observation: null };
      const read = await gateway.listVersions(names, signal);
      const versions = read.kind === 'read' ? read.value : null;
      return {
        view: { kind: 'observed', recorded: observation.recorded.get(key) ?? null, versions },
        recorded: observation.recorded,
        notices: observation.notices,
        observation: { unobserved: null, listed: observation.listed },
      };
    });
  } catch (error) {
    if (!(error instanceof EdictError)) throw error;
    return { view: { kind: 'unavailable', reason: error.message, hint: error.hint }, recorded, notices: [], observation: null };
  }
}
