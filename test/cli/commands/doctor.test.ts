import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createSilentServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../../src/emulator/emulator.ts';
import type { Seed } from '../../../src/emulator/seed.ts';
import { type Answer, answeringServer, json } from '../../gateway/answering-server.ts';
import { selfSigned } from '../../support/certificate.ts';
import { edict } from '../../support/edict-command.ts';
import { fileOf, scratchFolder, secretToken, seedOf } from '../../support/edict-process.ts';
import { openScene } from '../../support/scenario.ts';

interface Found {
  readonly name: string;
  readonly status: string;
  readonly result: string;
  readonly fix: string | null;
}

const token = { HW_AUTH_TOKEN: secretToken };

/** Runs `doctor --format json`, and returns its exit code and its checks by name. */
async function doctor(folder: string, env: Readonly<Record<string, string>> = token, ...args: readonly string[]) {
  const { code, stdout, stderr } = await edict(['doctor', ...args, '--format', 'json'], folder, env);
  assert.is(stderr, '');
  const document = JSON.parse(stdout) as { readonly format: number; readonly ok: boolean; readonly checks: readonly Found[] };
  assert.is(document.format, 1);
  assert.is(document.ok, code === 0);
  assert.not.match(stdout, secretToken);
  const checks = new Map(document.checks.map((check) => [check.name, check]));
  const names = ['file', 'variables', 'store', 'endpoint', 'clock', 'credentials', 'environments', 'apis', 'versions', 'ids'];
  assert.equal([...checks.keys()], names);
  const statuses = Object.fromEntries([...checks.values()].map(({ name, status }) => [name, status]));
  const of = (name: string): Found => checks.get(name) ?? { name, status: 'absent', result: '', fix: null };
  return { code, statuses, of };
}

const allOk = Object.fromEntries(
  ['file', 'variables', 'store', 'endpoint', 'clock', 'credentials', 'environments', 'apis', 'versions', 'ids'].map((name) => [name, 'ok']),
);

/** Returns the statuses in which all checks after `name` are skipped. */
function failedAt(name: string): Readonly<Record<string, string>> {
  const names = Object.keys(allOk);
  return Object.fromEntries(
    names.map((one) => [one, one === name ? 'failed' : names.indexOf(one) > names.indexOf(name) ? 'skipped' : 'ok']),
  );
}

/** Writes a file for a gateway into a new folder, which it returns. */
function folderFor(url: string, states: Readonly<Record<string, string>> = { orders: 'online' }, change = (text: string) => text): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), change(fileOf(url, states)));
  return folder;
}

async function withEmulator(seed: Seed, use: (emulator: Awaited<ReturnType<typeof startEmulator>>) => Promise<void>): Promise<void> {
  const emulator = await startEmulator({ seed });
  try {
    await use(emulator);
  } finally {
    await emulator.close();
  }
}

test('without a problem every check is shown in one line, and nothing is written', async () => {
  const publications = [{ api: 'api-orders', environment: 'env-test' }];
  await withEmulator({ ...seedOf('orders'), publications }, async (emulator) => {
    const folder = folderFor(emulator.url);
    const { code, stdout, stderr } = await edict(['doctor'], folder);
    assert.equal([code, stderr], [0, '']);
    assert.is(
      stdout,
      `✓  file               edict.yaml declares 1 publication in 2 environments
✓  variables          all that the file uses are set
✓  store              sqlite:${folder}/.edict/state.db does not exist yet; the first apply or run creates it
✓  endpoint           ${emulator.url} answers; without TLS
✓  clock              agrees with that of the gateway
✓  credentials        the token in HW_AUTH_TOKEN: accepted by the gateway
✓  list environments  2 environments listed
✓  list APIs          1 API listed
✓  read versions      1 version of orders listed
✓  IDs                environments and APIs of the file exist

No check failed. Whether these credentials may publish is known only with the first change.
`,
    );
    assert.equal(readdirSync(folder), ['edict.yaml']);
    assert.equal(
      emulator.requests.all().map(({ operation }) => operation),
      ['listEnvironments', 'listEnvironments', 'listApis', 'listVersions'],
    );
  });
});

