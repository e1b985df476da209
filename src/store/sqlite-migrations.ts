import type { DatabaseSync } from 'node:sqlite';

/** Marks a SQLite file as edict's ("edct"). */
const applicationId = 0x65646374;

/** Each step leads from the version of its index to the next; a step that has been released is never changed. */
const steps: readonly string[] = [
  `
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE holder (one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER NOT NULL, since_ms INTEGER NOT NULL);
  CREATE TABLE gateway (
    id INTEGER PRIMARY KEY,
    endpoint TEXT NOT NULL, project TEXT NOT NULL, instance TEXT NOT NULL,
    UNIQUE (endpoint, project, instance)
  );
  CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    gateway_id INTEGER NOT NULL REFERENCES gateway (id),
    pass_id TEXT NOT NULL,
    api TEXT NOT NULL, api_id TEXT NOT NULL, environment TEXT NOT NULL, environment_id TEXT NOT NULL,
    action TEXT NOT NULL, reason TEXT NOT NULL, revision TEXT, remark TEXT,
    began_at_ms INTEGER NOT NULL, settled_at_ms INTEGER,
    outcome TEXT, code TEXT, status INTEGER, message TEXT, request_id TEXT, version_id TEXT, publish_id TEXT
  );
  -- A row stays when nothing is recorded any more. Its id follows the order of first attempts, so that the rows that a plan
  -- changes lie together and a transaction writes few pages.
  CREATE TABLE publication (
    id INTEGER PRIMARY KEY,
    gateway_id INTEGER NOT NULL REFERENCES gateway (id),
    api TEXT NOT NULL, api_id TEXT NOT NULL, environment TEXT NOT NULL, environment_id TEXT NOT NULL,
    state TEXT, revision TEXT, version_id TEXT, recorded_at_ms INTEGER NOT NULL,
    unresolved_attempt_id INTEGER REFERENCES attempt (id), last_attempt_id INTEGER REFERENCES attempt (id),
    UNIQUE (gateway_id, api_id, environment_id)
  );
  `,
  `
  ALTER TABLE attempt ADD COLUMN marker TEXT;
  -- When a later process found the attempt without an outcome: it was over by then.
  ALTER TABLE attempt ADD COLUMN orphaned_at_ms INTEGER;
  -- When the last process stopped calling the gateway; NULL while one does, or if it was killed.
  ALTER TABLE gateway ADD COLUMN left_at_ms INTEGER DEFAULT 0;
  ALTER TABLE gateway ADD COLUMN condition TEXT;
  UPDATE gateway SET left_at_ms = NULL;
  `,
  `
  ALTER TABLE attempt ADD COLUMN asked_version_id TEXT;
  ALTER TABLE publication ADD COLUMN publish_id TEXT;
  ALTER TABLE publication ADD COLUMN published_at_ms INTEGER;
  ALTER TABLE publication ADD COLUMN edited_at_ms INTEGER;
  ALTER TABLE publication ADD COLUMN drift_from TEXT;
  ALTER TABLE publication ADD COLUMN drift_from_since_ms INTEGER;
  ALTER TABLE publication ADD COLUMN drift_seen_at_ms INTEGER;
  ALTER TABLE publication ADD COLUMN drift_truce_until_ms INTEGER;
  ALTER TABLE publication ADD COLUMN corrections INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE publication ADD COLUMN corrected_at_ms INTEGER;
  -- How many APIs the gateway listed when it was last believed.
  ALTER TABLE gateway ADD COLUMN listed_apis INTEGER;
  -- Which ID a name of the file was found to mean.
  CREATE TABLE name (gateway_id INTEGER NOT NULL REFERENCES gateway (id), name TEXT, id TEXT NOT NULL, PRIMARY KEY (gateway_id, name)) WITHOUT ROWID;
  `,
  `
  -- What the last file declared that was acted on.
  CREATE TABLE declared (
    gateway_id INTEGER NOT NULL REFERENCES gateway (id), api_id TEXT, environment_id TEXT,
    -- The path of the file from the main one's folder on; empty for the main file.
    home TEXT NOT NULL,
    PRIMARY KEY (gateway_id, api_id, environment_id)
  ) WITHOUT ROWID;
  CREATE TABLE approval (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    gateway_id INTEGER NOT NULL REFERENCES gateway (id),
    digest TEXT NOT NULL, approved_by TEXT NOT NULL, why TEXT NOT NULL, at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL, work TEXT NOT NULL,
    -- Whether the suspicious file that it is for has been acted on.
    is_spent INTEGER NOT NULL DEFAULT 0
  );
  ALTER TABLE attempt ADD COLUMN approval_id INTEGER REFERENCES approval (id);
  CREATE INDEX attempt_by_approval ON attempt (gateway_id, approval_id) WHERE approval_id IS NOT NULL;
  -- What was recorded when the attempt began, so that it can be undone; 'none': nothing was. NULL: an older edict made it.
  ALTER TABLE attempt ADD COLUMN before_state TEXT;
  ALTER TABLE attempt ADD COLUMN before_revision TEXT;
  ALTER TABLE attempt ADD COLUMN before_version_id TEXT;
  `,
  `
  -- Which commit of the file asked for the attempt; NULL: nobody knows, or it was not committed.
  ALTER TABLE attempt ADD COLUMN commit_id TEXT;
  -- A person's word that no call is to be made for the time being, as JSON; NULL: there is none.
  ALTER TABLE gateway ADD COLUMN suspension TEXT;
  `,
  `
  -- Grows with each edict that begins to work on the gateway; an attempt has that of whoever made it.
  ALTER TABLE gateway ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE attempt ADD COLUMN fence INTEGER;
  `,
  `
  -- Digests of what the files wanted that were acted on, as JSON, the latest last.
  ALTER TABLE gateway ADD COLUMN acted TEXT;
  `,
];

/** The version that this edict writes. */
export const currentVersion = steps.length;

/** What a file turned out to be. `version` is 0 for an empty file. */
export type SchemaState = { readonly kind: 'edict'; readonly version: number } | { readonly kind: 'foreign' };

/** Returns what kind of database `db` is. Reads only. */
export function schemaState(db: DatabaseSync): SchemaState {
  const version = numberOf(db, 'user_version');
  const mark = numberOf(db, 'application_id');
  if (mark === applicationId) return { kind: 'edict', version };
  const tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
  return mark === 0 && version === 0 && tables === 0 ? { kind: 'edict', version: 0 } : { kind: 'foreign' };
}

/** Brings `db` from `version` to the current one, all in one transaction: an interrupted migration never happened. */
export function migrate(db: DatabaseSync, version: number): void {
  if (version === currentVersion) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const step of steps.slice(version)) db.exec(step);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${currentVersion}; COMMIT`);
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function numberOf(db: DatabaseSync, pragma: 'user_version' | 'application_id'): number {
  return Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}
