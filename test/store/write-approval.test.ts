import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/core/errors.ts';
import { openRecord, openStore } from '../../src/store/open-store.ts';
import { writeApproval } from '../../src/store/write-approval.ts';
import { scratchFolder } from '../support/edict-process.ts';
import { gatewaySettings } from '../support/states.ts';

const test = suite('write approval');
const gateway = gatewaySettings();
const approval = { digest: 'sha256:1', by: 'ada', why: 'CHG-7', atMs: 1, expiresAtMs: 100, work: ['["a"]'] };

test('is written while another edict has the store, which finds it, and leaves no file behind', async () => {
  const path = join(scratchFolder(), 'state.db');
  const store = await openStore({ url: `sqlite:${path}`, emulated: false });
  await writeApproval(`sqlite:${path}`, gateway, approval);
  assert.is((await store.approvals(gateway))[0]?.by, 'ada');
  await store.close();
  await writeApproval(`sqlite:${path}`, gateway, { ...approval, by: 'eve' });
  assert.not.ok(existsSync(`${path}-shm`));
  assert.is(statSync(path).mode & 0o777, 0o600);
  const record = await openRecord({ url: `sqlite:${path}` });
  assert.is((await record.approvals(gateway)).length, 2);
  await record.close();
});

test('a store of another version, none, and one that is not there are refused', async () => {
  const path = join(scratchFolder(), 'state.db');
  assert.match(await refusal(`sqlite:${path}`), 'STORE_');
  await (await openStore({ url: `sqlite:${path}`, emulated: false })).close();
  const db = new DatabaseSync(path);
  db.exec('PRAGMA user_version = 1');
  db.close();
  assert.is(await refusal(`sqlite:${path}`), 'STORE_OLDER');
  assert.is(await refusal('file'), 'STATE_URL');
});

async function refusal(url: string): Promise<string> {
  try {
    await writeApproval(url, gateway, approval);
  } catch (error) {
    if (error instanceof EdictError) return error.code;
    throw error;
  }
  throw new Error('it was written');
}

test.run();
