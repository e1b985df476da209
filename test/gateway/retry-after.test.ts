import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseRateLimit, parseRetryAfter } from '../../src/gateway/retry-after.ts';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const seen = 'The throttling threshold has been reached: policy ip over ratelimit,limit:5,time:1 minute';

for (const [retryAfter, date, message, want] of [
  ['7', null, '', 7_000],
  [' 7 ', null, '', 7_000],
  ['7', null, seen, 7_000],
  ['0', null, '', 1_000],
  ['99999999999', null, '', 900_000],
  ['Thu, 01 Jan 2026 00:00:30 GMT', null, '', 30_000],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 'Thu, 01 Jan 2026 00:00:10 GMT', '', 20_000],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 'no date', '', 30_000],
  ['Wed, 31 Dec 2025 23:59:00 GMT', null, '', 1_000],
  ['soon', null, '', null],
  ['soon', null, seen, 60_000],
  [null, null, seen, 60_000],
  [null, null, 'limit:5,time:10 seconds', 10_000],
  [null, null, 'limit: 5, time: 1 hour', 900_000],
  [null, null, 'limit:5,time:1 day', 900_000],
  [null, null, 'limit:5,time:1 fortnight', null],
  [null, null, 'limit:200,time:5 minute', 300_000],
  [null, null, 'Too many requests, wait up to one minute and try again', 60_000],
  [null, null, 'Please wait for a second.', 1_000],
  [null, null, 'wait one hour', 900_000],
  [null, null, 'Wait at least 90 seconds', 90_000],
  [null, null, 'Try again in 30 seconds', 30_000],
  [null, null, 'try again after one minute', 60_000],
  [null, null, 'wait 0 seconds', 1_000],
  [null, null, 'limit:200,time:5 minute; wait up to one minute', 60_000],
  ['7', null, 'wait up to one minute', 7_000],
  [null, null, 'wait up to one moment', null],
  [null, null, 'the API await-one-minute', null],
  [null, null, 'await one minute', null],
  [null, null, 'wait one minutely', null],
  [null, null, 'it ran for one minute', null],
  [null, null, '', null],
] as const) {
  test(`Retry-After ${retryAfter}, Date ${date} and "${message}" ask for ${want} ms`, () => {
    assert.is(parseRetryAfter({ retryAfter, date, message }, nowMs), want);
  });
}

for (const [message, limit] of [
  [seen, { calls: 5, perMs: 60_000 }],
  ['policy user over ratelimit,limit:200,time:5 minute', { calls: 200, perMs: 300_000 }],
  ['limit:200,time:one minute', { calls: 200, perMs: 60_000 }],
  ['limit:200; wait up to one minute', null],
  ['limit:0,time:1 minute', null],
  ['limit:5,time:0 minute', null],
] as const) {
  test(`"${message}" names the limit ${JSON.stringify(limit)}`, () => {
    assert.equal(parseRateLimit(message), limit);
  });
}

test.run();
