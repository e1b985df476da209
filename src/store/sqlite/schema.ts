import type { DatabaseSync } from 'node:sqlite';
import { storeFormat } from '../database.ts';

/** The SQLite `application_id` of a store ("edct"). */
const applicationId = 0x65646374;

const schema = `
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  -- The process that last opened the store for writing, the device and inode of its lock file, and a text of this opening alone.
  CREATE TABLE holder (
    one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER NOT NULL, since_ms INTEGER NOT NULL, lock_file TEXT NOT NULL, token TEXT NOT NULL
  );
  CREATE TABLE gateway (
    id INTEGER PRIMARY KEY,
    endpoint TEXT NOT NULL, project TEXT NOT NULL, instance TEXT NOT NULL,
    -- When the last process stopped calling the gateway; NULL while one does, or if it was killed.
    released_at_ms INTEGER DEFAULT 0,
    controller_status TEXT,
    -- How much the last list showed, and when the last list that was believed was requested.
    listed_apis INTEGER, listed_publications INTEGER, observed_at_ms INTEGER, listed_details TEXT,
    -- What first contact has looked up, as JSON; NULL: it is over.
    looked_up TEXT,
    -- Why the gateway could not be observed since, as JSON; NULL: it could.
    unobserved TEXT,
    -- The suspension, as JSON; NULL: there is none.
    suspension TEXT,
    -- Changes with each request to reconcile now; NULL: there was none.
    request TEXT,
    -- The gateway that a followed file named before this one, and whether the move is approved, as JSON; NULL: none did.
    moved TEXT,
    -- Grows with each owner of the lease; each attempt records it.
    fence INTEGER NOT NULL DEFAULT 0,
    -- The digests of the applied desired states, as JSON, the latest last.
    applied_digests TEXT,
    UNIQUE (endpoint, project, instance)
  );
  CREATE TABLE approval (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    gateway_id INTEGER NOT NULL REFERENCES gateway (id),
    digest TEXT NOT NULL, approved_by TEXT NOT NULL, reason TEXT NOT NULL, approved_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL, scope TEXT NOT NULL,
    -- Whether the held file that it released has been applied.
    is_file_hold_released INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    gateway_id INTEGER NOT NULL REFERENCES gateway (id),
    reconcile_id TEXT NOT NULL,
    api TEXT NOT NULL, api_id TEXT NOT NULL, environment TEXT NOT NULL, environment_id TEXT NOT NULL,
    action TEXT NOT NULL, reason TEXT NOT NULL, revision TEXT, remark TEXT, marker TEXT, requested_version_id TEXT,
    approval_id INTEGER,
    -- The commit of the file that declared the attempt; NULL: unknown, or not committed.
    commit_id TEXT,
    fence INTEGER NOT NULL,
    -- send_by_ms: the request is not sent later than this.
    started_at_ms INTEGER NOT NULL, send_by_ms INTEGER NOT NULL, finished_at_ms INTEGER,
    -- When a later process found the attempt without an outcome.
    ended_at_ms INTEGER,
    outcome TEXT, code TEXT, status INTEGER, message TEXT, request_id TEXT, version_id TEXT, publish_id TEXT,
    -- The recorded state when the attempt started, for undo; 'none': nothing was recorded.
    prior_state TEXT NOT NULL, prior_revision TEXT, prior_version_id TEXT
  );
  -- No foreign key leads to an attempt or an approval: each deletion would search all rows that could refer to it. Each index also has the ID, and none a column that the end of an attempt changes.
  CREATE INDEX attempt_by_gateway ON attempt (gateway_id);
  CREATE INDEX attempt_by_publication ON attempt (gateway_id, api_id, environment_id);
  CREATE INDEX attempt_by_api_name ON attempt (gateway_id, api);
  CREATE INDEX attempt_by_environment ON attempt (gateway_id, environment_id);
  CREATE INDEX attempt_by_environment_name ON attempt (gateway_id, environment);
  CREATE INDEX attempt_by_reconciliation ON attempt (gateway_id, reconcile_id);
  CREATE INDEX attempt_by_approval ON attempt (gateway_id, approval_id) WHERE approval_id IS NOT NULL;
  CREATE INDEX approval_by_gateway ON approval (gateway_id);
  -- A row stays when nothing is recorded any more. IDs follow the order of first attempts, so that the rows that a plan
  -- changes are adjacent and a transaction writes few pages.
  CREATE TABLE publication (
    id INTEGER PRIMARY KEY,
    gateway_id INTEGER NOT NULL REFERENCES gateway (id),
    api TEXT NOT NULL, api_id TEXT NOT NULL, environment TEXT NOT NULL, environment_id TEXT NOT NULL,
    state TEXT, revision TEXT, version_id TEXT, publish_id TEXT, published_at_ms INTEGER, edited_at_ms INTEGER, recorded_at_ms INTEGER NOT NULL,
    unknown_attempt_id INTEGER, last_attempt_id INTEGER,
    drift_from TEXT, drift_from_since_ms INTEGER, drift_detected_at_ms INTEGER, drift_backoff_until_ms INTEGER,
    corrections INTEGER NOT NULL DEFAULT 0, corrected_at_ms INTEGER,
    -- When edict's last call that took effect ended.
    changed_at_ms INTEGER,
    -- Whether an applied file declared it that does not any more.
    was_declared INTEGER NOT NULL DEFAULT 0,
    UNIQUE (gateway_id, api_id, environment_id)
  );
  -- The resolved IDs of names in the file.
  CREATE TABLE name (gateway_id INTEGER NOT NULL REFERENCES gateway (id), name TEXT, id TEXT NOT NULL, PRIMARY KEY (gateway_id, name)) WITHOUT ROWID;
  -- The publications that the last applied file declared, with the path of their file relative to the main file's folder; empty for the main file.
  CREATE TABLE declared (
    gateway_id INTEGER NOT NULL REFERENCES gateway (id), api_id TEXT, environment_id TEXT, source_file TEXT NOT NULL,
    PRIMARY KEY (gateway_id, api_id, environment_id)
  ) WITHOUT ROWID;
`;

/** Returns the store format of `db`: 0 for an empty database, `null` if it is not edict's. Only reads. */
export function readSqliteFormat(db: DatabaseSync): number | null {
  const format = readPragma(db, 'user_version');
  const id = readPragma(db, 'application_id');
  if (id === applicationId) return format;
  const tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
  return id === 0 && format === 0 && tables === 0 ? 0 : null;
}

/** Creates the tables in an empty database in one transaction, so that an interrupted creation leaves it empty. */
export function createSqliteSchema(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec(schema);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${storeFormat}; COMMIT`);
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function readPragma(db: DatabaseSync, pragma: 'user_version' | 'application_id'): number {
  return Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}
