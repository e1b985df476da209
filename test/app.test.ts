import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyOnce, readHistory, readPlan, readStatus, startDaemon, startEmulatorFrom } from '../src/app.ts';
import type { Settings } from '../src/config.ts';
import { EdictError } from '../src/core/errors.ts';
import type { EngineEvent } from '../src/core/events.ts';
import { everything } from '../src/core/targets.ts';
import { fileOf, scratchFolder, until } from './support/edict-process.ts';

/** Settings for an emulated gateway in a new folder, and a way to write its file. */
function emulated() {
  const folder = scratchFolder();
  const state = `sqlite:${join(folder, 'state.db')}`;
  const settings: Settings = {
    file: join(folder, 'edict.yaml'),
    state,
    emulate: true,
    waitMs: 0,
    refresh: false,
    targets: everything.patterns,
  };
  const write = (states: Readonly<Record<string, string>>, limit?: string): void =>
    writeFileSync(settings.file, fileOf('https://roma.example.com', states, limit));
  return { settings, write };
}

const unstopped = { signal: new AbortController().signal };
const silent = (): void => undefined;

test('an apply leads to an empty plan, and the record says so', async () => {
  const { settings, write } = emulated();
  write({ orders: 'online', carts: 'offline' });
  assert.is((await readPlan(settings, {})).plan.changes.length, 1);
  const { summary, left } = await applyOnce(settings, {}, silent, unstopped);
  assert.equal([summary.online, summary.failed, left], [1, 0, 0]);
  assert.is((await readPlan(settings, {})).plan.changes.length, 0);
  const { recorded, lastAttempts } = await readStatus(settings, {});
  assert.equal([recorded.size, lastAttempts.size], [1, 1]);
  assert.is((await readHistory(settings, {}, 10)).length, 1);
});

test('the emulated world is as the record says when it starts again', async () => {
  const { settings, write } = emulated();
  write({ orders: 'online' });
  await applyOnce(settings, {}, silent, unstopped);
  write({ orders: 'offline' });
  const { summary } = await applyOnce(settings, {}, silent, unstopped);
  assert.equal([summary.offline, summary.failed], [1, 0]);
});

test('a stopped apply sends no more and says what is left', async () => {
  const { settings, write } = emulated();
  write(Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`a${index}`, 'online'])), '{ calls: 1, per: 1m }');
  const stop = new AbortController();
  const emit = (event: EngineEvent): void => {
    if (event.type === 'attempt:settled') stop.abort();
  };
  const { summary, left } = await applyOnce(settings, {}, emit, { signal: stop.signal });
  assert.equal([summary.online, left], [1, 19]);
});

test('the daemon takes over another limit, and an API that the file adds', async () => {
  const { settings, write } = emulated();
  write({ orders: 'online' });
  const events: EngineEvent[] = [];
  const daemon = await startDaemon(settings, { debounceMs: 10, resyncMs: 60_000 }, {}, (event) => events.push(event));
  const succeeded = (): number => events.filter((event) => event.type === 'attempt:settled' && event.outcome.kind === 'succeeded').length;
  await until('the first call is made', () => succeeded() === 1);
  write({ orders: 'online', added: 'online' }, '{ calls: 5, per: 100ms }');
  daemon.passNow();
  await until('the API that was added is online', () => succeeded() === 2);
  daemon.stop();
  assert.is(await daemon.ended, 0);
});

test('a real gateway without credentials is refused before anything is sent', async () => {
  const { settings, write } = emulated();
  write({ orders: 'online' });
  const real = { ...settings, emulate: false };
  let thrown: unknown;
  await applyOnce(real, {}, silent, unstopped).catch((error: unknown) => {
    thrown = error;
  });
  assert.instance(thrown, EdictError);
  assert.is((thrown as EdictError).code, 'CREDENTIALS_MISSING');
  assert.is((await readHistory(real, {}, 10)).length, 0);
});

test('an emulator with a wrong seed says which', async () => {
  let message = '';
  await startEmulatorFrom('nowhere.yaml', { host: '127.0.0.1', port: 0 }).catch((error: EdictError) => {
    message = error.message;
  });
  assert.match(message, 'nowhere.yaml');
});

test.run();
