import { withActed } from '../core/acted.ts';
import { EdictError } from '../core/errors.ts';
import type { NameKey } from '../core/names.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Change } from '../core/plan.ts';
import type { Condition, Entered, NewAttempt, Store } from '../core/ports.ts';
import type { GatewayIdentity, PublicationKey, RecordedPublication, Suspension } from '../core/publication.ts';
import { type Database, type Step, step, type Value } from './database.ts';
import type { Leases } from './leases.ts';
import { type Row, toRecordedPublication } from './rows.ts';
import { StoredRecord } from './stored-record.ts';

/** So few are deleted at once that nothing waits for it long. */
const pruneAtOnce = 200;

/** The record, open for writing, on any engine. Every write is durable when its promise resolves. */
export class RecordStore extends StoredRecord implements Store {
  readonly #leases: Leases;
  readonly #gateways = new Map<string, number>();
  /** What was entered and not left. */
  readonly #entered = new Set<number>();

  constructor(database: Database, leases: Leases) {
    super(database);
    this.#leases = leases;
  }

  async read(gateway: GatewayIdentity, key: PublicationKey): Promise<RecordedPublication | undefined> {
    const of = { gateway: await this.gatewayId(gateway), ...split(key) };
    const [row] = await this.database.read(step(this.queries.recordedOne, of));
    return row && toRecordedPublication(row);
  }

