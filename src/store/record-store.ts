import type { Query } from '../../generated/store-queries.d.ts';
import type { NewAttempt } from '../model/attempt.ts';
import type { Change } from '../model/change.ts';
import type { ControllerStatus } from '../model/controller-status.ts';
import type { Suspension } from '../model/desired-state.ts';
import { type EdictError, LeaseHeldError } from '../model/errors.ts';
import { addressOf, type GatewayAddress, type GatewayIdentity, type GatewayMove } from '../model/gateway.ts';
import type { NameKey } from '../model/name-ref.ts';
import type { Unobserved } from '../model/observation.ts';
import { type PublicationKey, pickNames } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';
import { appendDigest } from '../plan/digest.ts';
import { bindQuery, type Database, type SqlValue, type Statement } from './database.ts';
import type {
  AcquiredLease,
  AppliedFile,
  BegunAttempt,
  FinishedAttempt,
  GatewayChange,
  GatewayWatch,
  PrunedBatch,
  SavedObservation,
  Store,
} from './interface.ts';
import { ReadonlyStore, toAcceptedKey } from './readonly-store.ts';
import { RecordCache } from './record-cache.ts';
import { fromControllerStatus, type SqlRow, toRecordedPublication } from './rows.ts';
import type { Leases } from './sqlite/leases.ts';

/** Rows visited, and at most deleted, per transaction. A small batch keeps other writes from waiting. */
const pruneBatchSize = 500;

/**
 * Rows written per transaction by an observation, a file or its names. That takes some 50 ms, so that even on a far slower server no transaction
 * outlasts half a lease.
 */
const rowsPerTransaction = 2000;

/** The recorded state and history, open for writing, in either engine. Every write is durable when its promise resolves. */
export class RecordStore extends ReadonlyStore implements Store {
  readonly #leases: Leases;
  readonly #gatewayIds = new Map<string, number>();
  /** Memory of the gateways that this process has acquired and not released yet, by row ID. */
  readonly #acquired = new Map<number, GatewayMemory>();

  constructor(database: Database, leases: Leases) {
    super(database);
    this.#leases = leases;
  }

  override async readRecordedState(gateway: GatewayIdentity): Promise<RecordedState> {
    return this.#memoryOf(await this.gatewayId(gateway))?.recorded.read() ?? super.readRecordedState(gateway);
  }

  async readPublication(gateway: GatewayIdentity, key: PublicationKey): Promise<RecordedPublication | undefined> {
    const params = { gateway: await this.gatewayId(gateway), ...splitKey(key) };
    const found = this.#memoryOf(params.gateway)?.recorded.find(key);
    if (found) return found.recorded;
    const [row] = await this.database.read(bindQuery(this.queries.recordedOne, params));
    return row && toRecordedPublication(row);
  }

