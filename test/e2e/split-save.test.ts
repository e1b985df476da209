import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { startLoggedDaemon } from '../support/daemon.ts';
import { fileOf, scratchFolder, seedOf, until } from '../support/edict-process.ts';

test('a file that is saved in two halves takes nothing offline, and a real removal follows after ten debounces', async () => {
  const emulator = await startEmulator({ seed: seedOf('a', 'b', 'c') });
  const folder = scratchFolder();
  const write = (states: Readonly<Record<string, string>>): void =>
    writeFileSync(join(folder, 'edict.yaml'), `prune: true\n${fileOf(emulator.url, states)}`);
  const online = (): number => emulator.state.publications().filter(({ effective }) => effective).length;
  const calls = (): number => emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length;
  write({ a: 'online', b: 'online' });
  const daemon = await startLoggedDaemon(folder, { debounceMs: 200 });
  await until('both are online', () => online() === 2);
  await until('that is recorded', () => daemon.events('reconcile:finished').length > 0);
  const loads = daemon.events('file:loaded').length;
  write({ a: 'online' });
  await until('the first half is loaded', () => daemon.events('file:loaded').length > loads);
  write({ a: 'online', b: 'online' });
  await sleep(3000);
  assert.is(calls(), 2);

  write({ a: 'online' });
  const removedAtMs = Date.now();
  await sleep(500);
  // Another edit is made at once, and does not reset the delay.
  write({ a: 'online', c: 'online' });
  await until('c is online', () => online() === 3);
  await until('b is offline', () => online() === 2);
  assert.ok(Date.now() - removedAtMs >= 2000);
  await daemon.stop();
  await emulator.close();
});

test.run();
