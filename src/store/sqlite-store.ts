import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { NameKey } from '../core/names.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Change } from '../core/plan.ts';
import type { Condition, NewAttempt, Store } from '../core/ports.ts';
import type { GatewayIdentity, PublicationKey, RecordedPublication, Suspension } from '../core/publication.ts';
import { toRecordedPublication } from './rows.ts';
import { SqliteReader, selectRecorded } from './sqlite-reader.ts';
import { explained } from './store-error.ts';
import type { WriterLock } from './writer-lock.ts';

interface Write {
  readonly run: () => unknown;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * The record in a SQLite file with a write-ahead log. A write is on the disk when its promise resolves; writes of one turn
 * of the event loop share one transaction and so one wait for the disk.
 */
export class SqliteStore extends SqliteReader implements Store {
  readonly #lock: WriterLock;
  readonly #gateways = new Map<string, number>();
  readonly #statements: ReturnType<typeof prepare>;
  #pending: Write[] = [];

  constructor(db: DatabaseSync, path: string, lock: WriterLock) {
    super(db, path);
    this.#lock = lock;
    this.#statements = prepare(db);
  }

  async read(gateway: GatewayIdentity, key: PublicationKey): Promise<RecordedPublication | undefined> {
    return explained(this.path, () => {
      const row = this.#statements.read.get(this.#knownGateway(gateway), ...split(key));
      return row && toRecordedPublication(row);
    });
  }

