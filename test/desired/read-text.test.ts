import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAbsence, readText, whyUnreadable } from '../../src/desired/read-text.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const test = suite('read text');
const folder = temporaryFolder();
const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

test('reads a text with its bytes', async () => {
  assert.equal(await readText(file('a', 'ä'), 10), { kind: 'read', text: 'ä', bytes: 2 });
  assert.equal(await readText(file('empty', ''), 10), { kind: 'read', text: '', bytes: 0 });
});

test('says why there is none', async () => {
  assert.is((await readText(join(folder, 'nowhere'), 10)).kind, 'absent');
  assert.is((await readText(join(folder, 'a', 'below'), 10)).kind, 'absent');
  assert.is((await readText(file('large', '12345'), 4)).kind, 'too large');
  assert.is((await readText('/dev/zero', 1000)).kind, 'too large');
  assert.is((await readText(file('bytes', Buffer.from([0xff, 0xfe])), 10)).kind, 'no text');
  mkdirSync(join(folder, 'directory'));
  const read = await readText(join(folder, 'directory'), 10);
  assert.is(read.kind === 'unreadable' ? read.why : read.kind, 'it is a directory');
});

test('knows an absence, and puts the rest in words', () => {
  const error = (code: string): Error => Object.assign(new Error('the disk is gone'), { code });
  assert.ok(isAbsence(error('ENOENT')) && isAbsence(error('ENOTDIR')));
  assert.not.ok(isAbsence(error('EACCES')));
  assert.equal(
    ['EISDIR', 'EACCES', 'EIO'].map((code) => whyUnreadable(error(code))),
    ['it is a directory', 'permission denied', 'the disk is gone'],
  );
});

test.run();
