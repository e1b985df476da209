/*
 * Credentials go only where the operator allows.
 *
 * The author of a pull request writes the gateway's endpoint and the address of its identity service; whoever gets the requests gets a token,
 * a signature or a password. Each payload names a host that is not the operator's. No command may send anything there, or read a credential
 * for it, and the error must have the setting that an operator with such a gateway needs.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, startEdict, terminate, until } from '../support/edict-process.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';
import { type ProxyServer, startProxy } from '../support/proxy-server.ts';

const test = suite('attacks with hosts');

/** Part of every credential. */
const mark = 'canary5ecret';

/** Stands for the network: every host is reached through it. */
let network: ProxyServer;
let folder: string;

test.before.each(async () => {
  network = await startProxy();
  folder = scratchFolder();
});
test.after.each(() => network.close());

/** Credentials of each kind. One that is read is an error, since it has a space. */
const credentials: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  token: { HW_AUTH_TOKEN: `${mark} ${mark}` },
  key: { HW_ACCESS_KEY: `${mark} key`, HW_SECRET_KEY: `${mark} secret` },
  user: { HW_USER_NAME: 'user', HW_USER_PASSWORD: mark, HW_DOMAIN_NAME: 'domain' },
};

/** Returns the variables of a process whose whole network is `network`. */
function variables(kind: string): Readonly<Record<string, string>> {
  const proxy = network.url.replace('//', '//name:s3cret@');
  return { ...credentials[kind], HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
}

/** Writes the file of the gateway at `endpoint`. */
function write(endpoint: string, more = ''): void {
  const gateway = `endpoint: ${JSON.stringify(endpoint)}, ${more}project: p, instance: i`;
  const text = `edict: 1\ngateway: { ${gateway} }\nenvironments: { test: env-test }\napis:\n  a: { id: api-a, environments: { test: online } }\n`;
  writeFileSync(join(folder, 'edict.yaml'), text);
}

const hosts: readonly string[] = [
  'https://attacker.example',
  'https://roma.attacker.example',
  'https://roma.cn-north-4.myhuaweicloud.com.attacker.example',
  'https://roma.cn-north-4.myhuaweicloud.com:8443',
  'https://roma.obs.myhuaweicloud.com',
  'https://roma.cn-north-4.myhuaweicloud.com.',
  'https://10.0.0.1',
  'http://roma.cn-north-4.myhuaweicloud.com',
  'http://attacker.example',
  'http://localhost.attacker.example',
  'http://169.254.169.254',
];

/** Commands that call the gateway, and the stream that says why they do not. */
const commands: readonly (readonly [string, ...string[]])[] = [
  ['plan'],
  ['plan', '--refresh'],
  ['plan', '--out', 'plan.json'],
  ['apply'],
  ['apply', '--yes', '--refresh'],
  ['apply', '--dry-run'],
  ['run', '--once'],
  ['approve', '0123456789ab', '--by', 'me', '--reason', 'x', '--refresh'],
  ['import', '--update'],
];

/** Those that make no calls. */
const readings = commands.filter(([command]) => command === 'plan' || command === 'import');

/** Returns the arguments of a command for the file. */
function argumentsFor([command, ...options]: readonly [string, ...string[]]): string[] {
  return command === 'approve' ? [command, options[0] ?? '', 'edict.yaml', ...options.slice(1)] : [command, 'edict.yaml', ...options];
}

for (const endpoint of hosts) {
  test(`author: ${endpoint} as the gateway`, async () => {
    write(endpoint);
    const host = endpoint.replace('https://', '');
    for (const command of readings) {
      const { code, stdout, stderr } = await edict(argumentsFor(command), folder, variables('token'));
      assert.equal([code, stdout], [1, ''], command.join(' '));
      assert.match(stderr, `credentials are not sent to ${host}`);
      assert.match(stderr, `--allow-host ${host}, or the variable EDICT_ALLOWED_HOSTS=${host}`);
    }
    const explained = await edict(['explain', 'a', 'test', '--refresh'], folder, variables('token'));
    assert.match(explained.stdout, `credentials are not sent to ${host}`);
    assert.equal(network.asked, []);
  });
}

test('author: a gateway of another host, whatever the credentials', async () => {
  write('https://attacker.example');
  for (const kind of Object.keys(credentials)) {
    for (const command of commands) {
      const { code, stdout, stderr } = await edict(argumentsFor(command), folder, variables(kind));
      assert.is(code, 1);
      assert.match(stderr, 'credentials are not sent to attacker.example');
      assert.not.match(stdout + stderr, mark);
    }
  }
  assert.equal(network.asked, []);
});

test('author: names in the file, which must be looked up first', async () => {
  const text =
    'edict: 1\ngateway: { endpoint: "https://attacker.example", project: p, instance: i }\nenvironments: { test: { name: TEST } }\napis:\n  a: { environments: { test: online } }\n';
  writeFileSync(join(folder, 'edict.yaml'), text);
  for (const command of commands) {
    const { stderr } = await edict(argumentsFor(command), folder, variables('token'));
    assert.match(stderr, 'credentials are not sent to attacker.example', command.join(' '));
  }
  assert.equal(network.asked, []);
});

test('author: an identity service of another host, which would get the password', async () => {
  for (const iam of ['https://attacker.example', 'http://attacker.example', 'https://iam.cn-north-4.myhuaweicloud.com.attacker.example']) {
    write('https://roma.cn-north-4.myhuaweicloud.com', `iam: "${iam}", `);
    for (const command of commands) {
      const { code, stdout, stderr } = await edict(argumentsFor(command), folder, variables('user'));
      assert.is(code, 1);
      assert.match(stderr, `credentials are not sent to ${iam.replace('https://', '')}`);
      assert.not.match(stdout + stderr, mark);
    }
  }
  assert.equal(network.asked, []);
});

test('author: a host whose name is a command for the shell into which the setting is pasted', async () => {
  for (const host of ['a;id', 'a$(id)', 'a`id`', "a'id", 'a&id']) {
    write(`https://${host}`);
    const { code, stderr } = await edict(['plan', 'edict.yaml'], folder, variables('token'));
    if (code === 3) continue; // no host of a file
    assert.match(stderr, `--allow-host '${host.replaceAll("'", "'\\''")}'`);
  }
});

test('author: a saved plan for another host', async () => {
  write('https://attacker.example');
  const planned = await edict(['plan', 'edict.yaml', '--emulate', '--out', 'plan.json'], folder, {});
  assert.is(planned.code, 0, planned.stderr);
  writeFileSync(join(folder, 'plan.json'), planned.stdout);
  await edict(['apply', 'edict.yaml', '--plan', 'plan.json'], folder, variables('token'));
  assert.equal(network.asked, []);
});

test('author: an edit of the endpoint while the daemon runs', async () => {
  const emulator = await startEmulator({ seed: seedOf('a') });
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { a: 'online' }));
  const daemon = startEdict(['run', 'edict.yaml', '--log-format', 'json', '--debounce', '10ms'], folder, {
    ...variables('token'),
    HW_AUTH_TOKEN: mark,
  });
  try {
    await until('it has published', () => daemon.events('reconcile:finished').length > 0, [daemon]);
    writeFileSync(join(folder, 'edict.yaml'), fileOf('https://attacker.example', { a: 'offline' }));
    await until('it has refused the host', () => daemon.events('reconcile:failed').length > 1, [daemon]);
    assert.match(String(daemon.events('reconcile:failed')[0]?.['reason']), 'credentials are not sent to attacker.example');
  } finally {
    await terminate(daemon);
    await emulator.close();
  }
  assert.equal(network.asked, []);
  assert.not.match(daemon.output.stderr, mark);
});

