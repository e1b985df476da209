import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { components } from '../../generated/edict-api.d.ts';
import { createEventBus, systemClock } from '../../src/app/context.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { openStatusServer, pathPrefixOf } from '../../src/app/status-server.ts';
import type { EdictEvent, Emit } from '../../src/model/events.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const test = suite('status server');

const last = { id: 3, action: 'offline', revision: null, outcome: 'rejected', code: 'X', message: '', startedAtMs: 1 };

const fileOf = (file: string, onResync = (): void => {}) => ({
  settings: parseSettings(file, {}),
  events: createEventBus(),
  store: {
    history: async () => [],
    approvals: async () => [],
    lastAttempts: async () => new Map([[wanted('orders', 'test').key, last as never]]),
  },
  ...{ approve: async () => undefined, suspend: async () => undefined, resync: async () => onResync() },
});

/** Opens a server for these files, and gives access to the events of each. */
async function open(env: Readonly<Record<string, string>> = {}, onResync = () => {}, names: readonly string[] = ['shop.yaml']) {
  const files = names.map((name) => fileOf(name, onResync));
  const emitted: EdictEvent[] = [];
  const server = await openStatusServer(
    { host: '127.0.0.1', port: 0 },
    {
      env,
      clock: systemClock,
      emit: (event) => void emitted.push(event),
      isSingleFile: files.length === 1,
      files,
    },
  );
  const added = (name: string): (typeof files)[number] => {
    const file = fileOf(name);
    files.push(file);
    return file;
  };
  const emitterFor = (name: string): Emit => files.find(({ settings }) => settings.file === name)?.events.emit as Emit;
  return { ...server, added, emitterFor, emitted };
}

test('the events of the controller show in its responses', async () => {
  const statusServer = await open();
  const ask = async (path: string) => {
    const response = await fetch(statusServer.url + path);
    return [response.status, await response.text()] as const;
  };
  assert.is((await ask('/readyz'))[0], 503);
  const desired = desiredState([wanted('orders', 'test', { state: 'offline' })], { protectedNames: [] });
  const was = recordedState([recorded('orders', 'test')]);
  const emit = statusServer.emitterFor('shop.yaml');
  emit({ type: 'file:loaded', desired });
  emit({ type: 'plan:computed', reconcileId: 'p', cause: 'startup', plan: diffStates(desired, was), recorded: was });
  assert.is((await ask('/readyz'))[0], 200);
  assert.match((await ask('/metrics'))[1], 'edict_file_valid{file="shop.yaml"} 1\n');
  const status = (await ask('/api/v1/status'))[1];
  assert.match(status, '"path":"shop.yaml"');
  assert.match(status, '"status":"failed"', 'the last attempt of an earlier process is known');
  await statusServer.close();
});

const token = 'right-0123456789';

