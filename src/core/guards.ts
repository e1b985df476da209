import { createHash } from 'node:crypto';
import type { Agreement, Hold, Suspicion } from './guard.ts';
import type { Change, Plan } from './plan.ts';
import {
  type DesiredState,
  type GatewayIdentity,
  type Most,
  type PublicationKey,
  publicationKey,
  type RecordedPublication,
  type RecordedState,
  type Suspension,
} from './publication.ts';

/** Returns how many of `all` `most` allows. A share allows one at least, unless it is 0: of three publications one may go. */
export function mostOf({ count, share }: Most, all: number): number {
  const byShare = share === null ? all : share === 0 ? 0 : Math.max(1, Math.floor(share * all));
  return Math.min(count ?? all, byShare);
}

/** What is known of the files before this one. */
export interface Past {
  /** What the last file declared that was acted on, each with its `home`; empty if there was none. */
  readonly declared: ReadonlyMap<PublicationKey, string>;
  /** The IDs of APIs that files declared for other gateways, read only where nothing is known of this one. */
  readonly elsewhere: readonly { readonly gateway: GatewayIdentity; readonly apiIds: ReadonlySet<string> }[];
  readonly approvals: readonly Approval[];
  /** A person's word, beside the file, that no call is to be made for the time being; `null` if there is none. */
  readonly suspension: Suspension | null;
}

/** A person's agreement to what was held. */
export interface Approval extends Agreement {
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** What it releases, each as `workOf` says it. */
  readonly work: readonly string[];
  /** What has been made with it: it releases each change once. */
  readonly done: ReadonlySet<PublicationKey>;
  /** Whether the suspicious file that it is for has been acted on. */
  readonly isSpent: boolean;
}

/** An approval that is not in the store yet. */
export type NewApproval = Omit<Approval, 'id' | 'done' | 'isSpent'>;

/** Returns `plan` with everything held that a guard refuses. A pure function; it never releases and never adds a change. */
export function holdBack(plan: Plan, desired: DesiredState, recorded: RecordedState, past: Pick<Past, 'declared' | 'elsewhere'>): Plan {
  const suspicion = suspicionOf(desired, recorded, past);
  if (suspicion) return { ...plan, suspicion, changes: plan.changes.map((change) => ({ ...change, held: change.held ?? suspicion })) };
  const offline = plan.changes.filter((change) => change.action === 'offline' && !change.held);
  const online = [...recorded.values()].filter(({ state, unresolved }) => state === 'online' || unresolved);
  const held = swapped(plan.changes, desired, recorded);
  hold(desired.guards.maxOffline, offline, online, 'the file', held);
  for (const { id, name, maxOffline } of desired.environments.values()) {
    const isHere = ({ environmentId }: Change | RecordedPublication): boolean => environmentId === id;
    if (maxOffline) hold(maxOffline, offline.filter(isHere), online.filter(isHere), name, held);
  }
  if (held.size === 0) return plan;
  return { ...plan, changes: plan.changes.map((change) => ({ ...change, held: change.held ?? held.get(change.key) ?? null })) };
}

function hold(most: Most, offline: readonly Change[], online: readonly unknown[], scope: string, held: Map<PublicationKey, Hold>): void {
  const allowed = mostOf(most, Math.max(online.length, offline.length));
  if (offline.length <= allowed) return;
  const where = scope === 'the file' ? 'guards.maxOffline' : `maxOffline of ${scope}`;
  const message = `${offline.length} of ${online.length} would go offline${scope === 'the file' ? '' : ` in ${scope}`} at once, and ${where} allows ${allowed}`;
  for (const { key } of offline) held.set(key, { rule: 'maxOffline', message, hint: 'check that all of them are meant' });
}

/**
 * Returns the changes of APIs that have exchanged their names since they were recorded: each by itself may look right, but
 * IDs that were mixed up take down the wrong API. A new API under a known name is no exchange.
 */
