import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { describeReadError, isNotFoundError, readTextFile } from '../../src/source/text-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const test = suite('text file');
const folder = temporaryFolder();
const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

test('reads a text and its size', async () => {
  const opened = (name: string) => {
    const { dev, ino } = statSync(join(folder, name));
    return { identity: `${dev}:${ino}`, path: process.platform === 'linux' ? join(folder, name) : null };
  };
  assert.equal(await readTextFile(file('a', 'ä'), 10), { kind: 'read', text: 'ä', bytes: 2, opened: opened('a') });
  assert.equal(await readTextFile(file('empty', ''), 10), { kind: 'read', text: '', bytes: 0, opened: opened('empty') });
});

test('says why a file cannot be read', async () => {
  assert.is((await readTextFile(join(folder, 'nowhere'), 10)).kind, 'absent');
  assert.is((await readTextFile(join(folder, 'a', 'below'), 10)).kind, 'absent');
  assert.is((await readTextFile(file('large', '12345'), 4)).kind, 'too large');
  assert.is((await readTextFile(file('bytes', Buffer.from([0xff, 0xfe])), 10)).kind, 'no text');
  mkdirSync(join(folder, 'directory'));
  const read = await readTextFile(join(folder, 'directory'), 10);
  assert.is(read.kind === 'unreadable' ? read.reason : read.kind, 'it is a directory');
});

test('a pipe, a device and a link are not read: they may never end, or lead elsewhere', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  symlinkSync('a', join(folder, 'link'));
  const paths = [join(folder, 'pipe'), join(folder, 'link'), '/dev/zero', '/dev/tty', '/dev/null'];
  for (const path of paths) assert.is((await readTextFile(path, 1000)).kind, 'unreadable', path);
});

test('detects a missing file and describes other errors', () => {
  const error = (code: string): Error => Object.assign(new Error('the disk is gone'), { code });
  assert.ok(isNotFoundError(error('ENOENT')) && isNotFoundError(error('ENOTDIR')));
  assert.not.ok(isNotFoundError(error('EACCES')));
  assert.equal(
    ['EISDIR', 'EACCES', 'EIO'].map((code) => describeReadError(error(code))),
    ['it is a directory', 'permission denied', 'the disk is gone'],
  );
});

test.run();
