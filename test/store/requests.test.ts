import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openReadonly, openStore } from '../../src/store/open.ts';
import { requestReconcile, writeSuspension } from '../../src/store/requests.ts';
import { scratchFolder } from '../support/edict-process.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { gatewaySettings } from '../support/states.ts';

const test = suite('requests');
const gateway = gatewaySettings();
let server: PostgresServer;
test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());

for (const engine of ['sqlite', 'postgres']) {
  test(`${engine}: each request has a text of its own, for its gateway alone, beside the process that has the store open`, async () => {
    const url = engine === 'sqlite' ? `sqlite:${join(scratchFolder(), 'state.db')}` : await server.database();
    const store = await openStore({ url, isEmulated: false });
    assert.is(await store.reconcileRequest(gateway), null);
    await Promise.all([requestReconcile(url, gateway), requestReconcile(url, gateway)]);
    const first = await store.reconcileRequest(gateway);
    await requestReconcile(url, gateway);
    const second = await store.reconcileRequest(gateway);
    assert.ok(first !== null && second !== null && first !== second);
    assert.is(await store.reconcileRequest({ ...gateway, instance: 'other' }), null);
    await store.close();
    const record = await openReadonly({ url });
    assert.is(await record.reconcileRequest(gateway), second);
    await record.close();
  });
}

for (const engine of ['sqlite', 'postgres']) {
  test(`${engine}: a suspension creates the store, is written beside the holder of the lease, and comes with a request`, async () => {
    const url = engine === 'sqlite' ? `sqlite:${join(scratchFolder(), 'new', 'state.db')}` : await server.database();
    const options = { url, isEmulated: false };
    const first = { by: 'ada', reason: 'INC-7', sinceMs: 1, untilMs: null };
    await writeSuspension(options, gateway, first);
    const store = await openStore(options);
    assert.equal((await store.previousState(gateway, 0)).suspension, first);
    const before = await store.reconcileRequest(gateway);
    assert.is.not(before, null);
    await store.acquire(gateway, 0);
    const second = { by: 'eve', reason: 'INC-8', sinceMs: 2, untilMs: 3 };
    await writeSuspension(options, gateway, second);
    assert.equal((await store.previousState(gateway, 0)).suspension, second);
    assert.is.not(await store.reconcileRequest(gateway), before);
    assert.is((await store.previousState({ ...gateway, instance: 'other' }, 0)).suspension, null);
    await writeSuspension(options, gateway, null);
    assert.is((await store.previousState(gateway, 0)).suspension, null);
    await store.release(gateway, 0);
    await store.close();
  });
}

test('a store that does not exist is rejected', async () => {
  const refused = await requestReconcile(`sqlite:${join(scratchFolder(), 'state.db')}`, gateway).catch(({ code }) => code);
  assert.match(refused, 'STORE_');
});

test.run();
