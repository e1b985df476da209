import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseRetryAfter } from '../../src/gateway/retry-after.ts';

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
  [null, null, '', null],
] as const) {
  test(`Retry-After ${retryAfter}, Date ${date} and "${message}" ask for ${want} ms`, () => {
    assert.is(parseRetryAfter({ retryAfter, date, message }, nowMs), want);
  });
}

test.run();
