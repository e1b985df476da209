import { request } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/model/errors.ts';
import { startTestServer, type TestServer } from '../support/status-server.ts';

const test = suite('server');
let isReady = true;
let server: TestServer;
const answer = () => ({ ok: isReady, message: isReady ? 'ready' : 'not yet' });
test.before(async () => {
  server = await startTestServer({ allowedHosts: ['edict.example.com'], health: { live: answer, ready: answer } });
});
test.after(() => server.close());

test('reports readiness and liveness', async () => {
  for (const path of ['/readyz', '/livez']) {
    isReady = true;
    const well = await fetch(server.url + path);
    assert.equal([well.status, await well.text()], [200, 'ready\n']);
    isReady = false;
    assert.equal((await fetch(server.url + path)).status, 503);
  }
});

test('serves its metrics', async () => {
  const given = await fetch(`${server.url}/metrics`);
  assert.match(given.headers.get('content-type') ?? '', 'version=0.0.4');
  assert.is(await given.text(), 'edict_file_held 0\n');
});

test('serves the page, which may load nothing from other origins nor be framed', async () => {
  const page = await fetch(server.url);
  assert.equal([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
  const policy = page.headers.get('content-security-policy') ?? '';
  for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) assert.match(policy, part);
  assert.not.match(policy, 'unsafe');
  assert.is(page.headers.get('x-content-type-options'), 'nosniff');
  assert.is((await fetch(`${server.url}/ui/page.js`)).headers.get('content-type'), 'text/javascript; charset=utf-8');
});

const statusWith = (path: string, headers: Readonly<Record<string, string>>) =>
  new Promise((resolve) => {
    request(`${server.url}${path}`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
  });

test('answers to no other host name, so that a page of another site cannot use one of its own', async () => {
  for (const path of ['/metrics', '/', '/api/v1/status', '/api/v1/events']) {
    assert.is(await statusWith(path, { host: 'evil.example.com' }), 421, path);
  }
  for (const host of ['localhost:9470', '[::1]:9470', 'edict.example.com']) assert.is(await statusWith('/metrics', { host }), 200, host);
});

test('a page of another site gets no response', async () => {
  const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', origin: 'https://evil.example.com' };
  for (const path of ['/api/v1/status', '/api/v1/events', '/metrics']) assert.is(await statusWith(path, headers), 403, path);
});

test('an unknown path or a wrong method is reported as JSON', async () => {
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(server.url + path, { method });
    return [response.status, ((await response.json()) as { error: { message: string } }).error.message] as const;
  };
  assert.equal(await ask('/nothing?token=secret'), [404, 'there is no GET /nothing']);
  assert.is((await ask('/api/v1/status', 'POST'))[0], 404);
  assert.is((await ask('/ui/../package.json'))[0], 404);
  assert.is((await ask('/ui/%2e%2e%2fpage.ts'))[0], 404);
});

test('an address in use is an error with a hint', async () => {
  const port = Number(new URL(server.url).port);
  try {
    await startTestServer({ port });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, EdictError);
    assert.is((error as EdictError).code, 'LISTEN_FAILED');
  }
});

test.run();
