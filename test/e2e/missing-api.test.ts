import { readFileSync, rmSync, writeFileSync } from 'node:fs';
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

test('an API that was created again under another ID is told as that everywhere, whether the file names it by ID or by name', async () => {
  for (const id of ['id: api-b, ', 'name: b, ']) {
    const [oldId, newId] = id.startsWith('id') ? ['api-b', 'api-anew'] : ['api-anew', 'api-newest'];
    rmSync(join(folder, '.edict'), { recursive: true, force: true });
    write(['a', 'b'], 'test: online');
    const file = join(folder, 'edict.yaml');
    writeFileSync(file, `prune: true\n${readFileSync(file, 'utf8').replace('id: api-b, ', id)}`);
    assert.is((await edict(['apply'], folder)).code, 0);
    emulator.state.deleteApi(oldId);
    emulator.state.catalog.addApi({ id: newId, name: 'b' });
    emulator.requests.clear();
    const told = `API b was deleted and created again: its ID was ${oldId} and is now ${newId} at the gateway; if that one is meant, write \`id: ${newId}\` in the file`;
    const applied = await edict(['apply', '--refresh'], folder);
    assert.match(applied.stderr, 'the API was deleted and created again under another ID');
    for (const args of [['plan', '--refresh'], ['plan'], ['status'], ['explain', 'b', 'test']]) {
      const { stdout } = await edict(args, folder);
      assert.ok(stdout.replaceAll(/\s+/g, ' ').includes(told), `${args.join(' ')}: ${stdout}`);
    }
    const { publications } = JSON.parse((await edict(['status', '--format', 'json'], folder)).stdout) as {
      publications: { api: string; notice: { message: string } | null }[];
    };
    assert.is(publications.find(({ api }) => api === 'b')?.notice?.message, told);
    assert.equal(calls(), []);
    // The remedy works as it is written, and what is gone is not taken offline.
    writeFileSync(file, readFileSync(file, 'utf8').replace(id, `id: ${newId}, `));
    const { code, stdout, stderr } = await edict(['apply'], folder);
    assert.equal([code, calls()], [0, [newId]], `${stdout}${stderr}`);
  }
});

test('a name that means another API than the record does holds the changes of both', async () => {
  write(['a', 'b'], 'test: online');
  assert.is((await edict(['apply'], folder)).code, 0);
  emulator.state.deleteApi('api-b');
  emulator.state.catalog.addApi({ id: 'api-anew', name: 'b' });
  const file = join(folder, 'edict.yaml');
  writeFileSync(file, `prune: true\n${readFileSync(file, 'utf8').replace('id: api-b, ', '')}`);
  for (const args of [['plan', '--refresh', '--detailed-exitcode'], ['apply', '--refresh'], ['apply']]) {
    const { code, stdout, stderr } = await edict(args, folder);
    assert.is(code, 4, `${stdout}${stderr}`);
    assert.match(
      stdout.replaceAll(/\s+/g, ' '),
      'API b was deleted and created again: its ID was api-b and is now api-anew at the gateway',
    );
  }
  assert.equal(calls(), []);
});

test.run();
