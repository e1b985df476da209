import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import type { Env } from '../../model/env.ts';
import { errorMessage, StoreError } from '../../model/errors.ts';
import { nonSecretParameters, redactUrl } from '../../model/store-url.ts';

/** Default of `connect_timeout`, in seconds. */
const defaultConnectTimeout = '5';

/** Every TLS mode checks the server's certificate and name, except `no-verify`, and `verify-ca` with a root certificate, which skips the name. */
const sslModes: readonly string[] = ['disable', 'no-verify', 'prefer', 'require', 'verify-ca', 'verify-full'];

const knownParameters: readonly string[] = [...nonSecretParameters, 'password'];

/**
 * Returns the pg settings for a PostgreSQL URL. pg reads the variables for host, port, user, database and password itself. The variables for
 * TLS are read here, since pg ignores an unknown `PGSSLMODE` and connects without TLS.
 *
 * @throws EdictError `STORE_URL_INVALID` if the URL cannot be parsed or has an unknown parameter, `STORE_CONNECTION_INVALID` if a file cannot be read
 */
export function postgresSettings(url: string, env: Env): pg.ClientConfig {
  return parseUrl(url, env).settings;
}

/**
 * Returns the mode with which the server of a PostgreSQL URL, on another machine, is not verified: `disable` or `no-verify`. Returns `null` if it
 * is verified, or is on this machine. Throws as `postgresSettings` does.
 */
export function unverifiedSslMode(url: string, env: Env): string | null {
  const { mode, isLocal } = parseUrl(url, env);
  return !isLocal && (mode === 'disable' || mode === 'no-verify') ? mode : null;
}

interface ParsedUrl {
  readonly settings: pg.ClientConfig;
  readonly mode: string;
  /** Whether the server is on this machine. */
  readonly isLocal: boolean;
}

function parseUrl(url: string, env: Env): ParsedUrl {
  const reject = (problem: string, hint: string): never => {
    throw new StoreError('STORE_URL_INVALID', `--state ${redactUrl(url)} ${problem}`, { hint });
  };
  const [, base = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(url) ?? [];
  const parameters = new URLSearchParams(query);
  const unknown = [...parameters.keys()].find((name) => !knownParameters.includes(name));
  if (unknown !== undefined) {
    // After a password the unknown name may be part of it, so it is not printed.
    const isName = /^[a-z_]+$/i.test(unknown) && query.includes(`${unknown}=`) && !/password=.*&/i.test(query);
    reject(`has an unknown parameter${isName ? `: ${unknown}` : ''}`, `known parameters: ${knownParameters.join(', ')}`);
  }
  const timeout = parameters.get('connect_timeout') || defaultConnectTimeout;
  if (!/^\d{1,4}$/.test(timeout)) reject('has an invalid connect_timeout', 'seconds, such as 10');
  const hosts = new URLSearchParams(parameters.getAll('host').map((host): [string, string] => ['host', host]));
  const isLocal = isLocalHost(parseConfig(`${base}?${hosts}`, reject).host || env['PGHOST']);
  const mode = setTls(parameters, env, isLocal);
  if (!sslModes.includes(mode)) reject('has an unknown sslmode (or PGSSLMODE)', `known modes: ${sslModes.join(', ')}`);
  const config = parseConfig(`${base}?${parameters}`, reject);
  const passwordFile = parameters.get('password_file');
  if (passwordFile && config.password) reject('has a password and a password_file', 'keep one of them');
  const settings = {
    ...config,
    connectionTimeoutMillis: Number(timeout) * 1000,
    ...(passwordFile ? { password: () => readPasswordFile(passwordFile) } : null),
  };
  return { settings, mode, isLocal };
}

/** Returns whether a host is this machine: a socket, a loopback address, or none, for which pg takes `localhost`. */
function isLocalHost(host: string | null | undefined): boolean {
  return !host || host.startsWith('/') || /^(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(host);
}

/**
 * Sets the TLS parameters as pg-connection-string expects them, and returns the mode that applies: the one that the operator asked for, or
 * `verify-full`. Without one, a server on this machine is reached without TLS.
 */
function setTls(parameters: URLSearchParams, env: Env, isLocal: boolean): string {
  for (const name of ['sslmode', 'sslrootcert', 'sslcert', 'sslkey']) {
    const value = parameters.get(name) || env[`PG${name.toUpperCase()}`];
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  // A certificate without a mode implies TLS.
  const isPlain = isLocal && !parameters.has('sslrootcert') && !parameters.has('sslcert');
  const mode = parameters.get('sslmode') ?? (isPlain ? 'disable' : 'verify-full');
  // In libpq, `system` means the certificate authorities that the system trusts.
  if (parameters.get('sslrootcert') === 'system') parameters.delete('sslrootcert');
  if (mode === 'disable') for (const name of ['sslrootcert', 'sslcert', 'sslkey']) parameters.delete(name);
  // As in libpq, verify-ca does not check the name. The system's authorities sign for anyone, so without a root certificate it is checked.
  const skipsName = mode === 'verify-ca' && parameters.has('sslrootcert');
  if (skipsName) parameters.set('uselibpqcompat', 'true');
  // pg-connection-string treats the other modes as verify-full, with a warning on stderr.
  parameters.set('sslmode', skipsName || mode === 'disable' || mode === 'no-verify' ? mode : 'verify-full');
  return mode;
}

function parseConfig(url: string, reject: (problem: string, hint: string) => never): pg.ClientConfig {
  try {
    return parseIntoClientConfig(url);
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) {
      throw new StoreError('STORE_CONNECTION_INVALID', `a file for TLS to the store cannot be read: ${error.message}`, {
        hint: 'check sslrootcert, sslcert and sslkey in its address, or PGSSLROOTCERT, PGSSLCERT and PGSSLKEY',
        cause: error,
      });
    }
    return reject('cannot be parsed', 'check its port, and that each % in it is written %25');
  }
}

async function readPasswordFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new StoreError('STORE_CONNECTION_INVALID', `password_file names a file that cannot be read: ${errorMessage(error)}`, {
      hint: 'name a file that the user of edict may read',
      cause: error,
    });
  }
}
