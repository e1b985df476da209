import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
  const root = written('root.crt', 'the root');
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
    [`?sslmode=verify-full&sslrootcert=${root}`, { PGSSLROOTCERT: '/absent' }, { ca: 'the root' }],
    [`?sslrootcert=${root}`, {}, { ca: 'the root' }],
    ['?sslmode=verify-full', { PGSSLROOTCERT: root }, { ca: 'the root' }],
    ['', { PGSSLROOTCERT: 'system' }, {}],
    ['', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: root }, { ca: 'the root' }],
    ['', { PGSSLMODE: 'disable', PGSSLROOTCERT: root }, false],
    [`?sslcert=${root}`, { PGSSLKEY: root }, { cert: 'the root', key: 'the root' }],
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
