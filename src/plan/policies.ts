import { createHash } from 'node:crypto';
import type { Approval, ApprovalRef, FileHold, Hold, PreviousState } from '../model/approval.ts';
import type { Change, Plan } from '../model/change.ts';
import {
  type DesiredState,
  type PublicationKey,
  publicationKey,
  type RecordedPublication,
  type RecordedState,
  type Threshold,
} from '../model/publication.ts';

/** Returns how many of `all` `most` allows. A share allows one at least, unless it is 0: of three publications one may go. */
export function allowedCount({ count, share }: Threshold, all: number): number {
  const byShare = share === null ? all : share === 0 ? 0 : Math.max(1, Math.floor(share * all));
  return Math.min(count ?? all, byShare);
}

/** Returns `plan` with everything held that a guard refuses. A pure function; it never releases and never adds a change. */
export function applyPolicies(
  plan: Plan,
  desired: DesiredState,
  recorded: RecordedState,
  past: Pick<PreviousState, 'declared' | 'otherGateways'>,
): Plan {
  const fileHeld = findFileHold(desired, recorded, past);
  if (fileHeld) return { ...plan, fileHeld, changes: plan.changes.map((change) => ({ ...change, held: change.held ?? fileHeld })) };
  const offline = plan.changes.filter((change) => change.action === 'offline' && !change.held);
  const online = [...recorded.values()].filter(({ state, unknownAttempt }) => state === 'online' || unknownAttempt);
  const held = findSwappedIds(plan.changes, desired, recorded);
  applyThreshold(desired.guards.maxOffline, offline, online, 'the file', held);
  for (const { id, name, maxOffline } of desired.environments.values()) {
    const isHere = ({ environmentId }: Change | RecordedPublication): boolean => environmentId === id;
    if (maxOffline) applyThreshold(maxOffline, offline.filter(isHere), online.filter(isHere), name, held);
  }
  if (held.size === 0) return plan;
  return { ...plan, changes: plan.changes.map((change) => ({ ...change, held: change.held ?? held.get(change.key) ?? null })) };
}

function applyThreshold(
  most: Threshold,
  offline: readonly Change[],
  online: readonly unknown[],
  scope: string,
  held: Map<PublicationKey, Hold>,
): void {
  const allowed = allowedCount(most, Math.max(online.length, offline.length));
  if (offline.length <= allowed) return;
  const where = scope === 'the file' ? 'guards.maxOffline' : `maxOffline of ${scope}`;
  const message = `${offline.length} of ${online.length} would go offline${scope === 'the file' ? '' : ` in ${scope}`} at once, and ${where} allows ${allowed}`;
  for (const { key } of offline) held.set(key, { rule: 'maxOffline', message, hint: 'check that all of them are meant' });
}

/**
 * Returns the changes of APIs that have exchanged their names since they were recorded: each by itself may look right, but
 * IDs that were mixed up take down the wrong API. A new API under a known name is no exchange.
 */
function findSwappedIds(changes: readonly Change[], desired: DesiredState, recorded: RecordedState): Map<PublicationKey, Hold> {
  const nameOf = new Map([...recorded.values()].map(({ apiId, api }) => [apiId, api]));
  const idOf = new Map([...desired.publications.values()].map(({ api, apiId }) => [api, apiId]));
  const held = new Map<PublicationKey, Hold>();
  for (const { key, api, apiId } of changes) {
    const before = nameOf.get(apiId);
    const heir = before === undefined ? undefined : idOf.get(before);
    if (before === undefined || heir === undefined || heir === apiId || (nameOf.get(heir) ?? before) === before) continue;
    const message = `${apiId} was ${before} and is ${api} now, and ${before} is ${heir}: the IDs look mixed up`;
    held.set(key, { rule: 'swapped', message, hint: 'check the IDs' });
  }
  return held;
}

