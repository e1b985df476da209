import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/app/context.ts';
import { type RequestAuth, tokenAuth } from '../../../src/gateway/auth/credentials.ts';
import { StaticCredentials } from '../../../src/gateway/auth/static-credentials.ts';
import { CredentialsError, RequestNotSentError } from '../../../src/gateway/errors.ts';
import { headersOf } from '../../support/credentials.ts';

const signal = AbortSignal.timeout(10_000);

function given(first = 'one') {
  const now = { token: first };
  const find = () => ({ auth: tokenAuth(now.token), fingerprint: now.token });
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  return { now, clock, credentials: new StaticCredentials(find, 'HW_AUTH_TOKEN_FILE', clock) };
}

const tokenOf = (proof: RequestAuth): string | undefined => headersOf(proof)['X-Auth-Token'];

test('accepted credentials are given to all requests at once', async () => {
  const { credentials } = given();
  credentials.report(await credentials.authenticate(signal), 'accepted');
  const proofs = await Promise.all([1, 2, 3].map(() => credentials.authenticate(signal)));
  assert.equal(proofs.map(tokenOf), ['one', 'one', 'one']);
});

for (const result of ['accepted', 'rejected', 'unknown'] as const) {
  test(`until the gateway has accepted the credentials only one request at a time carries them; the first is ${result}`, async () => {
    const { credentials } = given();
    const first = await credentials.authenticate(signal);
    let others = 0;
    let refusals = 0;
    const stopping = new AbortController();
    const all = Array.from({ length: 5 }, () =>
      credentials.authenticate(stopping.signal).then(
        () => {
          others += 1;
        },
        (error: unknown) => {
          if (error instanceof CredentialsError) refusals += 1;
        },
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal([others, refusals], [0, 0]);
    credentials.report(first, result);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal([others, refusals], { accepted: [5, 0], rejected: [0, 5], unknown: [1, 0] }[result]);
    stopping.abort();
    await Promise.all(all);
  });
}

test('a request that is given up does not wait for the first one, which is still on its way', async () => {
  const { credentials } = given();
  await credentials.authenticate(signal);
  const stopping = new AbortController();
  const waiting = credentials.authenticate(stopping.signal).catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 10));
  stopping.abort();
  const late = new Promise((resolve) => setTimeout(resolve, 1000, 'still waiting'));
  assert.equal(await Promise.race([waiting, late]), new RequestNotSentError());
});

test('rejected credentials are not used again until they change', async () => {
  const { credentials, now } = given();
  assert.not(credentials.report(await credentials.authenticate(signal), 'rejected'));
  assert.is(credentials.retryInMs(), Number.POSITIVE_INFINITY);
  for (let call = 0; call < 3; call += 1) {
    const error = await credentials.authenticate(signal).catch((thrown: unknown) => thrown);
    assert.instance(error, CredentialsError);
    assert.match((error as CredentialsError).message, 'HW_AUTH_TOKEN_FILE');
  }
  now.token = 'two';
  assert.is(credentials.retryInMs(), 0);
  assert.is(tokenOf(await credentials.authenticate(signal)), 'two');
});

test('a rejection of credentials that were replaced meanwhile allows another try', async () => {
  const { credentials, now } = given();
  const proof = await credentials.authenticate(signal);
  now.token = 'two';
  assert.ok(credentials.report(proof, 'rejected'));
  assert.is(tokenOf(await credentials.authenticate(signal)), 'two');
});

for (const [what, result, wasAccepted, delayMs] of [
  ['that were accepted before', 'rejected', true, 60_000],
  ['for a reason that need not be theirs', 'doubtful', false, 60_000],
  ['because the key is locked', 'locked', false, 360_000],
] as const) {
  test(`credentials that are refused ${what} are tried once more after ${delayMs / 1000} s, by one request`, async () => {
    const { credentials, clock } = given();
    const auth = await credentials.authenticate(signal);
    if (wasAccepted) credentials.report(auth, 'accepted');
    credentials.report(auth, result);
    credentials.report(auth, result);
    assert.is(credentials.retryInMs(), delayMs);
    clock.nowMs = delayMs - 1;
    assert.instance(await credentials.authenticate(signal).catch((error: unknown) => error), CredentialsError);
    clock.nowMs = delayMs;
    assert.is(credentials.retryInMs(), 0);
    assert.is(tokenOf(await credentials.authenticate(signal)), 'one');
    const others = Promise.all([1, 2].map(() => credentials.authenticate(signal).catch((error: unknown) => error)));
    credentials.report(auth, result);
    assert.is(credentials.retryInMs(), Number.POSITIVE_INFINITY);
    for (const error of await others) assert.instance(error, CredentialsError);
  });
}

test('credentials that are accepted when they are tried once more can be refused and tried again later', async () => {
  const { credentials, clock } = given();
  const auth = await credentials.authenticate(signal);
  for (const result of ['accepted', 'rejected'] as const) credentials.report(auth, result);
  clock.nowMs = 60_000;
  credentials.report(await credentials.authenticate(signal), 'accepted');
  credentials.report(auth, 'rejected');
  assert.is(credentials.retryInMs(), 60_000);
});

test('a person may request one more try', async () => {
  const { credentials } = given();
  credentials.report(await credentials.authenticate(signal), 'rejected');
  credentials.reset();
  assert.is(tokenOf(await credentials.authenticate(signal)), 'one');
});

test('credentials that cannot be read do not count as changed', () => {
  const credentials = new StaticCredentials(
    () => {
      throw new CredentialsError('gone', { code: 'CREDENTIALS_UNREADABLE' });
    },
    'HW_AUTH_TOKEN_FILE',
    systemClock,
  );
  assert.is(credentials.retryInMs(), Number.POSITIVE_INFINITY);
});

test('does not show the token', async () => {
  const { credentials } = given('t0ken');
  credentials.report(await credentials.authenticate(signal), 'accepted');
  assert.not.match(inspect(credentials, { depth: 9, showHidden: false }), 't0ken');
});

test.run();
