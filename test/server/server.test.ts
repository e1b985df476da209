import { request } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/core/errors.ts';
import { type Server, startServer } from '../../src/server/server.ts';

const test = suite('server');
let isReady = true;
let server: Server;
const answer = () => ({ ok: isReady, message: isReady ? 'ready' : 'not yet' });
const deps = {
  health: { live: answer, ready: answer },
  metrics: { text: async () => 'edict_file_held 0\n', contentType: 'text/plain; version=0.0.4' },
};
test.before(async () => {
  server = await startServer({ host: '127.0.0.1', port: 0 }, deps);
});
test.after(() => server.close());

test('answers whether it is ready and alive', async () => {
  for (const path of ['/readyz', '/livez']) {
    isReady = true;
    const well = await fetch(server.url + path);
    assert.equal([well.status, await well.text()], [200, 'ready\n']);
    isReady = false;
    assert.equal((await fetch(server.url + path)).status, 503);
  }
});

test('gives its metrics', async () => {
  const given = await fetch(`${server.url}/metrics`);
  assert.match(given.headers.get('content-type') ?? '', 'version=0.0.4');
  assert.is(await given.text(), 'edict_file_held 0\n');
});

test('answers to no other name, so that no page of another site can ask under a name of its own', async () => {
  const statusAs = (host: string) =>
    new Promise((resolve) => {
      request(`${server.url}/metrics`, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
  assert.is(await statusAs('evil.example.com'), 421);
  assert.is(await statusAs('localhost:9470'), 200);
  assert.is(await statusAs('[::1]:9470'), 200);
});

test('an address that is taken is an error for a person', async () => {
  const port = Number(new URL(server.url).port);
  try {
    await startServer({ host: '127.0.0.1', port }, deps);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, EdictError);
    assert.is((error as EdictError).code, 'LISTEN');
  }
});

test.run();
