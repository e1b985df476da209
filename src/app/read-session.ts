import type { GatewayReader } from '../gateway/interface.ts';
import type { AppContext } from '../model/app-context.ts';
import type { FileHold } from '../model/approval.ts';
import { GatewayHeldError, type Plan } from '../model/change.ts';
import type { DesiredState } from '../model/desired-state.ts';
import { CredentialsMissingError, type EdictError, NamesUnresolvedError, ObservationFailedError } from '../model/errors.ts';
import type { GatewayAddress, GatewayIdentity, GatewaySettings } from '../model/gateway.ts';
import { type NameKey, type NameResolution, type NameResolutions, nameKey } from '../model/name-ref.ts';
import type { LastObservation, Unobserved } from '../model/observation.ts';
import type { PublicationKey } from '../model/publication.ts';
import type { RecordedState } from '../model/recorded-state.ts';
import { computePlan } from '../plan/planner.ts';
import { gatewayHold, recordAge, unobservedByChoice, unseenPublications } from '../plan/policies.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import { allTargets, hasTargets, type Targets } from '../plan/targets.ts';
import { approveCommand } from '../render/command-line.ts';
import { FileSource, type ResolveNames } from '../source/file-source.ts';
import type { StoreReader } from '../store/interface.ts';
import { openReadonly, toDisplayUrl } from '../store/open.ts';
import { placeholderIds } from './emulated-gateway.ts';
import { withGatewayReader } from './gateway-access.ts';

/*
 * How the read-only commands open the file and the store, and compute the plan.
 */

/** Returns the plan that the controller would compute now, with its last probe results; with `saved` restricted to that plan's changes. */
export async function computeCurrentPlan(
  { clock, settings }: Pick<AppContext, 'clock' | 'settings'>,
  {
    desired,
    recorded,
    store,
    targets = allTargets,
    saved = null,
    observation = null,
    unresolvedNames = null,
  }: {
    readonly desired: DesiredState;
    readonly recorded: RecordedState;
    readonly store: StoreReader;
    readonly targets?: Targets;
    readonly saved?: SavedPlan | null;
    /** The observation that `recorded` includes, or why there is none although the plan needs one; `null`, the default, if none was tried. */
    readonly observation?: { readonly unobserved: Unobserved | null; readonly listed: LastObservation | null } | null;
    /** Why names in the file have placeholder IDs; `null`, the default, if none has, or nobody has tried to look them up. */
    readonly unresolvedNames?: Unobserved | null;
  },
): Promise<Plan> {
  const nowMs = clock.now();
  const status = await store.status(desired.gateway);
  const probes = new Map(status?.failedProbes?.map((answer) => [answer.key, answer]));
  const { emulate: isEmulated, refresh } = settings;
  const lastObservation = observation?.listed ?? (await store.lastObservation(desired.gateway));
  const whyUnobserved = async (): Promise<Unobserved | null> => {
    const observedAtMs = lastObservation?.observedAtMs ?? null;
    const age = recordAge(desired, observedAtMs, nowMs);
    const hasUnseen = unseenPublications({ desired, recorded, observation: lastObservation, age }).length > 0;
    const chosen = unobservedByChoice({ desired, observedAtMs, nowMs, refresh, isEmulated, hasUnseen });
    if (chosen || refresh !== 'due' || !hasUnseen || desired.refreshIntervalMs === null) return chosen;
    // At first contact nothing is held because of a failure that may pass: there is no plan before the gateway was observed.
    const saved = await store.unobserved(desired.gateway);
    return age === 'never' && saved?.isRetried ? null : saved;
  };
  const unobserved = observation ? observation.unobserved : await whyUnobserved();
  const savedPlanInput = saved && { saved, lastAttempts: await store.lastAttempts(desired.gateway) };
  return computePlan({
    desired,
    recorded,
    previous: await store.previousState(desired.gateway, nowMs),
    targets,
    nowMs,
    probes,
    savedPlanInput,
    observation: lastObservation,
    isEmulated,
    unobserved,
    unresolvedNames,
  });
}