function swapped(changes: readonly Change[], desired: DesiredState, recorded: RecordedState): Map<PublicationKey, Hold> {
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
function suspicionOf(
  desired: DesiredState,
  recorded: RecordedState,
  { declared, elsewhere }: Pick<Past, 'declared' | 'elsewhere'>,
): Suspicion | null {
  const lost = [...declared.keys()].filter((key) => !desired.publications.has(key)).sort();
  if (declared.size > 0 && desired.publications.size === 0) {
    return {
      rule: 'empty',
      message: `the file declares nothing, and the last one had ${named(lost, recorded, desired)}`,
      hint: suspicionHint,
      lost,
    };
  }
  const homeless = lost.filter((key) => !desired.homes.has(declared.get(key) ?? ''));
  if (homeless.length > 0) {
    const homes = [...new Set(homeless.map((key) => declared.get(key)))].sort();
    const message = `${homes.join(', ')} ${homes.length === 1 ? 'is' : 'are'} included no more, and with ${homes.length === 1 ? 'it' : 'them'} went ${named(homeless, recorded, desired)}`;
    return { rule: 'vanished', message, hint: suspicionHint, lost };
  }
  if (lost.length > mostOf(desired.guards.maxLost, declared.size)) {
    const message = `the file has lost ${lost.length} of the ${declared.size} publications that the last one had: ${named(lost, recorded, desired)}`;
    return { rule: 'lost', message, hint: suspicionHint, lost };
  }
  if (declared.size > 0) return null;
  const apiIds = new Set([...desired.publications.values()].map(({ apiId }) => apiId));
  for (const { gateway, apiIds: known } of elsewhere) {
    const shared = [...apiIds].filter((apiId) => known.has(apiId));
    if (shared.length === 0) continue;
    const message = `${shared.length} of the file's ${apiIds.size} APIs belong to another gateway: ${gateway.endpoint}, instance ${gateway.instance}`;
    return {
      rule: 'moved',
      message,
      hint: 'check endpoint, project and instance of the gateway',
      lost: shared.sort(),
    };
  }
  return null;
}

/** So many names tell a person what it is about. */
const mostNamed = 3;

function named(keys: readonly PublicationKey[], recorded: RecordedState, { environments }: DesiredState): string {
  const apis = new Map([...recorded.values()].map(({ apiId, api }) => [apiId, api]));
  const names = keys.slice(0, mostNamed).map((key) => {
    // What was never published has left no name by itself, but may have one elsewhere.
    const [apiId = '', environmentId = ''] = key.split(' ');
    const { api, environment } = recorded.get(key) ?? {
      api: apis.get(apiId) ?? apiId,
      environment: environments.get(environmentId)?.name ?? environmentId,
    };
    return `${api} in ${environment}`;
  });
  return keys.length > mostNamed ? `${names.join(', ')} and ${keys.length - mostNamed} more` : names.join(', ');
}

const suspicionHint = 'check that the whole file is there';

/** Returns what a change would do, as one text: what an approval is for. The reason may change meanwhile, the work may not. */
export function workOf({
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
export function heldWork({ changes, suspicion }: Pick<Plan, 'changes' | 'suspicion'>): string[] {
  const work = changes.filter((change) => change.held).map(workOf);
  return [...work, ...(suspicion ? [JSON.stringify([suspicion.rule, suspicion.lost])] : [])].sort();
}

/** Returns the digest of what is held, `sha256:` and 64 hex digits; `null` if nothing is. An approval names it. */
export function heldDigest(plan: Pick<Plan, 'gateway' | 'changes' | 'suspicion'>): string | null {
  const work = heldWork(plan);
  const { endpoint, project, instance } = plan.gateway;
  return work.length === 0 ? null : digestOf(['edict hold 1', endpoint, project, instance, work]);
}

function digestOf(parts: unknown): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

/**
 * Returns `plan` with what is held released where a person has agreed to exactly that: everything that is held now must be
 * what the approval is for and nothing has been made with yet. Nothing is released by half, and nothing twice.
 */
export function release(plan: Plan, approvals: readonly Approval[], nowMs: number): Plan {
  const held = heldWork(plan);
  if (held.length === 0) return plan;
  const approval = approvals.findLast((one) => nowMs < one.expiresAtMs && isFor(one, held));
  if (!approval) return plan;
  const { id, by, why, expiresAtMs } = approval;
  const agreement: Agreement = { id, by, why, expiresAtMs };
  const changes = plan.changes.map((change) => (change.held ? { ...change, held: null, approval: agreement } : change));
  return { ...plan, suspicion: null, approval: agreement, changes };
}

function isFor({ work, done, isSpent }: Approval, held: readonly string[]): boolean {
  const open = new Set(work.filter((text) => (isSuspicion(text) ? !isSpent : !done.has(keyOf(text)))));
  // Once the suspicious file has been acted on, other guards look at its changes, and not all of them are held.
  return held.every((text) => open.has(text)) && (isSpent || open.size === held.length);
}

function isSuspicion(work: string): boolean {
  return (JSON.parse(work) as unknown[]).length === 2;
}

function keyOf(work: string): PublicationKey {
  const [apiId, environmentId] = JSON.parse(work) as readonly unknown[];
  return publicationKey(String(apiId), String(environmentId));
}
