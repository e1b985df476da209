import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Settings } from '../src/config.ts';
import { EdictError } from '../src/core/errors.ts';
import type { EngineEvent } from '../src/core/events.ts';
import { nameKey } from '../src/core/names.ts';
import type { Store } from '../src/core/ports.ts';
import type { GatewaySettings } from '../src/core/publication.ts';
import { seedFrom } from '../src/emulated.ts';
import { startEmulator } from '../src/emulator/emulator.ts';
import { openRooms, withGatewayReader } from '../src/rooms.ts';
import { openRecord } from '../src/store/open-store.ts';
import { scratchFolder, seedOf } from './support/edict-process.ts';
import { desiredState, gatewaySettings, recorded, recordedState, wanted } from './support/states.ts';

const limit = { calls: 1000, perMs: 100, concurrency: 4 };
const silent = (): void => undefined;
const token = { HW_AUTH_TOKEN: 'token' };

function settingsIn(folder: string, over: Partial<Settings> = {}): Settings {
  const targets = { apis: [], environments: [] };
  return {
    file: join(folder, 'edict.yaml'),
    state: `sqlite:${join(folder, 'state.db')}`,
    emulate: false,
    waitMs: 0,
    refresh: false,
    targets,
    ...over,
  };
}

/** Opens rooms beside an emulated gateway on a port of its own. */
async function opened(over: Partial<Settings> = {}) {
  const emulator = await startEmulator({ seed: seedOf('orders', 'carts') });
  const settings = settingsIn(scratchFolder(), over);
  const gateway = gatewaySettings({ endpoint: emulator.url, iam: emulator.url, limit });
  const events: EngineEvent[] = [];
  const rooms = await openRooms(settings, token, (event) => events.push(event));
  const file = (more: Partial<GatewaySettings> = {}) => desiredState([wanted('orders', 'test')], { gateway: { ...gateway, ...more } });
  const dispose = async (): Promise<void> => {
    await rooms.close();
    await emulator.close();
  };
  return { emulator, settings, rooms, gateway, file, events, [Symbol.asyncDispose]: dispose };
}

test('one gateway has one engine, as long as its settings are the same', async () => {
  await using at = await opened();
  const first = await at.rooms.engineFor(at.file(), 1, silent);
  assert.is(await at.rooms.engineFor(at.file(), 1, silent), first);
  const other = await at.rooms.engineFor(at.file({ timeoutMs: 1234 }), 1, silent);
  assert.is.not(other, first);
});

test('the engine that was replaced makes no more calls, and the new one does', async () => {
  await using at = await opened();
  const first = await at.rooms.engineFor(at.file(), 1, silent);
  const second = await at.rooms.engineFor(at.file({ timeoutMs: 1234 }), 1, silent);
  await first.pass(at.file(), 'start');
  await second.pass(at.file({ timeoutMs: 1234 }), 'start');
  await second.settled();
  const calls = at.emulator.requests.all().filter(({ operation }) => operation === 'changePublication');
  assert.is(calls.length, 1);
});

test('with --refresh the gateway is looked at before the first plan, and what is online there costs no call', async () => {
  await using at = await opened({ refresh: true });
  at.emulator.world.changeByHand('api-orders', 'env-test', 'online');
  const events: EngineEvent[] = [];
  const engine = await at.rooms.engineFor(at.file(), 1, (event) => events.push(event));
  const plan = await engine.pass(at.file(), 'start');
  await engine.settled();
  assert.equal([plan.changes, plan.unchanged], [[], 1]);
  assert.ok(events.some((event) => event.type === 'publication:noted' && event.note.kind === 'adopted'));
  assert.equal([...new Set(at.emulator.requests.all().map(({ operation }) => operation))], ['listApis']);
});

test('the store is given free, and knows that edict has left', async () => {
  const at = await opened();
  await at.rooms.engineFor(at.file(), 1, silent);
  const refused = await openRooms(at.settings, token, silent).catch((error: unknown) => error);
  assert.is(refused instanceof EdictError && refused.code, 'STORE_LOCKED');
  await at[Symbol.asyncDispose]();
  const again = await openRooms(at.settings, token, silent);
  await again.close();
  const record = await openRecord({ url: at.settings.state });
  assert.is(await record.condition(at.gateway), null);
  await record.close();
});

test('what waits for the store says so', async () => {
  await using at = await opened();
  const events: EngineEvent[] = [];
  const refused = await openRooms({ ...at.settings, waitMs: 50 }, token, (event) => events.push(event)).catch((error: unknown) => error);
  assert.is(refused instanceof EdictError && refused.code, 'STORE_LOCKED');
  assert.equal(
    events.map(({ type }) => type),
    ['store:waited'],
  );
});

