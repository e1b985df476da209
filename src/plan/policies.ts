import { createHash } from 'node:crypto';
import type { Approval, ApprovalRef, FileHold, Hold, PreviousState } from '../model/approval.ts';
import type { Change, Plan } from '../model/change.ts';
import type { DesiredPublication, DesiredState, Threshold } from '../model/desired-state.ts';
import { unresolvedNamesHint, unresolvedNamesReason } from '../model/errors.ts';
import { addressOf, type GatewayAddress, isSameAddress } from '../model/gateway.ts';
import { type LastObservation, maxListedUnmanaged, type Unobserved } from '../model/observation.ts';
import { type PublicationKey, publicationKey } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';
import type { RefreshMode } from '../model/settings.ts';

/**
 * Returns how many of `total` the threshold allows. A share above 0 allows at least one: of three publications, one may go
 * offline.
 */
export function allowedCount({ count, share }: Threshold, total: number): number {
  const byShare = share === null ? total : share === 0 ? 0 : Math.max(1, Math.floor(share * total));
  return Math.min(count ?? total, byShare);
}

export interface PolicyInput {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly previous: Pick<PreviousState, 'declared' | 'otherGateways'>;
  /** Why the gateway was not observed when the plan needed it; `null`, the default, if it was, or need not be. */
  readonly unobserved?: Unobserved | null;
  /** Why names in the file have no IDs; `null`, the default, if all have one. */
  readonly unresolvedNames?: Unobserved | null;
}

/** Returns `plan` with every change held that breaks a policy. A pure function; it never releases and never adds a change. */
export function applyPolicies(plan: Plan, { desired, recorded, previous, unobserved = null, unresolvedNames = null }: PolicyInput): Plan {
  const fileHeld =
    unresolvedNamesHold(desired, unresolvedNames) ??
    findFileHold(desired, recorded, previous) ??
    firstContactHold({ desired, recorded, previous, unobserved });
  if (fileHeld) return { ...plan, fileHeld, changes: plan.changes.map((change) => ({ ...change, held: change.held ?? fileHeld })) };
  const { maxOffline, maxRepublish } = desired.guards;
  const offline = plan.changes.filter((change) => change.action === 'offline' && !change.held);
  const online = [...recorded.values()].filter(({ state, unknownAttempt }) => state === 'online' || unknownAttempt);
  const holds = findSwappedIds(plan.changes, desired, recorded);
  if (unobserved !== null) {
    const message = `it is new, and may be online already: ${unobserved.reason}`;
    const hint = unobservedHint(unobserved);
    for (const { key, reason } of plan.changes) if (reason === 'new') holds.set(key, { rule: 'unobserved', message, hint });
  }
  const fileGuard = { rule: 'maxOffline', threshold: maxOffline, where: 'guards.maxOffline', effect: 'go offline' } as const;
  applyThreshold(fileGuard, { affected: offline, all: online, holds });
  for (const { id, name, maxOffline: threshold } of desired.environments.values()) {
    const isInEnvironment = ({ environmentId }: Change | RecordedPublication): boolean => environmentId === id;
    const guard = { rule: 'maxOffline', where: `maxOffline of ${name}`, effect: `go offline in ${name}` } as const;
    if (!threshold) continue;
    applyThreshold({ ...guard, threshold }, { affected: offline.filter(isInEnvironment), all: online.filter(isInEnvironment), holds });
  }
  const everOnline = [...online, ...[...recorded.values()].filter(({ state, drift }) => state === 'offline' && drift?.from === 'online')];
  const republishGuard = {
    rule: 'maxRepublish',
    threshold: maxRepublish,
    where: 'guards.maxRepublish',
    effect: 'be published again',
  } as const;
  applyThreshold(republishGuard, { affected: plan.changes.filter(publishesAgain), all: everOnline, holds });
  if (holds.size === 0) return plan;
  return { ...plan, changes: plan.changes.map((change) => ({ ...change, held: change.held ?? holds.get(change.key) ?? null })) };
}

