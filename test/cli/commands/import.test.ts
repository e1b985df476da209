import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../src/cli/program.ts';
import { parseDesiredState } from '../../../src/source/parser.ts';
import { answeringServer, json } from '../../gateway/answering-server.ts';
import { type Listed, listingServer } from '../../support/listing-server.ts';
import { testContext } from '../../support/streams.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const release = { id: 'DEFAULT_ENVIRONMENT_RELEASE_ID', name: 'RELEASE' };
const token = { HW_AUTH_TOKEN: 'secret-token' };

function api(apiId: string, name: string, where: readonly string[]): Listed['apis'][number] {
  const publications = new Map(where.map((id) => [id, { publishId: `p-${apiId}`, publishedAtMs: 1_700_000_000_000 }]));
  return { apiId, name, groupId: 'g', group: 'shop', editedAtMs: 1_600_000_000_000, publications };
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = token) {
  const { context, stdout, stderr } = testContext(env);
  return { code: await runCli(args, context), stdout: stdout(), stderr: stderr() };
}

/** Runs `import` against a server that lists `listed`. */
async function importing(listed: Listed, use: (args: readonly string[], requests: () => readonly string[]) => Promise<void>) {
  const server = await listingServer(() => listed);
  try {
    await use(['import', '--endpoint', server.url, '--project', 'p', '--instance', 'i'], () =>
      server.requests.map(({ method, path }) => `${method} ${path}`),
    );
  } finally {
    await server.close();
  }
}

test('the file of a live gateway goes to stdout, and its plan has no changes', async () => {
  const apis = [api('a1', 'orders', [release.id]), api('a2', 'orders', [])];
  await importing({ apis, environments: [release] }, async (args, requests) => {
    const { code, stdout, stderr } = await run(args);
    assert.equal([code, stderr], [0, '']);
    assert.match(stdout, '  orders-a1:\n    id: a1\n    environments: { release: online }\n');
    assert.match(stdout, '  orders-a2:\n    id: a2\n    environments: {}\n');
    assert.equal(requests(), ['GET /v2/p/apic/instances/i/envs?offset=0&limit=500', 'GET /v2/p/apic/instances/i/apis?offset=0&limit=500']);
    const folder = temporaryFolder();
    const file = join(folder, 'edict.yaml');
    writeFileSync(file, stdout);
    const planned = await run(['plan', file, '--refresh', '--detailed-exitcode', '--state', `sqlite:${join(folder, 'state.db')}`]);
    assert.is(planned.code, 0, planned.stderr + planned.stdout);
    assert.ok(requests().every((request) => request.startsWith('GET ')));
  });
});

test('all pages of APIs are read', async () => {
  const apis = Array.from({ length: 1203 }, (_, index) => api(`a${index}`, `orders-${index}`, [release.id]));
  await importing({ apis, environments: [release] }, async (args) => {
    const { stdout } = await run(args);
    assert.is(parseDesiredState({ text: stdout, file: 'edict.yaml', variables: {} }).publications.size, 1203);
  });
});

test('what the file cannot declare is reported on stderr', async () => {
  await importing({ apis: [api('a b', 'orders', [release.id])], environments: [release] }, async (args) => {
    const { code, stdout, stderr } = await run(args);
    assert.is(code, 0);
    assert.is(stderr, 'edict: Omitted because their IDs are not allowed in a file. See the end of the file: 1 in all.\n');
    assert.match(stdout, '# - API "orders" in group "shop", ID "a b"\n');
  });
});

test('project and region can be set in the environment', async () => {
  await importing({ apis: [], environments: [release] }, async ([command = '', option = '', url = '']) => {
    const { code, stdout } = await run([command, option, url, '--instance', 'i'], { ...token, HW_PROJECT_ID: 'p-of-the-environment' });
    assert.is(code, 0);
    assert.match(stdout, '  project: p-of-the-environment\n');
  });
  const { code, stdout, stderr } = await run(['import', '--project', 'p', '--instance', 'i'], { HW_REGION_NAME: 'no region' });
  assert.equal([code, stdout], [1, '']);
  assert.match(stderr, '"https://roma.no region.myhuaweicloud.com" is not allowed for `--endpoint`');
});

test('all missing options are named', async () => {
  const { code, stdout, stderr } = await run(['import'], {});
  assert.equal([code, stdout], [1, '']);
  assert.match(stderr, 'the gateway is not fully specified: --endpoint, --project and --instance are missing\n');
  assert.match(stderr, 'HW_REGION_NAME');
  assert.match((await run(['import', '--endpoint', 'https://host', '--project', 'p'])).stderr, '--instance is missing');
});

