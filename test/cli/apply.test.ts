import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { edict, fileOf, scratchFolder, startEdict, until } from '../support/edict-process.ts';

test('elsewhere than on a terminal the log is lines for people, on stderr', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders: 'online' }));
  const { stderr, stdout } = await edict(['apply', '--emulate'], folder);
  assert.match(stderr, /INFO: \+ online {2}orders in test \(new, \d+ ms, version [0-9a-f]{32}\)/);
  assert.match(stdout, /^Applied in /);
});

test('one that is stopped says what it did not send, and the exit code is 1', async () => {
  const folder = scratchFolder();
  const states = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`a${index}`, 'online']));
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', states, '{ calls: 1, per: 500ms }'));
  const running = startEdict(['apply', '--emulate'], folder);
  await until('the first call is made', () => running.output.stderr.includes('+ online'));
  running.child.kill('SIGTERM');
  const { code, stdout } = await running.finished;
  assert.is(code, 1);
  assert.match(stdout, /not sent, since it was stopped/);
});

test.run();
