import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/app/context.ts';
import { Batcher, type BatcherDeps, type BatchSlot } from '../../../src/controller/queue/batcher.ts';
import type { Change } from '../../../src/model/change.ts';
import type { Outcome } from '../../../src/model/outcome.ts';
import { change } from '../../support/states.ts';

const done: Outcome = { kind: 'succeeded', versionId: 'v', publishId: 'p' };
const failure = { code: 'X', status: 500, message: '', hint: null, requestId: null, retryAfterMs: null };

/** A batcher whose calls are recorded, one line each, and answered by `answer`. */
function station(
  batchSize: number,
  { answer = () => done, marker: isMarkerEnabled = true }: { answer?: (change: Change) => Outcome; marker?: boolean } = {},
) {
  const calls: string[] = [];
  const markers: (string | null)[] = [];
  const mayBeSent: boolean[] = [];
  const gateway: BatcherDeps['gateway'] = {
    send: async (one, how) => {
      if (!how.isStillDesired()) return { kind: 'superseded' };
      calls.push(one.api);
      markers.push(how.marker);
      return answer(one);
    },
    sendBatch: async (changes, how) => {
      const leaving = changes.filter(how.isStillDesired);
      calls.push(`${leaving.map(({ api }) => api).join('+')} in ${leaving[0]?.environment}`);
      markers.push(how.marker);
      mayBeSent.push(how.canSend());
      const outcomes = changes.map((each): Outcome => (how.isStillDesired(each) ? answer(each) : { kind: 'superseded' }));
      return { outcomes, isSameFailure: outcomes.every((outcome) => 'failure' in outcome) };
    },
  };
  const batcher = new Batcher({
    gateway,
    settings: { batchSize, isMarkerEnabled },
    clock: systemClock,
    signal: new AbortController().signal,
  });
  const place = (api: string, environment = 'test', over: Partial<Change> = {}): BatchSlot =>
    batcher.reserve(change(api, environment, over));
  return { calls, markers, mayBeSent, place };
}

const yes = (): boolean => true;

test('without batching each change has its own call and marker, at once', async () => {
  const { calls, markers, place } = station(1);
  assert.equal(await Promise.all([place('a').send(yes, yes), place('b').send(yes, yes)]), [done, done]);
  assert.equal(calls, ['a', 'b']);
  assert.is(new Set(markers).size, 2);
});

test('a full batch is one call whose marker every change knows in advance', async () => {
  const { calls, markers, place } = station(3);
  const places = ['a', 'b', 'c', 'd'].map((api) => place(api));
  await Promise.all(places.map(({ send }) => send(yes, yes)));
  assert.equal(calls, ['a+b+c in test', 'd in test']);
  assert.is(new Set(places.slice(0, 3).map(({ marker }) => marker)).size, 1);
  assert.equal(markers, [places[0]?.marker, places[3]?.marker]);
  assert.match(String(markers[0]), /^[0-9a-f]{12}$/);
});

test('a batch waits for changes that have reserved a slot, not for those that were cancelled', async () => {
  const { calls, place } = station(3);
  const [first, second, third] = ['a', 'b', 'c'].map((api) => place(api)) as [BatchSlot, BatchSlot, BatchSlot];
  const [one] = [first.send(yes, yes)];
  second.cancel();
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.equal(calls, []);
  await Promise.all([one, third.send(yes, yes)]);
  assert.equal(calls, ['a+c in test']);
});

test('environments, actions and remarks are not mixed; a version switch is a call of its own, without a marker', async () => {
  const { calls, place } = station(9);
  const pinned = place('e', 'test', { version: 'v1' });
  const places = [
    place('a'),
    place('b', 'release'),
    place('c', 'test', { action: 'offline' }),
    place('d', 'test', { remark: 'x' }),
    pinned,
  ];
  await Promise.all(places.map(({ send }) => send(yes, yes)));
  assert.equal(calls.sort(), ['a in test', 'b in release', 'c in test', 'd in test', 'e']);
  assert.is(pinned.marker, null);
  assert.is(places[2]?.marker, null, 'offline creates no version');
});

test('changes that are no longer needed are left out', async () => {
  const { calls, place } = station(2);
  const outcomes = await Promise.all([place('a').send(() => false, yes), place('b').send(yes, yes)]);
  assert.equal(outcomes, [{ kind: 'superseded' }, done]);
  assert.equal(calls, ['b in test']);
});

test('after a batch that failed as a whole the next ones are smaller, and grow again', async () => {
  let isBad = true;
  const { calls, place } = station(4, { answer: () => (isBad ? { kind: 'retryable', failure } : done) });
  const round = async (count: number): Promise<number[]> => {
    calls.length = 0;
    await Promise.all(Array.from({ length: count }, (_, index) => place(`a${index}`).send(yes, yes)));
    return calls.map((call) => call.split('+').length);
  };
  assert.equal(await round(4), [4]);
  isBad = false;
  assert.equal(await round(4), [2, 2]);
  assert.equal(await round(4), [4]);
});

test('there is no marker if the file disables it', async () => {
  const { markers, place } = station(2, { marker: false });
  await Promise.all([place('a').send(yes, yes), place('b').send(yes, yes)]);
  assert.equal(markers, [null]);
});

test('a batch may be sent only while every change in it may', async () => {
  const { place, mayBeSent } = station(3);
  const no = (): boolean => false;
  await Promise.all([place('a').send(yes, yes), place('b').send(yes, no), place('c').send(yes, yes)]);
  await Promise.all([place('a').send(yes, yes), place('b').send(yes, yes), place('c').send(yes, yes)]);
  assert.equal(mayBeSent, [false, true]);
});

test.run();
