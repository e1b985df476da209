import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import { postgresSettings } from '../../src/store/postgres-settings.ts';
import { scratchFolder } from '../support/edict-process.ts';

const test = suite('settings of PostgreSQL');

function refused(url: string, environment: Readonly<Record<string, string>> = {}): EdictError {
  try {
    postgresSettings(url, environment);
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

test('what an address leaves out is left to the variables of pg', () => {
  assert.equal(postgresSettings('postgres://', {}), {
    host: undefined,
    port: undefined,
    user: undefined,
    database: undefined,
    options: undefined,
    application_name: undefined,
    connectionTimeoutMillis: undefined,
    password: null,
    ssl: false,
  });
});

test('an address says where, who and what, before the ? or behind it', () => {
  for (const [url, host, port, user, database] of [
    ['postgres://ada%40corp@db.example.com:6432/edict', 'db.example.com', 6432, 'ada@corp', 'edict'],
    ['postgresql://[::1]/a%2Fb', '::1', undefined, undefined, 'a/b'],
    ['postgres://%2Frun%2Fpostgresql/edict', '/run/postgresql', undefined, undefined, 'edict'],
    ['postgres:///edict?host=/run/postgresql&port=6432&user=ada', '/run/postgresql', 6432, 'ada', 'edict'],
  ] as const) {
    const settings = postgresSettings(url, {});
    assert.equal([settings.host, settings.port, settings.user, settings.database], [host, port, user, database]);
  }
});

test('a password comes from the address, its file or PGPASSWORD, whether there is a host or not', () => {
  const file = written('password', 'ge:h@im\n');
  for (const [url, password] of [
    ['postgres://ada:ge%2Fheim@db/edict', 'ge/heim'],
    ['postgres://ada@db/edict?password=ge%2Fheim', 'ge/heim'],
    [`postgres:///edict?password_file=${file}`, 'ge:h@im'],
    [`postgres://?password_file=${file}`, 'ge:h@im'],
    ['postgres://db', 'of the environment'],
  ] as const) {
    assert.is(postgresSettings(url, { PGPASSWORD: 'of the environment' }).password, password, url);
  }
  assert.is(refused(`postgres://ada:geheim@db/edict?password_file=${file}`).code, 'STATE_URL');
});

test('TLS checks the certificate unless it is told not to, and says nothing on stderr', () => {
  const ca = rootCertificates[0] ?? '';
  const root = written('root.crt', ca);
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const keyFile = written('client.key', key);
  const warned: unknown[] = [];
  const warn = (warning: unknown): void => {
    warned.push(warning);
  };
  process.on('warning', warn);
  for (const [parameters, environment, ssl] of [
    ['', {}, false],
    ['?sslmode=disable', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: root }, false],
    ['?sslmode=no-verify', {}, { rejectUnauthorized: false }],
    ['?sslmode=require', {}, {}],
    ['?sslmode=verify-ca', {}, {}],
    ['?ssl=true', { PGSSLMODE: 'disable' }, {}],
    [`?sslmode=verify-full&sslrootcert=${root}`, { PGSSLROOTCERT: '/absent' }, { ca }],
    [`?sslrootcert=${root}`, {}, { ca }],
    ['?sslmode=verify-full', { PGSSLROOTCERT: root }, { ca }],
    ['', { PGSSLROOTCERT: 'system' }, {}],
    ['', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: root }, { ca }],
    ['', { PGSSLMODE: 'disable', PGSSLROOTCERT: root }, false],
    [`?sslcert=${root}`, { PGSSLKEY: keyFile }, { cert: ca, key }],
  ] as const) {
    assert.equal(postgresSettings(`postgres://db/edict${parameters}`, environment).ssl, ssl, parameters);
  }
  process.off('warning', warn);
  assert.equal(warned, []);
});

test('a file that is missing is named, and what names it', () => {
  for (const [url, environment, what] of [
    ['postgres://db/edict?sslrootcert=/absent/root.crt', {}, /sslrootcert.*\/absent\/root.crt/],
    ['postgres://db/edict', { PGSSLROOTCERT: '/absent/root.crt' }, /PGSSLROOTCERT.*\/absent\/root.crt/],
    ['postgres://db/edict?password_file=/absent/password', {}, /password_file.*\/absent\/password/],
  ] as const) {
    const error = refused(url, environment);
    assert.is(error.code, 'STORE_SETTING');
    assert.match(error.message, what);
  }
});

test('a file that holds no certificate, or no key, is named, and what names it', () => {
  const file = written('garbage', 'not PEM');
  for (const name of ['sslrootcert', 'sslcert', 'sslkey']) {
    const error = refused(`postgres://db/edict?sslmode=verify-full&${name}=${file}`);
    assert.is(error.code, 'STORE_SETTING');
    assert.ok(error.message.includes(name) && error.message.includes(file), error.message);
  }
});

test('what addresses for libpq often say is taken, and what edict cannot do of it is refused by name', () => {
  const said =
    'connect_timeout=10&target_session_attrs=read-write&channel_binding=prefer&gssencmode=disable&keepalives=1&keepalives_idle=30';
  assert.is(postgresSettings(`postgres://db/edict?${said}`, {}).connectionTimeoutMillis, 10_000);
  for (const [parameter, what] of [
    ['channel_binding=require', /has a channel_binding.*/],
    ['target_session_attrs=standby', /has a target_session_attrs/],
    ['connect_timeout=long', /has a connect_timeout/],
    ['sslmode=allow', /allow, which edict does not do/],
    ['conect_timeout=10', /does not know: conect_timeout$/],
  ] as const) {
    const error = refused(`postgres://db/edict?${parameter}`);
    assert.is(error.code, 'STATE_URL');
    assert.match(error.message, what);
  }
  assert.match(refused('postgres://db/edict', { PGSSLMODE: 'allow' }).hint ?? '', 'verify-full');
});

test('what may be a piece of a password is not told as the name of a parameter', () => {
  for (const url of [
    'postgres://db/edict?password=ge&heim=x',
    'postgres://db/edict?ge1heim=x',
    'postgres://db/edict?sslmode=require&geheim',
  ]) {
    assert.not.match(`${refused(url).message} ${refused(url).hint}`, 'heim');
  }
});

test('a parameter or a mode that is not known is refused: a mistyped sslmode would be a connection without TLS', () => {
  for (const [url, environment] of [
    ['postgres://db/edict?sslmod=verify-full', {}],
    ['postgres://db/edict?sslmode=verify_full', {}],
    ['postgres://db/edict', { PGSSLMODE: 'verify_full' }],
    ['postgres://db/edict?port=abc', {}],
  ] as const) {
    assert.is(refused(url, environment).code, 'STATE_URL');
  }
});

test.run();
