import { EdictError, messageOf } from '../core/errors.ts';

interface Meaning {
  readonly code: string;
  readonly what: string;
  readonly hint: string;
}

const unreachable: Meaning = {
  code: 'STORE_UNREACHABLE',
  what: 'cannot be reached',
  hint: 'check its address and the network; nothing is sent without its record',
};
const refused: Meaning = {
  code: 'STORE_REFUSED',
  what: 'does not let edict in',
  hint: 'check user and password (PGUSER, PGPASSWORD, PGPASSFILE, or password_file in its address)',
};

const unbelieved: Meaning = {
  code: 'STORE_UNREACHABLE',
  what: 'is not believed',
  hint: 'name who has signed its certificate with sslrootcert in its address, or PGSSLROOTCERT, and its host as the certificate does',
};
const unusableFiles: Meaning = {
  code: 'STORE_SETTING',
  what: 'cannot be reached with these files for TLS',
  hint: 'sslcert and sslrootcert in its address (PGSSLCERT, PGSSLROOTCERT) name certificates in PEM, sslkey (PGSSLKEY) a private key',
};
const withoutTls: Meaning = {
  code: 'STORE_REFUSED',
  what: 'has no TLS',
  hint: 'turn it on there; sslmode=disable in its address, or PGSSLMODE, goes without',
};

/** What PostgreSQL's codes mean to a person: whole ones, or their class, from postgresql.org/docs/current/errcodes-appendix.html. */
const meanings: Readonly<Record<string, Meaning>> = {
  '08': unreachable,
  '28': refused,
  '3D': {
    code: 'STORE_UNOPENABLE',
    what: 'names a database that is not there',
    hint: 'create it: edict makes its tables in it, in the schema edict',
  },
  '42501': {
    code: 'STORE_READ_ONLY',
    what: 'does not allow that',
    hint: 'give this user CREATE on the database, or all rights on the schema edict',
  },
  '25006': {
    code: 'STORE_READ_ONLY',
    what: 'can only be read',
    hint: 'name the primary: this is a standby, or the database is set to be read-only',
  },
  '53': {
    code: 'STORE_FULL',
    what: 'has no room left: disk, memory or connections',
    hint: 'make room; nothing is sent without its record',
  },
  '57P': { ...unreachable, what: 'is being stopped or started' },
  '25P03': { ...unreachable, what: 'gave up a transaction that stood still, since this process was paused' },
  '57014': { ...unreachable, what: 'took too long to answer' },
  '55000': { ...unreachable, what: 'takes no connections' },
  '55P03': { code: 'STORE_LOCKED', what: 'is locked by another process', hint: 'wait until it has finished' },
  XX001: { code: 'STORE_CORRUPT', what: 'is damaged', hint: 'restore a copy; edict has changed nothing in it' },
};

/** SQLSTATE of `edict.must_hold`: the lease is another's. */
const lostLease = 'ED001';

/** Returns an EdictError that says what a failure of PostgreSQL means; `at` names the store, without a password. */
export function postgresError(thrown: unknown, at: string): EdictError {
  if (thrown instanceof EdictError) return thrown;
  const code = String((thrown as { readonly code?: unknown }).code ?? '');
  if (code === lostLease) {
    return new EdictError('GATEWAY_HELD', 'another edict has the lease of the gateway by now', { hint: 'nothing was written or sent' });
  }
  const isState = /^[0-9A-Z]{5}$/.test(code);
  const meaning = isState ? (meanings[code] ?? meanings[code.slice(0, 3)] ?? meanings[code.slice(0, 2)]) : connectionMeaning(thrown, code);
  if (!meaning) return new EdictError('STORE_FAILED', `the store ${at} failed: ${messageOf(thrown)}`, { cause: thrown });
  return new EdictError(meaning.code, `the store ${at} ${meaning.what}: ${reasonOf(thrown)}`, { hint: meaning.hint, cause: thrown });
}

/** Without a SQLSTATE it was the network, or pg itself. */
function connectionMeaning(thrown: unknown, code: string): Meaning | null {
  if (/SASL/.test(messageOf(thrown))) return refused;
  if (/does not support SSL/.test(messageOf(thrown))) return withoutTls;
  if (/CERT|SELF_SIGNED|VERIFY|ISSUER/.test(code)) return unbelieved;
  if (/^ERR_OSSL/.test(code)) return unusableFiles;
  const isConnection =
    code !== '' || thrown instanceof AggregateError || /timeout|terminated|not queryable|closed|ended/i.test(messageOf(thrown));
  return isConnection ? unreachable : null;
}

/** Of several addresses of one host, each with its own error, the first tells enough. */
function reasonOf(thrown: unknown): string {
  return thrown instanceof AggregateError && thrown.errors.length > 0 ? messageOf(thrown.errors[0]) : messageOf(thrown);
}
