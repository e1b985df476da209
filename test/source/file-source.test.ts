import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError, InvalidFileError } from '../../src/model/errors.ts';
import { nameKey } from '../../src/model/name-ref.ts';
import { FileSource, type ResolveNames } from '../../src/source/file-source.ts';
import { eventually } from '../support/eventually.ts';
import { head } from '../support/marked-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
const valid = (revision: string): string => `${head}apis:\n  a: { id: x, revision: "${revision}", environments: { test: online } }\n`;
const noNames: ResolveNames = () => Promise.reject(new Error('nothing is to be looked up'));
let files = 0;

function newFile(content: string | Buffer): string {
  files += 1;
  const path = join(folder, `${files}.yaml`);
  writeFileSync(path, content);
  return path;
}

test('names without IDs are resolved, once for each text', async () => {
  const path = newFile(`${head}apis:\n  a: { environments: { test: online } }\n`);
  let asked = 0;
  const source = new FileSource(path, {
    variables: {},
    resolveNames: async ({ instance }, names) => {
      asked += 1;
      assert.is(instance, 'i');
      return new Map(names.map((name) => [nameKey(name), { kind: 'one', id: `id-of-${name.name}` }]));
    },
  });
  const [publication] = (await source.load()).publications.values();
  assert.is(publication?.apiId, 'id-of-a');
  await source.load();
  assert.is(asked, 1);
});

test('no name is resolved for an invalid file', async () => {
  const path = newFile(`${head}apis:\n  a: { environments: { nowhere: online } }\n`);
  assert.instance(await refusal(path), InvalidFileError);
});

async function refusal(path: string): Promise<EdictError> {
  const error = await new FileSource(path, { variables: {}, resolveNames: noNames }).load().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, EdictError);
  return error as EdictError;
}

test('reads the current file, and returns the same object while it is unchanged', async () => {
  const path = newFile(valid('1'));
  const source = new FileSource(path, { variables: {}, resolveNames: noNames });
  const first = await source.load();
  assert.is([...first.publications.values()][0]?.revision, '1');
  assert.is(await source.load(), first);
  writeFileSync(path, valid('2'));
  const second = await source.load();
  assert.is([...second.publications.values()][0]?.revision, '2');
  assert.is([...first.publications.values()][0]?.revision, '1');
});

test('an invalid file is reported on each load, and its fix is detected', async () => {
  const path = newFile(valid('1'));
  const source = new FileSource(path, { variables: {}, resolveNames: noNames });
  const before = await source.load();
  writeFileSync(path, 'edict: [');
  for (let time = 0; time < 2; time += 1) {
    const error = await source.load().catch((thrown: unknown) => thrown);
    assert.instance(error, InvalidFileError);
  }
  writeFileSync(path, valid('1'));
  assert.equal(await source.load(), before);
});

test('takes variables only from its input', async () => {
  const path = newFile(valid('1').replace('project: p', `project: $\{EDICT_VAR_P}`));
  assert.is(
    (await new FileSource(path, { variables: { EDICT_VAR_P: 'from-outside' }, resolveNames: noNames }).load()).gateway.project,
    'from-outside',
  );
});

test('shows a relative path below the working directory, and the full path elsewhere', async () => {
  const path = newFile(valid('1'));
  const [outside] = (await new FileSource(path, { variables: {}, resolveNames: noNames }).load()).publications.values();
  assert.is(outside?.source.file, path);
  const here = join(import.meta.dirname, '../../examples/quickstart/edict.yaml');
  const [inside] = (await new FileSource(here, { variables: {}, resolveNames: noNames }).load()).publications.values();
  assert.is(inside?.source.file, relative('', here));
});

for (const [name, make, code, says] of [
  ['absent', () => join(folder, 'none.yaml'), 'FILE_NOT_FOUND', /none.yaml does not exist/],
  ['below a file', () => join(newFile(''), 'edict.yaml'), 'FILE_NOT_FOUND', /does not exist/],
  ['a link that leads nowhere', () => linkTo('nowhere'), 'FILE_NOT_FOUND', /does not exist/],
  ['a link to itself', () => linkTo('loop.yaml', 'loop.yaml'), 'FILE_UNREADABLE', /cannot be read: .*ELOOP/],
  ['a directory', () => folder, 'FILE_UNREADABLE', /it is a directory/],
  ['not UTF-8', () => newFile(Buffer.from([0x65, 0xff, 0xfe])), 'FILE_UNREADABLE', /not UTF-8/],
  ['UTF-16', () => newFile(Buffer.from(`\uFEFF${valid('1')}`, 'utf16le')), 'FILE_UNREADABLE', /not UTF-8/],
  ['too large', () => hugeFile(), 'FILE_UNREADABLE', /more than 32 MB or 1,000,000 lines/],
  ['a device', () => '/dev/zero', 'FILE_UNREADABLE', /not a regular file/],
  ['a pipe', () => newPipe(), 'FILE_UNREADABLE', /not a regular file/],
] as const) {
  test(`a file that is ${name} is an error`, async () => {
    const error = await refusal(make());
    assert.is(error.code, code);
    assert.match(error.message, says);
    assert.is(error.exitCode, 3);
  });
}

test('files that differ at every read are an error: they may be from two checkouts', async () => {
  const included = newFile('apis: {}\n');
  const path = newFile(`${head}include: [${basename(included)}]\n`);
  let isDone = false;
  const writing = (async () => {
    for (let count = 0; !isDone; count += 1) {
      writeFileSync(`${included}.new`, `apis: {} # ${count}\n`);
      renameSync(`${included}.new`, included);
      await setImmediate();
    }
  })();
  const error = await refusal(path);
  isDone = true;
  await writing;
  assert.is(error.code, 'FILE_UNREADABLE');
  assert.match(error.message, /change faster than they can be read/);
  assert.is(error.exitCode, 3);
});

function linkTo(target: string, name = 'link.yaml'): string {
  const path = join(folder, name);
  symlinkSync(target, path);
  return path;
}

function newPipe(): string {
  const path = join(folder, 'pipe.yaml');
  execFileSync('mkfifo', [path]);
  return path;
}

function hugeFile(): string {
  const path = newFile('');
  truncateSync(path, 64 * 1024 * 1024 + 1);
  return path;
}

test('a byte order mark is allowed', async () => {
  assert.is((await new FileSource(newFile(`\uFEFF${valid('1')}`), { variables: {}, resolveNames: noNames }).load()).publications.size, 1);
});

test('calls back if the content or the path changes, and not if only the modification time does', async () => {
  const path = newFile(valid('1'));
  const link = linkTo(path, 'watched.yaml');
  let hints = 0;
  const watch = await new FileSource(link, { variables: {}, resolveNames: noNames }).watch(() => {
    hints += 1;
  });
  const noticed = async (act: () => void, what: string): Promise<void> => {
    const before = hints;
    act();
    await eventually(() => hints > before, 60_000, what);
  };
  await noticed(() => writeFileSync(path, valid('2')), 'in place');
  const other = newFile(valid('2'));
  await noticed(() => {
    symlinkSync(other, `${link}.new`);
    renameSync(`${link}.new`, link);
  }, 'the same content elsewhere');
  await noticed(() => rmSync(other), 'gone');
  await noticed(() => mkdirSync(other), 'unreadable');
  await noticed(() => {
    rmSync(other, { recursive: true });
    writeFileSync(other, Buffer.from([0xff]));
  }, 'not UTF-8');
  await noticed(() => writeFileSync(other, valid('3')), 'well again');
  await watch.close();
});

test.run();
