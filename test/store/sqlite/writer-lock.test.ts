import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { acquireFileLock } from '../../../src/store/sqlite/open.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder();

test('one process at a time has the lock, and the next one once it is released', () => {
  const path = join(folder, 'state.db');
  const first = acquireFileLock(path);
  assert.ok(first);
  assert.is(acquireFileLock(path), null);
  assert.ok(acquireFileLock(join(folder, 'other.db')));
  first.release();
  const second = acquireFileLock(path);
  assert.ok(second);
  second.release();
});

test('the store itself is not created', () => {
  acquireFileLock(join(folder, 'none.db'))?.release();
  assert.not(existsSync(join(folder, 'none.db')));
});

test('a lock that cannot be created is an error, not a lock of another process', () => {
  assert.throws(() => acquireFileLock(join(folder, 'no', 'folder')), /unable to open/);
});

test.run();