test('an invalid or missing file is exit code 3, with a command to paste', async () => {
  const folder = folderFor('https://roma.example.com', { orders: 'oflin', carts: 'onlin' });
  const invalid = await doctor(folder);
  assert.is(invalid.code, 3);
  assert.equal(
    invalid.statuses,
    Object.fromEntries(Object.keys(allOk).map((name) => [name, name === 'file' ? 'failed' : name === 'store' ? 'ok' : 'skipped'])),
  );
  assert.match(invalid.of('file').result, /^edict\.yaml has 2 errors, the first at edict\.yaml:6:\d+: "oflin" is not allowed/);
  assert.is(invalid.of('file').fix, 'all errors, with their lines: edict validate');
  const missing = await doctor(folder, {}, 'my shop.yaml');
  assert.is(missing.code, 3);
  assert.is(missing.of('file').fix, "name your file, or write a first one: edict init 'my shop.yaml'");
  const shown = (await edict(['doctor'], folder)).stdout;
  assert.match(shown, /\n {5}all errors, with their lines: edict validate\n- {2}variables +skipped: needs a valid file\n/);
  assert.match(shown, /\n\n1 failed, 8 skipped\.\n$/);
});

test('variables that are not set are named', async () => {
  await withEmulator(seedOf('orders'), async (emulator) => {
    const folder = folderFor(emulator.url, { orders: 'online' }, (text) =>
      text.replace('project: project', `project: "\${HW_PROJECT_ID}"`),
    );
    const { code, statuses, of } = await doctor(folder);
    assert.is(code, 1);
    assert.equal(statuses, { ...failedAt('variables'), store: 'ok' });
    assert.equal([of('variables').result, of('variables').fix], ['HW_PROJECT_ID is not set', 'export HW_PROJECT_ID=VALUE']);
    assert.is(emulator.requests.all().length, 0);
    assert.is((await doctor(folder, { ...token, HW_PROJECT_ID: 'project' })).code, 0);
  });
});

test('nothing is sent to a host that is not allowed, and the option to paste is shown', async () => {
  const { code, statuses, of } = await doctor(folderFor('https://roma.example.com'));
  assert.is(code, 1);
  assert.equal(statuses, failedAt('endpoint'));
  assert.match(of('endpoint').result, 'roma.example.com, which is not an allowed host');
  assert.match(of('endpoint').fix ?? '', '--allow-host roma.example.com');
});

