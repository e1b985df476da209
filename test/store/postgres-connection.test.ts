import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import { connect } from '../../src/store/postgres-connection.ts';
import { scratchFolder } from '../support/edict-process.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';

const test = suite('connections to PostgreSQL');
let server: PostgresServer;
let url: string;
test.before(async () => {
  server = await postgresServer();
  url = await server.database();
});
test.after(() => server.close());

const refused = async (address: string): Promise<EdictError> => {
  const client = await connect({ url: address, name: 'test' }).catch((error: unknown) => error as EdictError);
  if ('end' in client) throw new Error('it was let in');
  return client;
};
const changed = (change: (address: URL) => void): string => {
  const address = new URL(url);
  change(address);
  return address.href;
};

test('a password may stand in a file, which is read anew for each connection', async () => {
  const file = join(scratchFolder(), 'password');
  const { password } = new URL(url);
  const address = changed((of) => {
    of.password = '';
    of.searchParams.set('password_file', file);
  });
  writeFileSync(file, `${decodeURIComponent(password)}\n`);
  const client = await connect({ url: address, name: 'test' });
  assert.equal((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await client.end();
  writeFileSync(file, 'wrong');
  assert.is((await refused(address)).code, 'STORE_REFUSED');
  const twice = changed((of) => of.searchParams.set('password_file', file));
  assert.is((await refused(twice)).code, 'STATE_URL');
});

test('what cannot be reached, is not there or does not answer is told, and never a password', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  for (const [address, code] of [
    ['postgres://ada:geheim@127.0.0.1:1/edict', 'STORE_UNREACHABLE'],
    ['postgres://ada:geheim@no.such.host.invalid/edict', 'STORE_UNREACHABLE'],
    [`postgres://ada:geheim@127.0.0.1:${port}/edict`, 'STORE_UNREACHABLE'],
    [
      changed((of) => {
        of.password = 'geheim';
      }),
      'STORE_REFUSED',
    ],
    [
      changed((of) => {
        of.pathname = '/absent';
      }),
      'STORE_UNOPENABLE',
    ],
  ] as const) {
    const error = await refused(address);
    assert.is(error.code, code, error.message);
    assert.not.match(`${error.message} ${error.hint}`, 'geheim');
  }
  silent.close();
});

test.run();