test('author: a followed file that names another gateway is held, until it is approved', async () => {
  const gateways = await Promise.all(['one', 'two'].map(() => startEmulator({ seed: seedOf('a', 'b') })));
  const [one, two] = gateways.map(({ url }) => url) as [string, string];
  const changes = (): number[] =>
    gateways.map(({ requests }) => requests.all().filter(({ operation }) => operation === 'changePublication').length);
  const text = (endpoint: string, states: Readonly<Record<string, string>>, more = ''): string =>
    fileOf(endpoint, states).replace(/iam: "[^"]*", /, (own) => more || own);
  const path = join(folder, 'edict.yaml');
  const start = () => startEdict(['run', 'edict.yaml', '--log-format', 'json', '--debounce', '10ms'], folder);
  writeFileSync(path, text(one, { a: 'online' }));
  let daemon = start();
  const held = (): readonly Readonly<Record<string, unknown>>[] => daemon.events('plan:computed').filter(({ fileHeld }) => fileHeld);
  try {
    await until('it has published', () => changes()[0] === 1, [daemon]);

    writeFileSync(path, text(two, { b: 'online' }));
    await until('another endpoint is held', () => held().length === 1, [daemon]);
    assert.is(held()[0]?.['fileHeld'], 'movedGateway');
    assert.match(String(held()[0]?.['reason']), `endpoint ${two}, was ${one}`);
    assert.equal(changes(), [1, 0]);
    assert.is((await edict(['apply', 'edict.yaml', '--dry-run'], folder)).stdout.includes('The whole file is held'), true);

    await terminate(daemon);
    daemon = start();
    await until('it is held after a restart too', () => held().length === 1, [daemon]);
    assert.equal(changes(), [1, 0]);

    const digest = String(held()[0]?.['approvalDigest']).replace('sha256:', '').slice(0, 12);
    const approved = await edict(['approve', digest, 'edict.yaml', '--by', 'me', '--reason', 'moved'], folder);
    assert.is(approved.code, 0, approved.stderr);
    await until('an approval releases it', () => changes()[1] === 1, [daemon]);

    for (const [index, [endpoint, more, key]] of (
      [
        [two, `iam: "${one}", `, `iam ${one}`],
        [one, '', `endpoint ${one}`],
        [two.replace('127.0.0.1', 'localhost'), '', 'endpoint http://localhost'],
      ] as const
    ).entries()) {
      writeFileSync(path, text(endpoint, { a: 'online', b: 'online' }, more));
      await until(`${key} is held`, () => String(held().at(-1)?.['reason']).includes(key), [daemon]);
      assert.equal(changes(), [1, 1]);
      writeFileSync(path, text(two, { b: 'online', [`c${index}`]: 'offline' }));
      await until('the old one is not', () => daemon.events('plan:computed').at(-1)?.['fileHeld'] === undefined, [daemon]);
    }
    writeFileSync(path, text(two, { a: 'online', b: 'online' }).replace('project: project', 'project: other'));
    await until('another project is held', () => String(held().at(-1)?.['reason']).includes('project other, was project'), [daemon]);
    assert.equal(changes(), [1, 1]);
  } finally {
    await terminate(daemon);
    for (const gateway of gateways) await gateway.close();
  }
});

