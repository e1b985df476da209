import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { askPass } from '../../src/store/ask-pass.ts';
import { openRecord, openStore } from '../../src/store/open-store.ts';
import { scratchFolder } from '../support/edict-process.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { gatewaySettings } from '../support/states.ts';

const test = suite('ask pass');
const gateway = gatewaySettings();
let server: PostgresServer;
test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());

for (const engine of ['sqlite', 'postgres']) {
  test(`${engine}: each asking is another text, for its gateway alone, beside whoever has the store`, async () => {
    const url = engine === 'sqlite' ? `sqlite:${join(scratchFolder(), 'state.db')}` : await server.database();
    const store = await openStore({ url, emulated: false });
    assert.is(await store.passAsked(gateway), null);
    await Promise.all([askPass(url, gateway), askPass(url, gateway)]);
    const first = await store.passAsked(gateway);
    await askPass(url, gateway);
    const second = await store.passAsked(gateway);
    assert.ok(first !== null && second !== null && first !== second);
    assert.is(await store.passAsked({ ...gateway, instance: 'other' }), null);
    await store.close();
    const record = await openRecord({ url });
    assert.is(await record.passAsked(gateway), second);
    await record.close();
  });
}

test('a store that is not there is refused', async () => {
  const refused = await askPass(`sqlite:${join(scratchFolder(), 'state.db')}`, gateway).catch(({ code }) => code);
  assert.match(refused, 'STORE_');
});

test.run();