/** A limit on how many publications one plan affects. */
interface CountGuard {
  readonly rule: Extract<Hold['rule'], 'maxOffline' | 'maxRepublish'>;
  readonly threshold: Threshold;
  /** The key of the file that sets it. */
  readonly where: string;
  /** The effect on the publications, for messages: `go offline`. */
  readonly effect: string;
}

interface ThresholdInput {
  /** The changes that the guard counts. */
  readonly affected: readonly Change[];
  /** The publications that a share is of. */
  readonly all: readonly RecordedPublication[];
  /** Receives the holds. */
  readonly holds: Map<PublicationKey, Hold>;
}

/** Adds holds for all affected changes if the guard does not allow that many. */
function applyThreshold({ rule, threshold, where, effect }: CountGuard, { affected, all, holds }: ThresholdInput): void {
  const allowed = allowedCount(threshold, Math.max(all.length, affected.length));
  if (affected.length <= allowed) return;
  const message = `${affected.length} of ${all.length} would ${effect} at once, and ${where} allows ${allowed}`;
  for (const { key } of affected) holds.set(key, { rule, message, hint: 'check that all of them are intended' });
}

/**
 * Returns whether the change publishes again what is or was online. A first publication does not, nor does a person's switch to a
 * version, which makes no new one. An attempt of unknown outcome is resolved first and was counted before it was made.
 */
function publishesAgain({ action, reason, from, version }: Change): boolean {
  if (action !== 'online') return false;
  return reason === 'drift' || (from === 'online' && version === null && reason !== 'unknown');
}

/**
 * Returns holds for the changes of APIs that have swapped their names since they were recorded. Each change alone may look
 * right, but mixed-up IDs take down the wrong API. A new API under a known name is not a swap.
 */
function findSwappedIds(changes: readonly Change[], desired: DesiredState, recorded: RecordedState): Map<PublicationKey, Hold> {
  const holds = new Map<PublicationKey, Hold>();
  const renamed = findRenamed(changes, recorded);
  if (renamed.length === 0) return holds;
  const nameOf = new Map([...recorded.values()].map(({ apiId, api }) => [apiId, api]));
  const idOf = new Map([...desired.publications.values()].map(({ api, apiId }) => [api, apiId]));
  for (const { key, api, apiId, previousName } of renamed) {
    const currentId = idOf.get(previousName);
    if (currentId === undefined || currentId === apiId || (nameOf.get(currentId) ?? previousName) === previousName) continue;
    const message = `${apiId} was ${previousName} and is ${api} now, and ${previousName} is ${currentId}: the IDs look mixed up`;
    holds.set(key, { rule: 'swappedIds', message, hint: 'check the IDs' });
  }
  return holds;
}

/** Returns the changes of APIs that have another name than when they were last recorded. */
function findRenamed(changes: readonly Change[], recorded: RecordedState): (Change & { readonly previousName: string })[] {
  if (changes.length === 0) return [];
  const changed = new Set(changes.map(({ apiId }) => apiId));
  const nameOf = new Map<string, string>();
  for (const { apiId, api } of recorded.values()) if (changed.has(apiId)) nameOf.set(apiId, api);
  return changes.flatMap((change) => {
    const previousName = nameOf.get(change.apiId);
    return previousName === undefined || previousName === change.api ? [] : [{ ...change, previousName }];
  });
}

/** The facts that decide whether a gateway is approved. */
type GatewayApprovals = Pick<PreviousState, 'moved' | 'approvals'>;

/**
 * Returns the hold of a file whose gateway nobody has approved: nothing may be sent there, no read and no login either. `null` if the gateway is
 * known, or released by an approval.
 */
export function gatewayHold(gateway: GatewayAddress, previous: GatewayApprovals, nowMs: number): FileHold | null {
  return gatewayApproval(gateway, previous, nowMs) === null ? unapprovedGateway(gateway, previous) : null;
}