test('operator: hosts of --allow-host and EDICT_ALLOWED_HOSTS get credentials, each with its port and scheme alone', async () => {
  const env = { ...variables('token'), HW_AUTH_TOKEN: mark };
  for (const [endpoint, allowed, isAllowed] of [
    ['https://roma.example.com', 'roma.example.com', true],
    ['https://roma.example.com:8443', 'other.example.com,roma.example.com:8443', true],
    ['http://roma.example.com:8080', 'http://roma.example.com:8080', true],
    ['http://roma.example.com', 'roma.example.com', false],
    ['https://roma.example.com:8443', 'roma.example.com', false],
    ['https://x.roma.example.com', 'roma.example.com', false],
  ] as const) {
    write(endpoint);
    for (const [options, more] of [
      [allowed.split(',').flatMap((host) => ['--allow-host', host]), {}],
      [[], { EDICT_ALLOWED_HOSTS: allowed }],
      [['--allow-host', 'third.example.com'], { EDICT_ALLOWED_HOSTS: ` ${allowed.replace(',', ' ')}\n` }],
    ] as const) {
      const before = network.asked.length;
      const { stderr } = await edict(['explain', 'a', 'test', '--refresh', ...options], folder, {
        ...env,
        ...more,
        HTTP_PROXY: network.url,
        HTTPS_PROXY: network.url,
      });
      assert.is(network.asked.length > before, isAllowed, `${endpoint} with ${allowed}: ${stderr}`);
    }
  }
});

