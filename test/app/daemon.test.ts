import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from '../../src/app/settings.ts';
import { EdictError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { startTestDaemon } from '../support/daemon.ts';
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

test.run();
