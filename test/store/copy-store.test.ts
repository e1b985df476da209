import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clearRecord, copyRecord } from '../../src/store/copy-store.ts';
import { type Database, step } from '../../src/store/database.ts';
import { openSnapshot, openStore, openWhole } from '../../src/store/open-store.ts';
import { change, gatewaySettings } from '../support/states.ts';
import { storeEngines } from '../support/store-engines.ts';

const test = suite('copy store');
const engines = storeEngines(test);
const gateway = gatewaySettings();
const tables = ['gateway', 'approval', 'attempt', 'publication', 'name', 'declared'];

/** Returns every row of every table as text, without the columns that one engine alone has. */
async function contentOf(database: Database): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const schema = database.name.startsWith('postgres') ? 'edict.' : '';
  const rowsOf = async (table: string): Promise<readonly unknown[]> => {
    const rows = await database.read({ query: { sql: `select * from ${schema}${table} order by 1, 2`, parameters: [] }, values: [] });
    return rows.map(({ holder: _, held_until: __, ...row }) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)])),
    );
  };
  return Object.fromEntries(await Promise.all(tables.map(async (table) => [table, await rowsOf(table)])));
}

for (const { name: source, make: makeSource } of engines) {
  for (const { name: copy, make: makeCopy } of engines) {
    test(`${source} to ${copy}: every row of every table is copied, also of more than one page, and cleared`, async () => {
      const [url, target] = [await makeSource(), await makeCopy()];
      const store = await openStore({ url, emulated: false });
      await store.enter(gateway, 0);
      const about = { passId: 'pass', marker: null, commitId: null, atMs: 1 };
      await Promise.all(Array.from({ length: 1203 }, (_, index) => store.begin(gateway, change(`api-${index}`, 'test'), about)));
      await store.leave(gateway, 2);
      await store.close();
      const [from, to] = [await openSnapshot(url), await openWhole(target, 'real')];
      assert.equal(await copyRecord(from, to), { gateways: 1, publications: 1203, attempts: 1203 });
      const [before, after] = [await contentOf(from), await contentOf(to)];
      await from.close();
      for (const table of tables) assert.equal(after[table], before[table], table);
      assert.is(after['attempt']?.length, 1203);
      await clearRecord(to);
      assert.equal(await to.read(step(to.queries.gateways, {})), []);
      await to.close();
    });
  }
}

test.run();
