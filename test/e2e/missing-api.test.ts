import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, seedOf } from '../support/edict-process.ts';

/*
 * An API that the gateway does not have: a call for it would be rejected each time, so that none is made, whether or not the record knows that it
 * existed once.
 */
const test = suite('missing APIs');
let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  emulator = await startEmulator({
    seed: { ...seedOf('a', 'b'), publications: ['a', 'b'].map((name) => ({ api: `api-${name}`, environment: 'env-test' })) },
  });
  folder = scratchFolder();
});
test.after.each(() => emulator.close());

function write(names: readonly string[], each = 'test: online, release: online'): void {
  const gateway = `endpoint: "${emulator.url}", project: project, instance: instance, propagationDelay: 1ms`;
  const apis = names.map((name) => `  ${name}: { id: api-${name}, environments: { ${each} } }\n`);
  writeFileSync(
    join(folder, 'edict.yaml'),
    `edict: 1\ngateway: { ${gateway} }\nenvironments: { test: env-test, release: env-release }\napis:\n${apis.join('')}`,
  );
}
const calls = (): string[] =>
  emulator.requests.all().flatMap(({ operation, api }) => (/^(?:change|switch)/.test(operation ?? '') ? [String(api)] : []));
const planOf = async (args: readonly string[] = []) =>
  JSON.parse((await edict(['plan', '--format', 'json', ...args], folder)).stdout) as {
    changes: { api: string; action: string }[];
    notices: { api: string; environment: string; kind: string; message: string }[];
    summary: Record<string, number>;
  };

test('at first contact no call is made for an API that does not exist, and the plan says so once', async () => {
  write(['a', 'gone'], 'test: online');
  const { code, stdout } = await edict(['plan', '--detailed-exitcode'], folder);
  assert.is(code, 2, stdout);
  assert.match(stdout, /^1 drifted, 1 unmanaged, 1 unchanged\./);
  assert.match(stdout, /~ gone +test +API api-gone does not exist at the gateway/);
  assert.not.match(stdout, /Goes online|no longer/);
  for (const args of [['apply'], ['apply'], ['apply', '--refresh']]) assert.is((await edict(args, folder)).code, 0);
  assert.equal(calls(), []);
  const planned = await planOf();
  assert.equal([planned.changes, planned.summary['drifted']], [[], 1]);
  assert.equal(
    planned.notices.map(({ api, kind, message }) => [api, kind, message]),
    [['gone', 'drift', 'API api-gone does not exist at the gateway']],
  );
  const status = await edict(['status'], folder);
  assert.match(status.stdout, /^1 drifted/);
  assert.match(status.stdout, 'API api-gone does not exist at the gateway');
  const { publications } = JSON.parse((await edict(['status', '--format', 'json'], folder)).stdout) as {
    publications: { api: string; status: string; recorded: object | null; notice: { message: string } | null }[];
  };
  const gone = publications.find(({ api }) => api === 'gone');
  assert.equal([gone?.status, gone?.recorded, gone?.notice?.message], ['drifted', null, 'API api-gone does not exist at the gateway']);
  const explained = await edict(['explain', 'gone', 'test'], folder);
  assert.match(explained.stdout, 'no change; its API does not exist at the gateway');
});

test('an API that existed once is said not to exist any more, also where it was to go online for another reason', async () => {
  write(['a', 'b'], 'test: online, release: offline');
  assert.is((await edict(['apply'], folder)).code, 0);
  emulator.state.deleteApi('api-b');
  write(['a', 'b']);
  for (const args of [['plan', '--refresh', '--detailed-exitcode'], ['apply', '--refresh'], ['apply']]) {
    const { code, stdout } = await edict(args, folder);
    assert.is(code, args[0] === 'plan' ? 2 : 0, stdout);
    if (args[0] === 'plan') assert.match(stdout, 'the gateway no longer lists API api-b');
  }
  assert.equal(calls(), ['api-a'], 'release of the API that exists');
  const { stdout } = await edict(['status'], folder);
  assert.match(stdout, 'the gateway no longer lists its API');
});

test('what a file adds to a known gateway is looked up too, and published once its API exists', async () => {
  write(['a'], 'test: online');
  assert.is((await edict(['apply'], folder)).code, 0);
  write(['a', 'c'], 'test: online');
  await edict(['state', 'rm', 'a', 'test'], folder);
  const { stdout } = await edict(['apply'], folder);
  assert.match(stdout, '1 drifted');
  assert.equal(calls(), []);
  emulator.state.catalog.addApi({ id: 'api-c', name: 'c' });
  assert.is((await edict(['apply', '--refresh'], folder)).code, 0);
  assert.equal(calls(), ['api-c']);
  rmSync(join(folder, '.edict'), { recursive: true });
  assert.match((await edict(['apply'], folder)).stdout, 'In sync (1 unmanaged). 2 publications');
});

test.run();
