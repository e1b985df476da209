import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { answers, classify, type Verdict } from '../../src/gateway/classify.ts';

/** Section 3 of what is known about the service, written down a second time. */
const known: readonly (readonly [Verdict, readonly string[]])[] = [
  ['stalled', ['APIG.2000', 'APIG.2001', 'APIG.2002', 'APIG.2003', 'APIG.2011', 'APIG.2012']],
  ['succeeded', ['APIG.3309']],
  ['renew', ['APIG.1000', 'APIG.1001', 'APIG.1002', 'APIGW.0301', 'APIG.0301', 'APIGW.0307', 'APIG.0307']],
  ['stalled', ['APIG.1005', 'APIG.1020', 'APIG.1101', 'APIG.1102', 'APIG.1103', 'APIG.1136']],
  ['stalled', ['APIG.0302', 'APIG.0303', 'APIG.0305', 'APIG.0306', 'APIGW.0302', 'APIGW.0303', 'APIGW.0305', 'APIGW.0306']],
  ['stalled', ['APIG.3102', 'APIG.3104']],
  ['stalled', ['APIG.3001', 'APIG.3002', 'APIG.3003', 'APIG.3022', 'APIG.3030', 'APIC.7302']],
  ['stalled', ['APIGW.0101', 'APIG.0101']],
  ['retry', ['APIC.7701', 'APIG.3718']],
  ['wait', ['APIGW.0308', 'APIG.0308', 'APIG.9008']],
  ['retry', ['APIG.3500', 'APIG.9003', 'APIG.9004', 'APIG.9005', 'APIG.9006', 'APIG.9007', 'APIG.9999']],
  ['retry', ['CONNECTION_FAILED', 'NOT_SENT', 'IAM_UNAVAILABLE']],
  ['unknown', ['CONNECTION_LOST', 'TIMEOUT', 'INTERRUPTED', 'ANSWER_INVALID']],
  ['stalled', ['REDIRECTED', 'CREDENTIALS_REFUSED']],
  ['wait', ['IAM_BUSY']],
];

for (const [verdict, codes] of known) {
  for (const code of codes) {
    test(`${code} is ${verdict}, whatever the status`, () => {
      for (const action of ['online', 'offline'] as const) {
        for (const status of [null, 400, 401, 404, 429, 500, 502]) assert.is(classify(code, status, action).verdict, verdict);
      }
    });
  }
}

test('a missing publication is what an offline wants, and not what an online wants', () => {
  assert.is(classify('APIG.3015', 404, 'offline').verdict, 'succeeded');
  assert.is(classify('APIG.3015', 404, 'online').verdict, 'stalled');
});

for (const [status, verdict] of [
  [400, 'stalled'],
  [401, 'renew'],
  [403, 'stalled'],
  [404, 'stalled'],
  [405, 'stalled'],
  [408, 'retry'],
  [409, 'retry'],
  [413, 'stalled'],
  [429, 'wait'],
  [500, 'retry'],
  [501, 'retry'],
  [502, 'unknown'],
  [503, 'retry'],
  [504, 'unknown'],
  [599, 'retry'],
] as const) {
  test(`a code that nobody knows falls back to status ${status}: ${verdict}`, () => {
    for (const code of [null, 'APIG.123456', '__proto__']) assert.is(classify(code, status, 'online').verdict, verdict);
  });
}

test('what nobody knows at all may have happened', () => {
  assert.is(classify(null, null, 'online').verdict, 'unknown');
  assert.is(classify('SOMETHING', 700, 'offline').verdict, 'unknown');
});

test('a wrong address is not taken for a missing API', () => {
  assert.match(classify('APIGW.0101', 404, 'online').hint ?? '', /^wrong address: check gateway\.endpoint/);
});

test('whatever waits for a person says what the person can do', () => {
  for (const row of answers) {
    if (row.verdict === 'stalled' || row.verdict === 'renew') assert.type(row.hint, 'string', row.meaning);
  }
});

test('no row is hidden behind another', () => {
  for (const row of answers) {
    for (const code of row.codes) assert.is(classify(code, null, row.only ?? 'online'), row, code);
    if (row.codes.length > 0) continue;
    for (const status of row.statuses) {
      const example = status === '4xx' ? 499 : status === '5xx' ? 599 : status;
      assert.is(classify(null, example, row.only ?? 'online'), row, String(status));
    }
  }
});

test.run();
