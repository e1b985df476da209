import type { DatabaseSync } from 'node:sqlite';
import type { NameKey } from '../core/names.ts';
import type { Attempt, Condition, HistoryFilter, RecordReader } from '../core/ports.ts';
import {
  type GatewayIdentity,
  type PublicationKey,
  publicationKey,
  type RecordedPublication,
  type RecordedState,
} from '../core/publication.ts';
import { toAttempt, toCondition, toRecordedPublication } from './rows.ts';
import { explained } from './store-error.ts';

const selectGateway = 'SELECT id FROM gateway WHERE endpoint = ? AND project = ? AND instance = ?';

/** What a gateway's publications were left as; a row that says nothing any more is none. */
export const selectRecorded = `
  SELECT p.*, a.action AS unresolved_action, a.revision AS unresolved_revision, a.marker AS unresolved_marker,
    a.asked_version_id AS unresolved_version,
    coalesce(a.orphaned_at_ms, a.settled_at_ms) AS unresolved_over_at_ms
  FROM publication p LEFT JOIN attempt a ON a.id = p.unresolved_attempt_id
  WHERE p.gateway_id = ? AND (p.state IS NOT NULL OR p.unresolved_attempt_id IS NOT NULL)`;

const selectHistory = `
  SELECT * FROM attempt
  WHERE gateway_id = :gateway
    AND (:apis IS NULL OR api_id IN (SELECT value FROM json_each(:apis)) OR api IN (SELECT value FROM json_each(:apis)))
    AND (:environments IS NULL OR environment_id IN (SELECT value FROM json_each(:environments))
      OR environment IN (SELECT value FROM json_each(:environments)))
  ORDER BY id DESC LIMIT :limit`;

const selectCondition = 'SELECT condition FROM gateway WHERE id = ?';

const selectLastAttempts = `
  SELECT a.* FROM publication p JOIN attempt a ON a.id = p.last_attempt_id
  WHERE p.gateway_id = ?`;

/** Reads a SQLite store of the current version. Every method throws an EdictError `STORE_*` if SQLite fails. */
export class SqliteReader implements RecordReader {
  protected readonly path: string;
  protected readonly db: DatabaseSync;

  constructor(db: DatabaseSync, path: string) {
    this.db = db;
    this.path = path;
  }

  async readAll(gateway: GatewayIdentity): Promise<RecordedState> {
    return explained(this.path, () => {
      const rows = this.db.prepare(selectRecorded).all(this.gatewayId(gateway));
      return new Map(
        rows.map((row): [PublicationKey, RecordedPublication] => {
          const recorded = toRecordedPublication(row);
          return [recorded.key, recorded];
        }),
      );
    });
  }

  async history(gateway: GatewayIdentity, { apis, environments, limit }: HistoryFilter): Promise<Attempt[]> {
    const list = (names: readonly string[] | undefined): string | null => (names ? JSON.stringify(names) : null);
    const parameters = { gateway: this.gatewayId(gateway), apis: list(apis), environments: list(environments), limit };
    return explained(this.path, () => this.db.prepare(selectHistory).all(parameters).map(toAttempt));
  }

  async condition(gateway: GatewayIdentity): Promise<Condition | null> {
    return explained(this.path, () => toCondition(this.db.prepare(selectCondition).get(this.gatewayId(gateway))));
  }

  async listedApis(gateway: GatewayIdentity): Promise<number | null> {
    const row = explained(this.path, () => this.db.prepare('SELECT listed_apis FROM gateway WHERE id = ?').get(this.gatewayId(gateway)));
    return row?.['listed_apis'] == null ? null : Number(row['listed_apis']);
  }

  async names(gateway: GatewayIdentity): Promise<ReadonlyMap<NameKey, string>> {
    const rows = explained(this.path, () => this.db.prepare('SELECT name, id FROM name WHERE gateway_id = ?').all(this.gatewayId(gateway)));
    return new Map(rows.map((row) => [String(row['name']) as NameKey, String(row['id'])]));
  }

  async lastAttempts(gateway: GatewayIdentity): Promise<ReadonlyMap<PublicationKey, Attempt>> {
    return explained(this.path, () => {
      const attempts = this.db.prepare(selectLastAttempts).all(this.gatewayId(gateway)).map(toAttempt);
      return new Map(attempts.map((attempt) => [publicationKey(attempt.apiId, attempt.environmentId), attempt]));
    });
  }

  async close(): Promise<void> {
    this.db.close();
  }

  /** Returns the gateway's row id; 0, which no row has, for a gateway that was never written. */
  protected gatewayId({ endpoint, project, instance }: GatewayIdentity): number {
    return explained(this.path, () => Number(this.db.prepare(selectGateway).get(endpoint, project, instance)?.['id'] ?? 0));
  }
}

/** Reads a store that does not exist yet. */
export const emptyRecord: RecordReader = {
  readAll: async () => new Map(),
  history: async () => [],
  condition: async () => null,
  listedApis: async () => null,
  names: async () => new Map(),
  lastAttempts: async () => new Map(),
  close: async () => undefined,
};
