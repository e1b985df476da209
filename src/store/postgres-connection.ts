import { readFileSync } from 'node:fs';
import pg from 'pg';
import { EdictError } from '../core/errors.ts';
import { shownAddress } from '../core/store-address.ts';
import { postgresError } from './postgres-error.ts';

/** How long to wait for a connection, in milliseconds. */
const connectMs = 5000;

/** How long an answer may take, in milliseconds; after it the connection is given up. */
const answerMs = 30_000;

/**
 * How long a transaction may wait for its next statement, in milliseconds: one whose process was paused in the middle of it would keep
 * its locks, and with them the lease from everybody else. Shorter than a lease.
 */
const idleInTransactionMs = 2000;

export interface Connecting {
  /** `postgres://…`; what it leaves out comes from the `PG*` variables. */
  readonly url: string;
  /** What the server shows beside the connection. */
  readonly name: string;
  /** How long an answer may take, in milliseconds; default: 30 s. */
  readonly answerMs?: number;
}

/**
 * Opens a connection on which questions are sent without waiting for the answers before them. A password in a file is read anew.
 *
 * @throws EdictError `STORE_*`
 */
export async function connect({ url, name, answerMs: query_timeout = answerMs }: Connecting): Promise<pg.Client> {
  try {
    const connectionString = addressIn(url);
    const client = new pg.Client({
      ...(connectionString !== null && { connectionString }),
      application_name: name,
      connectionTimeoutMillis: connectMs,
      query_timeout,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      keepAlive: true,
      pipeline: true,
    });
    // Whoever waits for an answer hears of it; without a listener it would end the process.
    client.on('error', () => {});
    await client.connect();
    return client;
  } catch (error) {
    throw postgresError(error, shownAddress(url));
  }
}

/** Returns the address with the password that is in a file. `postgres://` alone, `null`, says nothing that the `PG*` variables do not. */
function addressIn(url: string): string | null {
  const address = new URL(url);
  const passwordFile = address.searchParams.get('password_file');
  if (passwordFile !== null && address.password !== '') {
    throw new EdictError('STATE_URL', `--state ${shownAddress(url)} has a password and a password_file`, { hint: 'keep one of them' });
  }
  address.searchParams.delete('password_file');
  if (passwordFile !== null) address.password = encodeURIComponent(readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, ''));
  const isEmpty = address.host === '' && address.pathname.replace('/', '') === '' && address.search === '' && address.username === '';
  return isEmpty ? null : address.href;
}
