import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AuthState } from '../../src/emulator/auth.ts';

const minuteMs = 60_000;
const noToken = { status: 401, errorCode: 'APIG.1002', errorMsg: 'Incorrect token or token resolution failed' };
const wrong = {
  status: 401,
  errorCode: 'APIGW.0301',
  errorMsg: 'Incorrect IAM authentication information: verify aksk signature fail',
};

/** Callers on a clock that stands still until the test advances it. */
function open({ tokenLifetimeMs = 1_000, anyToken = false } = {}) {
  const clock = { nowMs: Date.parse('2026-11-20T08:00:00Z') };
  const callers = new AuthState(() => new Date(clock.nowMs), tokenLifetimeMs);
  callers.add({
    anyToken,
    tokens: [{ value: 'good' }, { value: 'reader', permitted: false }],
    users: [{ name: 'ada', password: 'secret', domain: 'acme' }],
    keys: [
      { access: 'ak', secret: 'sk' },
      { access: 'reading', secret: 'sk', permitted: false },
    ],
  });
  const logIn = (): string => callers.logIn({ name: 'ada', password: 'secret', domain: { name: 'acme' } })?.token ?? '';
  const sign = (isRight: boolean, access = 'ak') => callers.authenticateKey(access, () => isRight);
  const keyState = () => callers.keys().find(({ access }) => access === 'ak');
  return { clock, callers, logIn, sign, keyState };
}

test('a valid login returns a token that works, a different one each time', () => {
  const { clock, callers } = open();
  const [first, second] = [
    callers.logIn({ name: 'ada', password: 'secret', domain: { name: 'acme' } }),
    callers.logIn({ name: 'ada', password: 'secret', domain: { name: 'acme' } }),
  ];
  assert.ok(first && second);
  assert.is.not(first.token, second.token);
  assert.equal([first.from.getTime(), first.to.getTime()], [clock.nowMs, clock.nowMs + 1_000]);
  for (const { token } of [first, second]) assert.equal(callers.authenticateToken(token), { permitted: true });
});

test('a user with an ID logs in by it, and nobody else does', () => {
  const { callers } = open();
  callers.add({ users: [{ id: 'user-1', name: 'bob', password: 'secret', domain: 'acme' }] });
  assert.ok(callers.logIn({ id: 'user-1', password: 'secret' }));
  for (const id of ['ada', 'bob', '']) assert.is(callers.logIn({ id, password: 'secret' }), null);
});

for (const [what, user, password, domain] of [
  ['password', 'ada', 'Secret', 'acme'],
  ['user', 'bob', 'secret', 'acme'],
  ['domain', 'ada', 'secret', 'other'],
] as const) {
  test(`a login with the wrong ${what} returns none`, () => {
    assert.is(open().callers.logIn({ name: user, password, domain: { name: domain } }), null);
  });
}

for (const anyToken of [false, true]) {
  test(`an issued token expires, ${anyToken ? 'even' : 'not only'} where any token is accepted`, () => {
    const { clock, callers, logIn } = open({ anyToken });
    const token = logIn();
    clock.nowMs += 999;
    assert.equal(callers.authenticateToken(token), { permitted: true });
    clock.nowMs += 1;
    assert.equal(callers.authenticateToken(token), noToken);
  });
}

test('expiring the tokens expires those that were issued, and leaves the seeded ones and later ones', () => {
  const { callers, logIn } = open({ anyToken: true });
  const token = logIn();
  callers.revokeTokens();
  assert.equal(callers.authenticateToken(token), noToken);
  for (const other of ['good', 'any', logIn()]) assert.equal(callers.authenticateToken(other), { permitted: true });
});

test('a token says whether its user may publish', () => {
  const { callers } = open();
  assert.equal(callers.authenticateToken('reader'), { permitted: false });
  assert.equal(callers.authenticateToken('bad'), noToken);
  assert.equal(callers.authenticateToken(''), noToken);
});

test('a verified key says whether its user may publish', () => {
  const { sign } = open();
  assert.equal(sign(true), { permitted: true });
  assert.equal(sign(true, 'reading'), { permitted: false });
  assert.equal(sign(false), wrong);
  assert.equal(sign(true, 'unknown'), wrong);
});

test('a signature is verified with the key as it was seeded', () => {
  const { callers, clock } = open();
  callers.authenticateKey('ak', (key, nowMs) => {
    assert.equal([key, nowMs], [{ access: 'ak', secret: 'sk' }, clock.nowMs]);
    return true;
  });
});

test('a sixth failure in a row locks the key for five minutes, for valid signatures too', () => {
  const { clock, sign, keyState } = open();
  for (let failure = 1; failure <= 5; failure += 1) sign(false);
  assert.equal(keyState(), { access: 'ak', failures: 5, lockedUntilMs: null });
  sign(false);
  assert.equal(keyState(), { access: 'ak', failures: 0, lockedUntilMs: clock.nowMs + 5 * minuteMs });
  clock.nowMs += 5 * minuteMs - 1;
  const locked = sign(true);
  assert.is(
    'errorMsg' in locked && locked.errorMsg,
    'Incorrect IAM authentication information: AK access failed to reach the limit,forbidden.',
  );
  assert.equal(sign(true, 'reading'), { permitted: false });
  clock.nowMs += 1;
  assert.equal(sign(true), { permitted: true });
});

test('a success resets the count of failures', () => {
  const { sign, keyState } = open();
  for (let failure = 1; failure <= 5; failure += 1) sign(false);
  sign(true);
  for (let failure = 1; failure <= 5; failure += 1) sign(false);
  assert.equal(keyState(), { access: 'ak', failures: 5, lockedUntilMs: null });
});

test('seeding again changes nothing that exists', () => {
  const { callers, sign, keyState } = open();
  sign(false);
  callers.add({ keys: [{ access: 'ak', secret: 'other' }], tokens: [{ value: 'good', permitted: false }] });
  assert.is(keyState()?.failures, 1);
  assert.equal(callers.authenticateToken('good'), { permitted: true });
});

test.run();
