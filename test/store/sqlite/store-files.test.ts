import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError, StoreError } from '../../../src/model/errors.ts';
import type { Store } from '../../../src/store/interface.ts';
import { openReadonly, openStore } from '../../../src/store/open.ts';
import { change, gatewaySettings, recorded } from '../../support/states.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const gateway = gatewaySettings();
const root = temporaryFolder();
let folders = 0;

const open = (path: string) => openStore({ url: `sqlite:${path}`, isEmulated: false });

function newPath(): string {
  folders += 1;
  return join(root, `${folders}`, 'state.db');
}

const begin = (store: Store, api: string) =>
  store.beginAttempt(gateway, change(api, 'test'), { reconcileId: 'run', marker: null, commitId: null, startedAtMs: 1, sendByMs: 1 });

/** Opens a store in which one attempt has been started, as before a request in flight. */
async function openedStore(path: string): Promise<Store> {
  const store = await open(path);
  await store.acquire(gateway, 1);
  await begin(store, 'orders');
  return store;
}

async function failure(action: Promise<unknown>): Promise<EdictError> {
  const error: unknown = await action.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, EdictError);
  return error as EdictError;
}

const replaceWithCopy = (file: string): void => {
  copyFileSync(file, `${file}.copy`);
  renameSync(`${file}.copy`, file);
};

/** Every way in which a file at a path becomes another one. */
const changes: Readonly<Record<string, (file: string) => void>> = {
  'is deleted': (file) => rmSync(file),
  'is moved away': (file) => renameSync(file, `${file}.away`),
  'is replaced by its copy': replaceWithCopy,
  'is replaced by an empty file': (file) => {
    rmSync(file);
    writeFileSync(file, '');
  },
};

for (const suffix of ['', '-wal', '-shm', '.lock']) {
  for (const [how, changeFile] of Object.entries(changes)) {
    test(`no attempt is recorded any more after state.db${suffix} ${how}`, async () => {
      const path = newPath();
      const store = await openedStore(path);
      changeFile(`${path}${suffix}`);
      for (let tries = 0; tries < 2; tries += 1) {
        const error = await failure(begin(store, 'invoices'));
        assert.instance(error, StoreError);
        assert.is(error.code, 'STORE_REPLACED');
        assert.match(error.message, `state.db${suffix} was deleted or replaced`);
        assert.match(error.hint ?? '', 'start it again');
      }
      await store.close().catch(() => {});
    });
  }
}

test('no attempt is recorded any more after a copy was written over the store in place', async () => {
  const path = newPath();
  await (await openedStore(path)).close();
  copyFileSync(path, `${path}.backup`);
  const store = await openedStore(path);
  copyFileSync(`${path}.backup`, path);
  const error = await failure(begin(store, 'invoices'));
  assert.is(error.code, 'STORE_REPLACED');
  assert.match(error.message, 'state.db was overwritten');
  await store.close().catch(() => {});
});

test('attempts go on while other processes write, checkpoint and close the store, and after it has grown', async () => {
  const path = newPath();
  const store = await openedStore(path);
  for (let round = 0; round < 3; round += 1) {
    const other = new DatabaseSync(path);
    other.exec("INSERT OR REPLACE INTO setting VALUES ('other', 'x'); PRAGMA wal_checkpoint(TRUNCATE)");
    other.close();
    await Promise.all(Array.from({ length: 50 }, (_, index) => begin(store, `api-${round}-${index}`)));
  }
  await store.close();
});

test('attempts go on after the files were moved away and back', async () => {
  const path = newPath();
  const store = await openedStore(path);
  renameSync(dirname(path), `${dirname(path)}-away`);
  assert.is((await failure(begin(store, 'invoices'))).code, 'STORE_REPLACED');
  renameSync(`${dirname(path)}-away`, dirname(path));
  await begin(store, 'invoices');
  await store.close();
});

for (const [how, changeFile] of Object.entries(changes)) {
  test(`the log of the store is left as it is by other processes after state.db ${how}, and nothing is lost once it is back`, async () => {
    const path = newPath();
    const store = await openedStore(path);
    const aside = `${path}.aside`;
    linkSync(path, aside);
    changeFile(path);
    const isCopy = how.includes('copy');
    if (!isCopy) {
      const message = 'state.db is missing or empty, and its write-ahead log is not';
      assert.match((await failure(openReadonly({ url: `sqlite:${path}` }))).message, message);
      assert.match((await failure(open(path))).message, message);
    }
    renameSync(aside, path);
    await begin(store, 'invoices');
    const next = await openReadonly({ url: `sqlite:${path}` });
    assert.is((await next.history(gateway, { limit: 10 })).length, 2);
    await next.close();
    await store.close();
  });
}

for (const suffix of ['-wal', '-shm', '.lock']) {
  test(`nothing that was recorded is lost when state.db${suffix} is deleted`, async () => {
    const path = newPath();
    const store = await openedStore(path);
    const { attemptId } = await begin(store, 'invoices');
    const outcome = { kind: 'succeeded', versionId: 'v', publishId: 'p' } as const;
    await store.finishAttempt(gateway, {
      key: change('invoices', 'test').key,
      attemptId,
      outcome,
      next: recorded('invoices', 'test'),
      atMs: 2,
    });
    rmSync(`${path}${suffix}`);
    assert.is((await failure(begin(store, 'carts'))).code, 'STORE_REPLACED');
    await store.close().catch(() => {});
    const next = await openReadonly({ url: `sqlite:${path}` });
    assert.is((await next.readRecordedState(gateway)).size, 2);
    assert.equal(
      (await next.history(gateway, { limit: 10 })).map(({ api, outcome: found }) => [api, found]),
      [
        ['invoices', 'succeeded'],
        ['orders', null],
      ],
    );
    await next.close();
  });
}

test('a process that has nothing to write notices a deleted log when it reads, and saves what the log holds', async () => {
  const path = newPath();
  const store = await openedStore(path);
  rmSync(`${path}-wal`);
  assert.is((await failure(store.reconcileRequest(gateway))).code, 'STORE_REPLACED');
  const saved = newPath();
  mkdirSync(dirname(saved));
  copyFileSync(path, saved);
  const next = await openReadonly({ url: `sqlite:${saved}` });
  assert.equal(
    (await next.history(gateway, { limit: 10 })).map(({ api }) => api),
    ['orders'],
  );
  await next.close();
  await store.close().catch(() => {});
});

async function hold(path: string): Promise<ChildProcess> {
  const holder = spawn(process.execPath, [join(import.meta.dirname, '../../support/store-holder.ts'), `sqlite:${path}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  return holder;
}

for (const suffixes of [[''], ['-wal'], ['-shm'], ['.lock'], ['.lock', '-wal'], ['.lock', '-shm'], ['', '-wal', '-shm']]) {
  for (const how of ['is deleted', 'is replaced by its copy'] as const) {
    test(`a second process stays out while the first one lives and state.db${suffixes.join(' and ')} ${how}`, async () => {
      const path = newPath();
      const holder = await hold(path);
      try {
        for (const suffix of suffixes) changes[how]?.(`${path}${suffix}`);
        assert.match((await failure(open(path).then((store) => store.close()))).code, /^STORE_(?:LOCKED|CORRUPT|REPLACED)$/);
      } finally {
        holder.kill('SIGKILL');
      }
    });
  }
}

test('a process in which the store was open is not waited for when it was killed, even if its lock file was deleted', async () => {
  const path = newPath();
  const holder = await hold(path);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  rmSync(`${path}.lock`);
  await (await open(path)).close();
});

test.run();
