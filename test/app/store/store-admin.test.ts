import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyOnce } from '../../../src/app/apply.ts';
import { createAppContext } from '../../../src/app/context.ts';
import { parseSettings } from '../../../src/app/settings.ts';
import { copyStoreTo, readStore, removeRecord } from '../../../src/app/store/store-admin.ts';
import type { EdictError } from '../../../src/model/errors.ts';
import { startTestDaemon } from '../../support/daemon.ts';
import { fileOf, scratchFolder, until } from '../../support/edict-process.ts';

/** A store in which an emulated gateway's `orders` is recorded. */
async function recorded() {
  const folder = scratchFolder();
  const settings = parseSettings(join(folder, 'edict.yaml'), { emulate: true, state: `sqlite:${join(folder, 'state.db')}` });
  writeFileSync(settings.file, fileOf('https://roma.example.com', { orders: 'online' }));
  await applyOnce(createAppContext(settings, {}));
  return { folder, settings, context: createAppContext(settings, {}) };
}

test('a path is a store URL too, and a copy of an emulated record is a store', async () => {
  const { folder, settings, context } = await recorded();
  const to = join(folder, 'copy.db');
  assert.equal(await copyStoreTo(context, to), {
    from: settings.storeUrl,
    to: `sqlite:${to}`,
    gateways: 1,
    publications: 1,
    attempts: 1,
    holders: [],
  });
  const copy = createAppContext({ ...settings, storeUrl: `sqlite:${to}` }, {});
  assert.is((await readStore(copy)).gateways[0]?.publications, 1);
  assert.is((await removeRecord(copy, { api: 'orders', environment: 'test' })).was?.state, 'online');
  assert.is((await readStore(copy)).gateways[0]?.publications, 0);
  assert.is((await readStore(context)).gateways[0]?.publications, 1);
});

test('a mistyped URL does not create a file, and a password in it is not shown', async () => {
  const { folder, context } = await recorded();
  for (const to of [`${folder}/ada:geheim@db/edict`, 'mysql://ada:geheim@db/edict', 'postgres:/ada:geheim@db/edict']) {
    const error = (await copyStoreTo(context, to).catch((thrown: unknown) => thrown)) as EdictError;
    assert.is(error.code, 'STORE_URL_INVALID', to);
    assert.not.match(error.message, 'geheim');
  }
  assert.equal(readdirSync(folder).sort(), ['edict.yaml', 'state.db', 'state.db.lock']);
});

test('while a daemon holds the lease no record is removed, and a copy names the daemon', async () => {
  const { folder, settings, context } = await recorded();
  let reconciliations = 0;
  const daemon = await startTestDaemon(settings, {
    onEvent: ({ type }) => {
      if (type === 'reconcile:finished') reconciliations += 1;
    },
  });
  await until('it has reconciled', () => reconciliations > 0);
  const code = (error: unknown): string => (error as EdictError).code;
  assert.is(await removeRecord(context, { api: 'orders', environment: 'test' }).then(String, code), 'STORE_LOCKED');
  assert.match((await copyStoreTo(context, join(folder, 'next.db'))).holders[0] ?? '', `pid ${process.pid}`);
  assert.match((await readStore(context)).gateways[0]?.holder ?? '', `pid ${process.pid}`);
  daemon.stop();
  await daemon.done;
});

test.run();
