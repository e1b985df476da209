import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../../src/model/errors.ts';
import { postgresSettings, unverifiedSslMode } from '../../../src/store/postgres/settings.ts';
import { scratchFolder } from '../../support/edict-process.ts';

const test = suite('settings of PostgreSQL');

function refused(url: string, env: Readonly<Record<string, string>> = {}): EdictError {
  try {
    postgresSettings(url, env);
  } catch (error) {
    return error as EdictError;
  }
  throw new Error('it was taken');
}

function written(name: string, text: string): string {
  const file = join(scratchFolder(), name);
  writeFileSync(file, text);
  return file;
}

test('a URL names host, user and database before or after the ?, and the rest is left to pg', () => {
  for (const [url, host, port, user, database, password] of [
    ['postgres://ada%40corp:ge%2Fheim@db.example.com:6432/edict', 'db.example.com', 6432, 'ada@corp', 'edict', 'ge/heim'],
    ['postgresql://[::1]/edict', '::1', undefined, '', 'edict', ''],
    ['postgres://%2Frun%2Fpostgresql/edict', '/run/postgresql', undefined, '', 'edict', ''],
    ['postgres:///edict?host=/run/postgresql&port=6432&user=ada', '/run/postgresql', 6432, 'ada', 'edict', ''],
    ['postgres://ada@/edict?host=/run/postgresql&password=ge%2Fheim', '/run/postgresql', undefined, 'ada', 'edict', 'ge/heim'],
    ['postgres://', '', undefined, '', undefined, ''],
  ] as const) {
    const settings = postgresSettings(url, { PGSSLMODE: 'disable' });
    assert.equal(
      [settings.host, settings.port, settings.user, settings.database, settings.password],
      [host, port, user, database, password],
    );
  }
});

test('a password is in the URL or in a file, not in both', () => {
  assert.match(refused('postgres://ada:geheim@db/edict?password_file=/run/password').message, /a password and a password_file$/);
});

test('the connection timeout is in seconds', () => {
  assert.is(postgresSettings('postgres://db/edict', {}).connectionTimeoutMillis, 5000);
  assert.is(postgresSettings('postgres://db/edict?connect_timeout=10', {}).connectionTimeoutMillis, 10_000);
  assert.match(refused('postgres://db/edict?connect_timeout=long').message, 'connect_timeout');
});

test('TLS verifies the certificate unless it is disabled, and writes nothing to stderr', () => {
  const ca = rootCertificates[0] ?? '';
  const root = written('root.crt', ca);
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const keyFile = written('client.key', key);
  const warned: unknown[] = [];
  const warn = (warning: unknown): void => {
    warned.push(warning);
  };
  process.on('warning', warn);
  for (const [parameters, env, ssl] of [
    ['', {}, {}],
    ['?sslmode=disable', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: root }, false],
    ['?sslmode=no-verify', {}, { rejectUnauthorized: false }],
    ['?sslmode=require', {}, {}],
    ['?sslmode=verify-ca', {}, {}],
    ['?sslmode=prefer', { PGSSLMODE: 'disable' }, {}],
    ['?sslmode=disable&sslrootcert=/absent', {}, false],
    ['?sslmode=require&sslmode=disable', {}, {}],
    [`?sslmode=verify-full&sslrootcert=${root}`, { PGSSLROOTCERT: '/absent' }, { ca }],
    [`?sslrootcert=${root}`, {}, { ca }],
    ['?sslmode=verify-full', { PGSSLROOTCERT: root }, { ca }],
    ['', { PGSSLROOTCERT: 'system' }, {}],
    ['', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: root }, { ca }],
    ['', { PGSSLMODE: 'disable', PGSSLROOTCERT: root }, false],
    [`?sslcert=${root}`, { PGSSLKEY: keyFile }, { cert: ca, key }],
  ] as const) {
    const settings = postgresSettings(`postgres://db/edict${parameters}`, env).ssl;
    // Without a prototype, as pg-connection-string makes it, it would equal no literal.
    assert.equal(typeof settings === 'object' ? { ...settings } : settings, ssl, parameters);
  }
  process.off('warning', warn);
  assert.equal(warned, []);
});