  async enter(gateway: GatewayIdentity, atMs: number, shares = false): Promise<Entered> {
    const id = await this.#ensureGateway(gateway);
    if (this.#entered.has(id)) throw heldAlready();
    this.#entered.add(id);
    try {
      const entered = await this.#leases.take(id, atMs, shares);
      await this.#write(id, [step(this.queries.orphan, { gateway: id, atMs })]);
      return entered;
    } catch (error) {
      this.#entered.delete(id);
      // What failed is told; whether the lease could be given back too is not: it ends by itself.
      await this.#leases.give(id, atMs).catch(() => {});
      throw error;
    }
  }

  async leave(gateway: GatewayIdentity, atMs: number): Promise<void> {
    const id = await this.#ensureGateway(gateway);
    this.#entered.delete(id);
    await this.#leases.give(id, atMs);
  }

  async deleteRecord(gateway: GatewayIdentity, key: PublicationKey, atMs: number): Promise<void> {
    const of = { gateway: await this.#ensureGateway(gateway), ...split(key) };
    await this.#write(of.gateway, [step(this.queries.record, { ...of, ...recordOf(undefined, atMs) })]);
  }

  async prune(gateway: GatewayIdentity, beforeMs: number): Promise<number> {
    const of = { gateway: await this.#ensureGateway(gateway), beforeMs, limit: pruneAtOnce };
    const [rows] = await this.#write(of.gateway, [step(this.queries.prune, of)]);
    return rows?.length ?? 0;
  }

  async remember(gateway: GatewayIdentity, names: ReadonlyMap<NameKey, string>): Promise<void> {
    const of = { gateway: await this.#ensureGateway(gateway) };
    const remembered = [...names].map(([name, id]) => step(this.queries.rememberName, { ...of, name, id }));
    await this.#write(of.gateway, [step(this.queries.forgetNames, of), ...remembered]);
  }

  async declare(
    gateway: GatewayIdentity,
    now: ReadonlyMap<PublicationKey, string>,
    latest: string,
    approvalId: number | null,
  ): Promise<void> {
    const { declared } = await this.past(gateway, 0);
    const before = await this.acted(gateway);
    const acted = withActed(before, latest);
    const isNew = JSON.stringify(acted) !== JSON.stringify(before);
    const lost = [...declared.keys()].filter((key) => !now.has(key));
    const found = [...now].filter(([key, home]) => declared.get(key) !== home);
    if (lost.length + found.length === 0 && !isNew && approvalId === null) return;
    const { undeclare, declare, setActed, spendApproval } = this.queries;
    const of = { gateway: await this.#ensureGateway(gateway) };
    await this.#write(of.gateway, [
      ...lost.map((key) => step(undeclare, { ...of, ...split(key) })),
      ...found.map(([key, home]) => step(declare, { ...of, ...split(key), home })),
      ...(isNew ? [step(setActed, { ...of, acted: JSON.stringify(acted) })] : []),
      ...(approvalId === null ? [] : [step(spendApproval, { approval: approvalId })]),
    ]);
  }

  async suspend(gateway: GatewayIdentity, suspension: Suspension | null): Promise<void> {
    const of = { gateway: await this.#ensureGateway(gateway), suspension: suspension && JSON.stringify(suspension) };
    await this.database.write([step(this.queries.suspend, of)]);
  }

  async describe(gateway: GatewayIdentity, condition: Condition): Promise<void> {
    const of = { gateway: await this.#ensureGateway(gateway), condition: JSON.stringify(condition) };
    await this.#write(of.gateway, [step(this.queries.describe, of)]);
  }

  async begin(gateway: GatewayIdentity, change: Change, { passId, marker, commitId, atMs }: NewAttempt): Promise<number> {
    const of = { gateway: await this.#ensureGateway(gateway), ...namesOf(change), atMs };
    const { action, reason, revision, remark, version } = change;
    const told = { passId, action, reason, revision, remark, marker, version, commitId, approval: change.approval?.id ?? null };
    const [inserted] = await this.#write(of.gateway, [
      step(this.queries.insertAttempt, { ...of, ...told, fence: this.#leases.fenceOf(of.gateway) }),
      step(this.queries.markUnresolved, of),
    ]);
    return Number(inserted?.[0]?.['id']);
  }

  async settle(
    gateway: GatewayIdentity,
    key: PublicationKey,
    attemptId: number,
    outcome: Outcome,
    next: RecordedPublication | undefined,
    atMs: number,
  ): Promise<void> {
    const failure = 'failure' in outcome ? outcome.failure : null;
    const { versionId, publishId } = outcome.kind === 'succeeded' ? outcome : { versionId: null, publishId: null };
    const { code = null, status = null, message = null, requestId = null } = failure ?? {};
    const told = { outcome: outcome.kind, code, status, message, requestId, versionId, publishId };
    const of = { gateway: await this.#ensureGateway(gateway), ...split(key) };
    await this.#write(of.gateway, [
      step(this.queries.settleAttempt, { attempt: attemptId, atMs, ...told }),
      step(this.queries.record, { ...of, ...recordOf(next, atMs) }),
    ]);
  }

  async observe(gateway: GatewayIdentity, updates: readonly RecordedPublication[], listed: number): Promise<void> {
    const of = { gateway: await this.#ensureGateway(gateway) };
    const { ensurePublication, recordSettled, setListed } = this.queries;
    await this.#write(of.gateway, [
      ...updates.flatMap((next) => [
        step(ensurePublication, { ...of, ...namesOf(next), atMs: next.recordedAtMs }),
        step(recordSettled, { ...of, ...split(next.key), ...recordOf(next, next.recordedAtMs) }),
      ]),
      step(setListed, { ...of, listed }),
    ]);
  }

  /** Writes what is pending, gives all leases back and ends. */
  override async close(): Promise<void> {
    try {
      await this.#leases.close();
    } finally {
      await super.close();
    }
  }

  async #write(gatewayId: number, steps: readonly Step[]): Promise<readonly (readonly Row[])[]> {
    if (this.#leases.fenceOf(gatewayId) === null) throw new EdictError('GATEWAY_HELD', 'this edict does not have the lease of the gateway');
    return this.#leases.write(gatewayId, steps);
  }

  /** Without a question to the database where it can. */
  protected override async gatewayId(gateway: GatewayIdentity): Promise<number> {
    return this.#gateways.get(nameOf(gateway)) ?? super.gatewayId(gateway);
  }

  async #ensureGateway(gateway: GatewayIdentity): Promise<number> {
    const known = this.#gateways.get(nameOf(gateway));
    if (known !== undefined) return known;
    const { endpoint, project, instance } = gateway;
    await this.database.write([step(this.queries.insertGateway, { endpoint, project, instance })]);
    const id = await super.gatewayId(gateway);
    this.#gateways.set(nameOf(gateway), id);
    return id;
  }
}

function nameOf({ endpoint, project, instance }: GatewayIdentity): string {
  return `${endpoint} ${project} ${instance}`;
}

function namesOf({ api, apiId, environment, environmentId }: Pick<RecordedPublication, 'api' | 'apiId' | 'environment' | 'environmentId'>) {
  return { api, apiId, environment, environmentId };
}

function split(key: PublicationKey): { readonly apiId: string; readonly environmentId: string } {
  const [apiId = '', environmentId = ''] = key.split(' ');
  return { apiId, environmentId };
}

/** Returns the values of a record; `undefined` says nothing any more. */
function recordOf(next: RecordedPublication | undefined, atMs: number) {
  const { unresolved = null, drift = null, recordedAtMs = atMs } = next ?? {};
  return {
    api: next?.api ?? null,
    environment: next?.environment ?? null,
    state: next?.state ?? null,
    revision: next?.revision ?? null,
    versionId: next?.versionId ?? null,
    publishId: next?.publishId ?? null,
    publishedAtMs: next?.publishedAtMs ?? null,
    editedAtMs: next?.editedAtMs ?? null,
    atMs: recordedAtMs,
    unresolved: unresolved?.attemptId ?? null,
    driftFrom: drift?.from ?? null,
    driftFromSinceMs: drift?.fromSinceMs ?? null,
    driftSeenAtMs: drift?.seenAtMs ?? null,
    driftTruceUntilMs: drift?.truceUntilMs ?? null,
    corrections: next?.corrections ?? 0,
    correctedAtMs: next?.correctedAtMs ?? null,
  } satisfies Record<string, Value>;
}

/** Two files for one gateway would undo each other's changes. */
function heldAlready(): EdictError {
  return new EdictError('GATEWAY_HELD', 'this edict works on the gateway already, for another file', { hint: 'one file is one gateway' });
}
