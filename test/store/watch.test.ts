import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GatewayChange } from '../../src/store/interface.ts';
import { openStore } from '../../src/store/open.ts';
import { requestReconcile, writeApproval, writeSuspension } from '../../src/store/requests.ts';
import { scratchFolder, until } from '../support/edict-process.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { gatewaySettings } from '../support/states.ts';

const test = suite('watching a store');
const gateway = gatewaySettings();
let server: PostgresServer;
test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());

for (const engine of ['sqlite', 'postgres']) {
  test(`${engine}: tells what other processes write about the gateway after the watch began, once each`, async () => {
    const url = engine === 'sqlite' ? `sqlite:${join(scratchFolder(), 'state.db')}` : await server.database();
    const options = { url, isEmulated: false };
    const store = await openStore(options);
    const approve = (digest: string) =>
      writeApproval(options, gateway, { digest, by: 'ada', reason: 'r', scope: [], approvedAtMs: 1, expiresAtMs: 2 });
    await writeSuspension(options, gateway, null);
    await approve('before');
    const changes: GatewayChange[] = [];
    const others: GatewayChange[] = [];
    await store.acquire(gateway, 0);
    const watch = await store.watch(gateway, (change) => changes.push(change));
    using _other = await store.watch(gatewaySettings({ instance: 'other' }), (change) => others.push(change));
    assert.ok(watch.isWaiting, 'another file of this process has the lease');
    await writeSuspension(options, gateway, null);
    await until('it is told of the suspension', () => changes.length === 1);
    await approve('after');
    await until('it is told of the approval', () => changes.length === 2);
    await requestReconcile(url, gateway);
    await until('it is told of the request', () => changes.length === 3);
    assert.equal(changes, ['requested', 'approved', 'requested']);
    await store.release(gateway, 0);
    await until('it is offered the lease', () => changes.length > 3);
    assert.not(watch.isWaiting);
    watch[Symbol.dispose]();
    const { length } = changes;
    await requestReconcile(url, gateway);
    await requestReconcile(url, gatewaySettings({ instance: 'other' }));
    await until('the other one is told', () => others.includes('requested'));
    assert.equal(changes.slice(length), []);
    await store.close();
  });
}

test.run();