test('names are looked up once, and remembered', async () => {
  await using at = await opened();
  const name = { of: 'environment', name: 'test', group: null } as const;
  const names = [name];
  const first = await at.rooms.lookUp(at.gateway, names);
  assert.equal(first.get(nameKey(name)), { kind: 'one', id: 'env-test' });
  const asked = at.emulator.requests.all().length;
  assert.equal(await at.rooms.lookUp(at.gateway, names), first);
  assert.is(at.emulator.requests.all().length, asked);
});

test('what a name means is forgotten by nobody but whoever works on the gateway', async () => {
  await using at = await opened();
  const [test, gone] = (['test', 'release'] as const).map((name) => ({ of: 'environment', name, group: null }) as const);
  assert.ok(test && gone);
  await at.rooms.lookUp(at.gateway, [test, gone]);
  const record = await openRecord({ url: at.settings.state });
  const store = at.rooms.record as Store;
  await using standby = await openRooms(at.settings, token, silent, { standsBy: true, store });
  await standby.lookUp(at.gateway, [test]);
  assert.is((await record.names(at.gateway)).size, 2);
  await at.rooms.lookUp(at.gateway, [test]);
  assert.is((await record.names(at.gateway)).size, 1);
  await record.close();
});

test('what stands by and has looked names up has no lease afterwards, whatever came of it', async () => {
  await using at = await opened();
  const store = at.rooms.record as Store;
  const names = [{ of: 'environment', name: 'test', group: null }] as const;
  const isFree = async (): Promise<void> => {
    await store.enter(at.gateway, 0);
    await store.leave(at.gateway, 0);
  };
  await using without = await openRooms(at.settings, {}, silent, { standsBy: true, store });
  const refused = await without.lookUp(at.gateway, names).catch((error: unknown) => error);
  assert.is(refused instanceof EdictError && refused.code, 'CREDENTIALS_MISSING');
  await isFree();
  await using standby = await openRooms(at.settings, token, silent, { standsBy: true, store });
  await standby.lookUp(at.gateway, names);
  await isFree();
});

test('credentials that were refused are not sent again with the next lease', async () => {
  await using at = await opened();
  const store = at.rooms.record as Store;
  at.emulator.faults.add({ share: 1, operation: 'listEnvironments', status: 401, errorCode: 'APIG.1002', errorMsg: 'Incorrect token' });
  await using standby = await openRooms(at.settings, token, silent, { standsBy: true, store });
  const names = [{ of: 'environment', name: 'test', group: null }] as const;
  for (let tries = 0; tries < 3; tries += 1) {
    const error = await standby.lookUp(at.gateway, names).catch((thrown: unknown) => thrown);
    assert.is(error instanceof EdictError && error.code, 'NAMES_UNKNOWN');
  }
  assert.is(at.emulator.requests.all().length, 1);
});

test('a lease that cannot be given back is told, and ends nothing', async () => {
  const at = await opened();
  await at.rooms.engineFor(at.file(), 1, silent);
  const store = at.rooms.record as Store;
  store.leave = () => Promise.reject(new EdictError('STORE_UNREACHABLE', 'away'));
  await at[Symbol.asyncDispose]();
  assert.equal(
    at.events.map((event) => [event.type, 'message' in event && event.message]),
    [['store:failed', 'away']],
  );
});

test('a reader is closed after its use, whatever came of it, and sends nothing', async () => {
  await using at = await opened();
  const read = await withGatewayReader(at.gateway, null, token, async (gateway) => {
    assert.not('send' in gateway);
    return gateway.apis(new AbortController().signal);
  });
  assert.is(read.kind === 'read' && read.value.size, 2);
  const bug = new Error('of the caller');
  const failed = await withGatewayReader(at.gateway, null, token, () => Promise.reject(bug)).catch((error: unknown) => error);
  assert.is(failed, bug);
  const without = await withGatewayReader(at.gateway, null, {}, async () => 1).catch((error: unknown) => error);
  assert.match(without instanceof EdictError ? without.code : '', 'CREDENTIALS');
});

test('an emulated reader shows what the record says is online', async () => {
  const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
  const record = recordedState([recorded('orders', 'test', { versionId: 'v7' }), recorded('carts', 'test', { state: 'offline' })]);
  const published = await withGatewayReader(desired.gateway, seedFrom(desired, record), {}, async (gateway) => {
    const signal = new AbortController().signal;
    const apis = await gateway.apis(signal);
    const versions = await gateway.versions(wanted('orders', 'test'), signal);
    assert.is(versions.kind === 'read' && versions.value[0]?.versionId, 'v7');
    return apis.kind === 'read' ? [...apis.value.values()].map(({ name, publications }) => [name, [...publications.keys()]]) : null;
  });
  assert.equal(published?.toSorted(), [
    ['carts', []],
    ['orders', ['env-test']],
  ]);
});

test.run();