test('an endpoint that refuses connections, has no name, or never answers', async () => {
  const silent = createSilentServer((socket) => void socket.resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  for (const [url, result, fix] of [
    ['http://127.0.0.1:1', 'ECONNREFUSED', 'HTTPS_PROXY='],
    ['https://roma.invalid', 'ENOTFOUND|EAI_AGAIN', 'host name in gateway.endpoint'],
    [`http://127.0.0.1:${port}`, 'no whole answer within', 'gateway.timeout'],
  ] as const) {
    const folder = folderFor(url, { orders: 'online' }, (text) =>
      text.replace('timeout: 3s', url.includes(String(port)) ? 'timeout: 1s' : 'timeout: 3s'),
    );
    const { code, statuses, of } = await doctor(folder, token, '--allow-host', 'roma.invalid');
    assert.is(code, 1);
    assert.equal(statuses, failedAt('endpoint'), url);
    assert.match(of('endpoint').result, new RegExp(result));
    assert.match(of('endpoint').fix ?? '', fix);
  }
  silent.close();
});

test('a certificate that nobody trusts names the variable that trusts it', async () => {
  const made = selfSigned('localhost');
  if (made === null) return;
  const server = createServer({ cert: readFileSync(made.cert), key: readFileSync(made.key) }, (_, response) => response.end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { statuses, of } = await doctor(folderFor(`https://localhost:${(server.address() as AddressInfo).port}`));
  assert.equal(statuses, failedAt('endpoint'));
  assert.match(of('endpoint').result, 'self-signed certificate');
  assert.match(of('endpoint').fix ?? '', 'export NODE_EXTRA_CA_CERTS=');
  server.close();
  server.closeAllConnections();
});

test('the wrong service is named, in both directions', async () => {
  for (const [service, other] of [
    ['roma', 'apig'],
    ['apig', 'roma'],
  ] as const) {
    await withEmulator({ ...seedOf('orders'), service }, async (emulator) => {
      const wrong = folderFor(emulator.url, { orders: 'online' }, (text) => text.replace('gateway: {', `gateway: { service: ${other},`));
      const { statuses, of } = await doctor(wrong);
      assert.equal(statuses, failedAt('endpoint'));
      assert.match(of('endpoint').result, 'APIG.0101');
      assert.match(of('endpoint').fix ?? '', `write gateway.service: ${service} into the file`);
      const right = folderFor(emulator.url, { orders: 'online' }, (text) => text.replace('gateway: {', `gateway: { service: ${service},`));
      assert.equal((await doctor(right)).statuses, allOk);
    });
  }
});

/** Answers like a gateway without APIs, with a clock that is `offMs` ahead. */
const atAnotherTime =
  (offMs: number): Answer =>
  (response, { path }) => {
    const date = new Date(Date.now() + offMs).toUTCString();
    if (path.includes('/envs')) json(response, 200, { size: 1, total: 1, envs: [{ id: 'env-test', name: 'TEST' }] }, { date });
    else json(response, 200, { size: 0, total: 0, apis: [] }, { date });
  };

test('a clock that differs is a warning, from 15 minutes on an error', async () => {
  for (const [offMs, status, result] of [
    [30_000, 'ok', /^agrees/],
    [300_000, 'warning', /^\d.* behind that of the gateway$/],
    [-1_200_000, 'failed', /ahead of that of the gateway, which refuses signatures/],
  ] as const) {
    const server = await answeringServer(atAnotherTime(offMs));
    const { of } = await doctor(folderFor(server.url, {}));
    assert.is(of('clock').status, status, of('clock').result);
    assert.match(of('clock').result, result);
    assert.is(of('clock').fix?.includes('timedatectl') ?? false, status !== 'ok');
    await server.close();
  }
});

test('credentials: their source in words, missing ones and refused ones', async () => {
  const users = [{ id: 'u1', name: 'ada', password: 'geheim', domain: 'acme' }];
  const keys = [
    { access: 'AK', secret: 'SK' },
    { access: 'AKT', secret: 'SKT', securityToken: 'ST' },
  ];
  await withEmulator({ ...seedOf('orders'), anyToken: false, tokens: [{ value: secretToken }], users, keys }, async (emulator) => {
    const folder = folderFor(emulator.url);
    writeFileSync(join(folder, 'token'), `${secretToken}\n`);
    const found = async (env: Readonly<Record<string, string>>): Promise<Found> => (await doctor(folder, env)).of('credentials');
    for (const [env, source] of [
      [{ HW_AUTH_TOKEN: secretToken }, 'the token in HW_AUTH_TOKEN'],
      [{ HW_AUTH_TOKEN_FILE: join(folder, 'token') }, 'the token in HW_AUTH_TOKEN_FILE'],
      [{ HW_ACCESS_KEY: 'AK', HW_SECRET_KEY: 'SK' }, 'the key in HW_ACCESS_KEY'],
      [{ HUAWEICLOUD_SDK_AK: 'AK', HUAWEICLOUD_SDK_SK: 'SK' }, 'the key in HUAWEICLOUD_SDK_AK'],
      [{ HW_ACCESS_KEY: 'AKT', HW_SECRET_KEY: 'SKT', HW_SECURITY_TOKEN: 'ST' }, 'the temporary key in HW_ACCESS_KEY'],
      [{ HW_USER_NAME: 'ada', HW_DOMAIN_NAME: 'acme', HW_USER_PASSWORD: 'geheim' }, `a login of ada in acme at ${emulator.url}`],
      [{ HW_USER_ID: 'u1', HW_USER_PASSWORD: 'geheim' }, `a login of the user in HW_USER_ID at ${emulator.url}`],
    ] as const) {
      const { status, result } = await found(env as Readonly<Record<string, string>>);
      assert.equal([status, result], ['ok', `${source}: accepted by the gateway`]);
    }
    const none = await doctor(folder, {});
    assert.is(none.code, 1);
    assert.equal(none.statuses, failedAt('credentials'));
    assert.match(none.of('credentials').fix ?? '', 'set HW_AUTH_TOKEN');
    for (const env of [
      { HW_AUTH_TOKEN: 'old' },
      { HW_ACCESS_KEY: 'AK', HW_SECRET_KEY: 'wrong' },
      { HW_USER_NAME: 'ada', HW_DOMAIN_NAME: 'acme', HW_USER_PASSWORD: 'wrong' },
    ]) {
      const before = emulator.requests.all().length;
      const { code, statuses, of } = await doctor(folder, env as Readonly<Record<string, string>>);
      assert.is(code, 1);
      assert.equal(statuses, failedAt('credentials'));
      assert.match(
        of('credentials').result,
        /^(?:the token in HW_AUTH_TOKEN|the key in HW_ACCESS_KEY|a login of ada in acme at \S+): [A-Z]/,
      );
      assert.ok(of('credentials').fix);
      // One request for the endpoint, and one with the credentials: five refusals lock a key.
      assert.is(emulator.requests.all().length - before, 2);
    }
  });
});

test('a missing permission is named, and the other checks go on', async () => {
  const forbidden = { status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions' };
  for (const [operation, name, permission] of [
    ['listEnvironments', 'environments', 'list the environments of the instance'],
    ['listApis', 'apis', 'list the APIs of the instance'],
    ['listVersions', 'versions', 'read the versions of an API'],
  ] as const) {
    await withEmulator(seedOf('orders'), async (emulator) => {
      emulator.faults.add({ ...forbidden, operation, share: 1 });
      const { code, statuses, of } = await doctor(folderFor(emulator.url));
      assert.is(code, 1);
      assert.is(of(name).fix, `give the user of these credentials the right to ${permission}`);
      assert.equal(statuses, { ...allOk, [name]: 'failed', ...(name === 'apis' && { versions: 'skipped' }) });
      if (name === 'apis') assert.is(of('ids').result, 'environments of the file exist; those of the APIs were not checked');
    });
  }
});

test('IDs and names that the gateway does not have are listed, at most ten', async () => {
  await withEmulator({ ...seedOf('orders'), environments: [{ id: 'env-test', name: 'TEST' }] }, async (emulator) => {
    const few = await doctor(folderFor(emulator.url, { orders: 'online', carts: 'online' }));
    assert.is(few.code, 1);
    assert.equal(few.statuses, { ...allOk, ids: 'failed' });
    assert.is(few.of('ids').result, 'not at the gateway: environment release (env-release), API carts (api-carts)');
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`a${index}`, 'online']));
    assert.match((await doctor(folderFor(emulator.url, many))).of('ids').result, /API a8 \(api-a8\) and 21 more$/);
    const named = folderFor(emulator.url, { orders: 'online' }, (text) =>
      text
        .replace('release: { id: env-release', 'release: { id: env-test2')
        .replace('id: api-orders', 'name: order')
        .replace('env-test,', '{ name: TEST },'),
    );
    assert.is((await doctor(named)).of('ids').result, 'not at the gateway: environment release (env-test2), API order');
  });
});