test('without a mode, a server on this machine is reached without TLS, and any other one is verified', () => {
  for (const [url, env, isLocal] of [
    ['postgres://', {}, true],
    ['postgres:///edict', {}, true],
    ['postgres://localhost/edict', {}, true],
    ['postgres://127.0.0.1:6432/edict', {}, true],
    ['postgres://127.8.9.10/edict', {}, true],
    ['postgres://[::1]/edict', {}, true],
    ['postgres://%2Frun%2Fpostgresql/edict', {}, true],
    ['postgres:///edict?host=/run/postgresql', { PGHOST: 'db' }, true],
    ['postgres:///edict', { PGHOST: '/run/postgresql' }, true],
    ['postgres:///edict', { PGHOST: 'db' }, false],
    ['postgres://localhost/edict?host=db', {}, false],
    ['postgres://db/edict?host=localhost', {}, true],
    ['postgres:///edict?host=localhost&host=db', {}, false],
    ['postgres://10.0.0.1/edict', {}, false],
    ['postgres://localhost.example.com/edict', {}, false],
    ['postgres://127.0.0.1.example.com/edict', {}, false],
    ['postgres://localhost./edict', {}, false],
    ['postgres://0.0.0.0/edict', {}, false],
    ['postgres://[::ffff:10.0.0.1]/edict', {}, false],
  ] as const) {
    const { ssl } = postgresSettings(url, env);
    assert.equal(typeof ssl === 'object' ? { ...ssl } : ssl, isLocal ? false : {}, url);
    assert.is(unverifiedSslMode(url, env), null, url);
    for (const mode of ['disable', 'no-verify']) assert.is(unverifiedSslMode(url, { ...env, PGSSLMODE: mode }), isLocal ? null : mode, url);
  }
});

test('verify-ca with a root certificate verifies who signed the certificate and not the host name', () => {
  const root = written('root.crt', rootCertificates[0] ?? '');
  const { ssl } = postgresSettings(`postgres://db/edict?sslmode=verify-ca&sslrootcert=${root}`, {});
  assert.ok(typeof ssl === 'object' && ssl.checkServerIdentity && ssl.rejectUnauthorized !== false);
  assert.is(ssl.checkServerIdentity('any', {} as never), undefined);
});

test('a missing TLS file is named', () => {
  for (const [url, env] of [
    ['postgres://db/edict?sslrootcert=/absent/file', {}],
    ['postgres://db/edict?sslmode=require&sslkey=/absent/file', {}],
    ['postgres://db/edict', { PGSSLROOTCERT: '/absent/file' }],
  ] as const) {
    const { code, message, hint } = refused(url, env);
    assert.is(code, 'STORE_CONNECTION_INVALID');
    assert.match(message, '/absent/file');
    assert.match(hint ?? '', 'PGSSLROOTCERT');
  }
});

test('an unknown parameter is named, and the known ones are listed', () => {
  for (const [parameters, name] of [
    ['sslmod=verify-full', 'sslmod'],
    ['sslmode=require&channel_binding=require', 'channel_binding'],
    ['uselibpqcompat=true', 'uselibpqcompat'],
  ] as const) {
    const { code, message, hint } = refused(`postgres://db/edict?${parameters}`);
    assert.is(code, 'STORE_URL_INVALID');
    assert.match(message, new RegExp(`unknown parameter: ${name}$`));
    assert.match(hint ?? '', /host, .*sslmode, .*password$/);
  }
});

test('what may be part of a password is not shown as the name of a parameter', () => {
  for (const url of [
    'postgres://db/edict?password=ge&heim=x',
    'postgres://db/edict?ge1heim=x',
    'postgres://db/edict?sslmode=require&geheim',
  ]) {
    assert.not.match(`${refused(url).message} ${refused(url).hint}`, 'heim');
  }
});

test('an unknown parameter or mode is rejected: a mistyped sslmode would be a connection without TLS', () => {
  for (const [url, env] of [
    ['postgres://db/edict?sslmod=verify-full', {}],
    ['postgres://db/edict?sslmode=verify_full', {}],
    ['postgres://db/edict', { PGSSLMODE: 'verify_full' }],
    ['postgres://db/edict?sslmode=allow', {}],
    ['postgres://db/edict', { PGSSLMODE: 'allow' }],
    ['postgres://db/edict?port=abc', {}],
    ['postgres://db:99999/edict', {}],
    ['postgres://ada:geheim%ff@db/edict', {}],
  ] as const) {
    const { code, message, hint } = refused(url, env);
    assert.is(code, 'STORE_URL_INVALID');
    assert.not.match(`${message} ${hint}`, 'geheim');
  }
  assert.match(refused('postgres://db/edict?sslmode=allow').hint ?? '', 'verify-full');
});

test.run();
