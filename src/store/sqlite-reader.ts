import type { DatabaseSync } from 'node:sqlite';
import type { Approval, Past } from '../core/guards.ts';
import type { NameKey } from '../core/names.ts';
import type { Attempt, Condition, HistoryFilter, RecordReader, Which } from '../core/ports.ts';
import {
  type GatewayIdentity,
  type PublicationKey,
  publicationKey,
  type RecordedPublication,
  type RecordedState,
} from '../core/publication.ts';
import { identityOf, toApproval, toAttempt, toCondition, toRecordedPublication, toSuspension } from './rows.ts';
import { explained } from './store-error.ts';

const selectGateway = 'SELECT id FROM gateway WHERE endpoint = ? AND project = ? AND instance = ?';

/** What a gateway's publications were left as; a row that says nothing any more is none. */
export const selectRecorded = `
  SELECT p.*, a.action AS unresolved_action, a.revision AS unresolved_revision, a.marker AS unresolved_marker,
    a.asked_version_id AS unresolved_version, a.reason AS unresolved_reason,
    coalesce(a.orphaned_at_ms, a.settled_at_ms) AS unresolved_over_at_ms
  FROM publication p LEFT JOIN attempt a ON a.id = p.unresolved_attempt_id
  WHERE p.gateway_id = ? AND (p.state IS NOT NULL OR p.unresolved_attempt_id IS NOT NULL)`;

const selectAttempts = `
  SELECT attempt.*, approved_by, approval.why AS approved_why FROM attempt LEFT JOIN approval ON approval.id = approval_id
  WHERE`;

const selectHistory = `${selectAttempts} attempt.gateway_id = :gateway
    AND (:apis IS NULL OR api_id IN (SELECT value FROM json_each(:apis)) OR api IN (SELECT value FROM json_each(:apis)))
    AND (:environments IS NULL OR environment_id IN (SELECT value FROM json_each(:environments))
      OR environment IN (SELECT value FROM json_each(:environments)))
  ORDER BY attempt.id DESC LIMIT :limit`;

const selectAttempt = `${selectAttempts} attempt.gateway_id = ? AND attempt.id = ?`;

const selectPass = `${selectAttempts} attempt.gateway_id = ?1 AND substr(pass_id, 1, length(?2)) = ?2 ORDER BY attempt.id`;

const selectLastPass = `${selectAttempts} attempt.gateway_id = ?1 AND pass_id =
    (SELECT pass_id FROM attempt WHERE gateway_id = ?1 AND outcome = 'succeeded' ORDER BY id DESC LIMIT 1)
  ORDER BY attempt.id`;

const selectSucceeded = `${selectAttempts} attempt.gateway_id = ? AND attempt.id > ? AND outcome = 'succeeded' ORDER BY attempt.id`;

const selectCondition = 'SELECT condition FROM gateway WHERE id = ?';

const selectSuspension = 'SELECT suspension FROM gateway WHERE id = ?';

const selectDeclared = 'SELECT api_id, environment_id, home FROM declared WHERE gateway_id = ?';

const selectElsewhere = `
  SELECT DISTINCT g.id, g.endpoint, g.project, g.instance, d.api_id
  FROM declared d JOIN gateway g ON g.id = d.gateway_id
  WHERE d.gateway_id <> ?`;

const selectDone = `
  SELECT approval_id, api_id, environment_id FROM attempt
  WHERE gateway_id = ? AND approval_id IS NOT NULL AND outcome = 'succeeded'`;

const selectApprovals = 'SELECT * FROM approval WHERE gateway_id = ? ORDER BY id';

const selectLastAttempts = `
  SELECT a.*, approved_by, approval.why AS approved_why
  FROM publication p JOIN attempt a ON a.id = p.last_attempt_id LEFT JOIN approval ON approval.id = a.approval_id
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

  async attemptsOf(gateway: GatewayIdentity, which: Which): Promise<readonly Attempt[]> {
    const id = this.gatewayId(gateway);
    return explained(this.path, () => {
      if (which === 'last') return this.db.prepare(selectLastPass).all(id).map(toAttempt);
      const rows =
        'attempt' in which ? this.db.prepare(selectAttempt).all(id, which.attempt) : this.db.prepare(selectPass).all(id, which.pass);
      return rows.map(toAttempt);
    });
  }

  async succeededAfter(gateway: GatewayIdentity, attemptId: number): Promise<readonly Attempt[]> {
    return explained(this.path, () => this.db.prepare(selectSucceeded).all(this.gatewayId(gateway), attemptId).map(toAttempt));
  }

  async condition(gateway: GatewayIdentity): Promise<Condition | null> {
    return explained(this.path, () => toCondition(this.db.prepare(selectCondition).get(this.gatewayId(gateway))));
  }

  async listedApis(gateway: GatewayIdentity): Promise<number | null> {
    const row = explained(this.path, () => this.db.prepare('SELECT listed_apis FROM gateway WHERE id = ?').get(this.gatewayId(gateway)));
    return row?.['listed_apis'] == null ? null : Number(row['listed_apis']);
  }

  async past(gateway: GatewayIdentity, nowMs: number): Promise<Past> {
    return explained(this.path, () => {
      const id = this.gatewayId(gateway);
      const rows = this.db.prepare(selectDeclared).all(id);
      const declared = new Map(
        rows.map((row) => [publicationKey(String(row['api_id']), String(row['environment_id'])), String(row['home'])]),
      );
      const others = declared.size > 0 ? [] : this.db.prepare(selectElsewhere).all(id);
      const elsewhere = [...Map.groupBy(others, (row) => String(row['id'])).values()].map((rows) => ({
        gateway: identityOf(rows[0] ?? {}),
        apiIds: new Set(rows.map((row) => String(row['api_id']))),
      }));
      const approvals = this.#approvals(id).filter(({ expiresAtMs }) => expiresAtMs > nowMs);
      const suspension = toSuspension(this.db.prepare(selectSuspension).get(id));
      return { declared, elsewhere, approvals, suspension };
    });
  }

  async approvals(gateway: GatewayIdentity): Promise<readonly Approval[]> {
    return explained(this.path, () => this.#approvals(this.gatewayId(gateway)).reverse());
  }

  #approvals(gatewayId: number): Approval[] {
    const rows = this.db.prepare(selectApprovals).all(gatewayId);
    if (rows.length === 0) return [];
    const done = Map.groupBy(this.db.prepare(selectDone).all(gatewayId), (row) => Number(row['approval_id']));
    return rows.map((row) => {
      const made = done.get(Number(row['id'])) ?? [];
      return toApproval(row, new Set(made.map((one) => publicationKey(String(one['api_id']), String(one['environment_id'])))));
    });
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
  attemptsOf: async () => [],
  succeededAfter: async () => [],
  condition: async () => null,
  listedApis: async () => null,
  names: async () => new Map(),
  past: async () => ({ declared: new Map(), elsewhere: [], approvals: [], suspension: null }),
  approvals: async () => [],
  lastAttempts: async () => new Map(),
  close: async () => undefined,
};
