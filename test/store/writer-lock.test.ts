import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lockForWriting } from '../../src/store/writer-lock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();

test('one at a time has the lock, and the next one once it is released', () => {
  const path = join(folder, 'state.db');
  const first = lockForWriting(path);
  assert.ok(first);
  assert.is(lockForWriting(path), null);
  assert.ok(lockForWriting(join(folder, 'other.db')));
  first.release();
  const second = lockForWriting(path);
  assert.ok(second);
  second.release();
});

test('the store itself is not made', () => {
  lockForWriting(join(folder, 'none.db'))?.release();
  assert.not(existsSync(join(folder, 'none.db')));
});

test('a lock that cannot be taken is an error, not a lock that another has', () => {
  assert.throws(() => lockForWriting(join(folder, 'no', 'folder')), /unable to open/);
});

test.run();
