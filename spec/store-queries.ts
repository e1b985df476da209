import {
  type AliasedRawBuilder,
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import type { Tables } from './store-tables.ts';

/*
 * Every query of the store, written once and compiled for both engines by `npm run generate`: when edict runs, no query is built.
 * Only what a dialect cannot say in the other's words differs, in `Dialect`.
 */

/** The differences between the SQL dialects of the two engines. */
interface Dialect {
  readonly db: Kysely<Tables>;
  /** The texts of a JSON array. */
  jsonTexts(array: RawBuilder<string>): RawBuilder<string>;
  /** The objects of a JSON array as rows of a table `r`, with these columns. Text in them must be well-formed and without NUL. */
  jsonRows<Row>(array: RawBuilder<string>, columns: ColumnTypes<Row>): AliasedRawBuilder<Row, 'r'>;
  /** The ID of the attempt that this connection has just written. */
  readonly lastAttemptId: RawBuilder<number>;
  /** Goes on counting after the IDs that were copied into a table. */
  resetIdSequence(table: string): RawBuilder<unknown>;
}

/** The type of each column of a row. */
type ColumnTypes<Row> = { readonly [Column in keyof Row]: 'text' | 'bigint' };

/** A query with names for its parameters, in their order. */
export interface NamedQuery {
  readonly sql: string;
  readonly parameters: readonly string[];
}

/** Stands for a value that the query is run with. */
class NamedParameter {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Returns what stands for the value `name`. Kysely knows parameters by their value alone, so it is told that it has the column's type. */
const param = <T = never>(name: string): T => new NamedParameter(name) as T;
const textParam = (name: string): RawBuilder<string> => sql<string>`cast(${new NamedParameter(name)} as text)`;
const numberParam = (name: string): RawBuilder<number> => sql<number>`cast(${new NamedParameter(name)} as bigint)`;

const dialects: Readonly<Record<'sqlite' | 'postgres', Dialect>> = {
  sqlite: {
    db: new Kysely<Tables>({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (db) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    }),
    jsonTexts: (array) => sql`(select value from json_each(${array}))`,
    jsonRows: <Row>(array: RawBuilder<string>, columns: ColumnTypes<Row>) => {
      const fields = Object.keys(columns).map((column) => sql`value ->> ${sql.lit(column)} as ${sql.ref(column)}`);
      return sql<Row>`(select ${sql.join(fields)} from json_each(${array}))`.as('r');
    },
    lastAttemptId: sql`last_insert_rowid()`,
    // It does so by itself.
    resetIdSequence: () => sql`select 1`,
  },
  postgres: {
    db: new Kysely<Tables>({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (db) => new PostgresIntrospector(db),
        createQueryCompiler: () => new PostgresQueryCompiler(),
      },
    }).withSchema('edict'),
    jsonTexts: (array) => sql`(select jsonb_array_elements_text(cast(${array} as jsonb)))`,
    jsonRows: <Row>(array: RawBuilder<string>, columns: ColumnTypes<Row>) => {
      const fields = Object.entries<string>(columns).map(([column, type]) => sql`${sql.ref(column)} ${sql.raw(type)}`);
      return sql<Row>`json_to_recordset(cast(${array} as json))`.as<'r'>(sql`r(${sql.join(fields)})`);
    },
    lastAttemptId: sql`currval('edict.attempt_id_seq')`,
    resetIdSequence: (table) =>
      sql`select setval(pg_get_serial_sequence(${sql.lit(`edict.${table}`)}, 'id'), coalesce(max(id), 0) + 1, false) from ${sql.table(`edict.${table}`)}`,
  },
};

/** Returns every query of the store in the words of one engine. */
export function storeQueries(name: keyof typeof dialects): Readonly<Record<string, NamedQuery>> {
  const dialect = dialects[name];
  const queries = {
    ...gatewayQueries(dialect),
    ...attemptQueries(dialect),
    ...publicationQueries(dialect),
    ...approvalQueries(dialect),
    ...copyQueries(dialect),
  };
  return Object.fromEntries(Object.entries(queries).map(([name, query]) => [name, nameParameters(query.compile())]));
}

function nameParameters({ sql, parameters }: CompiledQuery): NamedQuery {
  const names = parameters.map((parameter) => {
    if (parameter instanceof NamedParameter) return parameter.name;
    throw new TypeError(`a value in the query ${sql}: write it as sql.lit`);
  });
  return { sql, parameters: names };
}

/** SQLite takes the ON of an upsert for a join's, unless the SELECT before it has a WHERE. */
const isAny = sql<boolean>`true`;

/** The rows in the JSON array `rows`: the keys of publications. */
const keyColumns = { api_id: 'text', environment_id: 'text' } as const satisfies ColumnTypes<
  Pick<Tables['declared'], 'api_id' | 'environment_id'>
>;

function gatewayQueries({ db, jsonRows }: Dialect) {
  const ofGateway = () => db.updateTable('gateway').where('id', '=', param('gateway'));
  const givenKeys = db
    .selectFrom(jsonRows<Pick<Tables['declared'], 'api_id' | 'environment_id'>>(textParam('rows'), keyColumns))
    .select(['r.api_id', 'r.environment_id'])
    .$asTuple('api_id', 'environment_id');
  return {
    readSetting: db.selectFrom('setting').select('value').where('name', '=', param('name')),
    insertSetting: db
      .insertInto('setting')
      .values({ name: param('name'), value: param('value') })
      .onConflict((on) => on.doNothing()),
    insertGateway: db
      .insertInto('gateway')
      .values({ endpoint: param('endpoint'), project: param('project'), instance: param('instance') })
      .onConflict((on) => on.doNothing()),
    findGateway: db
      .selectFrom('gateway')
      .select('id')
      .where('endpoint', '=', param('endpoint'))
      .where('project', '=', param('project'))
      .where('instance', '=', param('instance')),
    readGateway: db.selectFrom('gateway').selectAll().where('id', '=', param('gateway')),
    acquireGateway: ofGateway().set({
      released_at_ms: sql.lit(null),
      controller_status: sql.lit(null),
      fence: (eb) => eb('fence', '+', sql.lit(1)),
    }),
    releaseGateway: ofGateway().set({ released_at_ms: param('atMs'), controller_status: sql.lit(null) }),
    request: db
      .updateTable('gateway')
      .set({ request: param('request') })
      .where('endpoint', '=', param('endpoint'))
      .where('project', '=', param('project'))
      .where('instance', '=', param('instance')),
    // What another process may have written about a gateway.
    signals: db
      .selectFrom('gateway as g')
      .select((eb) => [
        'g.request',
        eb
          .selectFrom('approval as a')
          .select((of) => of.fn.max('a.id').as('id'))
          .whereRef('a.gateway_id', '=', 'g.id')
          .as('newest_approval_id'),
      ])
      .where('g.id', '=', param('gateway')),
    saveStatus: ofGateway().set({ controller_status: param('status') }),
    suspend: ofGateway().set({ suspension: param('suspension') }),
    setMoved: ofGateway().set({ moved: param('moved') }),
    setAppliedDigests: ofGateway().set({ applied_digests: param('digests') }),
    setListed: ofGateway().set({
      listed_apis: param('apis'),
      listed_publications: param('publications'),
      observed_at_ms: (eb) => eb.fn.coalesce(numberParam('observedAtMs'), 'observed_at_ms'),
      listed_details: (eb) => eb.fn.coalesce(textParam('details'), 'listed_details'),
      looked_up: (eb) => eb.fn.coalesce(textParam('lookedUp'), 'looked_up'),
      unobserved: sql.lit(null),
    }),
    // 1970; NULL, if there was none, stays NULL.
    ageObservation: ofGateway().set({ observed_at_ms: (eb) => eb('observed_at_ms', '*', sql.lit(0)) }),
    endFirstContact: ofGateway().set({ looked_up: sql.lit(null) }),
    setUnobserved: ofGateway().set({ unobserved: param('unobserved') }),
    names: db.selectFrom('name').select(['name', 'id']).where('gateway_id', '=', param('gateway')),
    deleteNames: db
      .deleteFrom('name')
      .where('gateway_id', '=', param('gateway'))
      .where('name', 'in', db.selectFrom(jsonRows<{ name: string }>(textParam('rows'), { name: 'text' })).select('r.name')),
    saveNames: db
      .insertInto('name')
      .columns(['gateway_id', 'name', 'id'])
      .expression(
        db
          .selectFrom(jsonRows<{ name: string; id: string }>(textParam('rows'), { name: 'text', id: 'text' }))
          .select([numberParam('gateway').as('gateway_id'), 'r.name', 'r.id'])
          .where(isAny),
      )
      .onConflict((on) => on.columns(['gateway_id', 'name']).doUpdateSet({ id: (eb) => eb.ref('excluded.id') })),
    declared: db.selectFrom('declared').select(['api_id', 'environment_id', 'source_file']).where('gateway_id', '=', param('gateway')),
    declaredElsewhere: db
      .selectFrom('declared as d')
      .innerJoin('gateway as g', 'g.id', 'd.gateway_id')
      .select(['g.id', 'g.endpoint', 'g.project', 'g.instance', 'd.api_id'])
      .distinct()
      .where('d.gateway_id', '<>', param('gateway')),
    declare: db
      .insertInto('declared')
      .columns(['gateway_id', 'api_id', 'environment_id', 'source_file'])
      .expression(
        db
          .selectFrom(
            jsonRows<Pick<Tables['declared'], 'api_id' | 'environment_id' | 'source_file'>>(textParam('rows'), {
              ...keyColumns,
              source_file: 'text',
            }),
          )
          .select([numberParam('gateway').as('gateway_id'), 'r.api_id', 'r.environment_id', 'r.source_file'])
          .where(isAny),
      )
      .onConflict((on) =>
        on.columns(['gateway_id', 'api_id', 'environment_id']).doUpdateSet({ source_file: (eb) => eb.ref('excluded.source_file') }),
      ),
    undeclare: db
      .deleteFrom('declared')
      .where('gateway_id', '=', param('gateway'))
      .where(({ refTuple, eb }) => eb(refTuple('api_id', 'environment_id'), 'in', givenKeys)),
    adoptRevisions: db
      .updateTable('publication')
      .from(
        jsonRows<Pick<Tables['publication'], 'api_id' | 'environment_id' | 'revision'>>(textParam('rows'), {
          ...keyColumns,
          revision: 'text',
        }),
      )
      .set((eb) => ({ revision: eb.ref('r.revision') }))
      .where('gateway_id', '=', param('gateway'))
      .whereRef('publication.api_id', '=', 'r.api_id')
      .whereRef('publication.environment_id', '=', 'r.environment_id'),
    markDeclared: db
      .updateTable('publication')
      .set({ was_declared: sql.lit(1) })
      .where('gateway_id', '=', param('gateway'))
      .where(({ refTuple, eb }) => eb(refTuple('api_id', 'environment_id'), 'in', givenKeys)),
  };
}

/** How many of a publication's attempts are kept, however old they are. */
const keptAttempts = 50;

function attemptQueries({ db, jsonTexts }: Dialect) {
  const attempts = db
    .selectFrom('attempt')
    .leftJoin('approval', 'approval.id', 'attempt.approval_id')
    .selectAll('attempt')
    .select(['approval.approved_by', 'approval.reason as approved_reason']);
  const ofGateway = attempts.where('attempt.gateway_id', '=', param('gateway'));
  const publication = db
    .selectFrom('publication')
    .where('gateway_id', '=', param('gateway'))
    .where('api_id', '=', param('apiId'))
    .where('environment_id', '=', param('environmentId'));
  const window = db
    .selectFrom('attempt as old')
    .where('old.gateway_id', '=', param('gateway'))
    .where('old.id', '>', param('afterId'))
    .orderBy('old.id')
    .limit(param<number>('limit'));
  /** Attempts with this text in one column or the other. Each is looked up in its own index, which an OR would not do. */
  const withText = (name: string, ...columns: readonly ('api_id' | 'api' | 'environment_id' | 'environment')[]) => {
    const [first, ...others] = columns.map((column) =>
      db.selectFrom('attempt').select('id').where('gateway_id', '=', param('gateway')).where(column, '=', param(name)),
    );
    return others.reduce((all, one) => all.unionAll(one), first as NonNullable<typeof first>);
  };
  const wanted = (name: string, id: 'attempt.api_id' | 'attempt.environment_id', word: 'attempt.api' | 'attempt.environment') =>
    sql<boolean>`(${textParam(name)} is null or ${sql.ref(id)} in ${jsonTexts(textParam(name))} or ${sql.ref(word)} in ${jsonTexts(textParam(name))})`;
  return {
    history: ofGateway
      .where(wanted('apis', 'attempt.api_id', 'attempt.api'))
      .where(wanted('environments', 'attempt.environment_id', 'attempt.environment'))
      .where('attempt.id', '<', param('beforeId'))
      .orderBy('attempt.id', 'desc')
      .limit(param<number>('limit')),
    historyOfApi: ofGateway
      .where('attempt.id', 'in', withText('api', 'api_id', 'api'))
      .where(wanted('environments', 'attempt.environment_id', 'attempt.environment'))
      .where('attempt.id', '<', param('beforeId'))
      .orderBy('attempt.id', 'desc')
      .limit(param<number>('limit')),
    historyOfEnvironment: ofGateway
      .where('attempt.id', 'in', (eb) =>
        eb
          .selectFrom(withText('environment', 'environment_id', 'environment').as('e'))
          .select('e.id')
          .where('e.id', '<', param('beforeId'))
          .orderBy('e.id', 'desc')
          .limit(param<number>('limit')),
      )
      .orderBy('attempt.id', 'desc'),
    attempt: ofGateway.where('attempt.id', '=', param('attempt')),
    attemptsOfReconciliation: ofGateway
      .where('reconcile_id', '>=', param('reconcile'))
      .where('reconcile_id', '<', param('reconcileEnd'))
      .orderBy('attempt.id'),
    attemptsOfLastReconciliation: ofGateway
      .where('reconcile_id', '=', (eb) =>
        eb
          .selectFrom('attempt as a')
          .select('a.reconcile_id')
          .where('a.gateway_id', '=', param('gateway'))
          .where('a.outcome', '=', sql.lit('succeeded'))
          .orderBy('a.id', 'desc')
          .limit(sql.lit(1)),
      )
      .orderBy('attempt.id'),
    succeededAfter: ofGateway.where('attempt.id', '>', param('attempt')).where('outcome', '=', sql.lit('succeeded')).orderBy('attempt.id'),
    lastAttempts: attempts.innerJoin('publication as p', 'p.last_attempt_id', 'attempt.id').where('p.gateway_id', '=', param('gateway')),
    newestAttempt: db.selectFrom('attempt').select('id').where('gateway_id', '=', param('gateway')).orderBy('id', 'desc').limit(sql.lit(1)),
    // `expiresAfterMs`: of the approvals that expire later.
    succeededWithApproval: db
      .selectFrom('attempt')
      .select(['approval_id', 'api_id', 'environment_id'])
      .where('gateway_id', '=', param('gateway'))
      .where(
        'approval_id',
        'in',
        db
          .selectFrom('approval')
          .select('id')
          .where('gateway_id', '=', param('gateway'))
          .where('expires_at_ms', '>', param('expiresAfterMs')),
      )
      .where('outcome', '=', sql.lit('succeeded')),
    insertAttempt: db
      .insertInto('attempt')
      .values({
        gateway_id: param('gateway'),
        api: param('api'),
        api_id: param('apiId'),
        environment: param('environment'),
        environment_id: param('environmentId'),
        reconcile_id: param('reconcileId'),
        action: param('action'),
        reason: param('reason'),
        revision: param('revision'),
        remark: param('remark'),
        marker: param('marker'),
        requested_version_id: param('version'),
        approval_id: param('approval'),
        commit_id: param('commitId'),
        fence: param('fence'),
        started_at_ms: param('atMs'),
        send_by_ms: param('sendByMs'),
        prior_state: (eb) => eb.fn.coalesce(publication.select('state'), sql.lit('none')),
        prior_revision: publication.select('revision'),
        prior_version_id: publication.select('version_id'),
      })
      .returning('id'),
    orphan: db
      .updateTable('attempt')
      .set({ ended_at_ms: param('atMs') })
      .where('finished_at_ms', 'is', null)
      .where('ended_at_ms', 'is', null)
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('publication')
          .select('unknown_attempt_id')
          .where('gateway_id', '=', param('gateway'))
          .where('unknown_attempt_id', 'is not', null)
          .$narrowType<{ unknown_attempt_id: number }>(),
      ),
    // The next attempts after one, of a fixed number, so that no statement visits more however many of them are kept.
    pruneWindow: db
      .selectFrom(window.select(['old.id', 'old.started_at_ms']).as('w'))
      .select((eb) => [eb.fn.max('w.id').as('last_id'), eb.fn.min('w.started_at_ms').as('oldest_ms')]),
    // The newest attempts of a publication that the store knows are kept, and the one whose outcome is unknown.
    prune: db
      .deleteFrom('attempt')
      .where('id', 'in', (eb) =>
        eb
          .selectFrom(window.selectAll('old').as('w'))
          .leftJoin('publication as p', (join) =>
            join
              .onRef('p.gateway_id', '=', 'w.gateway_id')
              .onRef('p.api_id', '=', 'w.api_id')
              .onRef('p.environment_id', '=', 'w.environment_id'),
          )
          .select('w.id')
          .where('w.started_at_ms', '<', param('beforeMs'))
          .where(({ and, eb, exists, or, selectFrom }) =>
            or([
              eb('p.id', 'is', null),
              and([
                or([eb('p.unknown_attempt_id', 'is', null), eb('p.unknown_attempt_id', '<>', eb.ref('w.id'))]),
                exists(
                  selectFrom('attempt as newer')
                    .select('newer.id')
                    .whereRef('newer.gateway_id', '=', 'w.gateway_id')
                    .whereRef('newer.api_id', '=', 'w.api_id')
                    .whereRef('newer.environment_id', '=', 'w.environment_id')
                    .whereRef('newer.id', '>', 'w.id')
                    .orderBy('newer.id')
                    .limit(sql.lit(1))
                    .offset(sql.lit(keptAttempts - 1)),
                ),
              ]),
            ]),
          ),
      )
      .returning('id'),
    // An approval is an attempt's as long as that is kept.
    pruneApprovals: db
      .deleteFrom('approval')
      .where('gateway_id', '=', param('gateway'))
      .where('expires_at_ms', '<', param('beforeMs'))
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('attempt')
              .select('attempt.id')
              .whereRef('attempt.gateway_id', '=', 'approval.gateway_id')
              .whereRef('attempt.approval_id', '=', 'approval.id'),
          ),
        ),
      ),
    finishAttempt: db
      .updateTable('attempt')
      .set((eb) => ({
        finished_at_ms: param('atMs'),
        outcome: param('outcome'),
        code: eb.fn.coalesce(eb.val(param<string>('code')), 'code'),
        status: eb.fn.coalesce(eb.val(param<number>('status')), 'status'),
        message: eb.fn.coalesce(eb.val(param<string>('message')), 'message'),
        request_id: eb.fn.coalesce(eb.val(param<string>('requestId')), 'request_id'),
        version_id: param('versionId'),
        publish_id: param('publishId'),
      }))
      .where('id', '=', param('attempt')),
  };
}

