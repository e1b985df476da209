import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/app/context.ts';
import { type QueuedChange, type TriedResult, Workqueue } from '../../../src/controller/queue/workqueue.ts';
import { type PublicationKey, publicationKey } from '../../../src/model/publication.ts';
import { until } from '../../support/edict-process.ts';

const key = (name: string): PublicationKey => publicationKey(name, 'test');
const keys = (...names: string[]): QueuedChange[] => names.map((name) => ({ key: key(name), fingerprint: 'online' }));
/** The keys whose declaration has changed. */
const edited = (...names: string[]): QueuedChange[] => names.map((name) => ({ key: key(name), fingerprint: 'offline' }));
const done: TriedResult = { kind: 'done' };

/** A queue whose work waits until the test sets its result. */
function controlled(concurrency = 1, calls = 1000, perMs = 1000) {
  const begun: { name: string; failures: number; end: (result?: TriedResult) => void; answered: () => void }[] = [];
  const counts = { idle: 0, due: 0 };
  const queue = new Workqueue({
    limit: { calls, perMs, concurrency },
    batchSize: 1,
    clock: systemClock,
    reconcile: (worked, failures, answered) =>
      new Promise((resolve) => {
        begun.push({ name: worked.split(' ')[0] ?? '', failures, answered, end: (result = done) => resolve(result) });
      }),
    onIdle: () => {
      counts.idle += 1;
    },
    onRetryDue: () => {
      counts.due += 1;
    },
  });
  const names = (): string[] => begun.map(({ name }) => name);
  return { queue, begun, counts, names };
}

test('keys are processed in order, at most `concurrency` at a time', async () => {
  const { queue, begun, names, counts } = controlled(2);
  queue.set(keys('a', 'b', 'c', 'd'), { retriesRejected: true });
  await until('two have started', () => begun.length === 2);
  assert.equal([names(), queue.queued.length], [['a', 'b'], 2]);
  begun[1]?.end();
  await until('the third has started', () => begun.length === 3);
  assert.equal(names(), ['a', 'b', 'c']);
  for (const work of begun) work.end();
  await until('the last has started', () => begun.length === 4);
  begun[3]?.end();
  await until('all are done', () => queue.isIdle);
  assert.is(counts.idle, 1);
});

test('a key in flight is reconciled again afterwards, unless the reconciliation only continues the same plan', async () => {
  for (const isContinuation of [false, true]) {
    const { queue, begun } = controlled(1);
    queue.set(keys('a'), { retriesRejected: false });
    await until('it has started', () => begun.length === 1);
    queue.set(keys('a', 'b'), { retriesRejected: false, isContinuation });
    begun[0]?.end();
    await until('the next has started', () => begun.length === 2);
    begun[1]?.end();
    if (!isContinuation) await until('the first has started again', () => begun.length === 3);
    begun[2]?.end();
    await until('all are done', () => queue.isIdle);
    assert.is(begun.length, isContinuation ? 2 : 3);
  }
});

test('a key that fails in flight keeps its backoff when another key is edited, and is retried immediately when its own declaration is', async () => {
  for (const [change, isTriedAtOnce] of [
    [keys('a'), false],
    [edited('a'), true],
  ] as const) {
    const { queue, begun } = controlled(1);
    queue.set(keys('a'), { retriesRejected: false });
    await until('it has started', () => begun.length === 1);
    queue.set(change, { retriesRejected: true });
    begun[0]?.end({ kind: 'again', afterMs: 3_600_000, failures: 1 });
    await until('it has ended', () => queue.hasScheduledRetry || begun.length === 2);
    assert.is(begun.length, isTriedAtOnce ? 2 : 1);
    begun[1]?.end();
    await queue.stop();
  }
});

