/*
 * Probes stay outside.
 *
 * The author of a pull request writes the URL that is probed between environments, and sees whether it was answered. From where edict runs,
 * other things answer: services of this machine, of the cluster, the metadata of the cloud. No probe may reach one, by address, by a name
 * that leads there, or by a name that leads there only the second time.
 */

import { lookup } from 'node:dns/promises';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { assertProbeHostForProxy, createCheckedLookup, isInternalAddress } from '../../src/gateway/probe-addresses.ts';
import { openProber } from '../../src/gateway/prober.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf } from '../support/edict-process.ts';
import { startProxy } from '../support/proxy-server.ts';

const test = suite('attacks with probes');

/** A service of this machine, and how often it was asked. */
async function startService() {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.end('secret');
  }).listen(0);
  await new Promise((listening) => server.once('listening', listening));
  return { port: (server.address() as AddressInfo).port, requests: () => requests, close: () => server.close() };
}

const internalHosts: readonly string[] = [
  ...['127.0.0.1', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '127.0.0.1.', '0.0.0.0', '0'],
  ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::127.0.0.1]', '[2002:7f00:1::]'],
  ...['localhost', 'LOCALHOST', 'localhost.', 'x.localhost'],
];

test('author: every way to write this machine is refused before a connection is made', async () => {
  const service = await startService();
  const prober = openProber();
  for (const host of internalHosts) {
    const { isExpected, message } = await prober.probe(
      { url: `http://${host}:${service.port}/`, expectedStatus: null, timeoutMs: 5000 },
      new AbortController().signal,
    );
    assert.is(isExpected, false, host);
    assert.match(message, 'not sent: ', host);
  }
  await prober.close();
  service.close();
  assert.is(service.requests(), 0);
});

