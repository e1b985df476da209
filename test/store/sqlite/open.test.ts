import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../../src/model/errors.ts';
import { openReadonly, openShared, openSnapshot, openStore } from '../../../src/store/open.ts';
import { change, gatewaySettings, newAttempt, recorded } from '../../support/states.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const gateway = gatewaySettings();
const root = temporaryFolder();
let folders = 0;

/** Returns the path of a store that does not exist, in a folder that does. */
function newPath(): string {
  folders += 1;
  const folder = join(root, `${folders}`);
  mkdirSync(folder);
  return join(folder, 'state.db');
}

const open = (path: string, isEmulated = false) => openStore({ url: `sqlite:${path}`, isEmulated });
const read = (path: string) => openReadonly({ url: `sqlite:${path}` });
const beside = (path: string) => openShared(`sqlite:${path}`);
const snapshot = (path: string) => openSnapshot(`sqlite:${path}`);

/** Returns the error with which `opening` is rejected. */
async function refusal(opening: Promise<{ close(): Promise<void> }>): Promise<EdictError> {
  const result = await opening.then(
    async (opened) => {
      await opened.close();
      return null;
    },
    (error: unknown) => error,
  );
  assert.instance(result, EdictError);
  return result as EdictError;
}

/** Creates a store with one finished attempt and one with an unknown outcome. */
async function writtenStore(): Promise<string> {
  const path = newPath();
  const store = await open(path);
  await store.acquire(gateway, 1);
  const { attemptId: id } = await store.beginAttempt(gateway, change('orders', 'test'), newAttempt());
  const outcome = { kind: 'succeeded', versionId: 'v', publishId: 'p' } as const;
  await store.finishAttempt(gateway, {
    key: change('orders', 'test').key,
    attemptId: id,
    outcome,
    next: recorded('orders', 'test'),
    atMs: 2,
  });
  await store.beginAttempt(gateway, change('invoices', 'test'), newAttempt());
  await store.close();
  return path;
}

const filesBeside = (path: string): string[] => readdirSync(join(path, '..')).sort();
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test('creates the file and its folders for the owner alone', async () => {
  const before = process.umask(0);
  const path = join(newPath(), '..', 'a', 'b #?%41', 'state.db');
  const store = await open(path);
  process.umask(before);
  await store.acquire(gateway, 1);
  await store.beginAttempt(gateway, change('orders', 'test'), newAttempt());
  assert.equal(filesBeside(path), ['state.db', 'state.db-shm', 'state.db-wal', 'state.db.lock', 'state.db.lock-journal']);
  for (const file of filesBeside(path)) assert.is(modeOf(join(path, '..', file)), '600', file);
  assert.is(modeOf(join(path, '..')), '700');
  assert.is(modeOf(join(path, '../..')), '700');
  await store.close();
  assert.equal(filesBeside(path), ['state.db', 'state.db.lock']);
});

test('removes the permissions of others from an existing store, and leaves an existing folder as it is', async () => {
  const path = await writtenStore();
  chmodSync(path, 0o644);
  chmodSync(join(path, '..'), 0o755);
  await (await open(path)).close();
  assert.is(modeOf(path), '600');
  assert.is(modeOf(join(path, '..')), '755');
});

test('reading creates no file and no folder', async () => {
  const path = join(newPath(), '..', 'none', 'state.db');
  const record = await read(path);
  assert.equal(await record.readRecordedState(gateway), new Map());
  await record.close();
  assert.not(existsSync(join(path, '..')));
});

test('reading changes nothing, neither in the file nor beside it', async () => {
  const path = await writtenStore();
  const [bytes, files, { mtimeMs }] = [readFileSync(path), filesBeside(path), statSync(path)];
  const record = await read(path);
  assert.is((await record.readRecordedState(gateway)).size, 2);
  assert.is((await record.history(gateway, { limit: 10 })).length, 2);
  assert.is((await record.lastAttempts(gateway)).size, 2);
  await record.close();
  assert.equal(readFileSync(path), bytes);
  assert.equal(filesBeside(path), files);
  assert.is(statSync(path).mtimeMs, mtimeMs);
});

