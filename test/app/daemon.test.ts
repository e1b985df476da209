import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from '../../src/app/settings.ts';
import { EdictError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { fasterClock, startTestDaemon } from '../support/daemon.ts';
import { fileOf, scratchFolder, until } from '../support/edict-process.ts';

const test = suite('daemon');

/** Settings for an emulated gateway in a new folder, and a way to write its file. */
function emulated() {
  const folder = scratchFolder();
  const settings = parseSettings(join(folder, 'edict.yaml'), { emulate: true, state: `sqlite:${join(folder, 'state.db')}` });
  const write = (states: Readonly<Record<string, string>>, limit?: string): void =>
    writeFileSync(settings.file, fileOf('https://roma.example.com', states, limit));
  return { settings, write };
}

test('the daemon applies a new limit, and an API that is added to the file', async () => {
  const { settings, write } = emulated();
  write({ orders: 'online' });
  const events: EdictEvent[] = [];
  const daemon = await startTestDaemon(settings, { onEvent: (event) => events.push(event) });
  const succeeded = (): number => events.filter((event) => event.type === 'attempt:finished' && event.outcome.kind === 'succeeded').length;
  await until('the first call is made', () => succeeded() === 1);
  write({ orders: 'online', added: 'online' }, '{ calls: 5, per: 100ms }');
  daemon.reconcileNow();
  await until('the API that was added is online', () => succeeded() === 2);
  daemon.stop();
  assert.is(await daemon.done, 0);
});

/** An address that is in use. */
async function withTakenAddress(use: (listen: { host: string; port: number }) => Promise<void>): Promise<void> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    await use({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  } finally {
    server.close();
  }
}

test('if the default address is in use the daemon continues without a page, and reports it', () =>
  withTakenAddress(async (listen) => {
    const { settings, write } = emulated();
    write({ orders: 'online' });
    const events: EdictEvent[] = [];
    const daemon = await startTestDaemon(settings, { listen, listenIsExplicit: false, onEvent: (event) => events.push(event) });
    await until('the call is made', () => events.some(({ type }) => type === 'attempt:finished'));
    assert.is(daemon.url, null);
    assert.match(daemon.listenError ?? '', /cannot listen on/);
    daemon.stop();
    await daemon.done;
  }));

test('an explicit address that is in use is an error, and so is an invalid webhook; the store is free again', () =>
  withTakenAddress(async (listen) => {
    const { settings, write } = emulated();
    write({ orders: 'online' });
    for (const [options, code] of [
      [{ listen }, 'LISTEN_FAILED'],
      [{ listen, listenIsExplicit: false, env: { EDICT_WEBHOOK_URL: 'nowhere' } }, 'WEBHOOK'],
    ] as const) {
      try {
        await startTestDaemon(settings, options);
        assert.unreachable();
      } catch (error) {
        assert.instance(error, EdictError);
        assert.is((error as EdictError).code, code);
      }
    }
    const daemon = await startTestDaemon(settings);
    daemon.stop();
    await daemon.done;
  }));

/** Starts a daemon for a folder with `first.yaml`, and removes that after `second.yaml` was added while the webhook has an invalid address. */
async function withFileThatCannotBeOpened() {
  const folder = scratchFolder();
  const [files, addressFile] = [join(folder, 'files'), join(folder, 'webhook-url')];
  const write = (name: string): void => writeFileSync(join(files, name), fileOf('https://roma.example.com', { orders: 'online' }));
  const setWebhook = (address: string): void => writeFileSync(addressFile, address);
  mkdirSync(files);
  setWebhook('http://127.0.0.1:9/');
  write('first.yaml');
  const events: string[] = [];
  const times = 50;
  const daemon = await startTestDaemon(parseSettings(files, { emulate: true, state: `sqlite:${join(folder, 'state.db')}` }), {
    env: { EDICT_WEBHOOK_URL_FILE: addressFile, EDICT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}` },
    paths: [files],
    clock: fasterClock(times),
    logFor: (file) => (event) => void events.push(`${basename(file)} ${event.type}`),
  });
  setWebhook('nowhere');
  write('second.yaml');
  await until('the failure is reported', () => events.includes('second.yaml file:failed'));
  rmSync(join(files, 'first.yaml'));
  await until('the first file is removed', () => events.includes('first.yaml file:removed'));
  return { daemon, events, setWebhook, pollMs: 5000 / times };
}

test('an added file that cannot be opened is reported once and opened as soon as it can be, also when no other file is left', async () => {
  const { daemon, events, setWebhook, pollMs } = await withFileThatCannotBeOpened();
  let isDone = false;
  const done = daemon.done.finally(() => {
    isDone = true;
  });
  await sleep(4 * pollMs);
  assert.not.ok(isDone, 'the daemon goes on');
  assert.is(events.filter((event) => event === 'second.yaml file:failed').length, 1);
  setWebhook('http://127.0.0.1:9/');
  await until('the second file is planned', () => events.includes('second.yaml plan:computed'));
  daemon.stop();
  assert.is(await done, 0);
});

test('a daemon without a file that can be opened stops when it is told to', async () => {
  const { daemon } = await withFileThatCannotBeOpened();
  daemon.stop();
  assert.is(await daemon.done, 0);
});

test.run();