test('nothing is sent without credentials', async () => {
  await importing({ apis: [], environments: [] }, async (args, requests) => {
    const { code, stdout, stderr } = await run(args, {});
    assert.equal([code, stdout, requests()], [1, '', []]);
    assert.match(stderr, 'there are no credentials');
    assert.match(stderr, 'set HW_AUTH_TOKEN');
  });
});

test('the error of a refusing gateway is shown, and nothing is written', async () => {
  const server = await answeringServer((response) =>
    json(response, 403, { error_code: 'APIG.1005', error_msg: 'No permissions to request this method' }),
  );
  const { code, stdout, stderr } = await run(['import', '--endpoint', server.url, '--project', 'p', '--instance', 'i']);
  await server.close();
  assert.equal([code, stdout, server.requests.length], [1, '', 1]);
  assert.match(stderr, "the gateway's environments cannot be read: APIG.1005 No permissions to request this method");
  assert.not.match(stderr, 'secret-token');
  assert.match(stderr, /\n {2}\S/); // the hint
});

test('--out writes a new file with the same text, and says what comes next', async () => {
  await importing({ apis: [api('a1', 'orders', [release.id])], environments: [release] }, async (args) => {
    const folder = temporaryFolder();
    const file = join(folder, 'edict.yaml');
    const { code, stdout, stderr } = await run([...args, '--out', file]);
    assert.equal([code, stdout], [0, '']);
    assert.is(stderr, `Written to ${file}. To show how it differs from the gateway: edict plan --refresh ${file}\n`);
    assert.is(readFileSync(file, 'utf8'), (await run(args)).stdout);
    assert.equal(readdirSync(folder), ['edict.yaml']);
  });
});

test('--out never overwrites anything, and names --update; the gateway is not read', async () => {
  await importing({ apis: [], environments: [release] }, async (args, requests) => {
    const folder = temporaryFolder();
    const [file, link] = [join(folder, 'edict.yaml'), join(folder, 'link.yaml')];
    writeFileSync(file, 'mine');
    symlinkSync('nowhere', link);
    for (const path of [file, link]) {
      const { code, stdout, stderr } = await run([...args, '--out', path]);
      assert.equal([code, stdout], [1, '']);
      assert.is(
        stderr,
        `edict: ${path} exists already, and import does not overwrite it\n  to print a patch that adds what it lacks: edict import --update ${path}\n`,
      );
    }
    const { code, stderr } = await run([...args, '--out', join(folder, 'missing', 'edict.yaml')]);
    assert.is(code, 1);
    assert.match(stderr, `cannot be written: there is no folder ${join(folder, 'missing')}`);
    assert.equal([readFileSync(file, 'utf8'), readdirSync(folder)], ['mine', ['edict.yaml', 'link.yaml']]);
    assert.equal(requests().length, 2); // the missing folder is found out only when the file is written
  });
});

test('with --out, a gateway that cannot be read or a file that appears meanwhile leaves nothing behind', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'edict.yaml');
  let appears = false;
  const server = await answeringServer((response, { path }) => {
    if (appears) writeFileSync(file, 'of another process');
    if (path.includes('/envs')) return json(response, 200, { size: 1, total: 1, envs: [release] });
    if (appears) return json(response, 200, { size: 0, total: 0, apis: [] });
    json(response, 403, { error_code: 'APIG.1005', error_msg: 'No permissions to request this method' });
  });
  const args = ['import', '--endpoint', server.url, '--project', 'p', '--instance', 'i', '--out', file];
  assert.is((await run(args)).code, 1);
  assert.equal(readdirSync(folder), []);
  appears = true;
  const { code, stderr } = await run(args);
  await server.close();
  assert.is(code, 1);
  assert.match(stderr, 'exists already');
  assert.equal([readFileSync(file, 'utf8'), readdirSync(folder)], ['of another process', ['edict.yaml']]);
});

test('--update takes the gateway from the file, and a file is for --update', async () => {
  for (const option of ['--endpoint', '--project', '--instance', '--iam', '--out']) {
    const { code, stdout, stderr } = await run(['import', '--update', option, 'x']);
    assert.equal([code, stdout], [1, '']);
    assert.match(stderr, `option '--update' cannot be used with option '${option}`);
  }
  const { code, stderr } = await run(['import', 'my edict.yaml']);
  assert.is(code, 1);
  assert.match(stderr, "to add what my edict.yaml lacks: edict import --update 'my edict.yaml'");
});

