import { constants } from 'node:os';
import pg from 'pg';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type EdictError, StoreError } from '../../../src/model/errors.ts';
import { toPostgresStoreError } from '../../../src/store/postgres/errors.ts';

/** Returns the error for one of the network, or of pg. */
const of = (code: string | undefined, message = 'oh'): EdictError =>
  toPostgresStoreError(Object.assign(new Error(message), { code }), 'postgres://db/');

/** Returns the error for one that the server has answered. */
const answered = (code: string, message = 'oh'): EdictError =>
  toPostgresStoreError(Object.assign(new pg.DatabaseError(message, 0, 'error'), { code }), 'postgres://db/');

for (const [code, expected] of [
  ['08006', 'STORE_UNREACHABLE'],
  ['57P01', 'STORE_UNREACHABLE'],
  ['57P03', 'STORE_UNREACHABLE'],
  ['57014', 'STORE_UNREACHABLE'],
  ['55000', 'STORE_UNREACHABLE'],
  ['28P01', 'STORE_ACCESS_DENIED'],
  ['3D000', 'STORE_OPEN_FAILED'],
  ['42501', 'STORE_READ_ONLY'],
  ['25006', 'STORE_READ_ONLY'],
  ['53100', 'STORE_FULL'],
  ['XX001', 'STORE_CORRUPT'],
  ['42P01', 'STORE_FAILED'],
  ['ED001', 'LEASE_HELD'],
] as const) {
  test(`${code} is ${expected}`, () => {
    assert.is(answered(code).code, expected);
  });
}

test('an error of the network is one whatever its code looks like', () => {
  for (const code of [
    ...Object.keys(constants.errno),
    'ENOTFOUND',
    'EAI_AGAIN',
    'EPROTO',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    '08006',
    'ED001',
  ]) {
    assert.is(of(code).code, 'STORE_UNREACHABLE', code);
  }
});

test('an unusable TLS file is reported as such', () => {
  assert.is(of('ERR_OSSL_PEM_NO_START_LINE').code, 'STORE_CONNECTION_INVALID');
});

test('the message says where and what, with a hint', () => {
  const { message, hint } = answered('28P01', 'password authentication failed for user "edict"');
  assert.is(message, 'the store postgres://db/ rejects the credentials: password authentication failed for user "edict"');
  assert.match(hint ?? '', 'PGPASSWORD');
});

test('a connection that the server closed, and one with several addresses, are reported as network errors', () => {
  assert.is(of(undefined, 'Connection terminated unexpectedly').code, 'STORE_UNREACHABLE');
  const several = new AggregateError([new Error('connect ECONNREFUSED ::1:5432'), new Error('x')]);
  assert.match(toPostgresStoreError(several, 'db').message, 'ECONNREFUSED ::1');
});

test('an error of TLS, or a missing password, is reported as such', () => {
  for (const code of [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  ]) {
    const { code: actual, hint } = of(code);
    assert.is(actual, 'STORE_UNREACHABLE');
    assert.match(hint ?? '', 'sslrootcert');
  }
  assert.match(of(undefined, 'The server does not support SSL connections').hint ?? '', 'PGSSLMODE');
  assert.is(of(undefined, 'SASL: client password must be a non-empty string').code, 'STORE_ACCESS_DENIED');
});

test('an error that is mapped already stays as it is', () => {
  const error = new StoreError('STORE_KIND_MISMATCH', 'x');
  assert.is(toPostgresStoreError(error, 'db'), error);
});

test.run();