  async acquire(gateway: GatewayIdentity, atMs: number, canRebalance = false): Promise<AcquiredLease> {
    const id = await this.#ensureGateway(gateway);
    if (this.#acquired.has(id)) throw toAlreadyHeldError();
    this.#acquired.set(id, this.#newMemory(id));
    try {
      const acquired = await this.#leases.acquire(id, atMs, canRebalance);
      await this.#writeUnderLease(id, [bindQuery(this.queries.orphan, { gateway: id, atMs })]);
      return acquired;
    } catch (error) {
      this.#acquired.delete(id);
      // Report the first error only: a lease that cannot be released expires.
      await this.#leases.release(id, atMs).catch(() => {});
      throw error;
    }
  }

  async watch(gateway: GatewayIdentity, onChange: (change: GatewayChange) => void): Promise<GatewayWatch> {
    return this.#leases.watch(await this.#ensureGateway(gateway), onChange);
  }

  async release(gateway: GatewayIdentity, atMs: number): Promise<void> {
    const id = await this.#ensureGateway(gateway);
    this.#acquired.delete(id);
    await this.#leases.release(id, atMs);
  }

  async deleteRecord(gateway: GatewayIdentity, key: PublicationKey, atMs: number): Promise<void> {
    const params = { gateway: await this.#ensureGateway(gateway), ...splitKey(key) };
    const { record, ageObservation } = this.queries;
    await this.#writeRecorded(
      params.gateway,
      [key],
      [bindQuery(record, { ...params, ...toRecordParameters(undefined, atMs) }), bindQuery(ageObservation, params)],
    );
  }

  async pruneHistory(
    gateway: GatewayIdentity,
    { beforeMs, afterId }: { readonly beforeMs: number; readonly afterId: number },
  ): Promise<PrunedBatch> {
    const params = { gateway: await this.#ensureGateway(gateway), beforeMs, afterId, limit: pruneBatchSize };
    const [window] = await this.database.read(bindQuery(this.queries.pruneWindow, params));
    if (window?.['last_id'] == null || Number(window['oldest_ms']) >= beforeMs) return { count: 0, lastId: null };
    const [rows] = await this.#writeUnderLease(params.gateway, [bindQuery(this.queries.prune, params)]);
    return { count: rows?.length ?? 0, lastId: Number(window['last_id']) };
  }

  async pruneApprovals(gateway: GatewayIdentity, beforeMs: number): Promise<void> {
    const params = { gateway: await this.#ensureGateway(gateway), beforeMs };
    await this.#writeUnderLease(params.gateway, [bindQuery(this.queries.pruneApprovals, params)]);
  }

  async pruneRecordedState(gateway: GatewayIdentity, beforeMs: number): Promise<number> {
    const params = { gateway: await this.#ensureGateway(gateway), beforeMs, limit: pruneBatchSize };
    try {
      const [rows] = await this.#writeUnderLease(params.gateway, [bindQuery(this.queries.prunePublications, params)]);
      return rows?.length ?? 0;
    } finally {
      this.#acquired.get(params.gateway)?.recorded.clear();
    }
  }

  async saveNames(gateway: GatewayIdentity, names: ReadonlyMap<NameKey, string>): Promise<void> {
    const params = { gateway: await this.#ensureGateway(gateway) };
    const before = await this.resolvedNames(gateway);
    const changed = [...names]
      .filter(([name, resolved]) => before.get(name) !== resolved)
      .map(([name, resolved]) => ({ name, id: resolved }));
    const removed = [...before.keys()].filter((name) => !names.has(name)).map((name) => ({ name }));
    await this.#writeRows(this.queries.saveNames, params, changed);
    await this.#writeRows(this.queries.deleteNames, params, removed);
  }

  async saveDeclared(
    gateway: GatewayIdentity,
    { sourceFiles: now, adoptedRevisions = new Map(), digest: latest, approvalId, endsFirstContact = false }: AppliedFile,
  ): Promise<void> {
    const params = { gateway: await this.#ensureGateway(gateway) };
    const declared = await this.readDeclared(params.gateway);
    const before = await this.appliedDigests(gateway);
    const digests = appendDigest(before, latest);
    const isNew = JSON.stringify(digests) !== JSON.stringify(before);
    const lost = [...declared.keys()].filter((key) => !now.has(key));
    const found = [...now].filter(([key, sourceFile]) => declared.get(key) !== sourceFile);
    const { adoptRevisions, undeclare, declare, markDeclared, setAppliedDigests, spendApproval, endFirstContact } = this.queries;
    const memory = this.#acquired.get(params.gateway);
    try {
      await this.#writeRows(
        adoptRevisions,
        params,
        [...adoptedRevisions].map(([key, revision]) => ({ ...toKeyRow(key), revision })),
      );
      // Declare before undeclaring: if this process ends in between, the store has every publication that either file declares.
      await this.#writeRows(
        declare,
        params,
        found.map(([key, sourceFile]) => ({ ...toKeyRow(key), source_file: sourceFile })),
      );
      // Marked first: until then `declared` tells that they may be pruned.
      await this.#writeRows(markDeclared, params, lost.map(toKeyRow));
      await this.#writeRows(undeclare, params, lost.map(toKeyRow));
    } finally {
      memory?.recorded.noteWritten([...adoptedRevisions.keys(), ...lost]);
      if (memory) memory.declared = null;
    }
    if (memory) memory.declared = Promise.resolve(now);
    if (!isNew && approvalId === null && !endsFirstContact) return;
    await this.#writeUnderLease(params.gateway, [
      ...(endsFirstContact ? [bindQuery(endFirstContact, params)] : []),
      ...(isNew ? [bindQuery(setAppliedDigests, { ...params, digests: JSON.stringify(digests) })] : []),
      ...(approvalId === null ? [] : [bindQuery(spendApproval, { approval: approvalId })]),
    ]);
  }

  async saveMove(gateway: GatewayIdentity, from: GatewayAddress | null): Promise<void> {
    await this.#setMoved(gateway, { from, isApproved: false });
  }

  async endMove(gateway: GatewayIdentity, approvalId: number | null): Promise<void> {
    const from = (await this.gatewayMove(gateway))?.from ?? null;
    // A move back is not approved with this one, so an earlier approval of it must not stay.
    if (from !== null && (await this.gatewayId(from)) !== (await this.gatewayId(gateway))) await this.#setMoved(from, null);
    await this.#setMoved(gateway, approvalId === null ? null : { from, isApproved: true });
    if (approvalId === null) return;
    await this.#writeUnderLease(await this.#ensureGateway(gateway), [bindQuery(this.queries.spendApproval, { approval: approvalId })]);
  }

  async acceptAddress(address: GatewayAddress): Promise<void> {
    if (await this.isAcceptedAddress(address)) return;
    const value = JSON.stringify(addressOf(address));
    const names = [toAcceptedKey(address), toAcceptedKey(null)];
    await this.database.write(names.map((name) => bindQuery(this.queries.insertSetting, { name, value })));
  }

  async #setMoved(gateway: GatewayIdentity, moved: GatewayMove | null): Promise<void> {
    const params = { gateway: await this.#ensureGateway(gateway), moved: moved && JSON.stringify(moved) };
    await this.database.write([bindQuery(this.queries.setMoved, params)]);
  }

  async saveSuspension(gateway: GatewayIdentity, suspension: Suspension | null): Promise<void> {
    const params = { gateway: await this.#ensureGateway(gateway), suspension: suspension && JSON.stringify(suspension) };
    await this.database.write([bindQuery(this.queries.suspend, params)]);
  }

  async saveStatus(gateway: GatewayIdentity, status: ControllerStatus): Promise<void> {
    const params = { gateway: await this.#ensureGateway(gateway), status: fromControllerStatus(status) };
    await this.#writeUnderLease(params.gateway, [bindQuery(this.queries.saveStatus, params)]);
  }

  async beginAttempt(
    gateway: GatewayIdentity,
    change: Change,
    { reconcileId, marker, commitId, startedAtMs, sendByMs }: NewAttempt,
  ): Promise<BegunAttempt> {
    const params = { gateway: await this.#ensureGateway(gateway), ...pickNames(change), atMs: startedAtMs };
    const { action, reason, revision, remark, version } = change;
    const columns = {
      reconcileId,
      action,
      reason,
      revision,
      remark,
      marker,
      version,
      commitId,
      sendByMs,
      approval: change.approval?.id ?? null,
    };
    const { gateway: gatewayId, apiId, environmentId } = params;
    const [before, inserted] = await this.#writeRecorded(
      gatewayId,
      [change.key],
      [
        bindQuery(this.queries.recordedOne, { gateway: gatewayId, apiId, environmentId }),
        bindQuery(this.queries.insertAttempt, { ...params, ...columns, fence: this.#leases.fenceOf(params.gateway) }),
        bindQuery(this.queries.markUnknown, params),
      ],
    );
    const [row] = before ?? [];
    return { attemptId: Number(inserted?.[0]?.['id']), recorded: row && toRecordedPublication(row) };
  }

  async finishAttempt(gateway: GatewayIdentity, { key, attemptId, outcome, next, atMs }: FinishedAttempt): Promise<void> {
    const failure = 'failure' in outcome ? outcome.failure : null;
    const { versionId, publishId } = outcome.kind === 'succeeded' ? outcome : { versionId: null, publishId: null };
    const { code = null, status = null, message = null, requestId = null } = failure ?? {};
    const columns = { outcome: outcome.kind, code, status, message, requestId, versionId, publishId };
    const params = { gateway: await this.#ensureGateway(gateway), ...splitKey(key) };
    await this.#writeRecorded(
      params.gateway,
      [key],
      [
        bindQuery(this.queries.finishAttempt, { attempt: attemptId, atMs, ...columns }),
        bindQuery(this.queries.record, { ...params, ...toRecordParameters(next, atMs) }),
      ],
    );
  }

  async saveObservation(gateway: GatewayIdentity, { updates, listed, newestAttemptId }: SavedObservation): Promise<void> {
    const params = { gateway: await this.#ensureGateway(gateway) };
    const { recordObserved, setListed } = this.queries;
    try {
      await this.#writeRows(recordObserved, { ...params, newestAttempt: newestAttemptId }, updates.map(toObservedRow));
    } finally {
      this.#acquired.get(params.gateway)?.recorded.noteWritten(updates.map(({ key }) => key));
    }
    const { apis, publications, observedAtMs, lookedUp, ...details } = listed;
    const detailsJson = observedAtMs === null ? null : JSON.stringify(details, toStorableText);
    await this.#writeUnderLease(params.gateway, [
      bindQuery(setListed, {
        ...params,
        apis,
        publications,
        observedAtMs,
        details: detailsJson,
        lookedUp: lookedUp && JSON.stringify([...lookedUp]),
      }),
    ]);
  }

  async saveUnobserved(gateway: GatewayIdentity, unobserved: Unobserved | null): Promise<void> {
    const params = { gateway: await this.#ensureGateway(gateway), unobserved: unobserved && JSON.stringify(unobserved) };
    await this.#writeUnderLease(params.gateway, [bindQuery(this.queries.setUnobserved, params)]);
  }

  /** Flushes pending writes, releases all leases and closes the store. */
  override async close(): Promise<void> {
    try {
      await this.#leases.close();
    } finally {
      await super.close();
    }
  }

  /** Answers from memory if it can. */
  protected override async readDeclared(gatewayId: number): Promise<ReadonlyMap<PublicationKey, string>> {
    const memory = this.#memoryOf(gatewayId);
    if (!memory) return super.readDeclared(gatewayId);
    memory.declared ??= super.readDeclared(gatewayId);
    const { declared } = memory;
    return declared.catch((error: unknown) => {
      if (memory.declared === declared) memory.declared = null;
      throw error;
    });
  }

  /** Returns what this process knows of a gateway; `undefined` without its lease, when others may write. */
  #memoryOf(gatewayId: number): GatewayMemory | undefined {
    return this.#leases.fenceOf(gatewayId) === null ? undefined : this.#acquired.get(gatewayId);
  }

  #newMemory(gatewayId: number): GatewayMemory {
    const readSome = async (keys: readonly PublicationKey[]) => {
      const rows = JSON.stringify(keys.map(toKeyRow));
      return (await this.database.read(bindQuery(this.queries.recordedSome, { gateway: gatewayId, rows }))).map(toRecordedPublication);
    };
    return { recorded: new RecordCache({ readAll: () => this.readAllRecorded(gatewayId), readSome }), declared: null };
  }

  /** Writes under the lease what changes the recorded state of `keys`. */
  async #writeRecorded(
    gatewayId: number,
    keys: readonly PublicationKey[],
    statements: readonly Statement[],
  ): Promise<readonly (readonly SqlRow[])[]> {
    try {
      return await this.#writeUnderLease(gatewayId, statements);
    } finally {
      // A failed write may have been made all the same.
      this.#acquired.get(gatewayId)?.recorded.noteWritten(keys);
    }
  }

  async #writeUnderLease(gatewayId: number, statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    if (this.#leases.fenceOf(gatewayId) === null) throw new LeaseHeldError('this process does not hold the lease of the gateway');
    return this.#leases.write(gatewayId, statements);
  }

  /** Runs a query for many rows, in transactions of limited size. */
  async #writeRows<P extends string>(
    query: Query<P | 'rows'>,
    values: Readonly<Record<P | 'gateway', SqlValue>>,
    rows: readonly SetRow[],
  ): Promise<void> {
    for (let start = 0; start < rows.length; start += rowsPerTransaction) {
      const json = JSON.stringify(rows.slice(start, start + rowsPerTransaction), toStorableText);
      await this.#writeUnderLease(Number(values.gateway), [bindQuery<P | 'rows'>(query, { ...values, rows: json })]);
    }
  }

  /** Answers from the cache if it can. */
  protected override async gatewayId(gateway: GatewayIdentity): Promise<number> {
    return this.#gatewayIds.get(toGatewayKey(gateway)) ?? super.gatewayId(gateway);
  }

  async #ensureGateway(gateway: GatewayIdentity): Promise<number> {
    const cached = this.#gatewayIds.get(toGatewayKey(gateway));
    if (cached !== undefined) return cached;
    const { endpoint, project, instance } = gateway;
    await this.database.write([bindQuery(this.queries.insertGateway, { endpoint, project, instance })]);
    const id = await super.gatewayId(gateway);
    this.#gatewayIds.set(toGatewayKey(gateway), id);
    return id;
  }
}

