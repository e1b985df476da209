import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StoreQueries } from '../../generated/store-queries.d.ts';
import type { Approval, PreviousState } from '../model/approval.ts';
import type { Attempt, AttemptSelector, HistoryFilter } from '../model/attempt.ts';
import type { ControllerStatus } from '../model/controller-status.ts';
import { addressOf, type GatewayAddress, type GatewayIdentity, type GatewayMove } from '../model/gateway.ts';
import type { NameKey } from '../model/name-ref.ts';
import type { LastObservation, Unobserved } from '../model/observation.ts';
import { type PublicationKey, publicationKey } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';
import { bindQuery, type Database, type Statement } from './database.ts';
import type { StoreReader } from './interface.ts';
import {
  type SqlRow,
  toAppliedDigests,
  toApproval,
  toAttempt,
  toControllerStatus,
  toGatewayIdentity,
  toGatewayMove,
  toLastObservation,
  toRecordedPublication,
  toSuspension,
  toUnobserved,
} from './rows.ts';

/**
 * The most APIs or environments whose attempts are looked up one by one. For more of them the whole history is read from its end, since many
 * of the newest attempts match.
 */
const maxLookedUp = 100;

/** Attempts read at a time: SQLite reads in the thread of the event loop, and the calls of a daemon must not wait for a reader. */
const historyPageSize = 100;

/** Reads a store of the current format. Every method rejects with an EdictError `STORE_*` if the engine fails. */
export class ReadonlyStore implements StoreReader {
  protected readonly database: Database;
  protected readonly queries: StoreQueries;

  constructor(database: Database) {
    this.database = database;
    this.queries = database.queries;
  }

  async readRecordedState(gateway: GatewayIdentity): Promise<RecordedState> {
    return new Map((await this.readAllRecorded(await this.gatewayId(gateway))).map((recorded) => [recorded.key, recorded]));
  }

  protected async readAllRecorded(gatewayId: number): Promise<RecordedPublication[]> {
    return (await this.database.read(bindQuery(this.queries.recorded, { gateway: gatewayId }))).map(toRecordedPublication);
  }

  /** Returns the publications that the last applied file declares, each with the included file that declares it. */
  protected async readDeclared(gatewayId: number): Promise<ReadonlyMap<PublicationKey, string>> {
    const rows = await this.database.read(bindQuery(this.queries.declared, { gateway: gatewayId }));
    return new Map(rows.map((row) => [publicationKey(String(row['api_id']), String(row['environment_id'])), String(row['source_file'])]));
  }

