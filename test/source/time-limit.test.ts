import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TimeLimit } from '../../src/source/time-limit.ts';

test('a read that hangs ends with null, and no other one is started before it has ended', async () => {
  const limit = new TimeLimit(20);
  const hanging = Promise.withResolvers<string>();
  let reads = 0;
  const read = (): Promise<string> => {
    reads += 1;
    return reads === 1 ? hanging.promise : Promise.resolve('read');
  };
  assert.is(await limit.run(read), null);
  assert.is(await limit.run(read), null);
  assert.is(reads, 1);
  hanging.reject(new Error('the mount is gone'));
  await setTimeout(1);
  assert.is(await limit.run(read), 'read');
});

test('a signal ends the wait for a read, and the next read does not wait for it', async () => {
  const stopping = new AbortController();
  const [limit, slow] = [new TimeLimit(3_600_000), Promise.withResolvers<string>()];
  const read = limit.run(() => slow.promise, stopping.signal);
  stopping.abort();
  assert.is(await read, null);
  assert.is(await limit.run(async () => 'read'), 'read');
  slow.resolve('late');
});

test('an error of a read is passed on', async () => {
  const error = new Error('denied');
  assert.is(await new TimeLimit().run(() => Promise.reject(error)).catch((thrown: unknown) => thrown), error);
});

test.run();