test('author: private, link-local and reserved addresses are internal, and those around them are not', () => {
  for (const address of [
    ...['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '169.254.169.254', '100.100.100.200'],
    ...['127.0.0.53', '0.1.2.3', '224.0.0.1', '255.255.255.255', '192.0.0.8', '198.18.0.1', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254'],
    ...[
      'fc00::1',
      'fec0::1',
      'ff02::1',
      '::',
      '::1',
      '::ffff:10.0.0.1',
      '::ffff:a9fe:a9fe',
      '64:ff9b::a9fe:a9fe',
      '64:ff9b:1::1',
      '::10.0.0.1',
    ],
  ])
    assert.ok(isInternalAddress(address), address);
  for (const address of [
    ...['9.255.255.255', '11.0.0.1', '172.15.255.255', '172.32.0.1', '192.167.255.255', '192.169.0.1', '100.63.255.255', '100.128.0.1'],
    ...[
      '169.253.255.255',
      '169.255.0.1',
      '126.255.255.255',
      '128.0.0.1',
      '8.8.8.8',
      '223.255.255.255',
      '2606:4700::1111',
      '::ffff:8.8.8.8',
    ],
    ...['64:ff9b::808:808', 'fbff::1', '2001:db8::1'],
  ])
    assert.not.ok(isInternalAddress(address), address);
});

test('author: a name that leads to this machine is refused, also if only one of its addresses does', async () => {
  for (const addresses of [['10.0.0.1'], ['8.8.8.8', '169.254.169.254'], ['2606:4700::1111', '::1']]) {
    const resolve = ((_: string, __: object, done: (error: null, found: object[]) => void) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )) as never;
    for (const all of [true, false]) {
      const error = await new Promise((done) => createCheckedLookup([], resolve)('rebind.example', { all }, done));
      assert.match(String(error), 'rebind.example is this machine, or in a private network');
      const allowed = await new Promise((done) =>
        createCheckedLookup(['rebind.example'], resolve)('rebind.example', { all }, (...results) => done(results)),
      );
      assert.is((allowed as unknown[])[0], null);
    }
  }
});

test('author: a name of this machine, which the prober itself looks up', async () => {
  const service = await startService();
  const prober = openProber();
  let tried = 0;
  for (const host of ['ip6-localhost', 'ip6-loopback', 'localhost4', hostname()]) {
    const found = await lookup(host, { all: true }).catch(() => []);
    if (!found.some(({ address }) => isInternalAddress(address))) continue;
    tried += 1;
    const target = { url: `http://${host}:${service.port}/`, expectedStatus: null, timeoutMs: 5000 };
    assert.match((await prober.probe(target, new AbortController().signal)).message, 'not sent: ', host);
  }
  if (tried === 0) process.stdout.write('note: this machine has no name for itself, none was tried\n');
  await prober.close();
  service.close();
  assert.is(service.requests(), 0);
});

test('author: the connection goes to the address that was checked, whatever the name leads to the next time', async () => {
  let count = 0;
  const resolve = ((_: string, __: object, done: (error: null, found: object[]) => void) => {
    count += 1;
    done(null, [{ address: count === 1 ? '8.8.8.8' : '127.0.0.1', family: 4 }]);
  }) as never;
  const found = await new Promise((done) =>
    createCheckedLookup([], resolve)('rebind.example', { all: true }, (...results) => done(results)),
  );
  assert.equal(found, [null, [{ address: '8.8.8.8', family: 4 }]]);
  assert.is(count, 1);
});

test('author: behind a proxy, internal addresses are refused too', async () => {
  const proxy = await startProxy();
  const prober = openProber({ proxies: { httpProxy: proxy.url, httpsProxy: proxy.url, noProxy: '' } });
  for (const host of ['169.254.169.254', '10.0.0.1', '[::1]', 'localhost']) {
    for (const scheme of ['http', 'https']) {
      const target = { url: `${scheme}://${host}/`, expectedStatus: null, timeoutMs: 5000 };
      assert.match((await prober.probe(target, new AbortController().signal)).message, 'not sent: ', host);
    }
  }
  await prober.close();
  await proxy.close();
  assert.equal(proxy.asked, []);
});

test('author: behind a proxy, a name that leads to an internal address is refused too', async () => {
  const names = ['ip6-localhost', 'ip6-loopback', 'localhost4', hostname()];
  const found = await Promise.all(names.map((name) => lookup(name, { all: true }).catch(() => [])));
  const internal = names.filter((_, index) => found[index]?.some(({ address }) => isInternalAddress(address)));
  const proxy = await startProxy();
  const prober = openProber({ proxies: { httpProxy: proxy.url, httpsProxy: proxy.url, noProxy: '' } });
  for (const host of internal) {
    for (const scheme of ['http', 'https']) {
      const target = { url: `${scheme}://${host}/`, expectedStatus: null, timeoutMs: 5000 };
      assert.match((await prober.probe(target, new AbortController().signal)).message, 'not sent: ', host);
    }
  }
  assert.equal(proxy.asked, []);
  const unknown = { url: 'http://no-such-name.invalid/', expectedStatus: null, timeoutMs: 10_000 };
  await prober.probe(unknown, new AbortController().signal);
  assert.equal(proxy.asked, ['GET http://no-such-name.invalid/'], 'the proxy may know the name');
  await prober.close();
  await proxy.close();
});

test('author: a name is checked before a proxy is asked, as for a connection of its own', async () => {
  const resolveTo = (...addresses: string[]) =>
    ((_: string, __: object, done: (error: null, found: object[]) => void) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )) as never;
  const check = (allowed: readonly string[], resolve: never) =>
    assertProbeHostForProxy('https://rebind.example/', allowed, resolve).then(
      () => null,
      (error: unknown) => String(error),
    );
  for (const address of ['127.0.0.1', '169.254.169.254', '10.0.0.1', 'fd00:ec2::254']) {
    assert.match((await check([], resolveTo('8.8.8.8', address))) ?? '', 'rebind.example is this machine, or in a private network');
    assert.is(await check(['rebind.example'], resolveTo(address)), null);
  }
  assert.is(await check([], resolveTo('8.8.8.8')), null);
  const failing = ((_: string, __: object, done: (error: Error) => void) => done(new Error('ENOTFOUND'))) as never;
  assert.is(await check([], failing), null, 'a machine behind a proxy may resolve no names of others');
  const hanging = (() => undefined) as never;
  assert.is(await check([], hanging), null, 'nor answer in time');
});

test('author: `apply` leaves the next environment as it is, and says what an operator would add; with that, the probe is sent', async () => {
  const [service, emulator, folder] = [await startService(), await startEmulator({ seed: seedOf('a') }), scratchFolder()];
  const rollout = `rollout: [{ environment: test, probe: "http://127.0.0.1:${service.port}/" }, release]\n`;
  const file = fileOf(emulator.url, { a: 'online' }).replace('{ test: online }', '{ test: online, release: online }');
  writeFileSync(join(folder, 'edict.yaml'), file + rollout);
  try {
    const refused = await edict(['apply', 'edict.yaml'], folder);
    assert.is(refused.code, 5, refused.stderr);
    assert.match(refused.stdout + refused.stderr, '--allow-probe-host 127.0.0.1');
    assert.is(service.requests(), 0);
    const wrong = await edict(['apply', 'edict.yaml', '--allow-probe-host', `127.0.0.1:${service.port}`], folder);
    assert.match(wrong.stderr, 'expected HOST, without a port');
    const allowed = await edict(['apply', 'edict.yaml', '--allow-probe-host', '127.0.0.1'], folder);
    assert.is(allowed.code, 0, allowed.stdout + allowed.stderr);
    assert.is(service.requests(), 1);
  } finally {
    service.close();
    await emulator.close();
  }
});

test.run();