  async history(gateway: GatewayIdentity, filter: HistoryFilter, signal?: AbortSignal): Promise<Attempt[]> {
    const id = await this.gatewayId(gateway);
    const attempts: Attempt[] = [];
    for (let beforeId = Number.MAX_SAFE_INTEGER; attempts.length < filter.limit; ) {
      signal?.throwIfAborted();
      const limit = Math.min(historyPageSize, filter.limit - attempts.length);
      const page = await this.#readHistoryPage(id, beforeId, { ...filter, limit });
      attempts.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < limit) break;
      beforeId = last.id;
      await nextTurn();
    }
    return attempts;
  }

  async #readHistoryPage(gateway: number, beforeId: number, { apis, environments, limit }: HistoryFilter): Promise<Attempt[]> {
    const { history, historyOfApi, historyOfEnvironment } = this.queries;
    const list = (names: readonly string[] | undefined): string | null => (names ? JSON.stringify(names) : null);
    const params = { gateway, beforeId, limit };
    const statements =
      apis && apis.length <= maxLookedUp
        ? apis.map((api) => bindQuery(historyOfApi, { ...params, api, environments: list(environments) }))
        : environments && !apis && environments.length <= maxLookedUp
          ? environments.map((environment) => bindQuery(historyOfEnvironment, { ...params, environment }))
          : [bindQuery(history, { ...params, apis: list(apis), environments: list(environments) })];
    const attempts = new Map<number, Attempt>();
    for (const statement of statements) {
      for (const attempt of (await this.database.read(statement)).map(toAttempt)) attempts.set(attempt.id, attempt);
    }
    return [...attempts.values()].sort((a, b) => b.id - a.id).slice(0, limit);
  }

  async findAttempts(gateway: GatewayIdentity, selector: AttemptSelector): Promise<readonly Attempt[]> {
    const { attemptsOfLastReconciliation, attempt, attemptsOfReconciliation } = this.queries;
    const rows = await this.#readRows(gateway, (id) => {
      if (selector === 'last') return bindQuery(attemptsOfLastReconciliation, { gateway: id });
      return 'attempt' in selector
        ? bindQuery(attempt, { gateway: id, attempt: selector.attempt })
        : bindQuery(attemptsOfReconciliation, { gateway: id, reconcile: selector.reconcile, reconcileEnd: `${selector.reconcile}~` });
    });
    return rows.map(toAttempt);
  }

  async succeededAfter(gateway: GatewayIdentity, attemptId: number): Promise<readonly Attempt[]> {
    return (await this.#readRows(gateway, (id) => bindQuery(this.queries.succeededAfter, { gateway: id, attempt: attemptId }))).map(
      toAttempt,
    );
  }

  async status(gateway: GatewayIdentity): Promise<ControllerStatus | null> {
    return toControllerStatus(await this.#readGateway(gateway));
  }

  async appliedDigests(gateway: GatewayIdentity): Promise<readonly string[]> {
    return toAppliedDigests(await this.#readGateway(gateway));
  }

  async leaseHolder(gateway: GatewayIdentity): Promise<string | null> {
    return this.database.leaseHolder(await this.gatewayId(gateway));
  }

  async reconcileRequest(gateway: GatewayIdentity): Promise<string | null> {
    const request = (await this.#readGateway(gateway))?.['request'];
    return request == null ? null : String(request);
  }

  async lastObservation(gateway: GatewayIdentity): Promise<LastObservation | null> {
    return toLastObservation(await this.#readGateway(gateway));
  }

  async unobserved(gateway: GatewayIdentity): Promise<Unobserved | null> {
    return toUnobserved(await this.#readGateway(gateway));
  }

  async previousState(gateway: GatewayIdentity & Partial<GatewayAddress>, nowMs: number): Promise<PreviousState> {
    const id = await this.gatewayId(gateway);
    const declared = await this.readDeclared(id);
    const others = declared.size > 0 ? [] : await this.database.read(bindQuery(this.queries.declaredElsewhere, { gateway: id }));
    const otherGateways = [...Map.groupBy(others, (row) => String(row['id'])).values()].map((rows) => ({
      gateway: toGatewayIdentity(rows[0] ?? {}),
      apiIds: new Set(rows.map((row) => String(row['api_id']))),
    }));
    const approvals = await this.#readApprovals(id, nowMs);
    const row = await this.#readGateway(gateway);
    return { declared, otherGateways, approvals, moved: await this.#toMove(row, gateway), suspension: toSuspension(row) };
  }

  async gatewayMove(gateway: GatewayIdentity & Partial<GatewayAddress>): Promise<GatewayMove | null> {
    return this.#toMove(await this.#readGateway(gateway), gateway);
  }

  async #toMove(row: SqlRow | undefined, gateway: GatewayIdentity & Partial<GatewayAddress>): Promise<GatewayMove | null> {
    const moved = toGatewayMove(row);
    // Another file may name the same gateway with another identity service: what is held is that file, not this one.
    const isOfAnother =
      moved?.from === null && gateway.iamEndpoint !== undefined && (await this.isAcceptedAddress(gateway as GatewayAddress));
    return isOfAnother ? null : moved;
  }

  /** Whether credentials may be sent to this address, see `Store.acceptAddress`; for `null`, whether to any. */
  async isAcceptedAddress(address: GatewayAddress | null): Promise<boolean> {
    const [row] = await this.database.read(bindQuery(this.queries.readSetting, { name: toAcceptedKey(address) }));
    return row !== undefined;
  }

  async approvals(gateway: GatewayIdentity): Promise<readonly Approval[]> {
    return (await this.#readApprovals(await this.gatewayId(gateway), 0)).reverse();
  }

  /** Returns the approvals that expire after `expiresAfterMs`, oldest first. */
  async #readApprovals(gatewayId: number, expiresAfterMs: number): Promise<Approval[]> {
    const params = { gateway: gatewayId, expiresAfterMs };
    const rows = await this.database.read(bindQuery(this.queries.approvals, params));
    if (rows.length === 0) return [];
    const attempts = await this.database.read(bindQuery(this.queries.succeededWithApproval, params));
    const attemptsByApproval = Map.groupBy(attempts, (row) => Number(row['approval_id']));
    return rows.map((row) => {
      const used = attemptsByApproval.get(Number(row['id'])) ?? [];
      return toApproval(row, new Set(used.map((attempt) => publicationKey(String(attempt['api_id']), String(attempt['environment_id'])))));
    });
  }

  async resolvedNames(gateway: GatewayIdentity): Promise<ReadonlyMap<NameKey, string>> {
    const rows = await this.#readRows(gateway, (id) => bindQuery(this.queries.names, { gateway: id }));
    return new Map(rows.map((row) => [String(row['name']) as NameKey, String(row['id'])]));
  }

  async newestAttemptId(gateway: GatewayIdentity): Promise<number> {
    const [row] = await this.#readRows(gateway, (id) => bindQuery(this.queries.newestAttempt, { gateway: id }));
    return Number(row?.['id'] ?? 0);
  }

  async lastAttempts(gateway: GatewayIdentity): Promise<ReadonlyMap<PublicationKey, Attempt>> {
    const attempts = (await this.#readRows(gateway, (id) => bindQuery(this.queries.lastAttempts, { gateway: id }))).map(toAttempt);
    return new Map(attempts.map((attempt) => [publicationKey(attempt.apiId, attempt.environmentId), attempt]));
  }

  close(): Promise<void> {
    return this.database.close();
  }

  /** Returns the gateway's row ID; 0, which no row has, if the gateway is not in the store. */
  protected async gatewayId({ endpoint, project, instance }: GatewayIdentity): Promise<number> {
    const [row] = await this.database.read(bindQuery(this.queries.findGateway, { endpoint, project, instance }));
    return Number(row?.['id'] ?? 0);
  }

  async #readGateway(gateway: GatewayIdentity): Promise<SqlRow | undefined> {
    return (await this.#readRows(gateway, (id) => bindQuery(this.queries.readGateway, { gateway: id })))[0];
  }

  async #readRows(gateway: GatewayIdentity, statementFor: (gatewayId: number) => Statement): Promise<readonly SqlRow[]> {
    return this.database.read(statementFor(await this.gatewayId(gateway)));
  }
}

/** Returns the name of the setting that says that an address was accepted; for `null`, that any was. */
export function toAcceptedKey(address: GatewayAddress | null): string {
  return address === null ? 'accepted' : `accepted ${JSON.stringify(addressOf(address))}`;
}

/** Stands in for a store that does not exist yet. */
export const emptyStore: StoreReader = {
  readRecordedState: async () => new Map(),
  history: async () => [],
  findAttempts: async () => [],
  succeededAfter: async () => [],
  status: async () => null,
  appliedDigests: async () => [],
  leaseHolder: async () => null,
  reconcileRequest: async () => null,
  lastObservation: async () => null,
  unobserved: async () => null,
  resolvedNames: async () => new Map(),
  gatewayMove: async () => null,
  previousState: async () => ({ declared: new Map(), otherGateways: [], moved: null, approvals: [], suspension: null }),
  approvals: async () => [],
  newestAttemptId: async () => 0,
  lastAttempts: async () => new Map(),
  close: async () => undefined,
};
