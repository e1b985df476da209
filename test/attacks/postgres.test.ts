/*
 * A PostgreSQL store on another machine is verified.
 *
 * The attacker answers in place of the server: on the way, or under its name in DNS. Whoever is taken for the server gets the password, and
 * its answers say what was approved. Without a word from the operator it must get neither a password nor a login, whatever it answers.
 */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { selfSigned } from '../support/certificate.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, startEdict, terminate, until } from '../support/edict-process.ts';
import { postgresServer } from '../support/postgres.ts';

const test = suite('attacks in place of PostgreSQL');

/** An address of this machine that is not loopback, as that of another machine; `null` if there is none. */
const address =
  Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? null;

const password = 'canary5ecret';
const file =
  'edict: 1\ngateway: { endpoint: "https://roma.example.com", project: p, instance: i }\nenvironments: { test: env-test }\napis:\n  a: { id: api-a, environments: { test: online } }\n';

/** The message with which a server asks for the password in plain text. */
const askForPassword = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

interface FakeServer extends AsyncDisposable {
  readonly port: number;
  /** The bytes that clients have sent, decrypted. */
  received(): string;
}

/** Starts a server that answers a request for TLS with `answer`, and whatever follows with a request for the password. */
async function startFakeServer(answer: 'N' | 'S', tls: { readonly key: string; readonly cert: string } | null): Promise<FakeServer> {
  let received = '';
  const sockets = new Set<Socket>();
  const onStartup = (socket: Socket): void => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      socket.write(askForPassword);
    });
  };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (first: Buffer) => {
      const asksForTls = first.length === 8 && first.readInt32BE(4) === 80_877_103;
      if (!asksForTls) {
        onStartup(socket);
        socket.emit('data', first);
        return;
      }
      socket.write(answer);
      if (answer === 'S' && tls !== null) {
        onStartup(new TLSSocket(socket, { isServer: true, key: readFileSync(tls.key), cert: readFileSync(tls.cert) }));
      } else onStartup(socket);
    });
  }).listen(0, '0.0.0.0');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function makeFolder(): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), file);
  return folder;
}

const commands: readonly (readonly string[])[] = [
  ['plan', 'edict.yaml'],
  ['apply', 'edict.yaml'],
  ['status', 'edict.yaml'],
  ['suspend', 'edict.yaml'],
  ['approve', '0123456789ab', 'edict.yaml', '--by', 'me', '--reason', 'x'],
];

for (const [title, answer] of [
  ['a server that says it has no TLS', 'N'],
  ['a server with a certificate of its own', 'S'],
] as const) {
  test(`network: ${title} gets no login and no password`, async () => {
    const made = selfSigned('localhost');
    if (address === null || (answer === 'S' && !made)) {
      process.stdout.write('note: without an address or openssl, a server elsewhere was not tried\n');
      return;
    }
    await using fake = await startFakeServer(answer, made);
    const folder = makeFolder();
    for (const args of commands) {
      const state = `postgres://edict:${password}@${address}:${fake.port}/edict`;
      const { code, stdout, stderr } = await edict([...args, '--state', state], folder, {});
      assert.is(code, 1, stderr);
      assert.not.match(stdout + stderr, password);
    }
    assert.is(fake.received(), '');
  });
}

test('gateway or anyone: a message of megabytes in place of a login is shown in one short line', async () => {
  const text = `\u001B[2J\u202E::add-mask::x\nFORGED ${'x'.repeat(5_000_000)}`;
  const fields = Buffer.from(`SFATAL\0C28P01\0M${text}\0\0`);
  const head = Buffer.from('E....');
  head.writeInt32BE(fields.length + 4, 1);
  for (const code of ['28P01', 'XX999']) {
    const message = Buffer.concat([head, Buffer.from(fields.toString().replace('28P01', code))]);
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(message));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const folder = scratchFolder();
    writeFileSync(join(folder, 'edict.yaml'), file);
    const { code: exit, stderr } = await edict(['status', '--state', `postgres://u@127.0.0.1:${port}/x`], folder);
    server.close();
    assert.is(exit, 1);
    assert.match(stderr, 'FORGED xxx');
    assert.ok(stderr.length < 1000, `${stderr.length} characters`);
    assert.not.match(stderr, /^FORGED|^::/m);
  }
});

test('operator: `disable` and `no-verify` are taken at their word, with one warning in the log', async () => {
  if (address === null) {
    process.stdout.write('note: without an address, a server elsewhere was not tried\n');
    return;
  }
  const server = await postgresServer();
  const url = new URL(await server.database());
  const port = Number(url.port);
  const forwarder = createServer((socket) => {
    const there = connect(port, '127.0.0.1');
    socket.pipe(there).pipe(socket);
    for (const end of [socket, there]) end.on('error', () => [socket, there].map((of) => of.destroy()));
  }).listen(0, '0.0.0.0');
  await once(forwarder, 'listening');
  url.hostname = address;
  url.port = String((forwarder.address() as AddressInfo).port);
  url.searchParams.set('sslmode', 'disable');
  const daemon = startEdict(['run', 'edict.yaml', '--emulate', '--state', url.href, '--log-format', 'json'], makeFolder());
  try {
    await until('it has reconciled', () => daemon.events('reconcile:finished').length > 0, [daemon]);
    const warnings = daemon.events('store:unverified');
    assert.equal(
      warnings.map(({ level, sslmode }) => [level, sslmode]),
      [[40, 'disable']],
    );
  } finally {
    await terminate(daemon);
    forwarder.close();
    await server.close();
  }
});

test.run();
