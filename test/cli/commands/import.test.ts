import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