/** Returns the approval that releases the hold of a file's gateway; `null` if it is not held, or not approved. */
export function gatewayApproval(gateway: GatewayAddress, previous: GatewayApprovals, nowMs: number): Approval | null {
  const hold = unapprovedGateway(gateway, previous);
  return (hold && findApproval([holdEntry(hold)], previous.approvals, nowMs)) ?? null;
}

function unapprovedGateway(gateway: GatewayAddress, { moved }: GatewayApprovals): FileHold | null {
  if (moved === null || moved.isApproved) return null;
  const { from } = moved;
  const hint = 'check that edict shall work on this gateway, and send its credentials there';
  if (from === null) {
    const { endpoint, iamEndpoint, project, instance } = gateway;
    const message = `the file is new, or was changed, and names a gateway that the store does not know: endpoint ${endpoint}, iam ${iamEndpoint ?? 'none'}, project ${project}, instance ${instance}`;
    return { rule: 'newGateway', message, hint, affected: [JSON.stringify(addressOf(gateway))] };
  }
  if (isSameAddress(from, gateway)) return null;
  const keys = { endpoint: 'endpoint', iamEndpoint: 'iam', project: 'project', instance: 'instance' } as const;
  const changed = (Object.keys(keys) as (keyof typeof keys)[]).filter((key) => from[key] !== gateway[key]);
  const message = `the file names another gateway than before: ${changed.map((key) => `${keys[key]} ${gateway[key] ?? 'none'}, was ${from[key] ?? 'none'}`).join('; ')}`;
  return { rule: 'movedGateway', message, hint, affected: [from, gateway].map((address) => JSON.stringify(addressOf(address))) };
}

/** Returns why the whole file needs approval, or `null`. */
function findFileHold(
  desired: DesiredState,
  recorded: RecordedState,
  { declared, otherGateways }: Pick<PreviousState, 'declared' | 'otherGateways'>,
): FileHold | null {
  const affected = [...declared.keys()].filter((key) => !desired.publications.has(key)).sort();
  if (declared.size > 0 && desired.publications.size === 0) {
    return {
      rule: 'empty',
      message: `the file declares no publications; the last one declared ${describeKeys(affected, recorded, desired)}`,
      hint: fileHoldHint,
      affected,
    };
  }
  const missingFileKeys = affected.filter((key) => !desired.sourceFiles.has(declared.get(key) ?? ''));
  if (missingFileKeys.length > 0) {
    const missingFiles = [...new Set(missingFileKeys.map((key) => declared.get(key)))].sort();
    const message = `${missingFiles.join(', ')} ${missingFiles.length === 1 ? 'is' : 'are'} no longer included, which removes ${describeKeys(missingFileKeys, recorded, desired)}`;
    return { rule: 'missingInclude', message, hint: fileHoldHint, affected };
  }
  if (affected.length > allowedCount(desired.guards.maxRemoved, declared.size)) {
    const message = `the file no longer declares ${affected.length} of the ${declared.size} publications of the last one: ${describeKeys(affected, recorded, desired)}`;
    return { rule: 'maxRemoved', message, hint: fileHoldHint, affected };
  }
  if (declared.size > 0) return null;
  const apiIds = new Set([...desired.publications.values()].map(({ apiId }) => apiId));
  for (const { gateway, apiIds: declaredApiIds } of otherGateways) {
    const shared = [...apiIds].filter((apiId) => declaredApiIds.has(apiId));
    if (shared.length === 0) continue;
    const message = `${shared.length} of the file's ${apiIds.size} APIs belong to another gateway: ${gateway.endpoint}, instance ${gateway.instance}`;
    return {
      rule: 'otherGateway',
      message,
      hint: 'check endpoint, project and instance of the gateway',
      affected: shared.sort(),
    };
  }
  return null;
}