test('a wrong instance is a failed list, not refused credentials', async () => {
  await withEmulator(seedOf('orders'), async (emulator) => {
    const { of } = await doctor(
      folderFor(emulator.url, { orders: 'online' }, (text) => text.replace('instance: instance', 'instance: other')),
    );
    assert.equal([of('credentials').status, of('environments').status], ['ok', 'failed']);
    assert.match(of('environments').fix ?? '', 'gateway.instance');
  });
});

test('a gateway that fails is not taken for refused credentials', async () => {
  await withEmulator(seedOf('orders'), async (emulator) => {
    emulator.faults.add({ operation: 'listEnvironments', status: 503, errorCode: 'APIG.9999', errorMsg: 'System error', share: 1 });
    const { statuses, of } = await doctor(folderFor(emulator.url));
    assert.equal(statuses, failedAt('credentials'));
    assert.match(of('credentials').fix ?? '', 'try again later');
  });
  const server = await answeringServer((response) => json(response, 503, {}));
  const { statuses, of } = await doctor(folderFor(server.url));
  await server.close();
  assert.equal(statuses, { ...failedAt('credentials'), endpoint: 'warning' });
  assert.match(of('endpoint').result, 'answers 503');
});

test('the store: who holds the lease, and one that cannot be read keeps credentials from being sent', async () => {
  await using scene = await openScene();
  scene.write(scene.file({ apis: { orders: 'test' } }));
  assert.is((await scene.edict('apply')).code, 0);
  const state = `sqlite:${join(scene.folder, 'state.db')}`;
  const before = readFileSync(join(scene.folder, 'state.db'));
  const applied = await doctor(scene.folder, token, '--state', state);
  assert.is(applied.of('store').result, `${state} can be read; no process holds the lease`);
  assert.is(applied.code, 0);
  assert.ok(before.equals(readFileSync(join(scene.folder, 'state.db'))));
  writeFileSync(join(scene.folder, 'broken.db'), 'not a store, but some text that is long enough to be read as one'.repeat(100));
  const sent = scene.emulator.requests.all().length;
  const broken = await doctor(scene.folder, token, '--state', `sqlite:${join(scene.folder, 'broken.db')}`);
  assert.is(broken.code, 1);
  assert.equal([broken.of('store').status, broken.of('endpoint').status, broken.of('credentials').status], ['failed', 'ok', 'skipped']);
  assert.is(scene.emulator.requests.all().length, sent + 1);
  const nowhere = await doctor(scene.folder, token, '--state', 'oracle://db');
  assert.match(nowhere.of('store').fix ?? '', 'sqlite:PATH');
  assert.not(existsSync(join(scene.folder, '.edict')));
});

test.run();
