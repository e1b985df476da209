import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { edict } from '../../support/edict-command.ts';
import { fileOf, scratchFolder, startEdict, until } from '../../support/edict-process.ts';

test('without a terminal the log is pretty lines on stderr', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders: 'online' }));
  const { stderr, stdout } = await startEdict(['apply', '--emulate'], folder).finished;
  assert.match(stderr, /INFO: \+ online {2}orders in test \(new, \d+ ms, version [0-9a-f]{32}\)/);
  assert.match(stdout, /^Applied in /);
});

test('with targets it makes the matching changes and counts the excluded ones', async () => {
  const folder = scratchFolder();
  const states = { 'shop-a': 'online', 'shop-b': 'online', users: 'online' };
  const file = fileOf('https://roma.example.com', states);
  writeFileSync(join(folder, 'edict.yaml'), `${file}prune: true\n`);
  const shop = await edict(['apply', '--emulate', '--api', 'shop-*', '--environment', 'test'], folder);
  assert.equal([shop.code, shop.stdout.includes('2 online, 0 offline, 0 unchanged.')], [0, true]);
  assert.match(shop.stdout, 'Only --api shop-*, --environment test: 1 change left out.');

  // The publication that left the file stays online: it is not targeted.
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf('https://roma.example.com', { users: 'online' })}prune: true\n`);
  const shown = await edict(['apply', '--dry-run', '--emulate', '--api', 'users'], folder);
  assert.match(shown.stdout, '1 going online, 0 unchanged.\nOnly --api users: 2 changes left out.');
  const users = await edict(['apply', '--emulate', '--api', 'users', '--format', 'json'], folder);
  const summary = JSON.parse(users.stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, number>;
  assert.equal([summary['online'], summary['offline'], summary['failed'], summary['excluded']], [1, 0, 0, 2]);
  const again = await edict(['apply', '--emulate', '--api', 'users'], folder);
  assert.equal(again.stdout, 'In sync. 1 publication matches the file. Nothing was sent. Only --api users: 2 changes left out.\n');
  const gone = await edict(['apply', '--emulate', '--api', 'shop-b'], folder);
  assert.match(gone.stdout, '0 online, 1 offline, 0 unchanged.');
});

test('an apply that SIGTERM interrupts counts the unsent changes and exits with 1', async () => {
  const folder = scratchFolder();
  const states = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`a${index}`, 'online']));
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', states, '{ calls: 1, per: 500ms }'));
  const running = startEdict(['apply', '--emulate'], folder);
  await until('the first call is made', () => running.output.stderr.includes('+ online'));
  running.child.kill('SIGTERM');
  const { code, stdout } = await running.finished;
  assert.is(code, 1);
  assert.match(stdout, /not sent/);
});

test.run();