  async enter(gateway: GatewayIdentity, atMs: number): Promise<number | null> {
    let leftAtMs: unknown;
    await this.#write(() => {
      const id = this.#ensureGateway(gateway);
      leftAtMs = this.#statements.leftAt.get(id)?.['left_at_ms'];
      this.#statements.mark.run(null, null, id);
      this.#statements.orphan.run(atMs, id);
    });
    return leftAtMs === null ? null : Number(leftAtMs);
  }

  leave(gateway: GatewayIdentity, atMs: number): Promise<void> {
    return this.#write(() => this.#statements.mark.run(atMs, null, this.#ensureGateway(gateway)));
  }

  remember(gateway: GatewayIdentity, names: ReadonlyMap<NameKey, string>): Promise<void> {
    return this.#write(() => {
      const gatewayId = this.#ensureGateway(gateway);
      this.#statements.forgetNames.run(gatewayId);
      for (const [name, id] of names) this.#statements.rememberName.run(gatewayId, name, id);
    });
  }

  async declare(gateway: GatewayIdentity, now: ReadonlyMap<PublicationKey, string>, approvalId: number | null): Promise<void> {
    const { declared } = await this.past(gateway, 0);
    const lost = [...declared.keys()].filter((key) => !now.has(key));
    const found = [...now].filter(([key, home]) => declared.get(key) !== home);
    if (lost.length + found.length === 0 && approvalId === null) return;
    await this.#write(() => {
      const id = this.#ensureGateway(gateway);
      for (const key of lost) this.#statements.undeclare.run(id, ...split(key));
      for (const [key, home] of found) this.#statements.declare.run(id, ...split(key), home);
      if (approvalId !== null) this.#statements.spend.run(approvalId);
    });
  }

  suspend(gateway: GatewayIdentity, suspension: Suspension | null): Promise<void> {
    const text = suspension && JSON.stringify(suspension);
    return this.#write(() => this.#statements.suspend.run(text, this.#ensureGateway(gateway)));
  }

  describe(gateway: GatewayIdentity, condition: Condition): Promise<void> {
    return this.#write(() => this.#statements.describe.run(JSON.stringify(condition), this.#ensureGateway(gateway)));
  }

  async begin(gateway: GatewayIdentity, change: Change, { passId, marker, commitId, atMs }: NewAttempt): Promise<number> {
    let attemptId = 0;
    await this.#write(() => {
      const gatewayId = this.#ensureGateway(gateway);
      const { api, apiId, environment, environmentId, action, reason, revision, remark, version, approval } = change;
      const names = [gatewayId, api, apiId, environment, environmentId] as const;
      const told = [passId, action, reason, revision, remark, marker, version, approval?.id ?? null, commitId, atMs] as const;
      attemptId = Number(this.#statements.insertAttempt.run(...names, ...told).lastInsertRowid);
      this.#statements.markUnresolved.run(...names, atMs, attemptId);
    });
    return attemptId;
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
    await this.#write(() => {
      this.#statements.settleAttempt.run(
        atMs,
        outcome.kind,
        failure?.code ?? null,
        failure?.status ?? null,
        failure?.message ?? null,
        failure?.requestId ?? null,
        versionId,
        publishId,
        attemptId,
      );
      this.#statements.record.run(this.#knownGateway(gateway), ...split(key), ...told(next, atMs));
    });
  }

  observe(gateway: GatewayIdentity, updates: readonly RecordedPublication[], listed: number): Promise<void> {
    return this.#write(() => {
      const id = this.#ensureGateway(gateway);
      for (const next of updates) {
        const { api, apiId, environment, environmentId, recordedAtMs } = next;
        this.#statements.ensurePublication.run(id, api, apiId, environment, environmentId, recordedAtMs);
        this.#statements.recordSettled.run(id, apiId, environmentId, ...told(next, recordedAtMs));
      }
      this.#statements.listed.run(listed, id);
    });
  }

  /** Writes what is pending, empties the write-ahead log and gives the store free. */
  override async close(): Promise<void> {
    this.#flush();
    try {
      await super.close();
    } finally {
      this.#lock.release();
    }
  }

  #write(run: () => unknown): Promise<void> {
    if (this.#pending.length === 0) setImmediate(() => this.#flush());
    return new Promise((done, failed) => {
      this.#pending.push({ run, done, failed });
    });
  }

  #flush(): void {
    const writes = this.#pending;
    if (writes.length === 0) return;
    this.#pending = [];
    try {
      explained(this.path, () => this.#inTransaction(writes));
      for (const write of writes) write.done();
    } catch (error) {
      for (const write of writes) write.failed(error);
    }
  }

  #inTransaction(writes: readonly Write[]): void {
    this.db.exec('BEGIN IMMEDIATE');
    try {
      for (const write of writes) write.run();
      this.db.exec('COMMIT');
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
      this.#gateways.clear();
      throw error;
    }
  }

  /** Returns the gateway's row id, 0 for one that was never written; without a question to the database where it can. */
  #knownGateway(gateway: GatewayIdentity): number {
    return this.#gateways.get(nameOf(gateway)) ?? this.gatewayId(gateway);
  }

  #ensureGateway(gateway: GatewayIdentity): number {
    const { endpoint, project, instance } = gateway;
    const id = this.#knownGateway(gateway) || Number(this.#statements.insertGateway.run(endpoint, project, instance).lastInsertRowid);
    this.#gateways.set(nameOf(gateway), id);
    return id;
  }
}

function nameOf({ endpoint, project, instance }: GatewayIdentity): string {
  return `${endpoint} ${project} ${instance}`;
}

function split(key: PublicationKey): [apiId: string, environmentId: string] {
  const [apiId = '', environmentId = ''] = key.split(' ');
  return [apiId, environmentId];
}

const updateRecord = `
  UPDATE publication SET
    api = coalesce(?4, api), environment = coalesce(?5, environment), state = ?6, revision = ?7, version_id = ?8, publish_id = ?9,
    published_at_ms = ?10, edited_at_ms = ?11, recorded_at_ms = ?12, unresolved_attempt_id = ?13,
    drift_from = ?14, drift_from_since_ms = ?15, drift_seen_at_ms = ?16, drift_truce_until_ms = ?17, corrections = ?18, corrected_at_ms = ?19
  WHERE gateway_id = ?1 AND api_id = ?2 AND environment_id = ?3`;

