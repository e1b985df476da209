import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAppContext } from '../../src/app/context.ts';
import { openManagedFile, toServedFile } from '../../src/app/managed-file.ts';
import { parseSettings } from '../../src/app/settings.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { WorkerParser } from '../../src/source/worker/worker-parser.ts';
import { openStore } from '../../src/store/open.ts';
import { requestReconcile } from '../../src/store/requests.ts';
import { fileOf, scratchFolder, until } from '../support/edict-process.ts';

const test = suite('managed file');

test('reconciles its file, reports events to log and page, and can be suspended and triggered', async () => {
  const folder = scratchFolder();
  const settings = parseSettings(join(folder, 'edict.yaml'), { emulate: true, state: `sqlite:${join(folder, 'state.db')}` });
  writeFileSync(settings.file, fileOf('https://roma.example.com', { orders: 'online' }));
  const store = await openStore({ url: settings.storeUrl, isEmulated: true });
  const [events, shown]: [EdictEvent[], EdictEvent[]] = [[], []];
  const times = { debounceMs: 10, resyncMs: 60_000, historyRetentionMs: null };
  const context = createAppContext(settings, {});
  context.events.subscribe((event) => events.push(event));
  await using parsers = new WorkerParser();
  const managedFile = await openManagedFile(context, times, { store, parsers, isTrusted: false });
  const servedFile = await toServedFile(managedFile, store);
  servedFile.events.subscribe((event) => shown.push(event));
  const running = managedFile.controller.run();
  await until('the call is made', () => events.some(({ type }) => type === 'reconcile:finished'));
  const accepted = events.find((event) => event.type === 'file:loaded');
  assert.ok(accepted);
  assert.is((await servedFile.store.history(accepted.desired.gateway, { limit: 9 })).length, 1);
  await servedFile.suspend(accepted.desired.gateway, { reason: 'maintenance', by: null, sinceMs: null, untilMs: null });
  const suspended = (event: EdictEvent): boolean => event.type === 'plan:computed' && event.plan.suspension !== null;
  await until('a plan contains the suspension', () => events.some(suspended));
  const reconciliations = (): number => events.filter(({ type }) => type === 'reconcile:started').length;
  const before = reconciliations();
  await servedFile.resync();
  await until('it has reconciled', () => reconciliations() > before);
  await until('its last reconciliation has finished', () => events.at(-1)?.type === 'reconcile:finished');
  const requested = reconciliations();
  await requestReconcile(settings.storeUrl, accepted.desired.gateway);
  await until('it has reconciled for a request in the store', () => reconciliations() > requested);
  managedFile.controller.stop();
  await running;
  assert.is(await managedFile.close(), 0);
  await store.close();
  assert.equal(
    shown.map(({ type }) => type),
    events.map(({ type }) => type),
  );
});

test.run();
