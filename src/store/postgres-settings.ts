import type pg from 'pg';
import { EdictError } from '../core/errors.ts';
import { plainParameters, shownAddress } from '../core/store-address.ts';
import { contentOf } from './pass-file.ts';

/** What pg is told. `undefined`: pg's own `PG*` variable says it. */
export interface PostgresSettings extends Pick<pg.ClientConfig, 'host' | 'port' | 'user' | 'database' | 'options' | 'application_name'> {
  /** `null`: nobody has said one; there may be one in libpq's password file. */
  readonly password: string | null;
  readonly ssl: NonNullable<pg.ClientConfig['ssl']>;
}

/** What can be asked of TLS. As pg has it, all that check the certificate do so fully, also those that libpq has do less. */
const sslModes = ['disable', 'no-verify', 'prefer', 'require', 'verify-ca', 'verify-full'];

/**
 * Returns what an address of PostgreSQL, and libpq's variables for TLS and the password, say. Files that they name are read.
 *
 * @throws EdictError `STATE_URL` for an address that says what edict does not know, `STORE_SETTING` for a file that cannot be read
 */
export function postgresSettings(url: string, environment: Readonly<Record<string, string | undefined>>): PostgresSettings {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const given = (name: string, before = ''): string | undefined => searchParams.get(name) || decodeURIComponent(before) || undefined;
  const refuse = (what: string, hint: string): never => {
    throw new EdictError('STATE_URL', `--state ${shownAddress(url)} ${what}`, { hint });
  };
  const known: readonly string[] = [...plainParameters, 'password'];
  if (![...searchParams.keys()].every((name) => known.includes(name))) {
    refuse('has a parameter that edict does not know', `expected of these: ${known.join(', ')}`);
  }
  const givenPort = given('port', port);
  if (givenPort !== undefined && !/^\d{1,5}$/.test(givenPort)) refuse('has a port that is no number', 'such as 5432');
  const passwordFile = given('password_file');
  const inAddress = given('password', password);
  if (passwordFile !== undefined && inAddress !== undefined) refuse('has a password and a password_file', 'keep one of them');
  const inFile = passwordFile === undefined ? undefined : contentOf(passwordFile, 'password_file').replace(/\r?\n$/, '');

  const mode = given('sslmode') ?? environment['PGSSLMODE'];
  if (mode && !sslModes.includes(mode))
    refuse('has an sslmode (or PGSSLMODE) that is none', `expected one of these: ${sslModes.join(', ')}`);
  const file = (name: string): NamedFile | null => {
    const variable = `PG${name.toUpperCase()}`;
    const [path, said] = given(name) ? [given(name), name] : [environment[variable], variable];
    return path ? { path, said } : null;
  };
  return {
    host: given('host', hostname.replace(/^\[|\]$/g, '')),
    port: givenPort === undefined ? undefined : Number(givenPort),
    user: given('user', username),
    database: decodeURIComponent(pathname.slice(1)) || undefined,
    options: given('options'),
    application_name: given('application_name'),
    password: inAddress ?? inFile ?? (environment['PGPASSWORD'] || null),
    ssl: sslOf(mode, file),
  };
}

interface NamedFile {
  readonly path: string;
  /** What has named it. */
  readonly said: string;
}

/** Without a mode, whoever names a certificate wants TLS. */
function sslOf(mode: string | undefined, file: (name: string) => NamedFile | null): PostgresSettings['ssl'] {
  const [cert, key, root] = [file('sslcert'), file('sslkey'), file('sslrootcert')];
  if (mode === 'disable' || (!mode && !cert && !root)) return false;
  // libpq's word for whom the system believes.
  const ca = root?.path === 'system' ? null : root;
  return {
    ...(cert && { cert: contentOf(cert.path, cert.said) }),
    ...(key && { key: contentOf(key.path, key.said) }),
    ...(mode === 'no-verify' ? { rejectUnauthorized: false } : ca && { ca: contentOf(ca.path, ca.said) }),
  };
}
