import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { redactUrl } from '../../model/store-url.ts';
import { toPostgresStoreError } from './errors.ts';
import { postgresSettings, unverifiedSslMode } from './settings.ts';

/** Default query timeout in milliseconds. After a timeout the connection is closed. */
const defaultQueryTimeoutMs = 30_000;

/**
 * How long a transaction may be idle, in milliseconds. A process paused inside a transaction would otherwise keep its row locks and block
 * other processes from taking the lease. Shorter than a lease.
 */
const idleInTransactionTimeoutMs = 2000;

export interface ConnectOptions {
  /** `postgres://…`; missing parts come from the `PG*` variables. */
  readonly url: string;
  /** The `application_name` in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Query timeout in milliseconds; default: 30 s. */
  readonly queryTimeoutMs?: number;
  /** Prepares each new connection, before anything else uses it. */
  readonly onConnected?: (client: pg.Client) => Promise<void>;
}

/**
 * Session settings, sent after the connection is open, since poolers reject them as startup parameters. `synchronous_commit = off` would let
 * a call leave whose attempt is lost when the server crashes. The other values of `synchronous_commit` concern standbys and are kept.
 */
const sessionSettingsSql = `
  SET idle_in_transaction_session_timeout = ${idleInTransactionTimeoutMs};
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`;

/**
 * Opens a connection in pipeline mode: a query is sent without waiting for earlier results. `password_file` is read for each connection.
 *
 * @throws EdictError `STORE_*` if the connection fails, `STORE_URL_INVALID` if the URL has an unknown parameter
 */
export async function connect({
  url,
  applicationName,
  queryTimeoutMs: query_timeout = defaultQueryTimeoutMs,
  onConnected,
}: ConnectOptions): Promise<pg.Client> {
  const settings = postgresSettings(url, process.env);
  const client: pg.Client = new pg.Client({
    application_name: applicationName,
    ...settings,
    // pg reads libpq's password file too, but prints a deprecation warning to stderr.
    password: settings.password || process.env['PGPASSWORD'] || (() => passwordInPassFile(client)),
    query_timeout,
    keepAlive: true,
    pipeline: true,
  });
  // Pending queries reject with the error. Without a listener the event would crash the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(sessionSettingsSql);
    await onConnected?.(client);
    return client;
  } catch (error) {
    void disconnect(client);
    throw toPostgresStoreError(error, redactUrl(url));
  }
}

/** Returns the mode with which the server is not verified, as `unverifiedSslMode` does with the variables of the process. */
export function unverifiedMode(url: string): string | null {
  return unverifiedSslMode(url, process.env);
}

/** How long a connection may take to end in order, in milliseconds. */
const endLimitMs = 1000;

/**
 * Closes a connection and never rejects. It is cut after a second: pg waits for answers that a server which is being stopped no longer gives,
 * and opening the store, or ending the process, would hang with it.
 */
export async function disconnect(client: pg.Client): Promise<void> {
  const ended = new AbortController();
  const limit = setTimeout(endLimitMs, undefined, { signal: ended.signal }).then(
    () => client.connection.stream.destroy(),
    () => {},
  );
  await Promise.race([client.end().catch(() => {}), limit]);
  ended.abort();
}

/** Returns the password for a login in libpq's password file (`PGPASSFILE`, `~/.pgpass`); '' if there is none. */
async function passwordInPassFile(login: pg.Client): Promise<string> {
  const { default: pgpass } = await import('pgpass');
  return new Promise((resolve) => pgpass(login, (password) => resolve(password ?? '')));
}

/** One connection to PostgreSQL, opened on first use and reopened after it was lost. */
export class ReconnectingClient {
  readonly #options: ConnectOptions;
  #current: Promise<pg.Client> | null = null;

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  /** The current connection, perhaps still opening; `null` before the first use and after a loss. */
  get current(): Promise<pg.Client> | null {
    return this.#current;
  }

  /** Resolves to the current or a new connection. Rejects like `connect`. */
  open(): Promise<pg.Client> {
    this.#current ??= this.#connect();
    return this.#current;
  }

  /** Closes the current connection, if any. */
  async close(): Promise<void> {
    const client = await this.#current?.catch(() => null);
    this.#current = null;
    if (client) await disconnect(client);
  }

  #connect(): Promise<pg.Client> {
    const connecting = connect(this.#options).then(
      (client) => client.once('end', clearCurrent).once('error', clearCurrent),
      (error: unknown) => {
        clearCurrent();
        throw error;
      },
    );
    // A late event of an old connection must not clear its successor, which still has to be closed.
    const clearCurrent = (): void => {
      if (this.#current === connecting) this.#current = null;
    };
    return connecting;
  }
}