/**
 * Returns the new publications for which `plan`, `apply` and `run` look at the gateway before they are published, because they may be online
 * there already; none if the file or the command says that nobody looks.
 */
export async function readUnseen(
  { clock, settings }: Pick<AppContext, 'clock' | 'settings'>,
  { desired, recorded, store }: { readonly desired: DesiredState; readonly recorded: RecordedState; readonly store: StoreReader },
): Promise<ReadonlySet<PublicationKey>> {
  if (settings.emulate || desired.refreshIntervalMs === null) return new Set();
  const observation = await store.lastObservation(desired.gateway);
  const age = recordAge(desired, observation?.observedAtMs ?? null, clock.now());
  return new Set(unseenPublications({ desired, recorded, observation, age }).map(({ key }) => key));
}

/** The file and the store, opened for a read-only command. */
export interface ReadSession {
  readonly desired: DesiredState;
  readonly store: StoreReader;
  /** IDs that stand in for names that were never resolved. */
  readonly placeholders: ReadonlySet<string>;
  /** Why `placeholders` were not looked up, as a NamesUnresolvedError or a CredentialsMissingError; `null` if nobody tried to. */
  readonly unresolved: EdictError | null;
}

export interface ReadSessionOptions {
  /**
   * Whether the gateway resolves names that are not in the store. `ifAllowed`: names get placeholder IDs where it refuses to, or there are no
   * credentials; `false`: all do that are not in the store.
   */
  readonly resolvesNames: boolean | 'ifAllowed';
  /** Throws for a gateway that must not be contacted. */
  readonly assertGateway?: (gateway: GatewayIdentity) => void;
}

/** Reads the file, opens the store read-only, and closes it after `use`. */
export async function withReadSession<T>(
  context: AppContext,
  { resolvesNames, assertGateway }: ReadSessionOptions,
  use: (session: ReadSession) => Promise<T>,
): Promise<T> {
  const { settings, env, signal } = context;
  const store = await openReadonly({ url: settings.storeUrl });
  const placeholders = new Set<string>();
  let unresolved = null as EdictError | null;
  try {
    const resolve: ResolveNames = async (of, unknown) => {
      assertGateway?.(of);
      if (settings.emulate) return placeholderIds(unknown);
      const { resolveNames } = await import('../controller/name-resolution.ts');
      const knownIds = await store.resolvedNames(of);
      const known = [...knownIds].map(([key, id]): [NameKey, NameResolution] => [key, { kind: 'one', id }]);
      const withPlaceholders = (): NameResolutions => {
        const placeholderResolutions = placeholderIds(unknown.filter((name) => !knownIds.has(nameKey(name))));
        for (const resolution of placeholderResolutions.values()) if (resolution.kind === 'one') placeholders.add(resolution.id);
        return new Map([...placeholderResolutions, ...known]);
      };
      const isKnown = unknown.every((name) => knownIds.has(nameKey(name)));
      // Nothing may be asked at a gateway that nobody has approved, and nothing is planned there.
      if (isKnown || !resolvesNames || (await heldGateway(context, store, of)) !== null) return withPlaceholders();
      try {
        return await withApprovedReader(context, { settings: of, seed: null, store }, (gateway) =>
          resolveNames(unknown, { gateway, knownIds, signal }),
        );
      } catch (error) {
        const isShown = error instanceof CredentialsMissingError || (error instanceof NamesUnresolvedError && error.isRefused);
        if (resolvesNames !== 'ifAllowed' || !isShown) throw error;
        unresolved = error;
        return withPlaceholders();
      }
    };
    const desired = await new FileSource(settings.file, {
      allowedFolders: settings.allowedFolders,
      variables: env,
      resolveNames: resolve,
    }).load();
    assertGateway?.(desired.gateway);
    return await use({ desired, store, placeholders, unresolved });
  } finally {
    await store.close();
  }
}

