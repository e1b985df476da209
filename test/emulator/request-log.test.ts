import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ReceivedRequest, RequestLog } from '../../src/emulator/request-log.ts';

const request = (atMs: number): ReceivedRequest => ({ atMs, operation: 'changePublication', status: 201 });

test('keeps requests in the order in which they came', () => {
  const log = new RequestLog();
  assert.equal(log.all(), []);
  for (const atMs of [3, 1, 2]) log.add(request(atMs));
  assert.equal(log.all(), [request(3), request(1), request(2)]);
});

test('forgets them all when cleared', () => {
  const log = new RequestLog();
  log.add(request(1));
  log.clear();
  assert.equal(log.all(), []);
  log.add(request(2));
  assert.equal(log.all(), [request(2)]);
});

test('what was read stays as it was', () => {
  const log = new RequestLog();
  log.add(request(1));
  const read = log.all();
  log.add(request(2));
  assert.equal(read, [request(1)]);
});

test('keeps the last 200,000 requests, at every moment', () => {
  const log = new RequestLog();
  for (let atMs = 1; atMs <= 650_000; atMs += 1) {
    log.add(request(atMs));
    if (atMs % 49_999 !== 0) continue;
    const all = log.all();
    assert.is(all.length, Math.min(atMs, 200_000));
    assert.is(all.at(-1)?.atMs, atMs);
    assert.is(all[0]?.atMs, Math.max(1, atMs - 199_999));
  }
});

test.run();
