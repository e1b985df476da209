import type { Change } from '../model/change.ts';
import { type EdictError, LeaseHeldError } from '../model/errors.ts';
import type { NameKey } from '../model/name-ref.ts';
import type { Outcome } from '../model/outcome.ts';
import type { AcquiredLease, ControllerStatus, NewAttempt, Store } from '../model/ports.ts';
import type { GatewayIdentity, PublicationKey, RecordedPublication, Suspension } from '../model/publication.ts';
import { appendDigest } from '../plan/digest.ts';
import { bindQuery, type Database, type SqlValue, type Statement } from './database.ts';
import { ReadonlyStore } from './readonly-store.ts';
import { fromControllerStatus, type SqlRow, toRecordedPublication } from './rows.ts';
import type { Leases } from './sqlite/leases.ts';

/** So few are deleted at once that nothing waits for it long. */
const pruneBatchSize = 200;

/** The record, open for writing, on any engine. Every write is durable when its promise resolves. */
export class RecordStore extends ReadonlyStore implements Store {
  readonly #leases: Leases;
  readonly #gatewayIds = new Map<string, number>();
  /** What was entered and not left. */
  readonly #acquired = new Set<number>();

  constructor(database: Database, leases: Leases) {
    super(database);
    this.#leases = leases;
  }

  async readPublication(gateway: GatewayIdentity, key: PublicationKey): Promise<RecordedPublication | undefined> {
    const of = { gateway: await this.gatewayId(gateway), ...splitKey(key) };
    const [row] = await this.database.read(bindQuery(this.queries.recordedOne, of));
    return row && toRecordedPublication(row);
  }

