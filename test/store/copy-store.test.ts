import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { clearRecord, copyRecord } from '../../src/store/copy-store.ts';
import { step } from '../../src/store/database.ts';
import { openSnapshot, openStore, openWhole } from '../../src/store/open-store.ts';
import { scratchFolder } from '../support/edict-process.ts';
import { change, gatewaySettings } from '../support/states.ts';
import { storeContent } from '../support/store-content.ts';

test('every row of every table is copied, also of more than one page, and cleared', async () => {
  const [path, copy] = [join(scratchFolder(), 'state.db'), join(scratchFolder(), 'state.db')];
  const store = await openStore({ url: `sqlite:${path}`, emulated: false });
  const gateway = gatewaySettings();
  await store.enter(gateway, 0);
  const about = { passId: 'pass', marker: null, commitId: null, atMs: 1 };
  await Promise.all(Array.from({ length: 1203 }, (_, index) => store.begin(gateway, change(`api-${index}`, 'test'), about)));
  await store.leave(gateway, 2);
  await store.close();
  const [from, to] = [await openSnapshot(`sqlite:${path}`), await openWhole(`sqlite:${copy}`, 'real')];
  assert.equal(await copyRecord(from, to), { gateways: 1, publications: 1203, attempts: 1203 });
  await from.close();
  await to.close();
  const [before, after] = [storeContent(path), storeContent(copy)];
  for (const table of Object.keys(before ?? {}).filter((name) => name !== 'holder')) assert.equal(after?.[table], before?.[table], table);
  const again = await openWhole(`sqlite:${copy}`, null);
  await clearRecord(again);
  assert.equal(await again.read(step(again.queries.gateways, {})), []);
  await again.close();
});

test.run();
