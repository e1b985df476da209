import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/model/errors.ts';
import { listGateways } from '../../src/store/list-gateways.ts';
import { openStore } from '../../src/store/open.ts';
import { change, gatewaySettings, newAttempt, recorded } from '../support/states.ts';
import { storeEngines } from '../support/store-engines.ts';

const test = suite('list gateways');
const gateway = gatewaySettings();

for (const { name, make } of storeEngines(test)) {
  test(`${name}: counts the records of each gateway and names the lease holder, and creates no store`, async () => {
    const url = await make();
    assert.is(await listGateways(url).then(String, (error: EdictError) => error.code), 'STORE_NOT_FOUND');
    const store = await openStore({ url, isEmulated: false });
    await store.acquire(gateway, 0);
    await store.saveStatus(gateway, { updatedAtMs: 0, pid: process.pid, calls: 1, perMs: 1, paused: null });
    const made = change('orders', 'test');
    const { attemptId: id } = await store.beginAttempt(gateway, made, newAttempt({ startedAtMs: 7 }));
    await store.finishAttempt(gateway, {
      key: made.key,
      attemptId: id,
      outcome: { kind: 'succeeded', versionId: 'v', publishId: 'p' },
      next: recorded('orders', 'test'),
      atMs: 8,
    });
    await store.saveSuspension({ ...gateway, instance: 'other' }, null);
    const [first, second] = await listGateways(url);
    assert.equal([first?.publications, first?.attempts, first?.firstAttemptAtMs], [1, 1, 7]);
    assert.match(first?.holder ?? '', `pid ${process.pid}`);
    assert.equal([second?.publications, second?.attempts, second?.firstAttemptAtMs, second?.holder], [0, 0, null, null]);
    await store.close();
  });
}

test.run();
