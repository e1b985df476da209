import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgres, sqlite } from '../../generated/store-queries.js';
import { openStore } from '../../src/store/open.ts';
import { createSqliteSchema } from '../../src/store/sqlite/schema.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';

/*
 * No query reads a whole table of attempts or publications: with millions of attempts that would stop everything else. A step of a plan is
 * one text, such as `SEARCH attempt USING INDEX attempt_by_gateway (gateway_id=?)`.
 */
const test = suite('query plans');
let server: PostgresServer;

test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());

/** The queries that read a whole store: the copy of all its rows, and its list of gateways with the number of their attempts. */
const readsAll = /^(?:rowsOf|copy|continue|gateways$)/;

/** Returns values of the right types for the parameters of a query; `apis` of a list of the gateway is a number. */
const valuesFor = (query: string, parameters: readonly string[]): (string | number)[] =>
  parameters.map((name) => (query !== 'setListed' && /^(?:apis|environments|rows)$/.test(name) ? '[]' : 1));

test('SQLite searches attempts and publications by an index', () => {
  const db = new DatabaseSync(':memory:');
  createSqliteSchema(db);
  for (const [name, { sql, parameters }] of Object.entries(sqlite)) {
    if (readsAll.test(name)) continue;
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...valuesFor(name, parameters)) as { readonly detail: string }[];
    // `w` has the attempts of one batch, `g` the gateways. A check of a foreign key is a step too.
    for (const { detail } of steps) assert.not.match(detail, /^SCAN (?!json_each|w$|g\b|CONSTANT)/, `${name}: ${detail}`);
  }
  db.close();
});

test('the attempts of one API, environment, reconciliation or approval are looked up in SQLite without visiting others', () => {
  const db = new DatabaseSync(':memory:');
  createSqliteSchema(db);
  for (const [name, columns] of [
    ['historyOfApi', ['api_id', 'api']],
    ['historyOfEnvironment', ['environment_id', 'environment']],
    ['attemptsOfReconciliation', ['reconcile_id']],
    ['attemptsOfLastReconciliation', ['reconcile_id']],
    ['succeededWithApproval', ['approval_id']],
    ['pruneApprovals', ['approval_id']],
    ['recordedSome', ['api_id']],
    ['pruneWindow', ['rowid']],
    ['prune', ['rowid']],
    ['succeededAfter', ['rowid']],
  ] as const) {
    const { sql, parameters } = sqlite[name];
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...valuesFor(name, parameters)) as { readonly detail: string }[];
    for (const column of columns)
      assert.ok(
        steps.some(({ detail }) => new RegExp(`^SEARCH \\w+ USING .*\\(gateway_id=\\? AND ${column}[=>]\\?`).test(detail)),
        `${name} by ${column}:\n${steps.map(({ detail }) => detail).join('\n')}`,
      );
  }
  db.close();
});

test('PostgreSQL searches attempts and publications by an index', async () => {
  const url = await server.database();
  await (await openStore({ url, isEmulated: false })).close();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await using _closing = { [Symbol.asyncDispose]: () => client.end() };
  // Else it would read a table as small as these from its start.
  await client.query('SET enable_seqscan = off');
  for (const [name, { sql, parameters }] of Object.entries(postgres)) {
    if (readsAll.test(name) || /\bcurrval\b/.test(sql)) continue;
    const { rows } = await client.query<{ readonly 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, valuesFor(name, parameters));
    const steps = rows.map((row) => row['QUERY PLAN']);
    for (const [index, step] of steps.entries()) {
      assert.not.match(step, /Seq Scan on (?:attempt|publication|approval|declared|name)\b/, `${name}:\n${steps.join('\n')}`);
      if (/Index (?:Only )?Scan .* on (?:attempt|publication)\b/.test(step))
        assert.match(steps[index + 1] ?? '', /Index Cond:/, `${name}:\n${steps.join('\n')}`);
    }
  }
});

test.run();
