import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/core/errors.ts';
import { close } from '../../src/store/closed.ts';
import { step } from '../../src/store/database.ts';
import { openBeside, openRecord, openStore, openWhole } from '../../src/store/open-store.ts';
import { writeApproval } from '../../src/store/write-approval.ts';
import { postgresServer } from '../support/postgres.ts';
import { gatewaySettings } from '../support/states.ts';
import { storeEngines } from '../support/store-engines.ts';

const test = suite('write approval');
const gateway = gatewaySettings();
const approval = { digest: 'sha256:1', by: 'ada', why: 'CHG-7', atMs: 1, expiresAtMs: 100, work: ['["a"]'] };

/** Gives a store another format. */
const changeFormat = {
  sqlite: async (url: string) => {
    const db = new DatabaseSync(url.replace('sqlite:', ''));
    db.exec('PRAGMA user_version = 2');
    db.close();
  },
  postgres: async (url: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("UPDATE edict.setting SET value = '2' WHERE name = 'format'");
    await client.end();
  },
};

for (const { name, make } of storeEngines(test)) {
  test(`${name}: is written while another edict has the store, which finds it, and leaves no file behind`, async () => {
    const url = await make();
    const store = await openStore({ url, emulated: false });
    await writeApproval(url, gateway, approval);
    assert.is((await store.approvals(gateway))[0]?.by, 'ada');
    await store.close();
    await writeApproval(url, gateway, { ...approval, by: 'eve' });
    if (name === 'sqlite') {
      const path = url.replace('sqlite:', '');
      assert.not.ok(existsSync(`${path}-shm`));
      assert.is(statSync(path).mode & 0o777, 0o600);
    }
    const record = await openRecord({ url });
    assert.is((await record.approvals(gateway)).length, 2);
    await record.close();
  });

  test(`${name}: nothing is written into a store that was closed after it was opened`, async () => {
    const url = await make();
    const store = await openStore({ url, emulated: false });
    const database = await openBeside(url);
    await writeApproval(url, gateway, approval);
    await store.close();
    const { insertSetting, insertApproval, approvals } = database.queries;
    await database.write([step(insertSetting, { name: 'closed', value: JSON.stringify({ why: 'moved', at: 'sqlite:/new.db' }) })]);
    const { endpoint, project, instance } = gateway;
    const { digest, by, why, atMs, expiresAtMs } = approval;
    const [rows] = await database.write([
      step(insertApproval, { endpoint, project, instance, digest, by, why, atMs, expiresAtMs, work: '[]' }),
    ]);
    assert.equal(rows, []);
    assert.is((await database.read(step(approvals, { gateway: 1 }))).length, 1);
    await database.close();
  });

  test(`${name}: a store of another format, and one that is not there, are refused`, async () => {
    const url = await make();
    assert.is(await refusal(url), 'STORE_ABSENT');
    await (await openStore({ url, emulated: false })).close();
    await changeFormat[name](url);
    assert.is(await refusal(url), 'STORE_FORMAT');
  });

  test(`${name}: a store whose record is elsewhere is refused`, async () => {
    const url = await make();
    const whole = await openWhole(url, 'real');
    await close(whole, { why: 'moved', at: 'sqlite:/new.db' });
    await whole.close();
    assert.is(await refusal(url), 'STORE_CLOSED');
  });
}

test('an approval that waits for a move is refused, not lost', async () => {
  const server = await postgresServer();
  const url = await server.database();
  await (await openStore({ url, emulated: false })).close();
  await writeApproval(url, gateway, approval);
  const [moving, looking] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
  await Promise.all([moving.connect(), looking.connect()]);
  await moving.query('BEGIN; LOCK TABLE edict.gateway IN EXCLUSIVE MODE');
  const refused = refusal(url);
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  while ((await looking.query(waiting)).rows.length === 0) await looking.query('SELECT pg_sleep(0.02)');
  await moving.query(`INSERT INTO edict.setting (name, value) VALUES ('closed', '{"why":"moved","at":"sqlite:/new.db"}'); COMMIT`);
  assert.is(await refused, 'STORE_CLOSED');
  await Promise.all([moving.end(), looking.end()]);
  await server.close();
});

test('what is no store is refused', async () => {
  assert.is(await refusal('file'), 'STATE_URL');
});

async function refusal(url: string): Promise<string> {
  try {
    await writeApproval(url, gateway, approval);
  } catch (error) {
    if (error instanceof EdictError) return error.code;
    throw error;
  }
  throw new Error('it was written');
}

test.run();
