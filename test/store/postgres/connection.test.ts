import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../../src/model/errors.ts';
import { connect, disconnect } from '../../../src/store/postgres/connection.ts';
import { openTcpProxy } from '../../chaos/tcp-proxy.ts';
import { scratchFolder, until } from '../../support/edict-process.ts';
import { type PostgresServer, postgresServer } from '../../support/postgres.ts';

const test = suite('connections to PostgreSQL');
let server: PostgresServer;
let url: string;
test.before(async () => {
  server = await postgresServer();
  url = await server.database();
});
test.after(() => server.close());

const refused = async (address: string): Promise<EdictError> => {
  const client = await connect({ url: address, applicationName: 'test' }).catch((error: unknown) => error as EdictError);
  if ('end' in client) throw new Error('it was let in');
  return client;
};
const changed = (change: (address: URL) => void): string => {
  const address = new URL(url);
  change(address);
  return address.href;
};

test('a password can be in a file, which is read again for each connection', async () => {
  const file = join(scratchFolder(), 'password');
  const { password } = new URL(url);
  const address = changed((of) => {
    of.password = '';
    of.searchParams.set('password_file', file);
  });
  writeFileSync(file, `${decodeURIComponent(password)}\n`);
  const client = await connect({ url: address, applicationName: 'test' });
  assert.equal((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await client.end();
  writeFileSync(file, 'wrong');
  assert.is((await refused(address)).code, 'STORE_ACCESS_DENIED');
  rmSync(file);
  const missing = await refused(address);
  assert.is(missing.code, 'STORE_CONNECTION_INVALID');
  assert.match(missing.message, /password_file.*\/password/);
  const twice = changed((of) => of.searchParams.set('password_file', file));
  assert.is((await refused(twice)).code, 'STORE_URL_INVALID');
});

/** Runs `work` with these variables of pg in the environment. */
async function withVariables<T>(variables: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  Object.assign(process.env, variables);
  try {
    return await work();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

const answer = async (address: string, sql: string): Promise<unknown> => {
  const client = await connect({ url: address, applicationName: 'test' });
  const { rows } = await client.query(sql);
  await client.end();
  return Object.values(rows[0] ?? {})[0];
};

test('a password can be in a file if the host comes from PGHOST too', async () => {
  const { hostname, port, username, password, pathname } = new URL(url);
  const file = join(scratchFolder(), 'password');
  writeFileSync(file, decodeURIComponent(password));
  await withVariables({ PGHOST: hostname, PGPORT: port, PGUSER: username, PGDATABASE: pathname.slice(1) }, async () => {
    for (const address of [
      `postgres:///${pathname.slice(1)}?password_file=${encodeURIComponent(file)}`,
      `postgres://?password_file=${encodeURIComponent(file)}`,
    ]) {
      assert.is(await answer(address, 'SELECT 1'), 1, address);
    }
  });
});

test('the password file of libpq is used, and nothing is written to stderr', async () => {
  const { hostname, port, username, password, pathname } = new URL(url);
  const file = join(scratchFolder(), 'pgpass');
  writeFileSync(file, `${hostname}:${port}:*:${username}:${decodeURIComponent(password)}\n`, { mode: 0o600 });
  const warned: unknown[] = [];
  const warn = (warning: unknown): void => {
    warned.push(warning);
  };
  process.on('warning', warn);
  const address = `postgres://${username}@${hostname}:${port}${pathname}`;
  await withVariables({ PGPASSFILE: file }, async () => assert.is(await answer(address, 'SELECT 1'), 1));
  await withVariables({ PGPASSFILE: '/absent', PGPASSWORD: decodeURIComponent(password) }, async () =>
    assert.is(await answer(address, 'SELECT 1'), 1),
  );
  await withVariables({ PGPASSFILE: '/absent' }, async () => assert.is((await refused(address)).code, 'STORE_ACCESS_DENIED'));
  process.off('warning', warn);
  assert.equal(warned, []);
});

test('a commit is durable even if the role or the database says otherwise, and no other setting changes', async () => {
  const database = new URL(url).pathname.slice(1);
  for (const [set, is] of [
    ['off', 'on'],
    ['local', 'local'],
    ['remote_apply', 'remote_apply'],
  ]) {
    await answer(url, `ALTER DATABASE ${database} SET synchronous_commit = ${set}`);
    assert.is(await answer(url, 'SHOW synchronous_commit'), is);
  }
  await answer(url, `ALTER DATABASE ${database} RESET synchronous_commit`);
});

test('a stuck transaction is aborted, by a setting made after connecting since poolers reject it at startup', async () => {
  assert.is(await answer(url, 'SHOW idle_in_transaction_session_timeout'), '2s');
  const started = Promise.withResolvers<Buffer>();
  const pooler = createServer((socket) =>
    socket.once('data', (packet) => {
      started.resolve(packet);
      socket.destroy();
    }),
  ).listen(0, '127.0.0.1');
  await once(pooler, 'listening');
  const { port } = pooler.address() as { port: number };
  assert.is((await refused(`postgres://ada:geheim@127.0.0.1:${port}/edict`)).code, 'STORE_UNREACHABLE');
  // The length and the version, then names and values, each with a NUL behind it.
  const words = (await started.promise).subarray(8).toString().split('\0');
  const names = words.filter((word, index) => index % 2 === 0 && word !== '').sort();
  assert.equal(names, ['application_name', 'client_encoding', 'database', 'user']);
  pooler.close();
});

test('a login that is given up leaves no connection behind', async () => {
  const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  const before = sockets();
  const error = await refused(
    changed((of) => {
      of.password = '';
      of.searchParams.set('password_file', '/absent');
    }),
  );
  assert.is(error.code, 'STORE_CONNECTION_INVALID');
  await until('the socket is closed', () => sockets() <= before);
});

test('a connection ends soon though the server no longer answers its query', async () => {
  const database = new URL(await server.database());
  await using proxy = await openTcpProxy(`http://${database.host}`);
  database.port = new URL(proxy.url).port;
  const client = await connect({ url: database.href, applicationName: 'edict' });
  proxy.setMode('frozen');
  const answered = client.query('SELECT 1').then(
    () => 'answered',
    () => 'given up',
  );
  await disconnect(client);
  assert.is(await answered, 'given up');
});

test('an unreachable, missing or silent server is reported, and never a password', async () => {
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
      'STORE_ACCESS_DENIED',
    ],
    [
      changed((of) => {
        of.pathname = '/absent';
      }),
      'STORE_OPEN_FAILED',
    ],
  ] as const) {
    const error = await refused(address);
    assert.is(error.code, code, error.message);
    assert.not.match(`${error.message} ${error.hint}`, 'geheim');
  }
  silent.close();
});

test.run();