/** The columns that an observation sets. */
const observedColumns = {
  ...keyColumns,
  ...{ api: 'text', environment: 'text', state: 'text', revision: 'text', version_id: 'text', publish_id: 'text', drift_from: 'text' },
  ...{ published_at_ms: 'bigint', edited_at_ms: 'bigint', recorded_at_ms: 'bigint', drift_from_since_ms: 'bigint' },
  ...{ drift_detected_at_ms: 'bigint', drift_backoff_until_ms: 'bigint', corrections: 'bigint', corrected_at_ms: 'bigint' },
} as const satisfies Partial<ColumnTypes<Tables['publication']>>;
type ObservedRow = Pick<Tables['publication'], keyof typeof observedColumns>;
const observedColumnNames = Object.keys(observedColumns) as (keyof ObservedRow)[];

function publicationQueries({ db, jsonRows, lastAttemptId }: Dialect) {
  const recorded = db
    .selectFrom('publication as p')
    .leftJoin('attempt as a', 'a.id', 'p.unknown_attempt_id')
    .selectAll('p')
    .select([
      'a.action as unknown_action',
      'a.revision as unknown_revision',
      'a.marker as unknown_marker',
      'a.requested_version_id as unknown_version',
      'a.started_at_ms as unknown_started_at_ms',
    ])
    .select((eb) => [
      // An attempt that its own process has finished is not sent after that.
      eb.fn.coalesce('a.finished_at_ms', 'a.send_by_ms').as('unknown_send_by_ms'),
      eb.fn.coalesce('a.ended_at_ms', 'a.finished_at_ms').as('unknown_ended_at_ms'),
    ])
    .where('p.gateway_id', '=', param('gateway'))
    // A row that says nothing any more is none.
    .where((eb) => eb.or([eb('p.state', 'is not', null), eb('p.unknown_attempt_id', 'is not', null), eb('p.drift_from', 'is not', null)]));
  const named = {
    gateway_id: param('gateway'),
    api: param('api'),
    api_id: param('apiId'),
    environment: param('environment'),
    environment_id: param('environmentId'),
    recorded_at_ms: param('atMs'),
  };
  const record = db
    .updateTable('publication')
    .set((eb) => ({
      api: eb.fn.coalesce(textParam('api'), 'api'),
      environment: eb.fn.coalesce(textParam('environment'), 'environment'),
      state: param('state'),
      revision: param('revision'),
      version_id: param('versionId'),
      publish_id: param('publishId'),
      published_at_ms: param('publishedAtMs'),
      edited_at_ms: param('editedAtMs'),
      recorded_at_ms: param('atMs'),
      unknown_attempt_id: param('unknownAttempt'),
      drift_from: param('driftFrom'),
      drift_from_since_ms: param('driftFromSinceMs'),
      drift_detected_at_ms: param('driftDetectedAtMs'),
      drift_backoff_until_ms: param('driftBackoffUntilMs'),
      corrections: param('corrections'),
      corrected_at_ms: param('correctedAtMs'),
      changed_at_ms: param('changedAtMs'),
    }))
    .where('gateway_id', '=', param('gateway'))
    .where('api_id', '=', param('apiId'))
    .where('environment_id', '=', param('environmentId'));
  return {
    recorded,
    recordedSome: recorded.where(({ refTuple, eb }) =>
      eb(
        refTuple('p.api_id', 'p.environment_id'),
        'in',
        db
          .selectFrom(jsonRows<Pick<Tables['declared'], 'api_id' | 'environment_id'>>(textParam('rows'), keyColumns))
          .select(['r.api_id', 'r.environment_id'])
          .$asTuple('api_id', 'environment_id'),
      ),
    ),
    recordedOne: recorded.where('p.api_id', '=', param('apiId')).where('p.environment_id', '=', param('environmentId')),
    markUnknown: db
      .insertInto('publication')
      .values({ ...named, unknown_attempt_id: lastAttemptId, last_attempt_id: lastAttemptId })
      .onConflict((on) =>
        on.columns(['gateway_id', 'api_id', 'environment_id']).doUpdateSet((eb) => ({
          api: eb.ref('excluded.api'),
          environment: eb.ref('excluded.environment'),
          unknown_attempt_id: eb.ref('excluded.unknown_attempt_id'),
          last_attempt_id: eb.ref('excluded.last_attempt_id'),
        })),
      ),
    // Rows that say nothing any more, or that a publication is offline which no file declares.
    prunePublications: db
      .deleteFrom('publication')
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('publication as old')
          .select('old.id')
          .where('old.gateway_id', '=', param('gateway'))
          .where('old.recorded_at_ms', '<', param('beforeMs'))
          .where('old.unknown_attempt_id', 'is', null)
          .where((of) => of.or([of('old.state', 'is', null), of('old.state', '=', sql.lit('offline'))]))
          .where((of) =>
            of.not(
              of.exists(
                of
                  .selectFrom('declared as d')
                  .select('d.api_id')
                  .whereRef('d.gateway_id', '=', 'old.gateway_id')
                  .whereRef('d.api_id', '=', 'old.api_id')
                  .whereRef('d.environment_id', '=', 'old.environment_id'),
              ),
            ),
          )
          .orderBy('old.id')
          .limit(param<number>('limit')),
      )
      .returning('id'),
    record,
    // An attempt that has begun meanwhile knows better than a look before it, also once it has ended.
    recordObserved: db
      .insertInto('publication')
      .columns(['gateway_id', ...observedColumnNames])
      .expression(
        db
          .selectFrom(jsonRows<ObservedRow>(textParam('rows'), observedColumns))
          .select([numberParam('gateway').as('gateway_id'), ...observedColumnNames.map((column) => `r.${column}` as const)])
          .where(isAny),
      )
      .onConflict((on) =>
        on
          .columns(['gateway_id', 'api_id', 'environment_id'])
          .doUpdateSet((eb) => Object.fromEntries(observedColumnNames.map((column) => [column, eb.ref(`excluded.${column}`)])))
          .where('publication.unknown_attempt_id', 'is', null)
          .where((eb) => eb(eb.fn.coalesce('publication.last_attempt_id', sql.lit(0)), '<=', numberParam('newestAttempt'))),
      ),
  };
}