test('a backoff outlasts a new file, an edit of another key and a retry of another key; a person ends it', async () => {
  const { queue, begun, names } = controlled(1);
  queue.set(keys('a'), { retriesRejected: false });
  await until('it has started', () => begun.length === 1);
  begun[0]?.end({ kind: 'again', afterMs: 3_600_000, failures: 4 });
  await until('it is queued', () => queue.hasScheduledRetry);
  queue.set(keys('a', 'b'), { retriesRejected: true });
  await until('the other has started', () => begun.length === 2);
  begun[1]?.end();
  await until('it is idle', () => queue.isIdle);
  queue.set([...keys('a'), ...edited('b')], { retriesRejected: true });
  await until('the edited one has started', () => begun.length === 3);
  begun[2]?.end();
  await until('it is idle', () => queue.isIdle);
  assert.equal(names(), ['a', 'b', 'b']);
  queue.set(keys('a'), { retriesRejected: true, retriesAll: true });
  await until('the first is tried', () => begun.length === 4);
  assert.is(begun[3]?.failures, 0);
  begun[3]?.end();
});

test('a key whose declaration changed before it was tried keeps the backoff of that try', async () => {
  const { queue, begun } = controlled(1);
  queue.set(keys('a'), { retriesRejected: false });
  await until('it has started', () => begun.length === 1);
  queue.set(edited('a'), { retriesRejected: true });
  begun[0]?.end({ kind: 'again', afterMs: 3_600_000, failures: 1, fingerprint: 'offline' });
  await until('it is queued', () => queue.hasScheduledRetry);
  assert.equal([begun.length, queue.isIdle], [1, true]);
  await queue.stop();
  await queue.stop();
});

test('a backoff outlasts a time in which the key is not to be changed, as in a freeze', async () => {
  const { queue, begun, names } = controlled(1);
  queue.set(keys('a'), { retriesRejected: false });
  await until('it has started', () => begun.length === 1);
  begun[0]?.end({ kind: 'again', afterMs: 3_600_000, failures: 4 });
  await until('it is queued', () => queue.hasScheduledRetry);
  queue.set([], { retriesRejected: false });
  queue.set(keys('b'), { retriesRejected: true });
  await until('the other has started', () => begun.length === 2);
  begun[1]?.end();
  queue.set(keys('a'), { retriesRejected: true });
  await until('it is idle', () => queue.isIdle);
  assert.equal([names(), queue.hasScheduledRetry], [['a', 'b'], true]);
  queue.set(edited('a'), { retriesRejected: true });
  await until('the edited one has started', () => begun.length === 3);
  assert.is(begun[2]?.failures, 0);
  begun[2]?.end();
});

test('failures are counted on if the key was not to be changed when its turn had nearly come', async () => {
  const { queue, begun } = controlled(1);
  queue.set(keys('a'), { retriesRejected: false });
  await until('it has started', () => begun.length === 1);
  begun[0]?.end({ kind: 'again', afterMs: 0, failures: 4 });
  await until('it is queued', () => queue.hasScheduledRetry);
  queue.set(keys('b', 'a'), { retriesRejected: false });
  await until('the other has started', () => begun.length === 2);
  assert.equal(queue.queued, [key('a')]);
  queue.set(keys('b'), { retriesRejected: false, isContinuation: true });
  queue.set(keys('b', 'a'), { retriesRejected: false, isContinuation: true });
  begun[1]?.end();
  await until('it is tried again', () => begun.length === 3);
  assert.is(begun[2]?.failures, 4);
  begun[2]?.end();
});

test('failures are counted on if the newest plan did not allow the change when its turn came', async () => {
  const { queue, begun } = controlled(1);
  queue.set(keys('a'), { retriesRejected: false });
  await until('it has started', () => begun.length === 1);
  begun[0]?.end({ kind: 'again', afterMs: 0, failures: 4 });
  await until('it is queued', () => queue.hasScheduledRetry);
  queue.set(keys('a'), { retriesRejected: false });
  await until('it is tried again', () => begun.length === 2);
  begun[1]?.end({ kind: 'dropped' });
  await until('it is idle', () => queue.isIdle);
  queue.set(keys('a'), { retriesRejected: false });
  await until('it is tried once more', () => begun.length === 3);
  assert.is(begun[2]?.failures, 4);
  begun[2]?.end();
});

