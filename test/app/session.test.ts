import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createAppContext } from '../../src/app/context.ts';
import { seedFromState } from '../../src/app/emulated-gateway.ts';
import { withGatewayReader } from '../../src/app/gateway-access.ts';
import { openSession } from '../../src/app/session.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { EdictError, StoreUnavailableError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import type { GatewaySettings } from '../../src/model/gateway.ts';
import { nameKey } from '../../src/model/name-ref.ts';
import type { Settings } from '../../src/model/settings.ts';
import { openReadonly } from '../../src/store/open.ts';
import { scratchFolder, seedOf, until } from '../support/edict-process.ts';
import { recordEmptyGatewayAt } from '../support/observed-gateway.ts';
import { desiredState, gatewaySettings, recorded, recordedState, wanted } from '../support/states.ts';

const triggers = { trigger: () => {}, wake: () => {}, fail: () => {} };
const never = new AbortController().signal;
const limit = { calls: 1000, perMs: 100, concurrency: 4 };
const token = { HW_AUTH_TOKEN: 'token' };

function settingsIn(folder: string, over: Partial<Settings> = {}): Settings {
  return { ...parseSettings(join(folder, 'edict.yaml'), { state: `sqlite:${join(folder, 'state.db')}` }), ...over };
}

/** Opens a session for an emulated gateway on a port of its own. */
async function opened(over: Partial<Settings> = {}) {
  const emulator = await startEmulator({ seed: seedOf('orders', 'carts') });
  const settings = settingsIn(scratchFolder(), over);
  const gateway = gatewaySettings({ endpoint: emulator.url, iamEndpoint: emulator.url, limit });
  const events: EdictEvent[] = [];
  const context = createAppContext(settings, token);
  context.events.subscribe((event) => events.push(event));
  await recordEmptyGatewayAt(settings.storeUrl, emulator.url);
  const session = await openSession(context);
  const file = (more: Partial<GatewaySettings> = {}) => desiredState([wanted('orders', 'test')], { gateway: { ...gateway, ...more } });
  const dispose = async (): Promise<void> => {
    await session.close();
    await emulator.close();
  };
  return { emulator, settings, context, session, gateway, file, events, [Symbol.asyncDispose]: dispose };
}

test('a gateway keeps its session while its settings are the same', async () => {
  await using at = await opened();
  const first = await at.session.runnerFor(at.file(), { maxTries: 1, triggers });
  assert.is(await at.session.runnerFor(at.file(), { maxTries: 1, triggers }), first);
  const other = await at.session.runnerFor(at.file({ timeoutMs: 1234 }), { maxTries: 1, triggers });
  assert.is.not(other, first);
});

test('a replaced session makes no more calls, and the new one does', async () => {
  await using at = await opened();
  const first = await at.session.runnerFor(at.file(), { maxTries: 1, triggers });
  const second = await at.session.runnerFor(at.file({ timeoutMs: 1234 }), { maxTries: 1, triggers });
  await first.reconcile(at.file(), 'startup');
  await second.reconcile(at.file({ timeoutMs: 1234 }), 'startup');
  await until('no call is left to make', () => second.isIdle);
  const calls = at.emulator.requests.all().filter(({ operation }) => operation === 'changePublication');
  assert.is(calls.length, 1);
});

test('with --refresh the gateway is observed before the first plan, and APIs that are online there cost no call', async () => {
  await using at = await opened({ refresh: 'always' });
  at.emulator.state.changeManually('api-orders', 'env-test', 'online');
  const { events } = at;
  const runner = await at.session.runnerFor(at.file(), { maxTries: 1, triggers });
  await runner.reconcile(at.file(), 'startup');
  assert.not.ok(
    events.some(({ type }) => type === 'plan:computed'),
    'no plan is computed before the gateway was observed',
  );
  await until('it is observed', () => runner.isIdle);
  await runner.reconcile(at.file(), 'observed');
  const plans = events.flatMap((event) => (event.type === 'plan:computed' ? [[event.plan.changes, event.plan.unchanged]] : []));
  assert.equal(plans, [[[], 1]]);
  assert.ok(events.some((event) => event.type === 'publication:drift' && event.notice.kind === 'adopted'));
  assert.equal([...new Set(at.emulator.requests.all().map(({ operation }) => operation))], ['listApis']);
});

test('the store is released, and knows that edict has left', async () => {
  const at = await opened();
  await at.session.runnerFor(at.file(), { maxTries: 1, triggers });
  const refused = await openSession(at.context).catch((error: unknown) => error);
  assert.is(refused instanceof EdictError && refused.code, 'STORE_LOCKED');
  await at[Symbol.asyncDispose]();
  const again = await openSession(at.context);
  await again.close();
  const record = await openReadonly({ url: at.settings.storeUrl });
  assert.is(await record.status(at.gateway), null);
  await record.close();
});

test('waiting for the store is reported', async () => {
  await using at = await opened();
  const { events } = at;
  const refused = await openSession({ ...at.context, settings: { ...at.settings, lockTimeoutMs: 50 } }).catch((error: unknown) => error);
  assert.is(refused instanceof EdictError && refused.code, 'STORE_LOCKED');
  assert.equal(
    events.map(({ type }) => type),
    ['store:waiting'],
  );
});

