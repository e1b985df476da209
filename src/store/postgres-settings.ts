import { createPrivateKey, X509Certificate } from 'node:crypto';
import type pg from 'pg';
import { EdictError } from '../core/errors.ts';
import { plainParameters, shownAddress } from '../core/store-address.ts';
import { contentOf } from './pass-file.ts';

/** What pg is told. `undefined`: pg's own `PG*` variable says it. */
export interface PostgresSettings
  extends Pick<pg.ClientConfig, 'host' | 'port' | 'user' | 'database' | 'options' | 'application_name' | 'connectionTimeoutMillis'> {
  /** `null`: nobody has said one; there may be one in libpq's password file. */
  readonly password: string | null;
  readonly ssl: NonNullable<pg.ClientConfig['ssl']>;
}

/** What can be asked of TLS. As pg has it, all that check the certificate do so fully but `verify-ca`, also those that libpq has do less. */
const sslModes = ['disable', 'no-verify', 'prefer', 'require', 'verify-ca', 'verify-full'];

/** What addresses for libpq often say, with what edict can do of it: it does so anyway, but for `connect_timeout` and `ssl`. */
const libpqParameters: Readonly<Record<string, readonly [RegExp, string]>> = {
  connect_timeout: [/^\d{1,4}$/, 'seconds, such as 10'],
  ssl: [/^true$/, 'true'],
  target_session_attrs: [/^(?:any|read-write|primary)$/, 'any, read-write or primary'],
  channel_binding: [/^(?:prefer|disable)$/, 'prefer or disable; sslmode=verify-full makes sure whom edict talks to'],
  gssencmode: [/^disable$/, 'disable'],
  keepalives: [/^[01]$/, '0 or 1'],
  keepalives_idle: [/^\d+$/, 'seconds'],
  keepalives_interval: [/^\d+$/, 'seconds'],
  keepalives_count: [/^\d+$/, 'a number'],
};

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
  const known: readonly string[] = [...plainParameters, 'password', ...Object.keys(libpqParameters)];
  const names = [...searchParams.keys()];
  const unknown = names.findIndex((name) => !known.includes(name));
  if (unknown >= 0) {
    const name = names[unknown] ?? '';
    // Behind a password, what looks like a name may be a piece of it.
    const isName = /^[A-Za-z_]+$/.test(name) && url.includes(`${name}=`) && !names.slice(0, unknown).includes('password');
    refuse(`has a parameter that edict does not know${isName ? `: ${name}` : ''}`, `expected of these: ${known.join(', ')}`);
  }
  for (const [name, [allowed, expected]] of Object.entries(libpqParameters)) {
    if (!allowed.test(given(name) ?? '') && given(name)) refuse(`has a ${name} that edict does not do`, `expected: ${expected}`);
  }
  const givenPort = given('port', port);
  if (givenPort !== undefined && !/^\d{1,5}$/.test(givenPort)) refuse('has a port that is no number', 'such as 5432');
  const passwordFile = given('password_file');
  const inAddress = given('password', password);
  if (passwordFile !== undefined && inAddress !== undefined) refuse('has a password and a password_file', 'keep one of them');
  const inFile = passwordFile === undefined ? undefined : contentOf(passwordFile, 'password_file').replace(/\r?\n$/, '');

  const mode = given('sslmode') ?? (given('ssl') ? 'require' : environment['PGSSLMODE']);
  if (mode === 'allow') {
    refuse('has the sslmode (or PGSSLMODE) allow, which edict does not do', `expected one of these: ${sslModes.join(', ')}`);
  }
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
    connectionTimeoutMillis: Number(given('connect_timeout') ?? 0) * 1000 || undefined,
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
    ...(cert && { cert: pemOf(cert, 'certificate') }),
    ...(key && { key: pemOf(key, 'private key') }),
    ...(mode === 'no-verify' ? { rejectUnauthorized: false } : ca && { ca: pemOf(ca, 'certificate') }),
    // As in libpq. Whom the system believes signs for anybody, so that without a file the name is checked too.
    ...(mode === 'verify-ca' && ca && { checkServerIdentity: () => undefined }),
  };
}

/** OpenSSL passes over a root that is none, and names no file. */
function pemOf({ path, said }: NamedFile, what: 'certificate' | 'private key'): string {
  const content = contentOf(path, said);
  try {
    if (what === 'certificate') new X509Certificate(content);
    else createPrivateKey(content);
    return content;
  } catch (error) {
    throw new EdictError('STORE_SETTING', `${said} names a file that holds no ${what} in PEM that can be read: ${path}`, { cause: error });
  }
}
