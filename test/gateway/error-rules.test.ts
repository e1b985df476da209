import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ErrorClass, errorRules, findErrorRule } from '../../src/gateway/error-rules.ts';

/** Section 3 of the notes on the service, written down a second time. */
const known: readonly (readonly [ErrorClass, readonly string[]])[] = [
  ['rejected', ['APIG.2000', 'APIG.2001', 'APIG.2002', 'APIG.2003', 'APIG.2011', 'APIG.2012']],
  ['alreadyApplied', ['APIG.3309']],
  ['reauthenticate', ['APIG.1000', 'APIG.1001', 'APIG.1002', 'APIGW.0301', 'APIG.0301', 'APIGW.0307', 'APIG.0307']],
  ['retry', ['APIG.1010']],
  ['rejected', ['APIG.1011', 'APIG.1012', 'APIG.1013']],
  ['rejected', ['APIG.1005', 'APIG.1020', 'APIG.1101', 'APIG.1102', 'APIG.1103', 'APIG.1136']],
  ['rejected', ['APIG.0302', 'APIG.0303', 'APIG.0305', 'APIG.0306', 'APIGW.0302', 'APIGW.0303', 'APIGW.0305', 'APIGW.0306']],
  ['rejected', ['APIG.3102', 'APIG.3104']],
  ['rejected', ['APIG.3001', 'APIG.3022', 'APIG.3030', 'APIC.7302']],
  ['misconfigured', ['APIGW.0101', 'APIG.0101']],
  ['retry', ['APIC.7701', 'APIG.3718']],
  ['throttle', ['APIGW.0308', 'APIG.0308', 'APIG.9008']],
  ['unknown', ['APIG.3500', 'APIG.9003', 'APIG.9004', 'APIG.9005', 'APIG.9006', 'APIG.9007', 'APIG.9123', 'APIC.9000', 'APIG.9999']],
  ['retry', ['CONNECTION_FAILED', 'REQUEST_NOT_SENT', 'IAM_UNAVAILABLE']],
  ['unknown', ['CONNECTION_LOST', 'TIMEOUT', 'INTERRUPTED', 'INVALID_RESPONSE']],
  ['reauthenticate', ['CREDENTIALS_REJECTED', 'CREDENTIALS_UNREADABLE']],
  ['throttle', ['IAM_THROTTLED']],
];

for (const [errorClass, codes] of known) {
  for (const code of codes) {
    test(`${code} is ${errorClass} with any status`, () => {
      for (const action of ['online', 'offline', 'read'] as const) {
        for (const status of [null, 400, 401, 404, 429, 500, 502]) assert.is(findErrorRule(code, status, action).errorClass, errorClass);
      }
    });
  }
}

test('an API or environment that does not exist is offline, and cannot be put online', () => {
  for (const code of ['APIG.3002', 'APIG.3003']) {
    assert.is(findErrorRule(code, 404, 'offline').errorClass, 'alreadyApplied');
    assert.is(findErrorRule(code, 404, 'online').errorClass, 'rejected');
    assert.is(findErrorRule(code, 404, 'read').errorClass, 'rejected');
  }
});

test('a redirect does not prove that a change had no effect', () => {
  for (const action of ['online', 'offline'] as const) assert.is(findErrorRule('REDIRECTED', 301, action).errorClass, 'unknown');
  assert.is(findErrorRule('REDIRECTED', 301, 'read').errorClass, 'misconfigured');
});

test('a missing publication is a success for an offline, and a failure for an online', () => {
  assert.is(findErrorRule('APIG.3015', 404, 'offline').errorClass, 'alreadyApplied');
  assert.is(findErrorRule('APIG.3015', 404, 'online').errorClass, 'rejected');
  assert.is(findErrorRule('APIG.3015', 404, 'read').errorClass, 'alreadyApplied');
});

for (const [status, errorClass] of [
  [400, 'rejected'],
  [401, 'reauthenticate'],
  [403, 'rejected'],
  [404, 'rejected'],
  [405, 'rejected'],
  [408, 'retry'],
  [409, 'retry'],
  [413, 'rejected'],
  [429, 'throttle'],
  [500, 'unknown'],
  [501, 'unknown'],
  [502, 'unknown'],
  [503, 'unknown'],
  [504, 'unknown'],
  [599, 'unknown'],
] as const) {
  test(`an unknown code falls back to status ${status}: ${errorClass}`, () => {
    for (const code of [null, 'APIG.123456', '__proto__']) assert.is(findErrorRule(code, status, 'online').errorClass, errorClass);
  });
}

test('an unknown error may have taken effect', () => {
  assert.is(findErrorRule(null, null, 'online').errorClass, 'unknown');
  assert.is(findErrorRule('SOMETHING', 700, 'offline').errorClass, 'unknown');
});

test('a wrong URL is not taken for a missing API', () => {
  assert.match(findErrorRule('APIGW.0101', 404, 'online').hint ?? '', /^wrong address: check gateway\.endpoint/);
});

test('every error that needs a person says what to do', () => {
  for (const row of errorRules) {
    if (['rejected', 'reauthenticate', 'misconfigured'].includes(row.errorClass)) assert.type(row.hint, 'string', row.meaning);
  }
});

test('no rule is shadowed by another', () => {
  for (const row of errorRules) {
    for (const code of row.codes) assert.is(findErrorRule(code, null, row.onlyFor ?? 'online'), row, code);
    if (row.codes.length > 0) continue;
    for (const status of row.statuses) {
      const example = typeof status === 'number' ? status : Number(status.replace('xx', '99'));
      assert.is(findErrorRule(null, example, row.onlyFor ?? 'online'), row, String(status));
    }
  }
});

test.run();
