import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/model/errors.ts';
import { openReadonly, openStore } from '../../src/store/open.ts';
import { writeApproval } from '../../src/store/requests.ts';
import { gatewaySettings } from '../support/states.ts';
import { storeEngines } from '../support/store-engines.ts';

const test = suite('write approval');
const gateway = gatewaySettings();
const approval = { digest: 'sha256:1', by: 'ada', reason: 'CHG-7', approvedAtMs: 1, expiresAtMs: 100, scope: ['["a"]'] };

/** Sets another format in a store. */
const changeFormat = {
  sqlite: async (url: string) => {
    const db = new DatabaseSync(url.replace('sqlite:', ''));
    db.exec('PRAGMA user_version = 2');
    db.close();
  },
  postgres: async (url: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("UPDATE edict.setting SET value = '2' WHERE name = 'format'");
    await client.end();
  },
};

for (const { name, make } of storeEngines(test)) {
  test(`${name}: is written while another instance has the store open, which finds it, and leaves no file behind`, async () => {
    const url = await make();
    const store = await openStore({ url, isEmulated: false });
    await writeApproval({ url, isEmulated: false }, gateway, approval);
    assert.is((await store.approvals(gateway))[0]?.by, 'ada');
    await store.close();
    await writeApproval({ url, isEmulated: false }, gateway, { ...approval, by: 'eve' });
    if (name === 'sqlite') {
      const path = url.replace('sqlite:', '');
      assert.not.ok(existsSync(`${path}-shm`));
      assert.is(statSync(path).mode & 0o777, 0o600);
    }
    const record = await openReadonly({ url });
    assert.is((await record.approvals(gateway)).length, 2);
    await record.close();
  });

  test(`${name}: a store that does not exist is created, for the kind of gateway that is approved`, async () => {
    const url = await make();
    await writeApproval({ url, isEmulated: true }, gateway, approval);
    const store = await openStore({ url, isEmulated: true });
    assert.is((await store.approvals(gateway))[0]?.by, 'ada');
    await store.close();
    const code = await openStore({ url, isEmulated: false }).then(String, (error: EdictError) => error.code);
    assert.is(code, 'STORE_KIND_MISMATCH');
  });

  test(`${name}: a store of another format is rejected`, async () => {
    const url = await make();
    await (await openStore({ url, isEmulated: false })).close();
    await changeFormat[name](url);
    assert.is(await refusal(url), 'STORE_FORMAT');
  });
}

test('a file that is not a store is rejected', async () => {
  assert.is(await refusal('file'), 'STORE_URL_INVALID');
});

async function refusal(url: string): Promise<string> {
  try {
    await writeApproval({ url, isEmulated: false }, gateway, approval);
  } catch (error) {
    if (error instanceof EdictError) return error.code;
    throw error;
  }
  throw new Error('it was written');
}

test.run();
