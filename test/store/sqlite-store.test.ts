import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { NewApproval } from '../../src/core/guards.ts';
import type { GatewayIdentity } from '../../src/core/publication.ts';
import { openRecord, openStore } from '../../src/store/open-store.ts';
import { writeApproval } from '../../src/store/write-approval.ts';
import { change, gatewaySettings } from '../support/states.ts';
import { storeContract } from '../support/store-contract.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const gateway = gatewaySettings();
const folder = temporaryFolder();
let stores = 0;

function newStore() {
  stores += 1;
  const path = join(folder, `${stores}`, 'state.db');
  const url = `sqlite:${path}`;
  return {
    path,
    open: () => openStore({ url, emulated: false }),
    openRecord: () => openRecord({ url }),
    approve: (of: GatewayIdentity, approval: NewApproval) => writeApproval(url, of, approval),
  };
}

storeContract(test, 'sqlite', newStore);

test('writes of one turn share one transaction', async () => {
  const { path, open } = newStore();
  const store = await open();
  await store.begin(gateway, change('first', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 });
  const watching = new DatabaseSync(path, { readOnly: true });
  const count = (): unknown => watching.prepare('SELECT count(*) AS n FROM attempt').get()?.['n'];
  const seen: unknown[] = [];
  const writing = Array.from({ length: 100 }, (_, index) =>
    store
      .begin(gateway, change(`api${index}`, 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 })
      .then(() => seen.push(count())),
  );
  await Promise.all(writing);
  assert.equal(seen, Array(100).fill(101), 'who sees one of them sees all');
  watching.close();
  await store.close();
});

test('a write that fails leaves nothing of its transaction, and the next one goes well', async () => {
  const { path, open } = newStore();
  const store = await open();
  await store.begin(gateway, change('orders', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 });
  const other = new DatabaseSync(path);
  other.exec('ALTER TABLE publication RENAME TO away');
  const failed = await Promise.allSettled([
    store.begin(gateway, change('carts', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 }),
    store.begin(gatewaySettings({ project: 'new' }), change('carts', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 }),
  ]);
  assert.equal(
    failed.map(({ status, reason }: { status: string; reason?: { code?: string } }) => [status, reason?.code]),
    Array(2).fill(['rejected', 'STORE_FAILED']),
  );
  other.exec('ALTER TABLE away RENAME TO publication');
  other.close();
  assert.is((await store.history(gateway, { limit: 10 })).length, 1);
  await store.begin(gatewaySettings({ project: 'new' }), change('carts', 'test'), {
    passId: 'pass',
    marker: null,
    commitId: null,
    atMs: 1,
  });
  assert.is((await store.readAll(gatewaySettings({ project: 'new' }))).size, 1);
  await store.close();
});

test('an attempt that had begun is unresolved after its process was killed', async () => {
  const { path, open } = newStore();
  const source = `
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/open-store.ts'))};
    import { change, gatewaySettings } from ${JSON.stringify(join(import.meta.dirname, '../support/states.ts'))};
    const store = await openStore({ url: ${JSON.stringify(`sqlite:${path}`)}, emulated: false });
    await store.begin(gatewaySettings(), change('orders', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 });
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['ignore', 'ignore', 'pipe'] });
  const complaint = text(child.stderr);
  const [, signal] = await once(child, 'exit');
  assert.is(signal, 'SIGKILL', await complaint);
  const store = await open();
  assert.ok((await store.read(gateway, change('orders', 'test').key))?.unresolved);
  await store.close();
});

test.run();