/** Writes a file in a new folder for the gateway at `url`, with these lines at its end. */
function writeFileFor(url: string, lines: string): string {
  const file = join(temporaryFolder(), 'edict.yaml');
  writeFileSync(file, `edict: 1\ngateway: { endpoint: "${url}", project: p, instance: i }\n${lines}`);
  return file;
}

test('--update prints nothing but a patch, warns about what it does not add, and says where to apply it', async () => {
  const apis = [api('a1', 'orders', [release.id, 't']), api('a2', 'carts', ['t'])];
  const server = await listingServer(() => ({ apis, environments: [release, { id: 't', name: 'TEST' }] }));
  const file = writeFileFor(server.url, 'environments: { test: t }\napis: { orders: { id: a1, environments: { test: offline } } }\n');
  const { code, stdout, stderr } = await run(['import', '--update', file]);
  assert.is(code, 0);
  assert.is(
    stdout,
    `--- a/edict.yaml
+++ b/edict.yaml
@@ -1,4 +1,4 @@
 edict: 1
 gateway: { endpoint: "${server.url}", project: p, instance: i }
-environments: { test: t }
-apis: { orders: { id: a1, environments: { test: offline } } }
+environments: { test: t, release: { id: DEFAULT_ENVIRONMENT_RELEASE_ID, protected: true } }
+apis: { orders: { id: a1, environments: { test: offline, release: online } }, carts: { id: a2, environments: { test: online } } }
`,
  );
  assert.is(
    stderr,
    `edict: orders in test is online and not added: the file declares it offline
The patch adds 2 publications, with 1 new API and the new environment release. Apply it with git apply in ${dirname(file)}.
`,
  );
  assert.ok(server.requests.every(({ method }) => method === 'GET'));
  await server.close();
});

test('--update names what must be added by hand, and adds the rest', async () => {
  const apis = [api('a1', 'orders', ['t', 's']), api('a2', 'carts', ['t', 's']), api('a3', 'users', ['t'])];
  const server = await listingServer(() => ({ apis, environments: [{ id: 't', name: 'TEST' }] }));
  const file = writeFileFor(
    server.url,
    'environments: { test: t, stage: s }\napis:\n  orders: { id: a1, environments: &all { test: online } }\n  carts: { id: a2, environments: *all }\n',
  );
  const { code, stdout, stderr } = await run(['import', '--update', file]);
  await server.close();
  assert.is(code, 0);
  assert.match(stdout, '+  users: { id: a3, environments: { test: online } }\n');
  assert.is(
    stderr,
    `edict: add by hand: carts (a2) in stage (s): online
edict: add by hand: orders (a1) in stage (s): online
The patch adds 1 publication, with 1 new API. Apply it with git apply in ${dirname(file)}.
`,
  );
});

test('--update of an invalid file, without credentials or with a refusing gateway prints nothing', async () => {
  const server = await answeringServer((response) => json(response, 403, { error_code: 'APIG.1005', error_msg: 'No permissions' }));
  const valid = writeFileFor(server.url, 'environments: { test: t }\napis: {}\n');
  const invalid = writeFileFor(server.url, 'environments: { test: t }\napi: {}\n');
  const results = [
    await run(['import', '--update', invalid]),
    await run(['import', '--update', valid], {}),
    await run(['import', '--update', valid]),
  ];
  await server.close();
  assert.equal(
    results.map(({ code, stdout }) => [code, stdout]),
    [
      [3, ''],
      [1, ''],
      [1, ''],
    ],
  );
  assert.match(results[1]?.stderr ?? '', 'there are no credentials');
  assert.match(results[2]?.stderr ?? '', "the gateway's environments cannot be read: APIG.1005");
});

test('a temporary failure is retried', async () => {
  const server = await answeringServer((response, { path }, count) => {
    if (count === 1) return json(response, 503, {});
    json(response, 200, path.includes('/envs') ? { size: 1, total: 1, envs: [release] } : { size: 0, total: 0, apis: [] });
  });
  const { code, stdout } = await run(['import', '--endpoint', server.url, '--project', 'p', '--instance', 'i']);
  await server.close();
  assert.is(code, 0);
  assert.match(stdout, '  release: { id: DEFAULT_ENVIRONMENT_RELEASE_ID, protected: true }');
});

test.run();
