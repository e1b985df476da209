import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readInventory } from '../../src/app/edits/import.ts';
import { EdictError } from '../../src/model/errors.ts';

const api = { apiId: 'a', name: 'orders', groupId: '', group: '', editedAtMs: null, publications: new Map() };
const environment = { id: 'e', name: 'test' };
const deps = { clock: { sleep: async () => {} }, random: () => 0, signal: new AbortController().signal, timeLimitMs: 60_000 };

function failing(hint: string | null) {
  const failure = { code: 'APIG.1005', status: 403, message: 'No permissions', hint, requestId: null, retryAfterMs: null };
  return async () => ({ kind: 'rejected', failure }) as const;
}
const listApis = async () => ({ kind: 'read', value: new Map([['a', api]]) }) as const;
const listEnvironments = async () => ({ kind: 'read', value: [environment] }) as const;

test('lists APIs and environments', async () => {
  assert.equal(await readInventory({ listApis, listEnvironments }, deps), { apis: [api], environments: [environment] });
});

for (const [what, gateway] of [
  ['environments', { listApis, listEnvironments: failing('ask for the right') }],
  ['APIs', { listApis: failing('ask for the right'), listEnvironments }],
] as const) {
  test(`${what} without an answer are an error that gives the reason and the fix`, async () => {
    const error = await readInventory(gateway, deps).catch((thrown: unknown) => thrown);
    assert.instance(error, EdictError);
    const { code, message, hint } = error as EdictError;
    assert.equal(
      [code, message, hint],
      ['OBSERVATION_FAILED', `the gateway's ${what} cannot be read: APIG.1005 No permissions`, 'ask for the right'],
    );
  });
}

test('there is no hint where nothing can be done', async () => {
  const error = (await readInventory({ listApis, listEnvironments: failing(null) }, deps).catch((thrown: unknown) => thrown)) as EdictError;
  assert.is(error.hint, null);
});

test('a gateway that is not read within the time limit is an error that says so', async () => {
  // A reader gives up when its signal is aborted; this process would end without a timer.
  const alive = setInterval(() => {}, 1000);
  const listApis = async (signal: AbortSignal) => {
    await once(signal, 'abort');
    return failing(null)();
  };
  const error = await readInventory({ listApis, listEnvironments }, { ...deps, timeLimitMs: 20 }).catch((thrown: unknown) => thrown);
  clearInterval(alive);
  assert.is((error as EdictError).message, "the gateway's APIs were not read within 0.0 s");
});

test.run();