  async acquire(gateway: GatewayIdentity, atMs: number, shares = false): Promise<AcquiredLease> {
    const id = await this.#ensureGateway(gateway);
    if (this.#acquired.has(id)) throw toAlreadyHeldError();
    this.#acquired.add(id);
    try {
      const entered = await this.#leases.acquire(id, atMs, shares);
      await this.#writeUnderLease(id, [bindQuery(this.queries.orphan, { gateway: id, atMs })]);
      return entered;
    } catch (error) {
      this.#acquired.delete(id);
      // What failed is told; whether the lease could be given back too is not: it ends by itself.
      await this.#leases.release(id, atMs).catch(() => {});
      throw error;
    }
  }

  async release(gateway: GatewayIdentity, atMs: number): Promise<void> {
    const id = await this.#ensureGateway(gateway);
    this.#acquired.delete(id);
    await this.#leases.release(id, atMs);
  }

  async deleteRecord(gateway: GatewayIdentity, key: PublicationKey, atMs: number): Promise<void> {
    const of = { gateway: await this.#ensureGateway(gateway), ...splitKey(key) };
    await this.#writeUnderLease(of.gateway, [bindQuery(this.queries.record, { ...of, ...toRecordParameters(undefined, atMs) })]);
  }

  async pruneHistory(gateway: GatewayIdentity, beforeMs: number): Promise<number> {
    const of = { gateway: await this.#ensureGateway(gateway), beforeMs, limit: pruneBatchSize };
    const [rows] = await this.#writeUnderLease(of.gateway, [bindQuery(this.queries.prune, of)]);
    return rows?.length ?? 0;
  }

  async saveNames(gateway: GatewayIdentity, names: ReadonlyMap<NameKey, string>): Promise<void> {
    const of = { gateway: await this.#ensureGateway(gateway) };
    const remembered = [...names].map(([name, id]) => bindQuery(this.queries.rememberName, { ...of, name, id }));
    await this.#writeUnderLease(of.gateway, [bindQuery(this.queries.forgetNames, of), ...remembered]);
  }

  async saveDeclared(
    gateway: GatewayIdentity,
    now: ReadonlyMap<PublicationKey, string>,
    latest: string,
    approvalId: number | null,
  ): Promise<void> {
    const { declared } = await this.previousState(gateway, 0);
    const before = await this.appliedDigests(gateway);
    const acted = appendDigest(before, latest);
    const isNew = JSON.stringify(acted) !== JSON.stringify(before);
    const lost = [...declared.keys()].filter((key) => !now.has(key));
    const found = [...now].filter(([key, home]) => declared.get(key) !== home);
    if (lost.length + found.length === 0 && !isNew && approvalId === null) return;
    const { undeclare, declare, setActed, spendApproval } = this.queries;
    const of = { gateway: await this.#ensureGateway(gateway) };
    await this.#writeUnderLease(of.gateway, [
      ...lost.map((key) => bindQuery(undeclare, { ...of, ...splitKey(key) })),
      ...found.map(([key, home]) => bindQuery(declare, { ...of, ...splitKey(key), home })),
      ...(isNew ? [bindQuery(setActed, { ...of, acted: JSON.stringify(acted) })] : []),
      ...(approvalId === null ? [] : [bindQuery(spendApproval, { approval: approvalId })]),
    ]);
  }

  async saveSuspension(gateway: GatewayIdentity, suspension: Suspension | null): Promise<void> {
    const of = { gateway: await this.#ensureGateway(gateway), suspension: suspension && JSON.stringify(suspension) };
    await this.database.write([bindQuery(this.queries.suspend, of)]);
  }

  async saveStatus(gateway: GatewayIdentity, condition: ControllerStatus): Promise<void> {
    const of = { gateway: await this.#ensureGateway(gateway), condition: fromControllerStatus(condition) };
    await this.#writeUnderLease(of.gateway, [bindQuery(this.queries.describe, of)]);
  }

  async beginAttempt(
    gateway: GatewayIdentity,
    change: Change,
    { reconcileId, marker, commitId, startedAtMs }: NewAttempt,
  ): Promise<number> {
    const of = { gateway: await this.#ensureGateway(gateway), ...pickNames(change), atMs: startedAtMs };
    const { action, reason, revision, remark, version } = change;
    const told = {
      passId: reconcileId,
      action,
      reason,
      revision,
      remark,
      marker,
      version,
      commitId,
      approval: change.approval?.id ?? null,
    };
    const [inserted] = await this.#writeUnderLease(of.gateway, [
      bindQuery(this.queries.insertAttempt, { ...of, ...told, fence: this.#leases.fenceOf(of.gateway) }),
      bindQuery(this.queries.markUnresolved, of),
    ]);
    return Number(inserted?.[0]?.['id']);
  }

  async finishAttempt(
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
    const of = { gateway: await this.#ensureGateway(gateway), ...splitKey(key) };
    await this.#writeUnderLease(of.gateway, [
      bindQuery(this.queries.settleAttempt, { attempt: attemptId, atMs, ...told }),
      bindQuery(this.queries.record, { ...of, ...toRecordParameters(next, atMs) }),
    ]);
  }

  async saveObservation(gateway: GatewayIdentity, updates: readonly RecordedPublication[], listed: number): Promise<void> {
    const of = { gateway: await this.#ensureGateway(gateway) };
    const { ensurePublication, recordSettled, setListed } = this.queries;
    await this.#writeUnderLease(of.gateway, [
      ...updates.flatMap((next) => [
        bindQuery(ensurePublication, { ...of, ...pickNames(next), atMs: next.recordedAtMs }),
        bindQuery(recordSettled, { ...of, ...splitKey(next.key), ...toRecordParameters(next, next.recordedAtMs) }),
      ]),
      bindQuery(setListed, { ...of, listed }),
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

  async #writeUnderLease(gatewayId: number, steps: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    if (this.#leases.fenceOf(gatewayId) === null) throw new LeaseHeldError('this edict does not have the lease of the gateway');
    return this.#leases.write(gatewayId, steps);
  }

  /** Without a question to the database where it can. */
  protected override async gatewayId(gateway: GatewayIdentity): Promise<number> {
    return this.#gatewayIds.get(toGatewayKey(gateway)) ?? super.gatewayId(gateway);
  }

  async #ensureGateway(gateway: GatewayIdentity): Promise<number> {
    const known = this.#gatewayIds.get(toGatewayKey(gateway));
    if (known !== undefined) return known;
    const { endpoint, project, instance } = gateway;
    await this.database.write([bindQuery(this.queries.insertGateway, { endpoint, project, instance })]);
    const id = await super.gatewayId(gateway);
    this.#gatewayIds.set(toGatewayKey(gateway), id);
    return id;
  }
}

function toGatewayKey({ endpoint, project, instance }: GatewayIdentity): string {
  return `${endpoint} ${project} ${instance}`;
}

function pickNames({
  api,
  apiId,
  environment,
  environmentId,
}: Pick<RecordedPublication, 'api' | 'apiId' | 'environment' | 'environmentId'>) {
  return { api, apiId, environment, environmentId };
}

function splitKey(key: PublicationKey): { readonly apiId: string; readonly environmentId: string } {
  const [apiId = '', environmentId = ''] = key.split(' ');
  return { apiId, environmentId };
}

/** Returns the values of a record; `undefined` says nothing any more. */
function toRecordParameters(next: RecordedPublication | undefined, atMs: number) {
  const { unknownAttempt = null, drift = null, recordedAtMs = atMs } = next ?? {};
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
    unresolved: unknownAttempt?.attemptId ?? null,
    driftFrom: drift?.from ?? null,
    driftFromSinceMs: drift?.fromSinceMs ?? null,
    driftSeenAtMs: drift?.detectedAtMs ?? null,
    driftTruceUntilMs: drift?.backoffUntilMs ?? null,
    corrections: next?.correctionCount ?? 0,
    correctedAtMs: next?.lastCorrectedAtMs ?? null,
  } satisfies Record<string, SqlValue>;
}

/** Two files for one gateway would undo each other's changes. */
function toAlreadyHeldError(): EdictError {
  return new LeaseHeldError('this edict works on the gateway already, for another file', { hint: 'one file is one gateway' });
}
