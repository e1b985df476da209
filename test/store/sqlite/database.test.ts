import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openStore } from '../../../src/store/open.ts';
import { change, gatewaySettings, newAttempt } from '../../support/states.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const gateway = gatewaySettings();
const another = gatewaySettings({ project: 'new' });
const folder = temporaryFolder();
let stores = 0;

function newStore() {
  stores += 1;
  const path = join(folder, `${stores}`, 'state.db');
  return { path, open: () => openStore({ url: `sqlite:${path}`, isEmulated: false }) };
}

test('concurrent writes share one transaction', async () => {
  const { path, open } = newStore();
  const store = await open();
  await store.acquire(gateway, 1);
  await store.beginAttempt(gateway, change('first', 'test'), newAttempt());
  const watching = new DatabaseSync(path, { readOnly: true });
  const count = (): unknown => watching.prepare('SELECT count(*) AS n FROM attempt').get()?.['n'];
  const seen: unknown[] = [];
  const writing = Array.from({ length: 100 }, (_, index) =>
    store.beginAttempt(gateway, change(`api${index}`, 'test'), newAttempt()).then(() => seen.push(count())),
  );
  await Promise.all(writing);
  assert.equal(seen, Array(100).fill(101), 'a reader that sees one of them sees all');
  watching.close();
  await store.close();
});

test('a chain of reads lets other work go on', async () => {
  const store = await newStore().open();
  let [isOver, reads] = [false, 0];
  setTimeout(() => {
    isOver = true;
  }, 50);
  for (; !isOver && reads < 300_000; reads += 1) await store.reconcileRequest(gateway);
  assert.ok(isOver, `${reads} reads, and the timer has not fired`);
  await store.close();
});

test('a failed write leaves nothing of its transaction, and the next one succeeds', async () => {
  const { path, open } = newStore();
  const store = await open();
  await store.acquire(gateway, 1);
  await store.beginAttempt(gateway, change('orders', 'test'), newAttempt());
  await store.acquire(another, 1);
  const other = new DatabaseSync(path);
  other.exec('ALTER TABLE publication RENAME TO away');
  const failed = await Promise.allSettled([
    store.beginAttempt(gateway, change('carts', 'test'), newAttempt()),
    store.beginAttempt(another, change('carts', 'test'), newAttempt()),
  ]);
  assert.equal(
    failed.map(({ status, reason }: { status: string; reason?: { code?: string } }) => [status, reason?.code]),
    Array(2).fill(['rejected', 'STORE_FAILED']),
  );
  other.exec('ALTER TABLE away RENAME TO publication');
  other.close();
  assert.is((await store.history(gateway, { limit: 10 })).length, 1);
  await store.beginAttempt(another, change('carts', 'test'), newAttempt());
  assert.is((await store.readRecordedState(another)).size, 1);
  await store.close();
});

test.run();