test('a token in an environment variable, or in a file, authorizes requests', async () => {
  let resyncs = 0;
  const onResync = (): void => {
    resyncs += 1;
  };
  const resync = async (env: Readonly<Record<string, string>>): Promise<number> => {
    const statusServer = await open(env, onResync);
    const { status } = await fetch(`${statusServer.url}/api/v1/resync`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    await statusServer.close();
    return status;
  };
  const path = join(temporaryFolder(), 'token');
  writeFileSync(path, `${token}\n`);
  const other = 'other-0123456789';
  assert.equal([await resync({}), await resync({ EDICT_TOKEN: '' }), await resync({ EDICT_TOKEN: other }), resyncs], [403, 403, 401, 0]);
  assert.is(await resync({ EDICT_READ_TOKEN: token }), 403, 'the token for reading allows no actions');
  assert.equal([await resync({ EDICT_TOKEN: token }), await resync({ EDICT_TOKEN_FILE: path }), resyncs], [202, 202, 2]);
});

test('a host name in an environment variable is accepted', async () => {
  const statusServer = await open({ EDICT_HOSTS: 'one.example.com, two.example.com' });
  const { port } = new URL(statusServer.url);
  const status = async (host: string): Promise<number | undefined> => {
    const [response] = (await once(get({ port, path: '/livez', headers: { host } }), 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  assert.equal([await status('two.example.com'), await status('three.example.com')], [200, 421]);
  await statusServer.close();
});

test('each of several files has a page and an API of its own, and the first page links to them', async () => {
  const statusServer = await open({}, () => {}, ['a/shop.yaml', 'b/shop.yaml', 'c/<b>.yaml']);
  const get = async (path: string) => {
    const response = await fetch(statusServer.url + path);
    return { status: response.status, url: response.url, text: await response.text() };
  };
  assert.match((await get('/')).text, 'id="files"');
  const list = async (): Promise<components['schemas']['FileList']['files']> => JSON.parse((await get('/api/v1/files')).text).files;
  assert.equal(
    (await list()).map(({ path, page, headline }) => [path, page, headline]),
    [
      ['a/shop.yaml', '/shop/', 'starting'],
      ['b/shop.yaml', '/shop-2/', 'starting'],
      ['c/<b>.yaml', '/-b-/', 'starting'],
    ],
  );
  assert.match((await get('/shop')).url, '/shop/');
  assert.match((await get('/shop/')).text, 'id="matrix"');
  assert.match((await get('/shop-2/api/v1/status')).text, '"path":"b/shop.yaml"');
  assert.is((await get('/api/v1/status')).status, 404);
  const desired = desiredState([wanted('orders', 'test')], { protectedNames: [] });
  for (const file of ['a/shop.yaml', 'b/shop.yaml']) statusServer.emitterFor(file)({ type: 'file:loaded', desired });
  assert.equal((await get('/readyz')).text, 'c/<b>.yaml: no valid file has been loaded yet\n');
  statusServer.emitterFor('b/shop.yaml')({ type: 'lease:standby', reason: 'another edict process holds the lease of the gateway' });
  assert.is((await list())[1]?.headline, 'standby');
  assert.match((await get('/shop-2/api/v1/status')).text, '"standbyReason":"another edict process holds the lease of the gateway"');
  const { text } = await get('/metrics');
  assert.match(text, 'edict_file_valid{file="a/shop.yaml"} 1\n');
  assert.match(text, 'edict_file_valid{file="c/<b>.yaml"} 0\n');
  assert.is(text.match(/^# TYPE edict_file_valid /gm)?.length, 1);
  await statusServer.close();
});

test('a new file is shown too, does not affect readiness, and is no longer shown once it is removed', async () => {
  const statusServer = await open({}, () => {}, ['a/shop.yaml', 'b/shop.yaml']);
  const get = async (path: string): Promise<string> => (await fetch(statusServer.url + path)).text();
  const desired = desiredState([wanted('orders', 'test')], { protectedNames: [] });
  for (const file of ['a/shop.yaml', 'b/shop.yaml']) statusServer.emitterFor(file)({ type: 'file:loaded', desired });
  await statusServer.addFile(statusServer.added('c/shop.yaml'));
  assert.match(await get('/shop-3/api/v1/status'), '"path":"c/shop.yaml"');
  assert.match(await get('/api/v1/files'), 'c/shop.yaml');
  statusServer.emitterFor('c/shop.yaml')({ type: 'file:failed', message: 'broken', hint: null });
  assert.is(await get('/readyz'), 'ready\n');
  assert.match(await get('/metrics'), 'edict_file_valid{file="c/shop.yaml"} 0\n');
  await statusServer.removeFile('c/shop.yaml');
  await statusServer.removeFile('a/shop.yaml');
  assert.not.match((await get('/api/v1/files')) + (await get('/metrics')), /[ac]\/shop/);
  assert.match(await get('/shop-2/api/v1/status'), '"path":"b/shop.yaml"');
  assert.match(await get('/shop-3/api/v1/status'), 'NOT_FOUND');
  await statusServer.removeFile('b/shop.yaml');
  assert.is(await get('/readyz'), 'the files found at startup were removed\n');
  await statusServer.close();
});

test('a server that other machines reach without a token is reported, each time it starts', async () => {
  const listen = async (host: string, env: Readonly<Record<string, string>> = {}) => {
    const emitted: EdictEvent[] = [];
    const statusServer = await openStatusServer(
      { host, port: 0 },
      { env, clock: systemClock, emit: (event) => void emitted.push(event), isSingleFile: true, files: [fileOf('shop.yaml')] },
    );
    await statusServer.close();
    return { url: statusServer.url, exposed: emitted.flatMap((event) => (event.type === 'server:exposed' ? [event.url] : [])) };
  };
  for (const host of ['127.0.0.1', 'localhost', '127.0.0.2']) assert.equal((await listen(host)).exposed, [], host);
  for (const env of [{}, { EDICT_TOKEN: token }]) {
    const { url, exposed } = await listen('0.0.0.0', env);
    assert.match(url, /^http:\/\/0\.0\.0\.0:\d+$/, 'the address that listens, not one at which it can be reached');
    assert.equal(exposed, [url]);
  }
  assert.equal((await listen('0.0.0.0', { EDICT_READ_TOKEN: token })).exposed, []);
});

test('file names become distinct path segments', () => {
  const names = new Set<string>();
  for (const file of ['a/x.yaml', 'b/x.yaml', 'x-2.yaml', 'api.yaml', 'ä b.yml']) names.add(pathPrefixOf(file, names));
  assert.equal([...names], ['x', 'x-2', 'x-2-2', 'api-2', '--b']);
});

test.run();