function unobservedHint({ remedy }: Unobserved): string {
  return `${remedy}, or approve if none of these is online there`;
}

/**
 * Returns the hold of a file for a gateway that the store has no record of and that may not be observed: every publication that is online
 * there would be published again, and nobody could tell whether those declared offline are.
 */
function firstContactHold({ desired, recorded, previous, unobserved }: Required<Omit<PolicyInput, 'unresolvedNames'>>): FileHold | null {
  if (unobserved === null || recorded.size > 0 || previous.declared.size > 0 || desired.publications.size === 0) return null;
  return {
    rule: 'first-contact',
    message: `there is no record of this gateway, and it could not be observed: ${unobserved.reason}`,
    hint: unobservedHint(unobserved),
    affected: [...desired.publications.keys()].sort(),
  };
}

/** Returns the hold of a file whose names have no IDs: no call could be made, so that it is not for a person to approve either. */
function unresolvedNamesHold({ publications }: DesiredState, unresolvedNames: Unobserved | null): FileHold | null {
  if (unresolvedNames === null) return null;
  return {
    rule: 'unresolvedNames',
    message: `it ${unresolvedNamesReason(unresolvedNames)}`,
    hint: unresolvedNamesHint(unresolvedNames),
    affected: [...publications.keys()].sort(),
  };
}

/** How many publications a message names. */
const maxNamed = 3;

function describeKeys(keys: readonly PublicationKey[], recorded: RecordedState, { environments }: DesiredState): string {
  const apis = new Map([...recorded.values()].map(({ apiId, api }) => [apiId, api]));
  const names = keys.slice(0, maxNamed).map((key) => {
    // A publication that was never recorded has no names, but other publications may have recorded those of its API or
    // environment.
    const [apiId = '', environmentId = ''] = key.split(' ');
    const { api, environment } = recorded.get(key) ?? {
      api: apis.get(apiId) ?? apiId,
      environment: environments.get(environmentId)?.name ?? environmentId,
    };
    return `${api} in ${environment}`;
  });
  return keys.length > maxNamed ? `${names.join(', ')} and ${keys.length - maxNamed} more` : names.join(', ');
}

const fileHoldHint = 'check that the file is complete';

/**
 * Returns the effect of a change as one text, which an approval covers. Its reason may change in the meantime, its effect may
 * not.
 */
export function changeFingerprint({
  apiId,
  environmentId,
  action,
  revision,
  remark,
  version,
}: Pick<Change, 'apiId' | 'environmentId' | 'action' | 'revision' | 'remark' | 'version'>): string {
  return JSON.stringify([apiId, environmentId, action, revision, remark, version]);
}

/** Returns the held entries of a plan that an approval can release, as sorted texts: its held changes, and its file hold. */
export function approvalScope({ changes, fileHeld }: Pick<Plan, 'changes' | 'fileHeld'>): string[] {
  if (fileHeld?.rule === 'unresolvedNames') return [];
  const entries = changes.filter((change) => change.held).map(changeFingerprint);
  return [...entries, ...(fileHeld ? [holdEntry(fileHeld)] : [])].sort();
}

function holdEntry({ rule, affected }: FileHold): string {
  return JSON.stringify([rule, affected]);
}

/** Returns the digest of the held entries, `sha256:` and 64 hex digits; `null` if nothing is held that an approval can release. Approvals refer to it. */
export function approvalDigest(plan: Pick<Plan, 'gateway' | 'isEmulated' | 'changes' | 'fileHeld'>): string | null {
  const entries = approvalScope(plan);
  const { endpoint, project, instance } = plan.gateway;
  return entries.length === 0
    ? null
    : sha256Of([plan.isEmulated ? 'edict emulated hold 1' : 'edict hold 1', endpoint, project, instance, entries]);
}

function sha256Of(parts: unknown): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

/**
 * Returns `plan` with its holds released if an approval covers exactly them: everything held now must be in its scope and
 * unused. Nothing is released in part, and nothing twice.
 */
