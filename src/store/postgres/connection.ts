import pg from 'pg';
import { redactUrl } from '../../model/store-url.ts';
import { toPostgresStoreError } from './errors.ts';
import { postgresSettings } from './settings.ts';

/** How long an answer may take, in milliseconds; after it the connection is given up. */
const defaultQueryTimeoutMs = 30_000;

/**
 * How long a transaction may wait for its next statement, in milliseconds: one whose process was paused in the middle of it would keep
 * its locks, and with them the lease from everybody else. Shorter than a lease.
 */
const idleInTransactionTimeoutMs = 2000;

export interface ConnectOptions {
  /** `postgres://…`; what it leaves out comes from the `PG*` variables. */
  readonly url: string;
  /** What the server shows beside the connection. */
  readonly applicationName: string;
  /** How long an answer may take, in milliseconds; default: 30 s. */
  readonly queryTimeoutMs?: number;
}

/**
 * What holds for a connection of edict's. It is said once the connection is open, since poolers refuse it at the start. Without a wait for the
 * disk a call could leave whose record is lost with the server; what else `synchronous_commit` says is about standbys, and left to the operator.
 */
const sessionSettingsSql = `
  SET idle_in_transaction_session_timeout = ${idleInTransactionTimeoutMs};
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`;

/**
 * Opens a connection on which questions are sent without waiting for the answers before them. A password in a file is read anew.
 *
 * @throws EdictError `STORE_*`, `STORE_URL_INVALID` for an address that says what edict does not know
 */
export async function connect({
  url,
  applicationName,
  queryTimeoutMs: query_timeout = defaultQueryTimeoutMs,
}: ConnectOptions): Promise<pg.Client> {
  const settings = postgresSettings(url, process.env);
  const client: pg.Client = new pg.Client({
    application_name: applicationName,
    ...settings,
    // pg would read libpq's password file too, but with a deprecation warning on stderr.
    password: settings.password || process.env['PGPASSWORD'] || (() => passwordInPassFile(client)),
    query_timeout,
    keepAlive: true,
    pipeline: true,
  });
  // Whoever waits for an answer hears of it; without a listener it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(sessionSettingsSql);
    return client;
  } catch (error) {
    client.end().catch(() => {});
    throw toPostgresStoreError(error, redactUrl(url));
  }
}

/** Returns the password that libpq's password file (`PGPASSFILE`, `~/.pgpass`) has for a login; '' if it has none. */
async function passwordInPassFile(login: pg.Client): Promise<string> {
  const { default: pgpass } = await import('pgpass');
  return new Promise((resolve) => pgpass(login, (password) => resolve(password ?? '')));
}

/** One connection to PostgreSQL, opened when it is first needed, and anew when it was lost. */
export class ReconnectingClient {
  readonly #options: ConnectOptions;
  #current: Promise<pg.Client> | null = null;

  constructor(how: ConnectOptions) {
    this.#options = how;
  }

  /** The connection as it was last asked for; `null` if it never was, or was lost. */
  get current(): Promise<pg.Client> | null {
    return this.#current;
  }

  /** Resolves to the connection, a new one where there is none. Rejects like `connect`. */
  open(): Promise<pg.Client> {
    this.#current ??= this.#connect();
    return this.#current;
  }

  /** Ends the connection, if there is one. */
  async close(): Promise<void> {
    const client = await this.#current?.catch(() => null);
    this.#current = null;
    await client?.end().catch(() => {});
  }

  #connect(): Promise<pg.Client> {
    const connecting = connect(this.#options).then(
      (client) => client.once('end', forget).once('error', forget),
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    // By then there may be another one, which is still to be closed.
    const forget = (): void => {
      if (this.#current === connecting) this.#current = null;
    };
    return connecting;
  }
}
