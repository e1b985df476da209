import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LogDestination } from '../../src/telemetry/log-destination.ts';
import { eventually } from '../support/eventually.ts';

/** A log of which each write takes `room` bytes, or fails with `code`. After its first bytes, it is full for `fails` writes. */
function openLog(maxQueuedBytes = 100) {
  const log = { text: '', room: Number.POSITIVE_INFINITY, code: '', fails: 0, dropped: [] as number[] };
  const destination = new LogDestination({
    maxQueuedBytes,
    onDropped: (lineCount) => log.dropped.push(lineCount),
    write: (bytes) => {
      if (log.fails > 0 && log.text !== '') {
        log.fails -= 1;
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      }
      if (log.code !== '') throw Object.assign(new Error(log.code), { code: log.code });
      const taken = bytes.subarray(0, log.room);
      log.text += taken.toString();
      return taken.length;
    },
  });
  return { log, destination };
}

test('a line is written at once, also in parts', () => {
  const { log, destination } = openLog();
  destination.write('one\n');
  log.room = 2;
  destination.write('second\n');
  assert.is(log.text, 'one\nsecond\n');
});

test('while nobody reads, lines are queued up to the bound and dropped beyond it, and the count is reported later', async () => {
  const { log, destination } = openLog(10);
  log.code = 'EAGAIN';
  for (const line of ['one\n', 'two\n', 'three\n', 'four\n']) destination.write(line);
  assert.is(log.text, '');
  log.code = '';
  await eventually(() => log.text === 'one\ntwo\n', 10_000, 'the queue is written');
  assert.equal(log.dropped, [2]);
  destination.write('five\n');
  assert.is(log.text, 'one\ntwo\nfive\n');
  assert.equal(log.dropped, [2]);
});

for (const code of ['ENOSPC', 'EPIPE', 'EIO', 'EBADF']) {
  test(`lines that ${code} loses are counted, and later ones are written`, async () => {
    const { log, destination } = openLog();
    log.code = code;
    destination.write('one\n');
    destination.write('two\n');
    await setTimeout(50);
    log.code = '';
    destination.write('three\n');
    assert.is(log.text, 'three\n');
    assert.equal(log.dropped, [2]);
  });
}

test('a line after one that a full disk cut off begins on a line of its own', () => {
  const { log, destination } = openLog();
  log.room = 2;
  log.fails = 1;
  destination.write('first\n');
  assert.is(log.text, 'fi');
  destination.write('second\n');
  assert.is(log.text, 'fi\nsecond\n');
  assert.equal(log.dropped, [1]);
});

test('flushing does not wait for a reader that never comes', () => {
  const { log, destination } = openLog();
  log.code = 'EAGAIN';
  destination.write('one\n');
  const before = performance.now();
  destination.flush();
  assert.ok(performance.now() - before < 5000);
});

test.run();
