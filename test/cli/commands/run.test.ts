import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fileOf, scratchFolder, startEdict, until } from '../../support/edict-process.ts';

test('the daemon logs JSON without a terminal, and exits with 0 on SIGINT', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders: 'online' }));
  const daemon = startEdict(['run', '--emulate'], folder);
  await until('orders is online', () => daemon.events('reconcile:finished').length > 0);
  daemon.child.kill('SIGINT');
  const { code, stdout } = await daemon.finished;
  assert.is(code, 0);
  assert.is(stdout, '');
  assert.equal([daemon.events('daemon:stopped')[0]?.['signal'], daemon.events('daemon:stopped')[0]?.['unsent']], ['SIGINT', 0]);
});

test('SIGTERM ends the daemon at any time: before it listens, while it opens, and later', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders: 'online' }));
  for (const afterMs of [0, 100, 150, 200, 250, 300, 400, 600]) {
    const daemon = startEdict(['run', '--emulate', '--log-format', 'json'], folder);
    await sleep(afterMs);
    daemon.child.kill('SIGTERM');
    const { code } = await daemon.finished;
    assert.ok(code === 0 || (code === null && daemon.events('daemon:started').length === 0), `after ${afterMs} ms: ${code}`);
  }
});

test('run --once is apply', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders: 'online' }));
  const { code, stdout } = await startEdict(['run', '--once', '--emulate'], folder).finished;
  assert.is(code, 0);
  assert.match(stdout, /1 online/);
});

test.run();
