import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../../src/model/errors.ts';
import { openReadonly, openSnapshot, openStore } from '../../../src/store/open.ts';
import { change, gatewaySettings } from '../../support/states.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const gateway = gatewaySettings();
const root = temporaryFolder();

/** A user without rights of its own: root could write to any folder. */
const nobody = 65_534;

/** Runs `read` while nothing can be written in `folder`. */
async function withReadOnlyFolder(folder: string, read: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  for (const name of readdirSync(folder)) if (isRoot) chownSync(join(folder, name), nobody, nobody);
  chmodSync(root, 0o755);
  chmodSync(folder, 0o555);
  if (isRoot) process.seteuid?.(nobody);
  try {
    await read();
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(folder, 0o755);
  }
}

async function writtenStore(name: string) {
  const path = join(root, name, 'state.db');
  mkdirSync(dirname(path));
  const store = await openStore({ url: `sqlite:${path}`, isEmulated: false });
  await store.acquire(gateway, 1);
  await store.beginAttempt(gateway, change('orders', 'test'), {
    reconcileId: 'run',
    marker: null,
    commitId: null,
    startedAtMs: 1,
    sendByMs: 1,
  });
  return { path, store };
}

test('a store in a folder that cannot be written is read', async () => {
  const { path, store } = await writtenStore('closed');
  await store.close();
  await withReadOnlyFolder(dirname(path), async () => {
    const reader = await openReadonly({ url: `sqlite:${path}` });
    assert.is((await reader.history(gateway, { limit: 10 })).length, 1);
    await reader.close();
    await (await openSnapshot(`sqlite:${path}`)).close();
    const refused: unknown = await openStore({ url: `sqlite:${path}`, isEmulated: false }).catch((error: unknown) => error);
    assert.match((refused as EdictError).code, /^STORE_(?:READ_ONLY|OPEN_FAILED)$/);
  });
  assert.equal(readdirSync(dirname(path)).sort(), ['state.db', 'state.db.lock']);
});

test('a store that another process has open is read with its latest records', async () => {
  const { path, store } = await writtenStore('open');
  await withReadOnlyFolder(dirname(path), async () => {
    const reader = await openReadonly({ url: `sqlite:${path}` });
    assert.is((await reader.history(gateway, { limit: 10 })).length, 1);
    await reader.close();
  });
  await store.close();
});

test.run();
