import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isProcessAlive } from '../../../src/store/sqlite/database.ts';

test('a process that has ended is not alive', async () => {
  assert.ok(isProcessAlive(process.pid));
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'close');
  assert.not.ok(isProcessAlive(child.pid ?? 0));
});

test.run();
