import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyOnce } from '../../src/app/apply.ts';
import { createAppContext } from '../../src/app/context.ts';
import { readHistory, readPlan, readStatus, validateFile } from '../../src/app/reports.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { EdictError } from '../../src/model/errors.ts';
import type { Settings } from '../../src/model/settings.ts';
import { scratchFolder, seedOf } from '../support/edict-process.ts';
import { recordEmptyGatewayAt } from '../support/observed-gateway.ts';

const env = { HW_AUTH_TOKEN: 'any' };
/** Nothing listens here. */
const nowhere = 'http://127.0.0.1:1';

/** A file whose API and environment have names only. */
function named(endpoint: string): Settings {
  const folder = scratchFolder();
  const file = join(folder, 'edict.yaml');
  const gateway = `{ endpoint: "${endpoint}", project: project, instance: instance }`;
  writeFileSync(
    file,
    `edict: 1\nrefresh: never\ngateway: ${gateway}\nenvironments: { test: {} }\napis:\n  orders: { environments: { test: online } }\n`,
  );
  const storeUrl = `sqlite:${join(folder, 'state.db')}`;
  return parseSettings(file, { state: storeUrl });
}

test('validate, status and history look up no names', async () => {
  const settings = named(nowhere);
  assert.is((await validateFile(createAppContext(settings, {}))).desired.publications.size, 1);
  assert.is((await readStatus(createAppContext(settings, {}))).plan.changes.length, 1);
  assert.equal((await readHistory(createAppContext(settings, {}), 9)).attempts, []);
});

test('a plan needs the names looked up, and says so', async () => {
  const error = await readPlan(createAppContext(named(nowhere), env)).catch((thrown: unknown) => thrown);
  assert.instance(error, EdictError);
  assert.match((error as EdictError).message, 'names without IDs, and they cannot be looked up at the gateway');
});

test('the names that an apply looked up are known to all commands afterwards, without the gateway', async () => {
  const emulator = await startEmulator({ seed: seedOf('orders') });
  const settings = named(emulator.url);
  await recordEmptyGatewayAt(settings.storeUrl, emulator.url);
  await applyOnce(createAppContext(settings, env));
  await emulator.close();
  const [recorded] = (await readStatus(createAppContext(settings, {}))).input.recorded.values();
  assert.equal([recorded?.apiId, recorded?.environmentId], ['api-orders', 'env-test']);
  assert.equal((await readPlan(createAppContext(settings, env))).plan.changes, []);
});

test('an emulated gateway has every name in the file', async () => {
  const settings = { ...named(nowhere), emulate: true };
  await applyOnce(createAppContext(settings, {}));
  assert.equal((await readPlan(createAppContext({ ...settings, refresh: 'always' }, {}))).plan.changes, []);
});

test('a gateway that cannot be observed is an error for a plan with --refresh', async () => {
  const settings = named(nowhere);
  writeFileSync(
    settings.file,
    `edict: 1\nrefresh: never\ngateway: { endpoint: "${nowhere}", project: p, instance: i }\nenvironments: { test: e }\napis: {}\n`,
  );
  const error = await readPlan(createAppContext({ ...settings, refresh: 'always' }, env)).catch((thrown: unknown) => thrown);
  assert.is((error as EdictError).code, 'OBSERVATION_FAILED');
});

test.run();
