import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ErrorClass, errorRules, findErrorRule } from '../../src/gateway/error-rules.ts';

/** Section 3 of what is known about the service, written down a second time. */
const known: readonly (readonly [ErrorClass, readonly string[]])[] = [
  ['wait for a person', ['APIG.2000', 'APIG.2001', 'APIG.2002', 'APIG.2003', 'APIG.2011', 'APIG.2012']],
  ['already so', ['APIG.3309']],
  ['renew credentials', ['APIG.1000', 'APIG.1001', 'APIG.1002', 'APIGW.0301', 'APIG.0301', 'APIGW.0307', 'APIG.0307']],
  ['wait for a person', ['APIG.1005', 'APIG.1020', 'APIG.1101', 'APIG.1102', 'APIG.1103', 'APIG.1136']],
  ['wait for a person', ['APIG.0302', 'APIG.0303', 'APIG.0305', 'APIG.0306', 'APIGW.0302', 'APIGW.0303', 'APIGW.0305', 'APIGW.0306']],
  ['wait for a person', ['APIG.3102', 'APIG.3104']],
  ['wait for a person', ['APIG.3001', 'APIG.3002', 'APIG.3003', 'APIG.3022', 'APIG.3030', 'APIC.7302']],
  ['wrong address', ['APIGW.0101', 'APIG.0101', 'REDIRECTED']],
  ['try again', ['APIC.7701', 'APIG.3718']],
  ['slow down', ['APIGW.0308', 'APIG.0308', 'APIG.9008']],
  ['look first', ['APIG.3500', 'APIG.9003', 'APIG.9004', 'APIG.9005', 'APIG.9006', 'APIG.9007', 'APIG.9999']],
  ['try again', ['CONNECTION_FAILED', 'REQUEST_NOT_SENT', 'IAM_UNAVAILABLE']],
  ['look first', ['CONNECTION_LOST', 'TIMEOUT', 'INTERRUPTED', 'INVALID_RESPONSE']],
  ['renew credentials', ['CREDENTIALS_REJECTED', 'CREDENTIALS_UNREADABLE']],
  ['slow down', ['IAM_THROTTLED']],
];

for (const [verdict, codes] of known) {
  for (const code of codes) {
    test(`${code} is ${verdict}, whatever the status`, () => {
      for (const action of ['online', 'offline', 'read'] as const) {
        for (const status of [null, 400, 401, 404, 429, 500, 502]) assert.is(findErrorRule(code, status, action).errorClass, verdict);
      }
    });
  }
}

test('a missing publication is what an offline wants, and not what an online wants', () => {
  assert.is(findErrorRule('APIG.3015', 404, 'offline').errorClass, 'already so');
  assert.is(findErrorRule('APIG.3015', 404, 'online').errorClass, 'wait for a person');
  assert.is(findErrorRule('APIG.3015', 404, 'read').errorClass, 'already so');
});

for (const [status, verdict] of [
  [400, 'wait for a person'],
  [401, 'renew credentials'],
  [403, 'wait for a person'],
  [404, 'wait for a person'],
  [405, 'wait for a person'],
  [408, 'try again'],
  [409, 'try again'],
  [413, 'wait for a person'],
  [429, 'slow down'],
  [500, 'look first'],
  [501, 'look first'],
  [502, 'look first'],
  [503, 'look first'],
  [504, 'look first'],
  [599, 'look first'],
] as const) {
  test(`a code that nobody knows falls back to status ${status}: ${verdict}`, () => {
    for (const code of [null, 'APIG.123456', '__proto__']) assert.is(findErrorRule(code, status, 'online').errorClass, verdict);
  });
}

test('what nobody knows at all may have happened', () => {
  assert.is(findErrorRule(null, null, 'online').errorClass, 'look first');
  assert.is(findErrorRule('SOMETHING', 700, 'offline').errorClass, 'look first');
});

test('a wrong address is not taken for a missing API', () => {
  assert.match(findErrorRule('APIGW.0101', 404, 'online').hint ?? '', /^wrong address: check gateway\.endpoint/);
});

test('whatever waits for a person says what the person can do', () => {
  for (const row of errorRules) {
    if (['wait for a person', 'renew credentials', 'wrong address'].includes(row.errorClass)) assert.type(row.hint, 'string', row.meaning);
  }
});

test('no row is hidden behind another', () => {
  for (const row of errorRules) {
    for (const code of row.codes) assert.is(findErrorRule(code, null, row.onlyFor ?? 'online'), row, code);
    if (row.codes.length > 0) continue;
    for (const status of row.statuses) {
      const example = status === '4xx' ? 499 : status === '5xx' ? 599 : status;
      assert.is(findErrorRule(null, example, row.onlyFor ?? 'online'), row, String(status));
    }
  }
});

test.run();
