import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPostgresUrl, redactUrl } from '../../src/model/store-url.ts';
import { fc, runs } from '../support/fast-check.ts';

test('a URL is shown without its secrets', () => {
  for (const [address, shown] of [
    ['postgres://ada:geheim@db:5432/edict?sslpassword=geheim', 'postgres://ada:***@db:5432/edict?***'],
    ['postgresql://ada@db/edict?password=geheim&sslmode=verify-full', 'postgresql://ada@db/edict?password=***&sslmode=verify-full'],
    ['postgresql://ada@db/edict?PASSWORD=geheim', 'postgresql://ada@db/edict?***'],
    ['postgresql://ada@db/edict?pass=ge&heim', 'postgresql://ada@db/edict?***&***'],
    ['postgres://db/edict?password_file=/run/password', 'postgres://db/edict?password_file=/run/password'],
    ['postgres://ada%40corp:ge@heim@[::1]:5432', 'postgres://ada%40corp:***@[::1]:5432'],
    ['postgres://ada@%2Fcloudsql%2Facme%3Aeu%3Amain/edict', 'postgres://ada@%2Fcloudsql%2Facme%3Aeu%3Amain/edict'],
    ['postgres://first%2Elast@db/edict', 'postgres://first%2Elast@db/edict'],
    ['postgres://ada@/edict?host=/run/postgresql', 'postgres://ada@/edict?host=/run/postgresql'],
    ['sqlite:.edict/state.db', 'sqlite:.edict/state.db'],
  ] as const) {
    assert.is(redactUrl(address), shown);
  }
});

test('nothing of an ambiguous URL is shown that may be part of a password', () => {
  for (const [address, shown] of [
    ['postgres://edict:2024#geheim@db/edict', 'postgres://***'],
    ['postgres://edict:2024?geheim@db/edict', 'postgres://***'],
    ['postgres://edict:12/geheim@db/edict', 'postgres://***'],
    ['postgres://edict:geheim/edict', 'postgres://***'],
    ['postgres://edict@db/edict?password=ge#heim', 'postgres://***'],
    ['postgres://edict@db/edict?password=ge@heim', 'postgres://***'],
    ['postgres://edict%3Ageheim@db/edict', 'postgres://***'],
    ['postgres://edict%3Ageheim:x@db/edict', 'postgres://***'],
    ['postgres://edict%3Ageheim%40db/edict', 'postgres://***'],
    ['postgres://ada:ge@heim/@db:port/edict', 'postgres://***'],
    ['postgres:/edict:geheim@db/edict', '***'],
    ['postgres:edict:geheim@db/edict?user=ada', '***'],
    ['edict:geheim@db/edict', '***'],
    ['"postgres://edict:geheim@db/edict"', '***'],
    ['POSTGRES://edict:geheim@db/edict', '***'],
    ['mysql://ada:geheim@db/edict', 'mysql://***'],
    ['host=db password=geheim', '***'],
    ['state.db', 'state.db'],
    ['', ''],
  ] as const) {
    assert.is(redactUrl(address), shown);
    assert.not(isPostgresUrl(address), address);
  }
});

test('a PostgreSQL URL is unambiguous', () => {
  for (const address of [
    'postgres://',
    'postgres:///edict?host=/run/postgresql',
    'postgresql://ada:2024@db.example.com:5432/edict?sslmode=verify-full',
    'postgres://ada:ge@heim@10.0.0.1',
    'postgres://ada%40corp:100%25@[::1]:5432/edict',
    'postgres://first%2Elast@db/edict',
    'postgres://ada@/edict?host=/run/postgresql',
  ]) {
    assert.ok(isPostgresUrl(address), address);
  }
});

/** How a person may write a password into a URL, correctly or not. */
const shapes: readonly ((password: string) => string)[] = [
  (password) => `postgres://edict:${password}@db:5432/edict`,
  (password) => `postgres://edict:${encodeURIComponent(password)}@db/edict`,
  (password) => `postgresql://:${password}@/edict`,
  (password) => `postgres://${encodeURIComponent(`edict:${password}`)}@db/edict`,
  (password) => `postgres://edict%3A${password}@db/edict`,
  (password) => `postgres://edict:2024#${password}@db/edict`,
  (password) => `postgres://edict:2024?${password}@db/edict`,
  (password) => `postgres://edict:2024/${password}@db/edict`,
  (password) => `postgres://edict:2024?user=${password}@db/edict?sslmode=require`,
  (password) => `postgres://${encodeURIComponent(`edict:${password}@db`)}/edict`,
  (password) => `postgres:/edict:${password}@db/edict`,
  (password) => `postgres:edict:${password}@db/edict`,
  (password) => `edict:${password}@db/edict`,
  (password) => `Postgres://edict:${password}@db/edict`,
  (password) => `mysql://edict:${password}@db/edict`,
  (password) => `postgres://edict@db/edict?password=${password}`,
  (password) => `postgres://edict@db/edict?sslmode=require&PASSWORD=${encodeURIComponent(password)}#`,
  (password) => `postgres://edict@db/edict?pass=${password}&user=edict`,
];

const passwords = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ABC0189:/?#@%&=+[]\\ .,;~!$*()|"\'ßé'), maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed()),
);

test('no form of a URL shows a password, or part of it', () => {
  fc.assert(
    fc.property(passwords, fc.constantFrom(...shapes), (middle, shape) => {
      assert.not.match(redactUrl(shape(`SECRET${middle}SECRET`)), 'SECRET');
    }),
    { numRuns: runs(5000) },
  );
});

test.run();