test('a rejected key that is not to be changed for a while is still rejected afterwards, until a person or a new file acts', async () => {
  const { queue, begun } = controlled(1);
  queue.set(keys('a'), { retriesRejected: false });
  await until('it has started', () => begun.length === 1);
  begun[0]?.end({ kind: 'blocked' });
  await until('it is idle', () => queue.isIdle);
  queue.set([], { retriesRejected: false });
  queue.set(keys('a'), { retriesRejected: false });
  assert.is(queue.isIdle, true);
  queue.set([], { retriesRejected: true });
  queue.set(keys('a'), { retriesRejected: false });
  await until('it is tried', () => begun.length === 2);
  begun[1]?.end();
});

test('failed keys queue behind keys that have not been tried', async () => {
  const { queue, begun, names } = controlled(1);
  const failing = ['a', 'b', 'c'];
  queue.set(keys(...failing), { retriesRejected: false });
  for (const [index] of failing.entries()) {
    await until('it has started', () => begun.length === index + 1);
    begun[index]?.end({ kind: 'blocked' });
  }
  await until('all have failed', () => queue.isIdle);
  queue.set(keys(...failing, 'd'), { retriesRejected: true });
  for (let index = 3; index < 7; index += 1) {
    await until('it has started', () => begun.length === index + 1);
    begun[index]?.end();
  }
  assert.equal(names().slice(3), ['d', ...failing]);
});

