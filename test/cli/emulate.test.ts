import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { edict, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';

test('serves what the seed says until it is stopped', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'seed.json'), JSON.stringify(seedOf('orders')));
  const emulator = startEdict(['emulate', '--seed', 'seed.json', '--port', '0'], folder);
  await until('it listens', () => emulator.output.stdout.includes('listens on'));
  const url = /http:\S+/.exec(emulator.output.stdout)?.[0] ?? '';
  const answer = await fetch(`${url}/v2/project/apic/instances/instance/apis/action`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-auth-token': 'any' },
    body: JSON.stringify({ action: 'online', api_id: 'api-orders', env_id: 'env-test' }),
  });
  assert.is(answer.status, 201);
  emulator.child.kill('SIGTERM');
  assert.is((await emulator.finished).code, 0);
});

test('a wrong seed and a taken port are told without a stack', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'seed.json'), '{"project": 1}');
  const wrong = await edict(['emulate', '--seed', 'seed.json', '--port', '0'], folder);
  assert.is(wrong.code, 1);
  assert.match(wrong.stderr, 'seed.json');
  assert.not.match(wrong.stderr, /\n\s+at /);
  const absent = await edict(['emulate', '--seed', 'nowhere.yaml'], folder);
  assert.not.match(absent.stderr, /\n\s+at /);
  const first = startEdict(['emulate', '--port', '0'], folder);
  await until('it listens', () => first.output.stdout.includes('listens on'));
  const port = /:(\d+)\s/.exec(first.output.stdout)?.[1] ?? '';
  const second = await edict(['emulate', '--port', port], folder);
  first.child.kill('SIGTERM');
  await first.finished;
  assert.is(second.code, 1);
  assert.match(second.stderr, port);
  assert.not.match(second.stderr, /\n\s+at /);
});

test.run();