/** Returns why the whole file is not to be believed without a person's word, or `null`. */
function findFileHold(
  desired: DesiredState,
  recorded: RecordedState,
  { declared, otherGateways }: Pick<PreviousState, 'declared' | 'otherGateways'>,
): FileHold | null {
  const affected = [...declared.keys()].filter((key) => !desired.publications.has(key)).sort();
  if (declared.size > 0 && desired.publications.size === 0) {
    return {
      rule: 'empty',
      message: `the file declares nothing, and the last one had ${describeKeys(affected, recorded, desired)}`,
      hint: fileHoldHint,
      affected,
    };
  }
  const homeless = affected.filter((key) => !desired.sourceFiles.has(declared.get(key) ?? ''));
  if (homeless.length > 0) {
    const homes = [...new Set(homeless.map((key) => declared.get(key)))].sort();
    const message = `${homes.join(', ')} ${homes.length === 1 ? 'is' : 'are'} included no more, and with ${homes.length === 1 ? 'it' : 'them'} went ${describeKeys(homeless, recorded, desired)}`;
    return { rule: 'vanished', message, hint: fileHoldHint, affected };
  }
  if (affected.length > allowedCount(desired.guards.maxRemoved, declared.size)) {
    const message = `the file has lost ${affected.length} of the ${declared.size} publications that the last one had: ${describeKeys(affected, recorded, desired)}`;
    return { rule: 'lost', message, hint: fileHoldHint, affected };
  }
  if (declared.size > 0) return null;
  const apiIds = new Set([...desired.publications.values()].map(({ apiId }) => apiId));
  for (const { gateway, apiIds: known } of otherGateways) {
    const shared = [...apiIds].filter((apiId) => known.has(apiId));
    if (shared.length === 0) continue;
    const message = `${shared.length} of the file's ${apiIds.size} APIs belong to another gateway: ${gateway.endpoint}, instance ${gateway.instance}`;
    return {
      rule: 'moved',
      message,
      hint: 'check endpoint, project and instance of the gateway',
      affected: shared.sort(),
    };
  }
  return null;
}

/** So many names tell a person what it is about. */
const maxNamed = 3;

function describeKeys(keys: readonly PublicationKey[], recorded: RecordedState, { environments }: DesiredState): string {
  const apis = new Map([...recorded.values()].map(({ apiId, api }) => [apiId, api]));
  const names = keys.slice(0, maxNamed).map((key) => {
    // What was never published has left no name by itself, but may have one elsewhere.
    const [apiId = '', environmentId = ''] = key.split(' ');
    const { api, environment } = recorded.get(key) ?? {
      api: apis.get(apiId) ?? apiId,
      environment: environments.get(environmentId)?.name ?? environmentId,
    };
    return `${api} in ${environment}`;
  });
  return keys.length > maxNamed ? `${names.join(', ')} and ${keys.length - maxNamed} more` : names.join(', ');
}

const fileHoldHint = 'check that the whole file is there';

/** Returns what a change would do, as one text: what an approval is for. The reason may change meanwhile, the work may not. */
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

/** Returns all that is held of a plan, as texts in order: its changes, and what makes its file suspicious. */
export function approvalScope({ changes, fileHeld }: Pick<Plan, 'changes' | 'fileHeld'>): string[] {
  const work = changes.filter((change) => change.held).map(changeFingerprint);
  return [...work, ...(fileHeld ? [JSON.stringify([fileHeld.rule, fileHeld.affected])] : [])].sort();
}

/** Returns the digest of what is held, `sha256:` and 64 hex digits; `null` if nothing is. An approval names it. */
export function approvalDigest(plan: Pick<Plan, 'gateway' | 'changes' | 'fileHeld'>): string | null {
  const work = approvalScope(plan);
  const { endpoint, project, instance } = plan.gateway;
  return work.length === 0 ? null : sha256Of(['edict hold 1', endpoint, project, instance, work]);
}

function sha256Of(parts: unknown): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

/**
 * Returns `plan` with what is held released where a person has agreed to exactly that: everything that is held now must be
 * what the approval is for and nothing has been made with yet. Nothing is released by half, and nothing twice.
 */
export function applyApprovals(plan: Plan, approvals: readonly Approval[], nowMs: number): Plan {
  const held = approvalScope(plan);
  if (held.length === 0) return plan;
  const approval = approvals.findLast((one) => nowMs < one.expiresAtMs && coversScope(one, held));
  if (!approval) return plan;
  const { id, by, reason, expiresAtMs } = approval;
  const agreement: ApprovalRef = { id, by, reason, expiresAtMs };
  const changes = plan.changes.map((change) => (change.held ? { ...change, held: null, approval: agreement } : change));
  return { ...plan, fileHeld: null, approval: agreement, changes };
}

function coversScope({ scope, usedKeys, isFileHoldReleased }: Approval, held: readonly string[]): boolean {
  const open = new Set(scope.filter((text) => (isFileHoldEntry(text) ? !isFileHoldReleased : !usedKeys.has(entryKey(text)))));
  // Once the suspicious file has been acted on, other guards look at its changes, and not all of them are held.
  return held.every((text) => open.has(text)) && (isFileHoldReleased || open.size === held.length);
}

function isFileHoldEntry(work: string): boolean {
  return (JSON.parse(work) as unknown[]).length === 2;
}

function entryKey(work: string): PublicationKey {
  const [apiId, environmentId] = JSON.parse(work) as readonly unknown[];
  return publicationKey(String(apiId), String(environmentId));
}