function approvalQueries({ db }: Dialect) {
  return {
    approvals: db
      .selectFrom('approval')
      .selectAll()
      .where('gateway_id', '=', param('gateway'))
      .where('expires_at_ms', '>', param('expiresAfterMs'))
      .orderBy('id'),
    spendApproval: db
      .updateTable('approval')
      .set({ is_file_hold_released: sql.lit(1) })
      .where('id', '=', param('approval')),
    insertApproval: db
      .insertInto('approval')
      .columns(['gateway_id', 'digest', 'approved_by', 'reason', 'approved_at_ms', 'expires_at_ms', 'scope'])
      .expression(
        db
          .selectFrom('gateway')
          .select([
            'id',
            textParam('digest').as('digest'),
            textParam('by').as('approved_by'),
            textParam('reason').as('reason'),
            numberParam('atMs').as('approved_at_ms'),
            numberParam('expiresAtMs').as('expires_at_ms'),
            textParam('scope').as('scope'),
          ])
          .where('endpoint', '=', param('endpoint'))
          .where('project', '=', param('project'))
          .where('instance', '=', param('instance')),
      ),
  };
}

/** The tables of a record in an order in which each comes after those that it refers to, with their columns. */
const copiedColumns = {
  gateway: [
    ...[
      'id',
      'endpoint',
      'project',
      'instance',
      'released_at_ms',
      'listed_apis',
      'listed_publications',
      'observed_at_ms',
      'listed_details',
    ],
    ...['looked_up', 'unobserved', 'suspension', 'request', 'moved', 'fence', 'applied_digests'],
  ],
  approval: ['id', 'gateway_id', 'digest', 'approved_by', 'reason', 'approved_at_ms', 'expires_at_ms', 'scope', 'is_file_hold_released'],
  attempt: [
    ...[
      'id',
      'gateway_id',
      'reconcile_id',
      'api',
      'api_id',
      'environment',
      'environment_id',
      'action',
      'reason',
      'revision',
      'remark',
      'marker',
    ],
    ...[
      'requested_version_id',
      'approval_id',
      'commit_id',
      'fence',
      'started_at_ms',
      'send_by_ms',
      'finished_at_ms',
      'ended_at_ms',
      'outcome',
      'code',
      'status',
    ],
    ...['message', 'request_id', 'version_id', 'publish_id', 'prior_state', 'prior_revision', 'prior_version_id'],
  ],
  publication: [
    ...['id', 'gateway_id', 'api', 'api_id', 'environment', 'environment_id', 'state', 'revision', 'version_id', 'publish_id'],
    ...['published_at_ms', 'edited_at_ms', 'recorded_at_ms', 'unknown_attempt_id', 'last_attempt_id', 'drift_from'],
    ...[
      'drift_from_since_ms',
      'drift_detected_at_ms',
      'drift_backoff_until_ms',
      'corrections',
      'corrected_at_ms',
      'changed_at_ms',
      'was_declared',
    ],
  ],
  name: ['gateway_id', 'name', 'id'],
  declared: ['gateway_id', 'api_id', 'environment_id', 'source_file'],
} as const satisfies { readonly [T in Exclude<keyof Tables, 'setting'>]: readonly string[] };

