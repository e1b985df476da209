import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fingerprintFileSet, hasSameContent, maxIncludedFiles, readFileSet, toDisplayPath } from '../../src/source/include-reader.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const test = suite('include reader');
const root = temporaryFolder();
let folders = 0;

function folder(files: Readonly<Record<string, string>>): string {
  folders += 1;
  const path = join(root, `${folders}`);
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

const read = (path: string, ...patterns: readonly string[]) =>
  readFileSet(join(path, 'edict.yaml'), {
    includesOf: async () => patterns.map((pattern, index) => ({ index, pattern })),
    allowedFolders: [],
  });

test('reads the files that patterns match, sorted by path, each once', async () => {
  const path = folder({ 'edict.yaml': 'main', 'apis/b.yaml': 'b', 'apis/a.yaml': 'a', 'z.yaml': 'z' });
  symlinkSync('a.yaml', join(path, 'apis/link.yaml'));
  const { main, included, diagnostics, directories, hasIncludes } = await read(path, 'z.yaml', 'apis/*.yaml', 'apis/a.yaml', '*.yaml');
  assert.equal([main.kind, hasIncludes, diagnostics], ['read', true, []]);
  assert.equal(
    included.map(({ relativePath, text }) => [relativePath, text]),
    [
      ['apis/a.yaml', 'a'],
      ['apis/b.yaml', 'b'],
      ['z.yaml', 'z'],
    ],
  );
  assert.equal(directories, [join(path, 'apis'), path]);
});

test('a pattern that matches nothing, or only the file itself, is an error at its position', async () => {
  const path = folder({ 'edict.yaml': 'main', 'apis/a.yaml': 'a' });
  const { diagnostics } = await read(path, 'apis/*.yaml', 'teams/*.yaml', '*.yaml', 'nowhere.yaml');
  assert.equal(
    diagnostics.map(({ path: at, message }) => [at.join('.'), message]),
    [
      ['include.1', '"teams/*.yaml" matches no file'],
      ['include.2', '"*.yaml" matches only this file'],
      ['include.3', '"nowhere.yaml" does not exist'],
    ],
  );
});

test('an unreadable file is an error at the entry that matches it', async () => {
  const path = folder({ 'edict.yaml': 'main', 'apis/a.yaml': 'a' });
  writeFileSync(join(path, 'apis/b.yaml'), Buffer.from([0xff]));
  symlinkSync('nowhere', join(path, 'apis/c.yaml'));
  const { diagnostics, included } = await read(path, 'apis/*.yaml');
  assert.is(included.length, 1);
  assert.equal(
    diagnostics.map(({ message }) => message.replace(path, '…')),
    ['…/apis/b.yaml cannot be read: it is not UTF-8 text', '…/apis/c.yaml cannot be read: it does not exist'],
  );
});

test('more files than the limit are an error', async () => {
  const path = folder({
    'edict.yaml': 'main',
    ...Object.fromEntries(Array.from({ length: maxIncludedFiles + 1 }, (_, index) => [`apis/${index}.yaml`, ''])),
  });
  assert.match((await read(path, 'apis/*.yaml')).diagnostics[0]?.message ?? '', 'more than 1000 files are included');
});

test('a file that does not exist has no included files', async () => {
  const { main, included, hasIncludes } = await read(folder({}), 'apis/*.yaml');
  assert.equal([main.kind, included, hasIncludes], ['absent', [], false]);
});

test('detects changed content and changed targets of paths', async () => {
  const path = folder({ 'edict.yaml': 'main', 'apis/a.yaml': 'a', 'other/a.yaml': 'a' });
  const before = await read(path, 'apis/*.yaml');
  const same = await read(path, 'apis/*.yaml');
  assert.ok(hasSameContent(before, same));
  assert.is(fingerprintFileSet(before), fingerprintFileSet(same));
  writeFileSync(join(path, 'apis/a.yaml'), 'b');
  const changed = await read(path, 'apis/*.yaml');
  assert.not.ok(hasSameContent(before, changed));
  assert.is.not(fingerprintFileSet(before), fingerprintFileSet(changed));
  assert.is.not(fingerprintFileSet(changed), fingerprintFileSet(await read(path, 'other/*.yaml')));
});

test('a path below the working directory is shown relative', () => {
  assert.is(toDisplayPath(join(process.cwd(), 'apis/a.yaml')), 'apis/a.yaml');
  assert.is(toDisplayPath('/elsewhere/a.yaml'), '/elsewhere/a.yaml');
});

test.run();
