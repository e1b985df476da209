import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { upToDateCopy } from '../../src/store/older-copy.ts';
import { currentVersion, migrate, schemaState } from '../../src/store/sqlite-migrations.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Makes the store of the first format, with a gateway, an attempt and the publication that it left. */
function firstStore(): string {
  const path = join(temporaryFolder(), 'a b#?%.db');
  const db = new DatabaseSync(path);
  db.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE holder (one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER NOT NULL, since_ms INTEGER NOT NULL);
    CREATE TABLE gateway (
      id INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, project TEXT NOT NULL, instance TEXT NOT NULL, UNIQUE (endpoint, project, instance)
    );
    CREATE TABLE attempt (
      id INTEGER PRIMARY KEY AUTOINCREMENT, gateway_id INTEGER NOT NULL REFERENCES gateway (id), pass_id TEXT NOT NULL,
      api TEXT NOT NULL, api_id TEXT NOT NULL, environment TEXT NOT NULL, environment_id TEXT NOT NULL,
      action TEXT NOT NULL, reason TEXT NOT NULL, revision TEXT, remark TEXT, began_at_ms INTEGER NOT NULL, settled_at_ms INTEGER,
      outcome TEXT, code TEXT, status INTEGER, message TEXT, request_id TEXT, version_id TEXT, publish_id TEXT
    );
    CREATE TABLE publication (
      id INTEGER PRIMARY KEY, gateway_id INTEGER NOT NULL REFERENCES gateway (id),
      api TEXT NOT NULL, api_id TEXT NOT NULL, environment TEXT NOT NULL, environment_id TEXT NOT NULL,
      state TEXT, revision TEXT, version_id TEXT, recorded_at_ms INTEGER NOT NULL,
      unresolved_attempt_id INTEGER REFERENCES attempt (id), last_attempt_id INTEGER REFERENCES attempt (id),
      UNIQUE (gateway_id, api_id, environment_id)
    );
    INSERT INTO gateway VALUES (1, 'e', 'p', 'i');
    INSERT INTO attempt (gateway_id, pass_id, api, api_id, environment, environment_id, action, reason, began_at_ms)
      VALUES (1, 'pass', 'orders', 'a', 'test', 't', 'online', 'new', 5);
    INSERT INTO publication VALUES (7, 1, 'orders', 'a', 'test', 't', 'online', 'r', 'v', 6, NULL, 1);
    PRAGMA application_id = ${0x65646374}; PRAGMA user_version = 1`);
  db.close();
  return path;
}

test('an older store is understood, and stays as it is', () => {
  const path = firstStore();
  const before = readFileSync(path);
  const copy = upToDateCopy(path, 1, 100);
  assert.equal(schemaState(copy), { kind: 'edict', version: currentVersion });
  const row = copy.prepare('SELECT * FROM publication').get();
  assert.equal([row?.['id'], row?.['revision'], row?.['corrections'], row?.['drift_seen_at_ms']], [7, 'r', 0, null]);
  assert.is(copy.prepare('SELECT count(*) AS n FROM attempt').get()?.['n'], 1);
  assert.throws(() => copy.exec('DELETE FROM attempt'), /readonly|query_only|read-only/i);
  copy.close();
  assert.equal(readFileSync(path), before);
  assert.equal(readdirSync(join(path, '..')), ['a b#?%.db']);
});

test('the copy has the tables that a migration makes', () => {
  const path = firstStore();
  const copy = upToDateCopy(path, 1, 100);
  using migrated = new DatabaseSync(path);
  migrate(migrated, 1);
  const columns = (db: DatabaseSync): unknown =>
    db
      .prepare(
        "SELECT t.name, c.name AS c FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
      )
      .all();
  assert.equal(columns(copy), columns(migrated));
  copy.close();
});

test('it is copied while an edict writes it', () => {
  const path = firstStore();
  using writer = new DatabaseSync(path);
  writer.exec("BEGIN IMMEDIATE; UPDATE publication SET state = 'offline'");
  const copy = upToDateCopy(path, 1, 100);
  assert.is(copy.prepare('SELECT state FROM publication').get()?.['state'], 'online');
  copy.close();
  writer.exec('COMMIT');
});

test('what cannot be copied is closed again', () => {
  assert.throws(() => upToDateCopy(join(temporaryFolder(), 'none.db'), 1, 100), /unable to open/);
});

test.run();
