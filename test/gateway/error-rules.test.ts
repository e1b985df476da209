import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ErrorClass, errorRules, findErrorRule } from '../../src/gateway/error-rules.ts';

/** The class of each code that a call of edict can get, from the tables of the vendor. */
const known: readonly (readonly [ErrorClass, readonly string[]])[] = [
  ['rejected', ['APIG.2000', 'APIG.2001', 'APIG.2002', 'APIG.2003', 'APIG.2011', 'APIG.2012']],
  ['alreadyApplied', ['APIG.3309']],
  ['reauthenticate', ['APIG.1000', 'APIG.1001', 'APIG.1002', 'APIGW.0301', 'APIG.0301', 'APIGW.0307', 'APIG.0307']],
  ['retry', ['APIG.1010']],
  ['rejected', ['APIG.1011', 'APIG.1012', 'APIG.1013']],
  ['rejected', ['APIG.1005', 'APIG.1020', 'APIG.1101', 'APIG.1102', 'APIG.1103', 'APIG.1136']],
  ['rejected', ['APIG.0302', 'APIG.0306', 'APIGW.0302', 'APIGW.0306']],
  // 401: wrong credentials. As a rejection, each change would send them again, and five failures lock the key.
  ['rejected', ['APIG.0303', 'APIG.0305', 'APIGW.0303', 'APIGW.0305']],
  ['reauthenticate', ['APIG.1003', 'APIG.1008', 'APIC.7101', 'APIC.7105']],
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

/** The cause that the hint for a code names; the hints of all other causes must not be given. */
const causes = {
  permission: /right to publish|role that may publish/,
  quota: /quota/,
  account: /cloud account/,
  ownership: /which account/,
  project: /gateway\.project, and in the console/,
  scope: /scoped to gateway\.project/,
  credentials: /renew them/,
  app: /not allowed to apps/,
  block: /access control/,
  region: /check the region/,
  address: /wrong address/,
  protocol: /https:\/\//,
  request: /the remark in the file/,
  missing: /what is missing/,
  collision: /what exists already/,
  feature: /features/,
  message: /reason in its message/,
  limit: /gateway\.limit/,
} as const;

for (const [code, status, errorClass, cause] of [
  ['APIG.3100', 403, 'rejected', 'quota'],
  ['APIG.3102', 403, 'rejected', 'quota'],
  ['APIG.3125', 403, 'rejected', 'quota'],
  ['APIC.7400', 403, 'rejected', 'quota'],
  ['APIGW.0501', 405, 'rejected', 'quota'],
  ['APIG.3412', 403, 'rejected', 'account'],
  ['APIG.1013', 401, 'rejected', 'account'],
  ['APIC.7109', 403, 'rejected', 'account'],
  ['APIGW.0502', 405, 'rejected', 'account'],
  ['APIG.1119', 400, 'rejected', 'permission'],
  ['APIG.1101', 403, 'rejected', 'permission'],
  ['APIG.1149', 409, 'rejected', 'permission'],
  ['APIC.7106', 403, 'rejected', 'permission'],
  ['APIC.7110', 403, 'rejected', 'permission'],
  ['APIC.7300', 403, 'rejected', 'permission'],
  ['APIG.1201', 400, 'rejected', 'ownership'],
  ['APIG.3712', 409, 'rejected', 'ownership'],
  ['APIC.7111', 403, 'rejected', 'ownership'],
  ['APIC.7130', 403, 'rejected', 'ownership'],
  ['APIG.3458', 412, 'rejected', 'feature'],
  ['APIGW.0310', 403, 'rejected', 'project'],
  ['APIG.1003', 401, 'reauthenticate', 'scope'],
  ['APIC.7105', 401, 'reauthenticate', 'scope'],
  ['APIC.7102', 401, 'reauthenticate', 'credentials'],
  ['APIGW.0303', 401, 'rejected', 'app'],
  ['APIGW.0305', 401, 'rejected', 'app'],
  ['APIGW.0304', 403, 'rejected', 'block'],
  ['APIGW.0402', 403, 'rejected', 'block'],
  ['APIGW.0802', 403, 'rejected', 'region'],
  ['APIGW.0101', 404, 'misconfigured', 'address'],
  ['APIGW.0607', 400, 'misconfigured', 'protocol'],
  ['APIG.2004', 400, 'rejected', 'request'],
  ['APIC.7211', 400, 'rejected', 'request'],
  ['APIG.3023', 404, 'rejected', 'missing'],
  ['APIG.3081', 404, 'rejected', 'missing'],
  ['APIG.3301', 400, 'rejected', 'collision'],
  ['APIG.3202', 400, 'rejected', 'collision'],
  ['APIG.3416', 403, 'rejected', 'message'],
  ['APIG.3707', 409, 'rejected', 'message'],
  ['APIG.2102', 400, 'rejected', 'message'],
  ['APIGW.0308', 429, 'throttle', 'limit'],
] as const) {
  test(`${code} with ${status} is ${errorClass}, and its hint names ${cause} and no other cause`, () => {
    const rule = findErrorRule(code, status, 'online');
    assert.is(rule.errorClass, errorClass);
    const named = Object.entries(causes).filter(([, pattern]) => pattern.test(rule.hint ?? ''));
    assert.equal(
      named.map(([name]) => name),
      [cause],
      rule.hint ?? 'no hint',
    );
  });
}

test('a call that the service never got is made again, whatever status its front gateway gives', () => {
  for (const code of ['APIGW.0103', 'APIGW.0104', 'APIGW.0105', 'APIGW.0404'])
    for (const status of [400, 403, 404, 500]) assert.is(findErrorRule(code, status, 'online').errorClass, 'retry', code);
  assert.is(findErrorRule('APIG.1029', 500, 'online').errorClass, 'retry');
});

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
