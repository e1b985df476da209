import { createHash } from 'node:crypto';
import type { Hold, Suspicion } from './guard.ts';
import type { Change, Plan } from './plan.ts';
import type { DesiredState, GatewayIdentity, Most, PublicationKey, RecordedPublication, RecordedState } from './publication.ts';

/** Returns how many of `all` `most` allows. A share allows one at least, unless it is 0: of three publications one may go. */
export function mostOf({ count, share }: Most, all: number): number {
  const byShare = share === null ? all : share === 0 ? 0 : Math.max(1, Math.floor(share * all));
  return Math.min(count ?? all, byShare);
}

/** What is known of the files before this one. */
export interface Past {
  /** What the last file declared that was acted on; empty if there was none. */
  readonly declared: ReadonlySet<PublicationKey>;
  /** The IDs of APIs that files declared for other gateways, read only where nothing is known of this one. */
  readonly elsewhere: readonly { readonly gateway: GatewayIdentity; readonly apiIds: ReadonlySet<string> }[];
  readonly approvals: readonly Approval[];
}

/** A person's agreement to what was held. */
export interface Approval {
  readonly id: number;
  readonly digest: string;
  readonly by: string;
  readonly why: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly expiresAtMs: number;
  /** What it releases, each as `workOf` says it. */
  readonly work: readonly string[];
}

/** Returns `plan` with everything held that a guard refuses. A pure function; it never releases and never adds a change. */
export function holdBack(plan: Plan, desired: DesiredState, recorded: RecordedState, past: Pick<Past, 'declared' | 'elsewhere'>): Plan {
  const suspicion = suspicionOf(desired, past);
  if (suspicion) return { ...plan, suspicion, changes: plan.changes.map((change) => ({ ...change, held: change.held ?? suspicion })) };
  const offline = plan.changes.filter((change) => change.action === 'offline' && !change.held);
  const online = [...recorded.values()].filter(({ state, unresolved }) => state === 'online' || unresolved);
  const held = new Map<PublicationKey, Hold>();
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
  for (const { key } of offline)
    held.set(key, { rule: 'maxOffline', message, hint: 'take them offline in smaller steps, or approve the plan' });
}

/** Returns why the whole file is not to be believed without a person's word, or `null`. */
function suspicionOf(desired: DesiredState, { declared, elsewhere }: Pick<Past, 'declared' | 'elsewhere'>): Suspicion | null {
  const lost = [...declared].filter((key) => !desired.publications.has(key)).sort();
  if (declared.size > 0 && desired.publications.size === 0) {
    return { rule: 'empty', message: `the file is empty, and the last one had ${declared.size} publications`, hint: suspicionHint, lost };
  }
  if (lost.length > mostOf(desired.guards.maxLost, declared.size)) {
    const message = `the file has lost ${lost.length} of the ${declared.size} publications that the last one had`;
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
      hint: 'check gateway.endpoint, project and instance; if it is meant, approve the plan',
      lost: shared.sort(),
    };
  }
  return null;
}

const suspicionHint = 'check that the whole file is there; if it is meant, approve the plan';

/** Returns what a change would do, as one text: what an approval is for. The reason may change meanwhile, the work may not. */
export function workOf({ apiId, environmentId, action, revision, remark, version }: Change): string {
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
 * what the approval is for, apart from what has been done since. Nothing is released by half.
 */
export function release(plan: Plan, recorded: RecordedState, approvals: readonly Approval[], nowMs: number): Plan {
  const work = heldWork(plan);
  if (work.length === 0) return plan;
  const approval = approvals.findLast((one) => nowMs < one.expiresAtMs && isFor(one, work, recorded));
  if (!approval) return plan;
  const { id, by, why } = approval;
  const released = plan.changes.map((change) => (change.held ? { ...change, held: null, approval: { id, by, why } } : change));
  return { ...plan, suspicion: null, changes: released };
}

function isFor({ work, atMs }: Approval, held: readonly string[], recorded: RecordedState): boolean {
  const left = new Set(held);
  const done = new Map(
    [...recorded.values()]
      .filter((one) => one.recordedAtMs >= atMs && !one.unresolved)
      .map((one) => [`${one.apiId} ${one.environmentId}`, one.state]),
  );
  const isDone = (text: string): boolean => {
    const [apiId, environmentId, action] = JSON.parse(text) as unknown[];
    return done.get(`${String(apiId)} ${String(environmentId)}`) === action;
  };
  const isSuspicion = (text: string): boolean => (JSON.parse(text) as unknown[]).length === 2;
  // A file that was suspicious is not any more once it has been acted on.
  const open = work.filter((text) => left.has(text) || !(isDone(text) || isSuspicion(text)));
  return open.length === left.size && open.every((text) => left.has(text));
}