test('two calls for one API are never in flight together, and another API is not delayed by it', async () => {
  const { queue, begun } = controlled(4);
  const of = (api: string, environment: string): QueuedChange => ({ key: publicationKey(api, environment), fingerprint: 'online' });
  queue.set([of('a', 'test'), of('a', 'release'), of('b', 'test')], { retriesRejected: false });
  await until('two have started', () => begun.length === 2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(
    begun.map(({ name }) => name),
    ['a', 'b'],
  );
  begun[0]?.end();
  await until('the other environment has started', () => begun.length === 3);
  for (const { end } of begun) end();
  await until('all are done', () => queue.isIdle);
});

test('a request that got its response frees its slot before the work is finished', async () => {
  const { queue, begun } = controlled(1);
  queue.set(keys('a', 'b'), { retriesRejected: true });
  await until('the first has started', () => begun.length === 1);
  begun[0]?.answered();
  await until('the second has started', () => begun.length === 2);
  assert.not.ok(queue.isIdle);
  await Promise.all(begun.map((work) => work.end()));
  await until('all are done', () => queue.isIdle);
});

test('a queued key that is no longer needed is removed', async () => {
  const { queue, begun, names } = controlled(1);
  queue.set(keys('a', 'b', 'c'), { retriesRejected: true });
  await until('the first has started', () => begun.length === 1);
  queue.set(keys('c', 'x'), { retriesRejected: true });
  begun[0]?.end();
  await until('the next has started', () => begun.length === 2);
  begun[1]?.end();
  await until('the last has started', () => begun.length === 3);
  begun[2]?.end();
  await until('all are done', () => queue.isIdle);
  assert.equal(names(), ['a', 'c', 'x']);
});

test('a key in flight is never started a second time in parallel, but reconciled again afterwards', async () => {
  const { queue, begun, names } = controlled(4);
  queue.set(keys('a'), { retriesRejected: true });
  await until('it has started', () => begun.length === 1);
  for (let round = 0; round < 5; round += 1) queue.set(keys('a'), { retriesRejected: true });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(names(), ['a']);
  begun[0]?.end();
  await until('it is reconciled again', () => begun.length === 2);
  begun[1]?.end();
  await until('all are done', () => queue.isIdle);
  assert.equal(names(), ['a', 'a']);
});

test('a rejected key waits for a person or a new file', async () => {
  const { queue, begun, names } = controlled(1);
  queue.set(keys('a'), { retriesRejected: true });
  await until('it has started', () => begun.length === 1);
  begun[0]?.end({ kind: 'blocked' });
  await until('it has been rejected', () => queue.isIdle);
  queue.set(keys('a'), { retriesRejected: false });
  assert.ok(queue.isIdle && !queue.hasScheduledRetry);
  queue.set(keys('a'), { retriesRejected: true });
  await until('it has started again', () => begun.length === 2);
  assert.equal([names(), begun[1]?.failures], [['a', 'a'], 0]);
  begun[1]?.end();
});

test('a key is retried when its backoff ends, and its failures are counted', async () => {
  const { queue, begun, counts } = controlled(1);
  queue.set(keys('a'), { retriesRejected: true });
  await until('it has started', () => begun.length === 1);
  begun[0]?.end({ kind: 'again', afterMs: 30, failures: 1 });
  await until('it is in backoff', () => queue.hasScheduledRetry);
  queue.set(keys('a'), { retriesRejected: false });
  assert.ok(queue.isIdle, 'it does not start before its time');
  await until('its time has come', () => counts.due === 1);
  queue.set(keys('a'), { retriesRejected: false });
  await until('it has started again', () => begun.length === 2);
  assert.is(begun[1]?.failures, 1);
  begun[1]?.end();
  await until('all are done', () => queue.isIdle);
  assert.not.ok(queue.hasScheduledRetry);
});

test('nothing starts before the queue is started', async () => {
  const { queue, begun } = controlled(1);
  queue.pause();
  queue.set(keys('a'), { retriesRejected: true });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.is(begun.length, 0);
  queue.resume();
  await until('it has started', () => begun.length === 1);
  begun[0]?.end();
});

test('a key in backoff starts immediately when a person asks to retry', async () => {
  const { queue, begun } = controlled(1);
  queue.set(keys('a'), { retriesRejected: true });
  await until('it has started', () => begun.length === 1);
  begun[0]?.end({ kind: 'again', afterMs: 3_600_000, failures: 3 });
  await until('it is in backoff', () => queue.hasScheduledRetry);
  queue.retryNow();
  await until('it has started again', () => begun.length === 2);
  assert.equal([begun[1]?.failures, queue.hasScheduledRetry], [3, false]);
  begun[1]?.end();
});

test('stop drops queued keys, lets those in flight finish, and starts nothing more', async () => {
  const { queue, begun, names } = controlled(1);
  queue.set(keys('a', 'b'), { retriesRejected: true });
  await until('it has started', () => begun.length === 1);
  let hasStopped = false;
  const stopped = queue.stop().then(() => {
    hasStopped = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.not.ok(hasStopped);
  begun[0]?.end({ kind: 'again', afterMs: 1, failures: 1 });
  await stopped;
  queue.set(keys('c'), { retriesRejected: true });
  assert.equal([names(), queue.queued, queue.hasScheduledRetry], [['a'], [], false]);
});

test('no part of the limit is used up without a key', async () => {
  const { queue, begun } = controlled(4, 6, 3_600_000);
  const of = (api: string, environment: string): QueuedChange => ({ key: publicationKey(api, environment), fingerprint: 'online' });
  const six = ['test', 'release'].flatMap((environment) => ['a', 'b', 'c'].map((api) => of(api, environment)));
  queue.set(six, { retriesRejected: false });
  for (let index = 0; index < six.length; index += 1) {
    await until('the next of six has begun within the window of six', () => begun.length > index);
    begun[index]?.end();
  }
  await until('all is done', () => queue.isIdle);
  await queue.stop();
});

test('starts no more than the limit in a window', async () => {
  const { queue, begun } = controlled(10, 3);
  const startedAt = performance.now();
  queue.set(keys('a', 'b', 'c', 'd'), { retriesRejected: true });
  await until('three have started', () => begun.length === 3);
  for (const work of begun) work.end();
  await until('the fourth has started', () => begun.length === 4);
  assert.ok(performance.now() - startedAt >= 990);
  begun[3]?.end();
});

test('setting the clock back does not block the queue', async () => {
  const { queue, begun } = controlled(4, 2);
  const { now } = Date;
  queue.set(keys('a', 'b', 'c', 'd'), { retriesRejected: true });
  await until('two have started', () => begun.length === 2);
  try {
    Date.now = () => now() - 3_600_000;
    for (const work of begun) work.end();
    await until('the others have started', () => begun.length === 4);
  } finally {
    Date.now = now;
  }
  for (const work of begun) work.end();
  await until('all are done', () => queue.isIdle);
  await queue.stop();
});

test.run();