/** Returns why names have placeholder IDs: the gateway refused to resolve them now, or the last time; `null` if none has, or nobody knows. */
export async function whyUnresolved({ desired, store, placeholders, unresolved }: ReadSession): Promise<Unobserved | null> {
  if (placeholders.size === 0) return null;
  return unresolved instanceof NamesUnresolvedError ? unresolved.unobserved : store.unobserved(desired.gateway);
}

type MoveReader = Pick<StoreReader, 'gatewayMove' | 'previousState'>;

/** Returns why nothing may be sent to the gateway of a file yet; `null` if it may. */
export async function heldGateway(
  { clock }: Pick<AppContext, 'clock'>,
  store: MoveReader,
  gateway: GatewayAddress,
): Promise<FileHold | null> {
  // The state of earlier files is long, and needed only for a move that nobody has approved.
  if ((await store.gatewayMove(gateway))?.isApproved ?? true) return null;
  const nowMs = clock.now();
  return gatewayHold(gateway, await store.previousState(gateway, nowMs), nowMs);
}

/** Throws a GatewayHeldError with the command that approves the gateway of a file, if nothing may be sent there yet. */
export async function assertGatewayApproved(
  { clock, settings }: Pick<AppContext, 'clock' | 'settings'>,
  store: MoveReader,
  gateway: GatewaySettings,
): Promise<void> {
  const fileHeld = await heldGateway({ clock }, store, gateway);
  if (fileHeld === null || settings.emulate) return;
  const { endpoint, project, instance } = gateway;
  const targets = { apis: [], environments: [] };
  const holds = { gateway: { endpoint, project, instance }, isEmulated: false, targets, changes: [], fileHeld, approval: null };
  const command = approveCommand(holds, { ...settings, targets, refresh: 'due' }) ?? '';
  const message = `the file is held, and nothing is asked at its gateway: ${fileHeld.message}; to approve: ${command}`;
  throw new GatewayHeldError(message, holds, fileHeld.hint);
}

/** Does what `withGatewayReader` does for a gateway that is approved. Throws a GatewayHeldError for any other. */
export async function withApprovedReader<T>(
  context: AppContext,
  { store, ...of }: Parameters<typeof withGatewayReader>[1] & { readonly store: MoveReader },
  use: (gateway: GatewayReader) => Promise<T>,
): Promise<T> {
  await assertGatewayApproved(context, store, of.settings);
  return withGatewayReader(context, of, use);
}

/** Returns the error for a failed observation. */
export function observationFailedError(reason: string, hint: string | null): EdictError {
  return new ObservationFailedError(`the gateway cannot be observed: ${reason}`, hint === null ? {} : { hint });
}

/** Returns the targets of the command. Throws an EdictError `TARGET_NOT_FOUND` for a pattern that matches nothing. */
export async function resolveTargets(
  { settings }: Pick<AppContext, 'settings'>,
  desired: DesiredState,
  store: Pick<StoreReader, 'readRecordedState' | 'lastObservation'>,
): Promise<Targets> {
  if (!hasTargets(settings.targets)) return allTargets;
  const { compileTargets, assertTargetsExist } = await import('../plan/target-patterns.ts');
  const recorded = await store.readRecordedState(desired.gateway);
  const { unmanaged = [] } = (await store.lastObservation(desired.gateway)) ?? {};
  assertTargetsExist(settings.targets, desired, [...recorded.values(), ...unmanaged]);
  return compileTargets(settings.targets);
}

/** Returns the targets that a saved plan was made with, whether or not they still match anything. */
export async function targetsOfSavedPlan({ targets }: SavedPlan): Promise<Targets> {
  if (!hasTargets(targets)) return allTargets;
  const { compileTargets } = await import('../plan/target-patterns.ts');
  return compileTargets(targets);
}

/** Says that the store has no record of the gateway, which is observed next. */
export async function reportUnrecorded({ settings, events }: Pick<AppContext, 'settings' | 'events'>): Promise<void> {
  events.emit({ type: 'gateway:unrecorded', store: await toDisplayUrl(settings.storeUrl) });
}