/** The rows of a gateway in the memory of its lease holder, which alone writes them. */
interface GatewayMemory {
  readonly recorded: RecordCache;
  /** See `readDeclared`; `null`: not read since it was written. */
  declared: Promise<ReadonlyMap<PublicationKey, string>> | null;
}

function toGatewayKey({ endpoint, project, instance }: GatewayIdentity): string {
  return `${endpoint} ${project} ${instance}`;
}

function splitKey(key: PublicationKey): { readonly apiId: string; readonly environmentId: string } {
  const [apiId = '', environmentId = ''] = key.split(' ');
  return { apiId, environmentId };
}

/** A row of a statement that writes many, by column. */
type SetRow = Readonly<Record<string, SqlValue>>;

/** JSON in a database cannot hold a NUL or half of a surrogate pair, which a text of its own could or would lose as well. */
function toStorableText(_: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value;
}

function toKeyRow(key: PublicationKey) {
  const { apiId, environmentId } = splitKey(key);
  return { api_id: apiId, environment_id: environmentId };
}

/** Returns the columns of a recorded publication that an observation sets. */
function toObservedRow({ key, api, environment, state, revision, versionId, publishId, drift, ...of }: RecordedPublication) {
  return {
    ...toKeyRow(key),
    ...{ api, environment, state, revision, version_id: versionId, publish_id: publishId, drift_from: drift?.from ?? null },
    ...{ published_at_ms: of.publishedAtMs, edited_at_ms: of.editedAtMs, recorded_at_ms: of.recordedAtMs },
    ...{ drift_from_since_ms: drift?.fromSinceMs ?? null, drift_detected_at_ms: drift?.detectedAtMs ?? null },
    ...{ drift_backoff_until_ms: drift?.backoffUntilMs ?? null, corrections: of.correctionCount, corrected_at_ms: of.lastCorrectedAtMs },
  };
}

/** Returns the column values of a recorded publication; `undefined` clears the recorded state. */
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
    unknownAttempt: unknownAttempt?.attemptId ?? null,
    driftFrom: drift?.from ?? null,
    driftFromSinceMs: drift?.fromSinceMs ?? null,
    driftDetectedAtMs: drift?.detectedAtMs ?? null,
    driftBackoffUntilMs: drift?.backoffUntilMs ?? null,
    corrections: next?.correctionCount ?? 0,
    correctedAtMs: next?.lastCorrectedAtMs ?? null,
    changedAtMs: next?.changedAtMs ?? null,
  } satisfies Record<string, SqlValue>;
}

/** One process must not acquire a gateway twice: two files for one gateway would undo each other's changes. */
function toAlreadyHeldError(): EdictError {
  return new LeaseHeldError('this process already works on the gateway for another file', { hint: 'use one file per gateway' });
}