/** Returns the values of a record, in the order of the statement; `undefined` says nothing any more. */
function told(next: RecordedPublication | undefined, atMs: number): (string | number | null)[] {
  if (!next) return [null, null, null, null, null, null, null, null, atMs, null, null, null, null, null, 0, null];
  const { api, environment, state, revision, versionId, publishId, publishedAtMs, editedAtMs, recordedAtMs, unresolved, drift } = next;
  return [
    ...[api, environment, state, revision, versionId, publishId, publishedAtMs, editedAtMs, recordedAtMs, unresolved?.attemptId ?? null],
    ...[drift?.from ?? null, drift?.fromSinceMs ?? null, drift?.seenAtMs ?? null, drift?.truceUntilMs ?? null],
    ...[next.corrections, next.correctedAtMs],
  ];
}

function prepare(db: DatabaseSync) {
  const statement = (sql: string): StatementSync => db.prepare(sql);
  return {
    insertGateway: statement('INSERT INTO gateway (endpoint, project, instance) VALUES (?, ?, ?)'),
    leftAt: statement('SELECT left_at_ms FROM gateway WHERE id = ?'),
    mark: statement('UPDATE gateway SET left_at_ms = ?, condition = ? WHERE id = ?'),
    orphan: statement(`
      UPDATE attempt SET orphaned_at_ms = ?
      WHERE settled_at_ms IS NULL AND orphaned_at_ms IS NULL
        AND id IN (SELECT unresolved_attempt_id FROM publication WHERE gateway_id = ? AND unresolved_attempt_id IS NOT NULL)`),
    describe: statement('UPDATE gateway SET condition = ? WHERE id = ?'),
    suspend: statement('UPDATE gateway SET suspension = ? WHERE id = ?'),
    read: statement(`${selectRecorded} AND p.api_id = ? AND p.environment_id = ?`),
    insertAttempt: statement(`
      INSERT INTO attempt
        (gateway_id, api, api_id, environment, environment_id, pass_id, action, reason, revision, remark, marker, asked_version_id, approval_id,
          commit_id, began_at_ms, before_state, before_revision, before_version_id)
      SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, coalesce(state, 'none'), p.revision, version_id
      FROM (SELECT 1) LEFT JOIN publication p ON gateway_id = ?1 AND api_id = ?3 AND environment_id = ?5`),
    markUnresolved: statement(`
      INSERT INTO publication
        (gateway_id, api, api_id, environment, environment_id, recorded_at_ms, unresolved_attempt_id, last_attempt_id)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
      ON CONFLICT (gateway_id, api_id, environment_id) DO UPDATE SET
        api = excluded.api, environment = excluded.environment,
        unresolved_attempt_id = excluded.unresolved_attempt_id, last_attempt_id = excluded.last_attempt_id`),
    settleAttempt: statement(`
      UPDATE attempt SET settled_at_ms = ?, outcome = ?, code = coalesce(?, code), status = coalesce(?, status),
        message = coalesce(?, message), request_id = coalesce(?, request_id), version_id = ?, publish_id = ?
      WHERE id = ?`),
    ensurePublication: statement(`
      INSERT INTO publication (gateway_id, api, api_id, environment, environment_id, recorded_at_ms) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (gateway_id, api_id, environment_id) DO NOTHING`),
    listed: statement('UPDATE gateway SET listed_apis = ? WHERE id = ?'),
    declare: statement('INSERT OR REPLACE INTO declared (gateway_id, api_id, environment_id, home) VALUES (?, ?, ?, ?)'),
    spend: statement('UPDATE approval SET is_spent = 1 WHERE id = ?'),
    undeclare: statement('DELETE FROM declared WHERE gateway_id = ? AND api_id = ? AND environment_id = ?'),
    forgetNames: statement('DELETE FROM name WHERE gateway_id = ?'),
    rememberName: statement('INSERT INTO name (gateway_id, name, id) VALUES (?, ?, ?)'),
    record: statement(updateRecord),
    // An attempt that has begun meanwhile knows better than a look before it.
    recordSettled: statement(`${updateRecord} AND unresolved_attempt_id IS NULL`),
  };
}
