import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { edict } from '../../support/edict-command.ts';
import { fileOf, scratchFolder } from '../../support/edict-process.ts';

test('shows attempts, newest first, up to the limit', async () => {
  const folder = scratchFolder();
  const apply = async (orders: string): Promise<void> => {
    writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders, carts: 'online' }));
    await edict(['apply', '--emulate'], folder);
  };
  const shown = async (...args: string[]): Promise<string[]> => {
    const { stdout } = await edict(['history', '--emulate', '--format', 'json', ...args], folder);
    return (JSON.parse(stdout) as { attempts: { api: string; action: string }[] }).attempts.map(({ api, action }) => `${api} ${action}`);
  };
  assert.is((await edict(['history', 'edict.yaml', '--emulate'], folder)).code, 3);
  await apply('online');
  await apply('offline');
  assert.equal(await shown(), ['orders offline', 'orders online', 'carts online']);
  assert.equal(await shown('--api', 'carts'), ['carts online']);
  assert.equal(await shown('--api', 'api-orders', '--limit', '1'), ['orders offline']);
  assert.equal(await shown('--api', 'c*', '--api', 'orders', '--environment', '{test,stage}', '--limit', '2'), [
    'orders offline',
    'orders online',
  ]);
  assert.equal(await shown('--environment', 'release'), []);
  assert.match((await edict(['history', '--emulate', '--environment', 'release'], folder)).stdout, 'No attempts recorded.');
  assert.match(
    (await edict(['history', '--emulate'], folder)).stdout,
    /^1 +\S+Z +carts +test +online +new +succeeded +[0-9a-f]{8} +version [0-9a-f]{32}$/m,
  );
});

test('an invalid file does not hide the history: its errors come first, and the gateway is that of the store', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders: 'online' }));
  await edict(['apply', '--emulate'], folder);
  writeFileSync(join(folder, 'edict.yaml'), 'edict: 1\ngateway: nonsense\n');
  const { code, stdout, stderr } = await edict(['history', '--emulate', '--api', 'ord*'], folder);
  assert.is(code, 3);
  assert.match(stderr, 'edict.yaml:2');
  assert.match(stdout, /^1 +\S+Z +orders +test +online/m);
  const other = await edict(['history', '--emulate', '--gateway', 'other'], folder);
  assert.is(other.code, 3);
  assert.match(other.stderr, 'the store has no gateway with the instance other');
});

test.run();