export function applyApprovals(plan: Plan, approvals: readonly Approval[], nowMs: number): Plan {
  const heldEntries = approvalScope(plan);
  if (heldEntries.length === 0) return plan;
  const approval = findApproval(heldEntries, approvals, nowMs);
  if (!approval) return plan;
  const { id, by, reason, expiresAtMs } = approval;
  const approvalRef: ApprovalRef = { id, by, reason, expiresAtMs };
  const changes = plan.changes.map((change) => (change.held ? { ...change, held: null, approval: approvalRef } : change));
  return { ...plan, fileHeld: null, approval: approvalRef, changes };
}

function findApproval(heldEntries: readonly string[], approvals: readonly Approval[], nowMs: number): Approval | undefined {
  return approvals.findLast((candidate) => nowMs < candidate.expiresAtMs && coversScope(candidate, heldEntries));
}

function coversScope({ scope, usedKeys, isFileHoldReleased }: Approval, heldEntries: readonly string[]): boolean {
  const open = new Set(scope.filter((text) => (isFileHoldEntry(text) ? !isFileHoldReleased : !usedKeys.has(entryKey(text)))));
  // Once the held file has been applied, other policies check its changes, and not all of them are held.
  return heldEntries.every((text) => open.has(text)) && (isFileHoldReleased || open.size === heldEntries.length);
}

function isFileHoldEntry(entry: string): boolean {
  return (JSON.parse(entry) as unknown[]).length === 2;
}

function entryKey(entry: string): PublicationKey {
  const [apiId, environmentId] = JSON.parse(entry) as readonly unknown[];
  return publicationKey(String(apiId), String(environmentId));
}

/** How recently the gateway was observed: `never`; `stale`: not within the file's `refresh`; `fresh`: within it. */
export type RecordAge = 'never' | 'stale' | 'fresh';

/** Returns the age of the record of a gateway that was last observed at `observedAtMs`. Without an interval the record alone decides. */
export function recordAge({ refreshIntervalMs }: DesiredState, observedAtMs: number | null, nowMs: number): RecordAge {
  if (refreshIntervalMs === null) return 'fresh';
  if (observedAtMs === null) return 'never';
  return Math.abs(nowMs - observedAtMs) < refreshIntervalMs ? 'fresh' : 'stale';
}

/** How old the last observation may be if the file has no interval, in milliseconds: the default of `refresh`. */
const maxAgeWithoutIntervalMs = 5 * 60_000;

export interface ObservationChoice {
  readonly desired: DesiredState;
  /** When the gateway was last observed, in milliseconds since 1970; `null`: never. */
  readonly observedAtMs: number | null;
  readonly nowMs: number;
  readonly refresh: RefreshMode;
  /** Whether the gateway is an emulated one, where nothing is online that the record does not have. */
  readonly isEmulated: boolean;
  /** Whether the file declares publications that no observation has looked at; see `unseenPublications`. */
  readonly hasUnseen: boolean;
}

/**
 * Returns why the gateway is not to be observed although new publications may be online there already; `null` if it may be, or need not be.
 *
 * | file      | option         | last observed                | what is new |
 * |-----------|----------------|------------------------------|-------------|
 * | `never`   |                | never, or over 5 minutes ago | held        |
 * | `never`   |                | within 5 minutes             | passes, unless it is unseen |
 * | interval  | `--no-refresh` | never, or longer ago than it | held        |
 * | interval  | `--no-refresh` | within the interval          | passes, unless it is unseen |
 */
export function unobservedByChoice({ desired, observedAtMs, nowMs, refresh, isEmulated, hasUnseen }: ObservationChoice): Unobserved | null {
  const { refreshIntervalMs } = desired;
  const isFresh = observedAtMs !== null && Math.abs(nowMs - observedAtMs) < (refreshIntervalMs ?? maxAgeWithoutIntervalMs);
  if (isEmulated || (isFresh && !hasUnseen)) return null;
  if (refreshIntervalMs === null) return { reason: 'the file says `refresh: never`', remedy: 'observe it with --refresh' };
  if (refresh !== 'never') return null;
  return { reason: 'the command says --no-refresh', remedy: 'leave --no-refresh out' };
}

