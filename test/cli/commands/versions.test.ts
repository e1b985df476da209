import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseVersionsTarget } from '../../../src/cli/commands/history.ts';
import { startEmulator } from '../../../src/emulator/emulator.ts';
import { EdictError } from '../../../src/model/errors.ts';
import { edict } from '../../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf } from '../../support/edict-process.ts';

test('shows the versions, newest first, with the effective and the pinned one', async () => {
  const emulator = await startEmulator({ seed: seedOf('orders') });
  for (const remark of ['first', 'second\u001b[31m', 'third']) emulator.state.publish('api-orders', 'env-test', remark);
  const kept = emulator.state.publications()[0]?.versions.map(({ versionId }) => versionId) ?? [];
  emulator.state.switchVersion('api-orders', kept[1] ?? '');
  const folder = scratchFolder();
  const file = fileOf(emulator.url, { orders: `{ state: online, version: ${kept[2]} }` });
  writeFileSync(join(folder, 'edict.yaml'), file);
  const asJson = await edict(['history', '--versions', 'orders', 'test', '--format', 'json'], folder);
  const { api, environmentId, versions } = JSON.parse(asJson.stdout) as {
    api: string;
    environmentId: string;
    versions: { versionId: string; effective: boolean; pinned: boolean }[];
  };
  assert.equal([api, environmentId], ['orders', 'env-test']);
  assert.equal(
    versions.map(({ versionId, effective, pinned }) => [versionId, effective, pinned]).sort(),
    kept.map((versionId, index) => [versionId, index === 1, index === 2]).sort(),
  );
  const { stdout } = await edict(['history', '--versions', 'api-orders', 'env-test', 'edict.yaml'], folder);
  assert.match(stdout, new RegExp(`^${kept[1]} .*effective +second\\\\u\\{1b\\}\\[31m$`, 'm'));
  assert.match(stdout, new RegExp(`^${kept[2]} .*pinned +first$`, 'm'));
  const unknown = await edict(['history', '--versions', 'ordres', 'test'], folder);
  assert.is(unknown.code, 1);
  assert.match(unknown.stderr, 'neither the file nor the record has API ordres in environment test');
  await emulator.close();
});

test('a publication that was never published has no versions', async () => {
  const emulator = await startEmulator({ seed: seedOf('orders') });
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { orders: 'online' }));
  assert.match((await edict(['history', '--versions', 'orders', 'test'], folder)).stdout, 'The gateway keeps no version');
  await emulator.close();
});

for (const names of [['orders'], ['orders', 'test', 'edict.yaml', 'more']]) {
  test(`${names.length} names are an error for --versions`, () => {
    assert.throws(
      () => parseVersionsTarget(names),
      (error: unknown) => error instanceof EdictError && error.hint?.includes('history --versions API ENVIRONMENT'),
    );
  });
}

test.run();
