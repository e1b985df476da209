import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NewApproval } from '../../src/model/approval.ts';
import type { GatewayIdentity } from '../../src/model/gateway.ts';
import { openReadonly, openStore } from '../../src/store/open.ts';
import { writeApproval } from '../../src/store/requests.ts';
import { change, gatewaySettings } from '../support/states.ts';
import { storeContract } from '../support/store-contract.ts';
import { storeEngines } from '../support/store-engines.ts';

const test = suite('record store');
const gateway = gatewaySettings();

for (const { name, make } of storeEngines(test)) {
  storeContract(test, name, async () => {
    const url = await make();
    return {
      open: () => openStore({ url, isEmulated: false }),
      openRecord: () => openReadonly({ url }),
      approve: (of: GatewayIdentity, approval: NewApproval) => writeApproval(url, of, approval),
    };
  });

  test(`${name}: an attempt that had started has an unknown outcome after its process was killed`, async () => {
    const url = await make();
    const source = `
      import { openStore } from ${JSON.stringify(import.meta.resolve('../../src/store/open.ts'))};
      import { change, gatewaySettings, newAttempt } from ${JSON.stringify(import.meta.resolve('../support/states.ts'))};
      const store = await openStore({ url: ${JSON.stringify(url)}, isEmulated: false });
      await store.acquire(gatewaySettings(), 1);
      await store.beginAttempt(gatewaySettings(), change('orders', 'test'), newAttempt());
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['ignore', 'ignore', 'pipe'] });
    const complaint = text(child.stderr);
    const [, signal] = await once(child, 'exit');
    assert.is(signal, 'SIGKILL', await complaint);
    const store = await openStore({ url, isEmulated: false });
    assert.ok((await store.readPublication(gateway, change('orders', 'test').key))?.unknownAttempt);
    await store.close();
  });
}

test.run();
