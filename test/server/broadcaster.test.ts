import { constants, inflateRawSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { components } from '../../generated/edict-api.d.ts';
import type { DesiredPublication } from '../../src/model/desired-state.ts';
import type { RecordedPublication } from '../../src/model/recorded-state.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { Broadcaster } from '../../src/server/broadcaster.ts';
import type { StreamMessage } from '../../src/server/event-stream.ts';
import { StatusCache } from '../../src/server/status-cache.ts';
import { eventually } from '../support/eventually.ts';
import { change, desiredState, recorded, recordedState, wanted } from '../support/states.ts';

type Schemas = components['schemas'];

const test = suite('broadcaster');
const about = { version: '1', file: 'edict.yaml', approveCommand: () => null };

/** Returns the events of a message, which is a part of a compressed stream. */
async function eventsIn(message: StreamMessage): Promise<readonly { readonly event: string; readonly data: unknown }[]> {
  const text = inflateRawSync(await message, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
  return [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, event = '', json = '']) => ({ event, data: JSON.parse(json) }));
}

function open() {
  const statusCache = new StatusCache(() => 1000);
  const broadcaster = new Broadcaster(statusCache, about, { lingerMs: 50 });
  const planned = (desired: readonly DesiredPublication[], was: readonly RecordedPublication[]): void => {
    const [wanted, had] = [desiredState(desired), recordedState(was)];
    statusCache.emit({ type: 'file:loaded', desired: wanted });
    statusCache.emit({ type: 'plan:computed', reconcileId: 'p', cause: 'file', plan: diffStates(wanted, had), recorded: had });
  };
  const watch = async () => {
    const lives: Schemas['DaemonStatus'][] = [];
    const cells: Schemas['Cells'][] = [];
    const add = async (message: StreamMessage): Promise<void> => {
      for (const { event, data } of await eventsIn(message)) {
        if (event === 'daemon') lives.push(data as Schemas['DaemonStatus']);
        else cells.push(data as Schemas['Cells']);
      }
    };
    const { whole, unsubscribe } = broadcaster.subscribe((message) => void add(message));
    await add(whole);
    return { lives, cells, leave: unsubscribe };
  };
  return { board: statusCache, broadcast: broadcaster, planned, watch };
}

const brief = (message: Schemas['Cells'] | undefined) => message?.cells.map(({ api, status }) => `${api} ${status}`);

test('a new client gets the whole state, and then only what changes', async () => {
  const { board, broadcast, planned, watch } = open();
  planned([wanted('orders', 'test'), wanted('carts', 'test')], [recorded('carts', 'test')]);
  const { lives, cells } = await watch();
  assert.equal([cells[0]?.complete, brief(cells[0])], [true, ['orders pending', 'carts unchanged']]);
  assert.equal(lives[0]?.statusCounts, { pending: 1, unchanged: 1 });
  const orders = change('orders', 'test');
  board.emit({ type: 'attempt:started', reconcileId: 'p', attemptId: 1, change: orders });
  const outcome = { kind: 'succeeded', versionId: 'v', publishId: null } as const;
  board.emit({ type: 'attempt:finished', reconcileId: 'p', attemptId: 1, change: orders, outcome, isRecorded: true, durationMs: 1 });
  await eventually(() => cells.length === 2, 60_000, 'the change is sent');
  assert.equal([cells[1]?.complete, brief(cells[1])], [false, ['orders unchanged']]);
  assert.equal([lives.at(-1)?.statusCounts, lives.at(-1)?.queue.remaining], [{ pending: 0, unchanged: 2 }, 0]);
  broadcast.close();
});

test('a plan that changes nothing is not sent, and a publication that is gone is', async () => {
  const { broadcast, planned, watch } = open();
  const was = [recorded('orders', 'test'), recorded('carts', 'test')];
  planned([wanted('orders', 'test'), wanted('carts', 'test')], was);
  const { cells } = await watch();
  planned([wanted('orders', 'test'), wanted('carts', 'test')], was);
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.is(cells.length, 1);
  planned([wanted('orders', 'test')], [recorded('orders', 'test')]);
  await eventually(() => cells.length === 2, 60_000, 'the change is sent');
  assert.equal([cells[1]?.cells, cells[1]?.removed], [[], [{ apiId: 'api-carts', environmentId: 'env-test' }]]);
  broadcast.close();
});

test('a hundred changes at once are one message, the same text for all clients', async () => {
  const { board, broadcast, planned } = open();
  const names = Array.from({ length: 100 }, (_, index) => `api${index}`);
  planned(
    names.map((name) => wanted(name, 'test')),
    [],
  );
  const received: StreamMessage[][] = [[], []];
  const wholes = received.map((list) => broadcast.subscribe((message) => list.push(message)).whole);
  assert.is(wholes[0], wholes[1], 'the whole status too');
  const outcome = { kind: 'succeeded', versionId: 'v', publishId: null } as const;
  for (const [attemptId, name] of names.entries()) {
    board.emit({
      type: 'attempt:finished',
      reconcileId: 'p',
      attemptId,
      change: change(name, 'test'),
      outcome,
      isRecorded: true,
      durationMs: 1,
    });
  }
  await eventually(() => (received[0]?.length ?? 0) >= 2, 60_000, 'the changes are sent');
  assert.is(received[0]?.length, 2, 'one message for the cells and one for the rest');
  for (const [index, message] of received[0]?.entries() ?? []) assert.is(message, received[1]?.[index]);
  broadcast.close();
});

test('some time after the last client has left there is no cost', async () => {
  const { board, broadcast, planned, watch } = open();
  planned([wanted('orders', 'test')], []);
  (await watch()).leave();
  await new Promise((resolve) => setTimeout(resolve, 200));
  let reads = 0;
  Object.defineProperty(board, 'matrix', { get: () => (reads += 1) });
  planned([wanted('carts', 'test')], []);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal([reads, broadcast.subscribers], [0, 0]);
});

test('a client that connects and leaves again and again gets what is there, which is not computed anew', async () => {
  const { board, broadcast, planned, watch } = open();
  planned([wanted('orders', 'test')], []);
  (await watch()).leave();
  let reads = 0;
  Object.defineProperty(board, 'matrix', { get: () => (reads += 1) });
  for (let count = 0; count < 100; count += 1) broadcast.subscribe(() => undefined).unsubscribe();
  const { whole } = broadcast.subscribe(() => undefined);
  assert.is(reads, 0);
  assert.match(JSON.stringify(await eventsIn(whole)), '"api":"orders"');
  broadcast.close();
});

test('a client that connects later gets the state of that time', async () => {
  const { broadcast, planned, watch } = open();
  const first = await watch();
  assert.equal([first.cells[0]?.cells, first.lives[0]?.gateway], [[], null]);
  planned([wanted('orders', 'test')], []);
  await eventually(() => first.cells.length === 2, 60_000, 'the plan is sent');
  const second = await watch();
  assert.equal(brief(second.cells[0]), ['orders pending']);
  assert.is(second.lives[0]?.gateway?.instance, 'instance');
  broadcast.close();
});

test.run();
