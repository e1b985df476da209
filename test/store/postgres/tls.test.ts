import { statSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../../src/model/errors.ts';
import { connect } from '../../../src/store/postgres/connection.ts';
import { selfSigned } from '../../support/certificate.ts';
import { postgresServer } from '../../support/postgres.ts';

test('a server is trusted by its certificate alone if that is configured', async () => {
  const made = selfSigned('localhost');
  const other = selfSigned('localhost');
  if (!made || !other) {
    process.stdout.write('note: openssl is not installed, TLS to PostgreSQL was not tried\n');
    return;
  }
  assert.is(statSync(made.key).mode & 0o77, 0);
  const flags = ['ssl=on', 'ssl_cert_file=../server.crt', 'ssl_key_file=../server.key'].flatMap((setting) => ['-c', setting]);
  const server = await postgresServer(flags, [made.cert, made.key]);
  try {
    const url = await server.database();
    const ask = async (host: string, mode: string, rootCertificate?: string): Promise<unknown> => {
      const address = new URL(url);
      address.hostname = host;
      address.searchParams.set('sslmode', mode);
      if (rootCertificate) address.searchParams.set('sslrootcert', rootCertificate);
      const client = await connect({ url: address.href, applicationName: 'tls' }).catch((error: EdictError) => error);
      if (!('end' in client)) return client.code;
      const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      await client.end();
      return rows[0]?.ssl;
    };
    assert.is(await ask('localhost', 'verify-full', made.cert), true);
    assert.is(await ask('localhost', 'require', made.cert), true);
    assert.is(await ask('localhost', 'no-verify'), true);
    assert.is(await ask('localhost', 'disable'), false);
    process.env['PGSSLROOTCERT'] = made.cert;
    assert.is(await ask('localhost', 'verify-full'), true);
    assert.is(await ask('localhost', 'verify-full', other.cert), 'STORE_UNREACHABLE', 'the URL takes precedence');
    delete process.env['PGSSLROOTCERT'];
    assert.is(await ask('localhost', 'verify-full', other.cert), 'STORE_UNREACHABLE', 'another certificate');
    assert.is(await ask('localhost', 'verify-full'), 'STORE_UNREACHABLE', 'no certificate authority of the system signed it');
    assert.is(await ask('127.0.0.1', 'verify-full', made.cert), 'STORE_UNREACHABLE', 'it is for another name');
    assert.is(await ask('127.0.0.1', 'verify-ca', made.cert), true, 'any name is accepted');
    assert.is(await ask('127.0.0.1', 'verify-ca', other.cert), 'STORE_UNREACHABLE', 'but not another certificate');
    assert.is(await ask('localhost', 'verify-full', made.key), 'STORE_UNREACHABLE', 'a file without a certificate trusts nobody');
    process.env['PGSSLCERT'] = made.key;
    assert.is(await ask('localhost', 'verify-full', made.cert), 'STORE_CONNECTION_INVALID', 'an invalid client certificate');
    delete process.env['PGSSLCERT'];
  } finally {
    await server.close();
  }
});

test.run();