/** Queries about a whole store: the list of its gateways, and the copy of all rows into another store. */
function copyQueries({ db, resetIdSequence }: Dialect) {
  const queries: Record<string, { compile(): CompiledQuery }> = {
    gateways: db
      .selectFrom('gateway as g')
      .selectAll('g')
      .select((eb) => [
        eb
          .selectFrom('publication as p')
          .select((of) => of.fn.countAll().as('n'))
          .whereRef('p.gateway_id', '=', 'g.id')
          .where('p.state', 'is not', null)
          .as('publications'),
        eb
          .selectFrom('attempt as a')
          .select((of) => of.fn.countAll().as('n'))
          .whereRef('a.gateway_id', '=', 'g.id')
          .as('attempts'),
        eb
          .selectFrom('attempt as f')
          .select('f.started_at_ms')
          .whereRef('f.gateway_id', '=', 'g.id')
          .orderBy('f.id')
          .limit(sql.lit(1))
          .as('first_at_ms'),
      ])
      .orderBy('g.id'),
  };
  const whole = db as unknown as Kysely<Record<string, Record<string, unknown>>>;
  for (const [table, columns] of Object.entries(copiedColumns)) {
    const name = `${table.slice(0, 1).toUpperCase()}${table.slice(1)}`;
    const rows = whole.selectFrom(table).select(columns);
    const hasId = columns[0] === 'id';
    queries[`rowsOf${name}`] = hasId ? rows.where('id', '>', param('after')).orderBy('id').limit(param<number>('limit')) : rows;
    queries[`copy${name}`] = whole.insertInto(table).values(Object.fromEntries(columns.map((column) => [column, param(column)])));
    if (hasId) queries[`continue${name}`] = { compile: () => resetIdSequence(table).compile(db) };
  }
  // Of the settings, only what the operator has accepted belongs into a copy: the others are about one store alone.
  queries['rowsOfAccepted'] = db
    .selectFrom('setting')
    .select(['name', 'value'])
    .where((eb) => eb.or([eb('name', '=', sql.lit('accepted')), eb('name', 'like', sql.lit('accepted %'))]));
  return queries;
}
