import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ReceivedRequest, RequestLog } from '../../src/emulator/request-log.ts';

const request = (atMs: number): ReceivedRequest => ({ atMs, operation: 'changePublication', status: 201, fault: null, applied: true });

test('keeps requests in the order in which they came', () => {
  const log = new RequestLog();
  assert.equal(log.all(), []);
  for (const atMs of [3, 1, 2]) log.add(request(atMs));
  assert.equal(log.all(), [request(3), request(1), request(2)]);
});

test('removes them all when cleared', () => {
  const log = new RequestLog();
  log.add(request(1));
  log.clear();
  assert.equal(log.all(), []);
  log.add(request(2));
  assert.equal(log.all(), [request(2)]);
});

test('can be read from an index on', () => {
  const log = new RequestLog();
  assert.equal(log.since(0), []);
  for (const atMs of [1, 2, 3]) log.add(request(atMs));
  assert.equal(log.since(0), log.all());
  assert.equal(log.since(2), [request(3)]);
  assert.equal(log.since(3), []);
  assert.equal(log.since(99), []);
  log.clear();
  log.add(request(4));
  assert.equal(log.since(0), [request(4)]);
});

test('reading on leaves out what was cleared', () => {
  const log = new RequestLog();
  for (let atMs = 0; atMs < 400_000; atMs += 1) log.add(request(atMs));
  assert.is(log.since(0).length, 200_000);
  assert.is(log.since(0)[0]?.atMs, 200_000);
  assert.equal(log.since(399_999), [request(399_999)]);
});

test('a returned list does not change later', () => {
  const log = new RequestLog();
  log.add(request(1));
  const read = log.all();
  log.add(request(2));
  assert.equal(read, [request(1)]);
});

test('keeps the last 200,000 requests at any time', () => {
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
