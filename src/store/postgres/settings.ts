import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { errorMessage, StoreError } from '../../model/errors.ts';
import { nonSecretParameters, redactUrl } from '../../model/store-url.ts';

/** How long to wait for a connection unless `connect_timeout` says otherwise, in seconds. */
const defaultConnectTimeout = '5';

/** All modes but `no-verify`, and `verify-ca` with a root certificate, check the server's certificate and name. */
const sslModes: readonly string[] = ['disable', 'no-verify', 'prefer', 'require', 'verify-ca', 'verify-full'];

const knownParameters: readonly string[] = [...nonSecretParameters, 'password'];

/**
 * Returns the settings of pg for an address of PostgreSQL. pg reads the variables for host, port, user, database and password itself; those
 * for TLS are read here, since pg ignores a `PGSSLMODE` that it does not know, and connects without TLS.
 *
 * @throws EdictError `STORE_URL_INVALID` for an address that cannot be parsed or has an unknown parameter, `STORE_CONNECTION_INVALID` for a file that cannot be read
 */
export function postgresSettings(url: string, environment: Readonly<Record<string, string | undefined>>): pg.ClientConfig {
  const refuse = (problem: string, hint: string): never => {
    throw new StoreError('STORE_URL_INVALID', `--state ${redactUrl(url)} ${problem}`, { hint });
  };
  const [, base = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(url) ?? [];
  const parameters = new URLSearchParams(query);
  const unknown = [...parameters.keys()].find((name) => !knownParameters.includes(name));
  if (unknown !== undefined) {
    // Behind a password, an unknown name may be a piece of it.
    const isName = /^[a-z_]+$/i.test(unknown) && query.includes(`${unknown}=`) && !/password=.*&/i.test(query);
    refuse(`has an unknown parameter${isName ? `: ${unknown}` : ''}`, `known parameters: ${knownParameters.join(', ')}`);
  }
  const timeout = parameters.get('connect_timeout') || defaultConnectTimeout;
  if (!/^\d{1,4}$/.test(timeout)) refuse('has an invalid connect_timeout', 'seconds, such as 10');
  const mode = setTls(parameters, environment);
  if (!sslModes.includes(mode)) refuse('has an unknown sslmode (or PGSSLMODE)', `known modes: ${sslModes.join(', ')}`);
  const config = configOf(`${base}?${parameters}`, refuse);
  const passwordFile = parameters.get('password_file');
  if (passwordFile && config.password) refuse('has a password and a password_file', 'keep one of them');
  return {
    ...config,
    connectionTimeoutMillis: Number(timeout) * 1000,
    ...(passwordFile ? { password: () => passwordIn(passwordFile) } : null),
  };
}

/** Sets the parameters for TLS as pg-connection-string must be given them, and returns the mode that the operator has asked for. */
function setTls(parameters: URLSearchParams, environment: Readonly<Record<string, string | undefined>>): string {
  for (const name of ['sslmode', 'sslrootcert', 'sslcert', 'sslkey']) {
    const value = parameters.get(name) || environment[`PG${name.toUpperCase()}`];
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  // A certificate without a mode asks for TLS.
  const mode = parameters.get('sslmode') ?? (parameters.has('sslrootcert') || parameters.has('sslcert') ? 'verify-full' : 'disable');
  // libpq's word for the authorities that the system trusts.
  if (parameters.get('sslrootcert') === 'system') parameters.delete('sslrootcert');
  if (mode === 'disable') for (const name of ['sslrootcert', 'sslcert', 'sslkey']) parameters.delete(name);
  // As in libpq, verify-ca does not check the name. The system's authorities sign for anybody, so without a root certificate it is checked.
  const skipsName = mode === 'verify-ca' && parameters.has('sslrootcert');
  if (skipsName) parameters.set('uselibpqcompat', 'true');
  // pg-connection-string treats the other modes as verify-full, with a warning on stderr.
  parameters.set('sslmode', skipsName || mode === 'disable' || mode === 'no-verify' ? mode : 'verify-full');
  return mode;
}

function configOf(url: string, refuse: (problem: string, hint: string) => never): pg.ClientConfig {
  try {
    return parseIntoClientConfig(url);
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) {
      throw new StoreError('STORE_CONNECTION_INVALID', `a file for TLS to the store cannot be read: ${error.message}`, {
        hint: 'check sslrootcert, sslcert and sslkey in its address, or PGSSLROOTCERT, PGSSLCERT and PGSSLKEY',
        cause: error,
      });
    }
    return refuse('cannot be parsed', 'check its port, and that each % in it is written %25');
  }
}

async function passwordIn(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new StoreError('STORE_CONNECTION_INVALID', `password_file names a file that cannot be read: ${errorMessage(error)}`, {
      hint: 'name a file that the user of edict may read',
      cause: error,
    });
  }
}
