import pg from 'pg';
import { connectionErrorMessage, EdictError, errorMessage, LeaseHeldError, StoreError, storeError } from '../../model/errors.ts';

interface ErrorRow {
  readonly code: string;
  readonly problem: string;
  readonly hint: string;
}

const unreachable: ErrorRow = {
  code: 'STORE_UNREACHABLE',
  problem: 'cannot be reached',
  hint: 'check its address and the network; no call is sent without a record',
};
const accessDenied: ErrorRow = {
  code: 'STORE_ACCESS_DENIED',
  problem: 'rejects the credentials',
  hint: 'check user and password (PGUSER, PGPASSWORD, PGPASSFILE, or password_file in its address)',
};

const untrustedCertificate: ErrorRow = {
  code: 'STORE_UNREACHABLE',
  problem: 'has an untrusted certificate',
  hint: 'set the CA that signed its certificate with sslrootcert in the URL or PGSSLROOTCERT, and use the host name in the certificate',
};
const unusableFiles: ErrorRow = {
  code: 'STORE_CONNECTION_INVALID',
  problem: 'cannot be reached with these TLS files',
  hint: 'sslcert and sslrootcert in its address (PGSSLCERT, PGSSLROOTCERT) name certificates in PEM, sslkey (PGSSLKEY) a private key',
};
const tlsUnsupported: ErrorRow = {
  code: 'STORE_ACCESS_DENIED',
  problem: 'does not support TLS',
  hint: 'enable TLS there; sslmode=disable, in the URL or PGSSLMODE, sends the password to whoever answers',
};

/** Errors by SQLSTATE or its prefix, from postgresql.org/docs/current/errcodes-appendix.html. */
const errorsBySqlState: Readonly<Record<string, ErrorRow>> = {
  '08': unreachable,
  '28': accessDenied,
  '3D': {
    code: 'STORE_OPEN_FAILED',
    problem: 'names a database that does not exist',
    hint: 'create it; edict creates its tables in the schema edict',
  },
  '42501': {
    code: 'STORE_READ_ONLY',
    problem: 'denies permission',
    hint: 'give this user CREATE on the database, or all rights on the schema edict',
  },
  '25006': {
    code: 'STORE_READ_ONLY',
    problem: 'is read-only',
    hint: 'connect to the primary: this is a standby, or the database is read-only',
  },
  '53': {
    code: 'STORE_FULL',
    problem: 'has no free disk space, memory or connections',
    hint: 'free some; no call is sent without a record',
  },
  '57P': { ...unreachable, problem: 'is being stopped or started' },
  '25P03': { ...unreachable, problem: 'ended an idle transaction because this process was paused' },
  '57014': { ...unreachable, problem: 'timed out' },
  '55000': { ...unreachable, problem: 'does not accept connections' },
  '55P03': { code: 'STORE_LOCKED', problem: 'is locked by another process', hint: 'wait until it has finished' },
  XX001: { code: 'STORE_CORRUPT', problem: 'is damaged', hint: 'restore a copy; edict has changed nothing in it' },
};

/** SQLSTATE raised by `edict.must_hold` when another process holds the lease. */
const leaseLostState = 'ED001';

/** Maps a PostgreSQL failure to an EdictError; `at` is the store URL without a password. */
export function toPostgresStoreError(thrown: unknown, at: string): EdictError {
  if (thrown instanceof EdictError) return thrown;
  const code = String((thrown as { readonly code?: unknown }).code ?? '');
  // Only the server's answers carry a SQLSTATE; codes such as EPIPE look like one.
  const isAnswered = thrown instanceof pg.DatabaseError;
  if (isAnswered && code === leaseLostState) {
    return new LeaseHeldError('another process has acquired the lease of the gateway', { hint: 'nothing was written or sent' });
  }
  const row = isAnswered
    ? (errorsBySqlState[code] ?? errorsBySqlState[code.slice(0, 3)] ?? errorsBySqlState[code.slice(0, 2)])
    : classifyConnectionError(thrown, code);
  if (!row) return new StoreError('STORE_FAILED', `the store ${at} failed: ${connectionErrorMessage(thrown)}`, { cause: thrown });
  return storeError(row.code, `the store ${at} ${row.problem}: ${connectionErrorMessage(thrown)}`, { hint: row.hint, cause: thrown });
}

/** An error without a SQLSTATE comes from the network or from pg. */
function classifyConnectionError(thrown: unknown, code: string): ErrorRow | null {
  if (/SASL/.test(errorMessage(thrown))) return accessDenied;
  if (/does not support SSL/.test(errorMessage(thrown))) return tlsUnsupported;
  if (/CERT|SELF_SIGNED|VERIFY|ISSUER/.test(code)) return untrustedCertificate;
  if (/^ERR_OSSL/.test(code)) return unusableFiles;
  const isConnection =
    code !== '' || thrown instanceof AggregateError || /timeout|terminated|not queryable|closed|ended/i.test(errorMessage(thrown));
  return isConnection ? unreachable : null;
}
