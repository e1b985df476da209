import type { StoreQueries } from '../../generated/store-queries.d.ts';
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
import { type Database, type Step, step } from './database.ts';
import { identityOf, type Row, toActed, toApproval, toAttempt, toCondition, toRecordedPublication, toSuspension } from './rows.ts';

/** Reads a store of the current format. Every method rejects with an EdictError `STORE_*` if the engine fails. */
export class StoredRecord implements RecordReader {
  protected readonly database: Database;
  protected readonly queries: StoreQueries;

  constructor(database: Database) {
    this.database = database;
    this.queries = database.queries;
  }

  async readAll(gateway: GatewayIdentity): Promise<RecordedState> {
    const rows = await this.#rows(gateway, (id) => step(this.queries.recorded, { gateway: id }));
    return new Map(
      rows.map((row): [PublicationKey, RecordedPublication] => {
        const recorded = toRecordedPublication(row);
        return [recorded.key, recorded];
      }),
    );
  }

  async history(gateway: GatewayIdentity, { apis, environments, limit }: HistoryFilter): Promise<Attempt[]> {
    const list = (names: readonly string[] | undefined): string | null => (names ? JSON.stringify(names) : null);
    const filter = { apis: list(apis), environments: list(environments), limit };
    return (await this.#rows(gateway, (id) => step(this.queries.history, { gateway: id, ...filter }))).map(toAttempt);
  }

  async attemptsOf(gateway: GatewayIdentity, which: Which): Promise<readonly Attempt[]> {
    const { attemptsOfLastPass, attempt, attemptsOfPass } = this.queries;
    const rows = await this.#rows(gateway, (id) => {
      if (which === 'last') return step(attemptsOfLastPass, { gateway: id });
      return 'attempt' in which
        ? step(attempt, { gateway: id, attempt: which.attempt })
        : step(attemptsOfPass, { gateway: id, pass: which.pass });
    });
    return rows.map(toAttempt);
  }

  async succeededAfter(gateway: GatewayIdentity, attemptId: number): Promise<readonly Attempt[]> {
    return (await this.#rows(gateway, (id) => step(this.queries.succeededAfter, { gateway: id, attempt: attemptId }))).map(toAttempt);
  }

  async condition(gateway: GatewayIdentity): Promise<Condition | null> {
    return toCondition(await this.#gateway(gateway));
  }

  async acted(gateway: GatewayIdentity): Promise<readonly string[]> {
    return toActed(await this.#gateway(gateway));
  }

  async holder(gateway: GatewayIdentity): Promise<string | null> {
    return this.database.holder(await this.gatewayId(gateway));
  }

  async passAsked(gateway: GatewayIdentity): Promise<string | null> {
    const [row] = await this.database.read(step(this.queries.readSetting, { name: passSettingOf(gateway) }));
    return row ? String(row['value']) : null;
  }

  async listedApis(gateway: GatewayIdentity): Promise<number | null> {
    const listed = (await this.#gateway(gateway))?.['listed_apis'];
    return listed == null ? null : Number(listed);
  }

  async past(gateway: GatewayIdentity, nowMs: number): Promise<Past> {
    const id = await this.gatewayId(gateway);
    const rows = await this.database.read(step(this.queries.declared, { gateway: id }));
    const declared = new Map(
      rows.map((row) => [publicationKey(String(row['api_id']), String(row['environment_id'])), String(row['home'])]),
    );
    const others = declared.size > 0 ? [] : await this.database.read(step(this.queries.declaredElsewhere, { gateway: id }));
    const elsewhere = [...Map.groupBy(others, (row) => String(row['id'])).values()].map((rows) => ({
      gateway: identityOf(rows[0] ?? {}),
      apiIds: new Set(rows.map((row) => String(row['api_id']))),
    }));
    const approvals = (await this.#approvals(id)).filter(({ expiresAtMs }) => expiresAtMs > nowMs);
    return { declared, elsewhere, approvals, suspension: toSuspension(await this.#gateway(gateway)) };
  }

  async approvals(gateway: GatewayIdentity): Promise<readonly Approval[]> {
    return (await this.#approvals(await this.gatewayId(gateway))).reverse();
  }

  async #approvals(gatewayId: number): Promise<Approval[]> {
    const rows = await this.database.read(step(this.queries.approvals, { gateway: gatewayId }));
    if (rows.length === 0) return [];
    const attempts = await this.database.read(step(this.queries.doneWithApproval, { gateway: gatewayId }));
    const done = Map.groupBy(attempts, (row) => Number(row['approval_id']));
    return rows.map((row) => {
      const made = done.get(Number(row['id'])) ?? [];
      return toApproval(row, new Set(made.map((one) => publicationKey(String(one['api_id']), String(one['environment_id'])))));
    });
  }

  async names(gateway: GatewayIdentity): Promise<ReadonlyMap<NameKey, string>> {
    const rows = await this.#rows(gateway, (id) => step(this.queries.names, { gateway: id }));
    return new Map(rows.map((row) => [String(row['name']) as NameKey, String(row['id'])]));
  }

  async lastAttempts(gateway: GatewayIdentity): Promise<ReadonlyMap<PublicationKey, Attempt>> {
    const attempts = (await this.#rows(gateway, (id) => step(this.queries.lastAttempts, { gateway: id }))).map(toAttempt);
    return new Map(attempts.map((attempt) => [publicationKey(attempt.apiId, attempt.environmentId), attempt]));
  }

  close(): Promise<void> {
    return this.database.close();
  }

  /** Returns the gateway's row id; 0, which no row has, for a gateway that was never written. */
  protected async gatewayId({ endpoint, project, instance }: GatewayIdentity): Promise<number> {
    const [row] = await this.database.read(step(this.queries.findGateway, { endpoint, project, instance }));
    return Number(row?.['id'] ?? 0);
  }

  async #gateway(gateway: GatewayIdentity): Promise<Row | undefined> {
    return (await this.#rows(gateway, (id) => step(this.queries.readGateway, { gateway: id })))[0];
  }

  async #rows(gateway: GatewayIdentity, stepFor: (gatewayId: number) => Step): Promise<readonly Row[]> {
    return this.database.read(stepFor(await this.gatewayId(gateway)));
  }
}

/** Returns the name of the setting in which a pass over a gateway is asked for. */
export function passSettingOf({ endpoint, project, instance }: GatewayIdentity): string {
  return `pass ${endpoint} ${project} ${instance}`;
}

/** Reads a store that does not exist yet. */
export const emptyRecord: RecordReader = {
  readAll: async () => new Map(),
  history: async () => [],
  attemptsOf: async () => [],
  succeededAfter: async () => [],
  condition: async () => null,
  acted: async () => [],
  holder: async () => null,
  passAsked: async () => null,
  listedApis: async () => null,
  names: async () => new Map(),
  past: async () => ({ declared: new Map(), elsewhere: [], approvals: [], suspension: null }),
  approvals: async () => [],
  lastAttempts: async () => new Map(),
  close: async () => undefined,
};
