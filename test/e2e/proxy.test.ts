import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { selfSigned } from '../support/certificate.ts';
import { edict, fileOf, scratchFolder, secretToken, seedOf, startEdict, until } from '../support/edict-process.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';
import { type ProxyServer, startProxy } from '../support/proxy-server.ts';

/*
 * A gateway that can be reached only through a proxy, since no one else can resolve its host.
 */
const test = suite('proxy');
let emulator: Emulator;
let proxy: ProxyServer;
let folder: string;
/** The gateway of the file, to which credentials may be sent. */
let allowed: string;

test.before.each(async () => {
  [emulator, proxy] = await Promise.all([startEmulator({ seed: seedOf('orders') }), startProxy()]);
  folder = scratchFolder();
});
test.after.each(async () => {
  await proxy.close();
  await emulator.close();
});

const port = (url: string): string => new URL(url).port;
const withPassword = (password: string): string => proxy.url.replace('//', `//name:${password}@`);

async function write(endpoint: string): Promise<void> {
  allowed = endpoint;
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf(endpoint, { orders: 'online' })}refresh: never\n`);
  await recordEmptyGatewayIn(folder, endpoint);
}

/** Runs `edict apply` with a token and `environment`. */
function apply(env: Readonly<Record<string, string>>) {
  return edict(['apply', '--format', 'json'], folder, { HW_AUTH_TOKEN: secretToken, EDICT_ALLOWED_HOSTS: allowed, ...env });
}

test('a gateway is reached through HTTP_PROXY, but not one in NO_PROXY or on this machine', async () => {
  await write(`http://roma.test:${port(emulator.url)}`);
  const { code, stderr } = await apply({ HTTP_PROXY: withPassword('s3cret') });
  assert.is(code, 0, stderr);
  assert.match(proxy.asked[0] ?? '', `POST http://roma.test:${port(emulator.url)}/v2/`);
  assert.not.match(stderr, 's3cret');
  const asked = proxy.asked.length;
  assert.is((await apply({ HTTP_PROXY: withPassword('s3cret'), NO_PROXY: 'roma.test' })).code, 0, 'nothing is left to do');
  rmSync(join(folder, '.edict'), { recursive: true });
  await write(emulator.url);
  assert.is((await apply({ HTTP_PROXY: withPassword('s3cret') })).code, 0);
  assert.is(proxy.asked.length, asked);
});

test('a gateway with TLS is reached through HTTPS_PROXY, whose password appears nowhere', async () => {
  const made = selfSigned('roma.test');
  if (!made) {
    process.stdout.write('note: openssl is not installed, HTTPS through a proxy was not tried\n');
    return;
  }
  const secured = createServer({ key: readFileSync(made.key), cert: readFileSync(made.cert) }, (incoming, outgoing) => {
    const { method, headers, url: path } = incoming;
    const passed = request({ host: '127.0.0.1', port: port(emulator.url), path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(secured, 'listening');
  const at = `roma.test:${(secured.address() as AddressInfo).port}`;
  await write(`https://${at}`);
  const refused = await apply({ HTTPS_PROXY: withPassword('wr0ng'), NODE_EXTRA_CA_CERTS: made.cert });
  assert.is(refused.code, 5);
  assert.match(refused.stderr, '407');
  assert.not.match(refused.stderr + refused.stdout, 'wr0ng');
  assert.is(emulator.requests.all().length, 0);
  const { code, stderr } = await apply({ https_proxy: withPassword('s3cret'), NODE_EXTRA_CA_CERTS: made.cert });
  assert.is(code, 0, stderr);
  assert.is(proxy.asked.at(-1), `CONNECT ${at}`);
  assert.is(emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length, 1);
  secured.close();
  secured.closeAllConnections();
});

test('an invalid proxy is reported before anything is sent, by the daemon too, and without its password', async () => {
  await write('https://roma.example.com');
  const { code, stderr } = await apply({ HTTPS_PROXY: 'ftp://name:s3cret@proxy' });
  assert.is(code, 1);
  assert.match(stderr, 'HTTPS_PROXY is not the address of a proxy');
  assert.not.match(stderr, 's3cret');
  const daemon = startEdict(['run', '--allow-host', allowed], folder, {
    HW_AUTH_TOKEN: secretToken,
    HTTPS_PROXY: 'ftp://name:s3cret@proxy',
  });
  assert.is((await daemon.finished).code, 1);
  assert.match(daemon.output.stderr, 'HTTPS_PROXY is not the address of a proxy');
});

test('notifications use the proxy too', async () => {
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { orders: 'online', nowhere: 'online' }));
  const env = {
    HW_AUTH_TOKEN: secretToken,
    HTTP_PROXY: withPassword('s3cret'),
    EDICT_WEBHOOK_URL: 'http://receiver.test:9/notices',
    EDICT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
  };
  const daemon = startEdict(['run', '--log-format', 'json'], folder, env);
  await until('the proxy is asked to reach the receiver', () => proxy.asked.includes('POST http://receiver.test:9/notices'), [daemon]);
  daemon.child.kill('SIGTERM');
  await daemon.finished;
});

test.run();