test('names are looked up once and recorded', async () => {
  await using at = await opened();
  const name = { kind: 'environment', name: 'test', group: null } as const;
  const names = [name];
  const first = await at.session.resolveNames(at.gateway, names, never);
  assert.equal(first.get(nameKey(name)), { kind: 'one', id: 'env-test' });
  const asked = at.emulator.requests.all().length;
  assert.equal(await at.session.resolveNames(at.gateway, names, never), first);
  assert.is(at.emulator.requests.all().length, asked);
});

test('a resolved name is deleted only by the lease holder', async () => {
  await using at = await opened();
  const [test, gone] = (['test', 'release'] as const).map((name) => ({ kind: 'environment', name, group: null }) as const);
  assert.ok(test && gone);
  await at.session.resolveNames(at.gateway, [test, gone], never);
  const record = await openReadonly({ url: at.settings.storeUrl });
  const store = at.session.store;
  await using standby = await openSession(at.context, { isStandby: true, store });
  await standby.resolveNames(at.gateway, [test], never);
  assert.is((await record.resolvedNames(at.gateway)).size, 2);
  await at.session.resolveNames(at.gateway, [test], never);
  assert.is((await record.resolvedNames(at.gateway)).size, 1);
  await record.close();
});

test('a standby that has looked up names has no lease afterwards, whatever the result', async () => {
  await using at = await opened();
  const store = at.session.store;
  const names = [{ kind: 'environment', name: 'test', group: null }] as const;
  const isFree = async (): Promise<void> => {
    await store.acquire(at.gateway, 0);
    await store.release(at.gateway, 0);
  };
  await using without = await openSession({ ...at.context, env: {} }, { isStandby: true, store });
  const refused = await without.resolveNames(at.gateway, names, never).catch((error: unknown) => error);
  assert.is(refused instanceof EdictError && refused.code, 'CREDENTIALS_MISSING');
  await isFree();
  await using standby = await openSession(at.context, { isStandby: true, store });
  await standby.resolveNames(at.gateway, names, never);
  await isFree();
});

test('rejected credentials are not sent again with the next lease', async () => {
  await using at = await opened();
  const store = at.session.store;
  at.emulator.faults.add({ share: 1, operation: 'listEnvironments', status: 401, errorCode: 'APIG.1002', errorMsg: 'Incorrect token' });
  await using standby = await openSession(at.context, { isStandby: true, store });
  const names = [{ kind: 'environment', name: 'test', group: null }] as const;
  for (let tries = 0; tries < 3; tries += 1) {
    const error = await standby.resolveNames(at.gateway, names, never).catch((thrown: unknown) => thrown);
    assert.is(error instanceof EdictError && error.code, 'NAMES_UNRESOLVED');
  }
  assert.is(at.emulator.requests.all().length, 1);
});

test('a lease that cannot be released is reported, and stops nothing', async () => {
  const at = await opened();
  await at.session.runnerFor(at.file(), { maxTries: 1, triggers });
  const store = at.session.store;
  store.release = () => Promise.reject(new StoreUnavailableError('away'));
  await at[Symbol.asyncDispose]();
  assert.equal(
    at.events.map((event) => [event.type, 'message' in event && event.message]),
    [['store:error', 'away']],
  );
});

test('a read session is closed after its use, whatever the result, and sends nothing', async () => {
  await using at = await opened();
  const read = await withGatewayReader(at.context, { settings: at.gateway, seed: null }, async (gateway) => {
    assert.not('send' in gateway);
    return gateway.listApis(new AbortController().signal);
  });
  assert.is(read.kind === 'read' && read.value.size, 2);
  const bug = new Error('of the caller');
  const failed = await withGatewayReader(at.context, { settings: at.gateway, seed: null }, () => Promise.reject(bug)).catch(
    (error: unknown) => error,
  );
  assert.is(failed, bug);
  const without = await withGatewayReader({ ...at.context, env: {} }, { settings: at.gateway, seed: null }, async () => 1).catch(
    (error: unknown) => error,
  );
  assert.match(without instanceof EdictError ? without.code : '', 'CREDENTIALS');
});

test('an emulated read session shows the recorded publications as online', async () => {
  const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
  const record = recordedState([recorded('orders', 'test', { versionId: 'v7' }), recorded('carts', 'test', { state: 'offline' })]);
  const published = await withGatewayReader(
    createAppContext(settingsIn(''), {}),
    { settings: desired.gateway, seed: seedFromState(desired, record) },
    async (gateway) => {
      const signal = new AbortController().signal;
      const apis = await gateway.listApis(signal);
      const versions = await gateway.listVersions(wanted('orders', 'test'), signal);
      assert.is(versions.kind === 'read' && versions.value[0]?.versionId, 'v7');
      return apis.kind === 'read' ? [...apis.value.values()].map(({ name, publications }) => [name, [...publications.keys()]]) : null;
    },
  );
  assert.equal(published?.toSorted(), [
    ['carts', []],
    ['orders', ['env-test']],
  ]);
});

test.run();