test('operator: an endpoint and an identity service on the command line are allowed, a host beside them is not asked, and a region in a variable is not a host', async () => {
  const emulator = await startEmulator({ seed: { ...seedOf('a'), users: [{ name: 'user', password: mark, domain: 'domain' }] } });
  const port = new URL(emulator.url).port;
  const gateway = ['--project', 'project', '--instance', 'instance'];
  const env = variables('user');
  try {
    const importFrom = (...options: readonly string[]) =>
      edict(['import', '--endpoint', `http://roma.example.com:${port}`, ...options, ...gateway], folder, env);
    const unknown = await importFrom();
    assert.is(unknown.code, 1);
    assert.match(unknown.stderr, 'no identity service is known for http://roma.example.com');
    assert.equal(network.asked, []);
    const { code, stderr } = await importFrom('--iam', `http://login.example.com:${port}`);
    assert.is(code, 0, stderr);
    assert.ok(
      network.asked.some((asked) => asked.startsWith(`POST http://login.example.com:${port}/v3/auth/tokens`)),
      network.asked.join('\n'),
    );
    assert.ok(network.asked.some((asked) => asked.startsWith(`GET http://roma.example.com:${port}/`)));
  } finally {
    await emulator.close();
  }
  const before = network.asked.length;
  for (const region of ['x.attacker.example', 'x.attacker.example:443', 'obs']) {
    const { code } = await edict(['import', ...gateway], folder, { ...env, HW_REGION_NAME: region });
    assert.is(code, 1, region);
  }
  const { stderr } = await edict(['import', '--iam', 'https://login.example.com', ...gateway], folder, { ...env, HW_REGION_NAME: 'obs' });
  assert.match(stderr, 'credentials are not sent to roma.obs.myhuaweicloud.com');
  assert.is(network.asked.length, before);
});

test('operator: what is no host is an error, not a host that is never allowed', async () => {
  write('https://roma.example.com');
  for (const host of ['*', '*.example.com', 'roma.example.com/x', 'ftp://roma.example.com']) {
    assert.match(
      (await edict(['plan', 'edict.yaml', '--allow-host', host], folder, {})).stderr,
      'expected HOST, HOST:PORT or http://HOST:PORT',
    );
    const { code, stderr } = await edict(['plan', 'edict.yaml'], folder, { ...variables('token'), EDICT_ALLOWED_HOSTS: host });
    assert.is(code, 1);
    assert.match(stderr, 'EDICT_ALLOWED_HOSTS names');
  }
});

test('anyone: without a request, or without credentials, any host may be in the file', async () => {
  write('https://roma.example.com');
  mkdirSync(join(folder, 'data'));
  for (const args of [['validate'], ['plan', '--emulate'], ['apply', '--emulate'], ['status'], ['history']]) {
    const [command = '', ...options] = args;
    const { code, stderr } = await edict([command, 'edict.yaml', ...options], folder, variables('token'));
    assert.is(code, 0, `${command}: ${stderr}`);
  }
  const { code, stdout } = await edict(['plan', 'edict.yaml', '--state', 'sqlite:data/none.db'], folder, {});
  assert.is(code, 0);
  assert.match(stdout, 'there are no credentials');
  await recordEmptyGatewayIn(folder, 'https://roma.example.com', { project: 'p', instance: 'i' });
  assert.is((await edict(['plan', 'edict.yaml'], folder, variables('token'))).code, 0, 'it was observed just now');
});

test.run();
