import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/model/errors.ts';
import { openReadonly, openShared, openStore } from '../../src/store/open.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a file URL works with and without slashes', async () => {
  for (const url of [`sqlite:${join(temporaryFolder(), 'a.db')}`, `sqlite://${join(temporaryFolder(), 'b.db')}`]) {
    const store = await openStore({ url, isEmulated: false });
    await store.close();
  }
});

test('an invalid or ambiguous store URL is rejected everywhere, and a password in it is not shown', async () => {
  for (const url of [
    '',
    'sqlite:',
    'mysql://ada:geheim@db/edict',
    'postgres:db',
    'postgres://ada:geheim@[/edict',
    'postgres://ada:2024#geheim@127.0.0.1:1/edict',
    'postgres://ada:2024?geheim@127.0.0.1:1/edict',
    'postgres://ada:2024/geheim@127.0.0.1:1/edict',
    'postgres://ada:geheim%ff@127.0.0.1:1/edict',
    'postgres://ada:geheim@127.0.0.1:99999/edict',
    'postgres:/ada:geheim@db/edict',
    'ada:geheim@db/edict',
    'state.db',
  ]) {
    for (const open of [() => openStore({ url, isEmulated: false }), () => openReadonly({ url }), () => openShared(url)]) {
      const error = (await (open as () => Promise<unknown>)().catch((thrown: unknown) => thrown)) as EdictError;
      assert.is(error.code, 'STORE_URL_INVALID', url);
      assert.not.match(`${error.message} ${error.hint}`, /geheim|2024/);
    }
  }
});

test.run();
