import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import { close, closedOf, closeEmpty, refuseClosed } from '../../src/store/closed.ts';
import { step } from '../../src/store/database.ts';
import { openWhole } from '../../src/store/open-store.ts';
import { storeEngines } from '../support/store-engines.ts';

const test = suite('closed');

for (const { name, make } of storeEngines(test)) {
  test(`${name}: a closed store says where the record is, or that it is half a copy, until it is opened again`, async () => {
    const database = await openWhole(await make(), 'real');
    const refusal = async () => refuseClosed(database).then(String, ({ code, message, hint }: EdictError) => [code, message, hint]);
    assert.is(await refusal(), 'undefined');
    await close(database, { why: 'moved', at: 'postgres://host/db' });
    assert.equal(await refusal(), [
      'STORE_CLOSED',
      `the record of the store ${database.name} was moved to postgres://host/db`,
      'name that one: --state postgres://host/db',
    ]);
    await close(database, { why: 'copying', at: 'postgres://host/db' });
    assert.match(String(await refusal()), 'holds a part of the record of postgres://host/db only');
    await close(database, null);
    assert.is(await closedOf(database), null);
    await database.close();
  });

  test(`${name}: one with a record of a gateway is not closed as an empty one, and one that is closed gets no gateway`, async () => {
    const database = await openWhole(await make(), 'real');
    const copying = { why: 'copying', at: 'sqlite:/old.db' } as const;
    const gateway = { endpoint: 'https://roma.example.com', project: 'p', instance: 'i' };
    const known = async () => (await database.read(step(database.queries.gateways, {}))).length;
    assert.ok(await closeEmpty(database, copying));
    assert.equal(await closedOf(database), copying);
    await database.write([step(database.queries.insertGateway, gateway)]);
    assert.is(await known(), 0);
    await close(database, null);
    await database.write([step(database.queries.insertGateway, gateway)]);
    assert.is(await known(), 1);
    assert.not(await closeEmpty(database, copying));
    assert.is(await closedOf(database), null);
    await database.close();
  });
}

test.run();