test('an empty file is an empty store', async () => {
  const path = newPath();
  writeFileSync(path, '');
  const record = await read(path);
  assert.equal(await record.readRecordedState(gateway), new Map());
  await record.close();
  assert.is(statSync(path).size, 0);
  const store = await open(path);
  await store.acquire(gateway, 1);
  assert.ok((await store.beginAttempt(gateway, change('orders', 'test'), newAttempt())).attemptId > 0);
  await store.close();
});

test('can be read while another process writes, and rejects a second writer, with the first one named', async () => {
  const path = await writtenStore();
  const holder = spawn(process.execPath, [join(import.meta.dirname, '../../support/store-holder.ts'), `sqlite:${path}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');

  const record = await read(path);
  assert.is((await record.readRecordedState(gateway)).size, 2);
  await record.close();
  for (const emulated of [false, true]) {
    const { code, message, hint } = await refusal(open(path, emulated));
    assert.is(code, 'STORE_LOCKED');
    assert.match(message, `(pid ${holder.pid}, since 20`);
    assert.match(hint ?? '', 'stop that one');
  }

  holder.stdin.end();
  await once(holder, 'exit');
  await (await open(path)).close();
});

test('is free again when the process that had it open was killed', async () => {
  const path = await writtenStore();
  const holder = spawn(process.execPath, [join(import.meta.dirname, '../../support/store-holder.ts'), `sqlite:${path}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const store = await open(path);
  assert.is((await store.readRecordedState(gateway)).size, 2);
  await store.close();
});

test('a second writer in the same process is rejected, and does not unlock the store for another process', async () => {
  const path = newPath();
  const store = await open(path);
  assert.is((await refusal(open(path))).code, 'STORE_LOCKED');
  const other = spawn(process.execPath, [join(import.meta.dirname, '../../support/store-holder.ts'), `sqlite:${path}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  other.stdin.end();
  const [exitCode] = await once(other, 'exit');
  assert.is(exitCode, 1);
  await store.close();
});

test('a store of another format is rejected and stays as it is, byte for byte', async () => {
  for (const format of [2, 99]) {
    const path = await writtenStore();
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA user_version = ${format}; PRAGMA wal_checkpoint(TRUNCATE)`);
    db.close();
    chmodSync(path, 0o640);
    const [bytes, files] = [readFileSync(path), filesBeside(path)];
    for (const opening of [open, read, beside, snapshot]) {
      const { code, message, hint } = await refusal(opening(path));
      assert.is(code, 'STORE_FORMAT');
      assert.is(message, `the store ${path} has format ${format}, and this edict works with format 1 only`);
      assert.match(hint ?? '', '--state');
    }
    assert.equal(readFileSync(path), bytes);
    assert.equal(filesBeside(path), files);
    assert.is(modeOf(path), '640');
  }
});

test('nothing is written beside another process to a store that does not exist or has no tables yet', async () => {
  const [absent, empty] = [newPath(), newPath()];
  writeFileSync(empty, '');
  for (const path of [absent, empty])
    for (const opening of [beside, snapshot]) assert.is((await refusal(opening(path))).code, 'STORE_NOT_FOUND');
  assert.not(existsSync(absent));
  assert.is(statSync(empty).size, 0);
});

test('of processes that create one store at once, each opens it in turn or is rejected, and it is complete', async () => {
  const path = join(newPath(), '..', 'folder', 'state.db');
  const holders = Array.from({ length: 6 }, () =>
    spawn(process.execPath, [join(import.meta.dirname, '../../support/store-holder.ts'), `sqlite:${path}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  );
  const said = await Promise.all(
    holders.map(async (holder) => {
      const [stderr, [exitCode]] = await Promise.all([text(holder.stderr), once(holder, 'exit')]);
      return exitCode === 0 ? 'opened' : (/STORE_\w+/.exec(stderr)?.[0] ?? stderr);
    }),
  );
  assert.ok(said.includes('opened'), said.join());
  for (const one of said) assert.ok(['opened', 'STORE_LOCKED'].includes(one), one);
  const store = await open(path);
  assert.is((await store.readRecordedState(gateway)).size, 0);
  await store.close();
});

test('a database of another program is rejected and stays as it is', async () => {
  for (const sql of ['CREATE TABLE t (x)', 'PRAGMA user_version = 3', 'PRAGMA application_id = 5']) {
    const path = newPath();
    const db = new DatabaseSync(path);
    db.exec(sql);
    db.close();
    chmodSync(path, 0o644);
    const bytes = readFileSync(path);
    for (const opening of [open, read]) assert.is((await refusal(opening(path))).code, 'STORE_UNRECOGNIZED', sql);
    assert.equal(readFileSync(path), bytes);
    assert.equal(filesBeside(path), ['state.db'], 'nothing is created beside it');
    assert.is(modeOf(path), '644');
  }
});

test('a file that is not a database, or a damaged one, is rejected and stays as it is', async () => {
  const damage: readonly ((path: string) => void)[] = [
    (path) => writeFileSync(path, randomFillSync(Buffer.alloc(20_000))),
    (path) => writeFileSync(path, 'edict: 1\nrefresh: never\n'),
    (path) => truncateSync(path, 5000),
    (path) => truncateSync(path, 50),
    (path) => writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 100), randomFillSync(Buffer.alloc(20_000))])),
  ];
  for (const [index, spoil] of damage.entries()) {
    const path = await writtenStore();
    spoil(path);
    const bytes = readFileSync(path);
    for (const opening of [open, read]) {
      const { code, hint } = await refusal(opening(path));
      assert.is(code, 'STORE_CORRUPT', `damage ${index}`);
      assert.match(hint ?? '', 'nothing in it');
    }
    assert.equal(readFileSync(path), bytes);
  }
});

test('the records of emulated and real gateways do not mix', async () => {
  for (const emulated of [false, true]) {
    const path = newPath();
    await (await open(path, emulated)).close();
    const { code, message } = await refusal(open(path, !emulated));
    assert.is(code, 'STORE_KIND_MISMATCH');
    assert.match(message, emulated ? 'an emulated gateway' : 'a real gateway');
    await (await open(path, emulated)).close();
  }
});

test('a path that cannot hold a store is rejected', async () => {
  const file = newPath();
  writeFileSync(file, 'a file');
  const loop = newPath();
  symlinkSync(loop, loop);
  for (const [path, code] of [
    [join(file, 'state.db'), /OPEN_FAILED/],
    [join(file, '..'), /OPEN_FAILED/],
    [join(file, '..', 'x'.repeat(300)), /OPEN_FAILED/],
    [loop, /OPEN_FAILED/],
    ['/proc/none/state.db', /OPEN_FAILED/],
    ['/sys/state.db', /READ_ONLY|OPEN_FAILED/],
  ] as const) {
    const refused = await refusal(open(path));
    assert.match(refused.code, code, path);
    assert.match(refused.hint ?? '', /path|permission|--state/);
  }
});

test('anything but a regular file is rejected, and its permissions stay', async () => {
  const path = newPath();
  const server = createServer().listen(path);
  await once(server, 'listening');
  chmodSync(path, 0o666);
  for (const opening of [open, read]) assert.is((await refusal(opening(path))).code, 'STORE_OPEN_FAILED');
  assert.is(modeOf(path), '666');
  server.close();
  await once(server, 'close');
});

test('a folder that cannot be read is an error, not an empty store', async () => {
  const file = newPath();
  writeFileSync(file, 'a file');
  assert.is((await refusal(read(join(file, 'state.db')))).code, 'STORE_OPEN_FAILED');
});

test('the URL names a path, relative to the working directory or absolute', async () => {
  const path = await writtenStore();
  for (const url of [`sqlite:${path}`, `sqlite://${path}`, `sqlite:${relative('', path)}`]) {
    const record = await openReadonly({ url });
    assert.is((await record.readRecordedState(gateway)).size, 2, url);
    await record.close();
  }
});

test.run();
