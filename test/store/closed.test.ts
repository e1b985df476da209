import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import { close, closedOf, refuseClosed } from '../../src/store/closed.ts';
import { openWhole } from '../../src/store/open-store.ts';
import { scratchFolder } from '../support/edict-process.ts';

test('a closed store says where the record is, or that it is half a copy, until it is opened again', async () => {
  const database = await openWhole(`sqlite:${join(scratchFolder(), 'state.db')}`, 'real');
  const refusal = async () =>
    refuseClosed(database, 'sqlite:/old.db').then(String, ({ code, message, hint }: EdictError) => [code, message, hint]);
  assert.is(await refusal(), 'undefined');
  await close(database, { why: 'moved', at: 'postgres://host/db' });
  assert.equal(await refusal(), [
    'STORE_CLOSED',
    'the record of the store sqlite:/old.db was moved to postgres://host/db',
    'name that one: --state postgres://host/db',
  ]);
  await close(database, { why: 'copying', at: 'postgres://host/db' });
  assert.match(String(await refusal()), 'holds a part of the record of postgres://host/db only');
  await close(database, null);
  assert.is(await closedOf(database), null);
  await database.close();
});

test.run();