/** The part of the last list that tells what was looked at. */
type SeenBefore = Pick<LastObservation, 'unmanaged' | 'missingApiIds' | 'lookedUp'>;

export interface UnseenInput {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  /** The last list of the gateway; `null`: there was none. */
  readonly observation: SeenBefore | null;
  readonly age: RecordAge;
}

/**
 * Returns the publications that may be online although the record does not have them, so that the gateway must be looked at before they are
 * published. The record has what the file declared at the time of an observation; the list has what was online besides.
 *
 * | file    | record  | last list                      | its age      | answer                      |
 * |---------|---------|--------------------------------|--------------|-----------------------------|
 * | online  | nothing | any                            | stale, never | unseen: it may have changed |
 * | online  | nothing | has it as unmanaged, or is cut | fresh        | unseen                      |
 * | online  | nothing | does not have it               | fresh        | seen: it was offline, unless first contact has not looked it up |
 * | offline | nothing | has it as unmanaged            | any          | unseen: it is online        |
 * | else    |         |                                |              | seen, or never published    |
 */
export function unseenPublications({ desired, recorded, observation, age }: UnseenInput): DesiredPublication[] {
  const unmanaged = observation?.unmanaged ?? [];
  const isWholeListKnown = age === 'fresh' && unmanaged.length < maxListedUnmanaged;
  const listed = new Set(unmanaged.map(({ key }) => key));
  const unlooked = unlookedKeys({ desired, recorded, observation });
  const unseen: DesiredPublication[] = [];
  for (const publication of desired.publications.values()) {
    const { key, state } = publication;
    if (!recorded.has(key) && (listed.has(key) || unlooked.has(key) || (state === 'online' && !isWholeListKnown))) unseen.push(publication);
  }
  return unseen;
}

/**
 * Returns the new publications that first contact has not looked up, because a newer file has added them since: only a lost record would tell
 * that somebody has taken them offline. Those whose API is missing are not published anyway.
 */
export function unlookedKeys({ desired, recorded, observation }: Omit<UnseenInput, 'age'>): ReadonlySet<PublicationKey> {
  const { lookedUp = null, missingApiIds = [] } = observation ?? {};
  const unlooked = new Set<PublicationKey>();
  if (lookedUp === null) return unlooked;
  const missing = new Set(missingApiIds);
  for (const { key, apiId, state } of desired.publications.values())
    if (state === 'online' && !recorded.has(key) && !lookedUp.has(key) && !missing.has(apiId)) unlooked.add(key);
  return unlooked;
}

/**
 * Returns `plan` with every change deferred that first contact has not looked up yet, or held if the file says that nobody looks. If the look has
 * failed, or the command does without it, `applyPolicies` holds what is new.
 */
export function awaitFirstLook(
  plan: Plan,
  { unobserved, ...input }: Omit<UnseenInput, 'age'> & { readonly unobserved: Unobserved | null },
): Plan {
  const unlooked = unlookedKeys(input);
  if (unlooked.size === 0 || unobserved !== null) return plan;
  const message = 'it is new, and nobody has looked yet whether it was online before';
  const isNeverObserved = input.desired.refreshIntervalMs === null;
  const hold = { rule: 'unobserved', message, hint: 'observe the gateway once with --refresh, or approve if it shall go online' } as const;
  return {
    ...plan,
    changes: plan.changes.map((change) => {
      if (!unlooked.has(change.key)) return change;
      return isNeverObserved
        ? { ...change, held: change.held ?? hold }
        : { ...change, deferred: { rule: 'first-contact', message, untilMs: null } };
    }),
  };
}
