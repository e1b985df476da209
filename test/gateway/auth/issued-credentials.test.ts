import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tokenAuth } from '../../../src/gateway/auth/credentials.ts';
import { type IssuedAuth, IssuedCredentials } from '../../../src/gateway/auth/issued-credentials.ts';
import { Secret } from '../../../src/gateway/auth/secret.ts';
import { type ConnectionError, CredentialsError } from '../../../src/gateway/errors.ts';
import type { AcquireRequestSlot } from '../../../src/gateway/interface.ts';
import { headersOf } from '../../support/credentials.ts';

const signal = new AbortController().signal;

/** Credentials whose logins the test answers, on a clock that it advances. */
function credentialsWith(
  fetchOne: (count: number, signal: AbortSignal) => Promise<IssuedAuth> = (count) => Promise.resolve(token(count)),
  password: () => string = () => 'hunter2',
  acquire?: AcquireRequestSlot,
) {
  const clock = { ms: 1_000_000, now: () => clock.ms, monotonicMs: () => clock.ms };
  const logins: AbortSignal[] = [];
  const issuer = {
    renewMarginMs: 300_000,
    refresh: async () => {},
    secret: () => new Secret(password()),
    issue: (_: Secret, stop: AbortSignal) => {
      logins.push(stop);
      return fetchOne(logins.length, stop);
    },
  };
  const credentials = new IssuedCredentials(issuer, { clock, ...(acquire && { acquire }) });
  return { credentials, clock, logins };
}

function token(count: number, lifetimeMs = 86_400_000): IssuedAuth {
  return { auth: tokenAuth(`token-${count}`), lifetimeMs };
}

async function headerFrom(credentials: IssuedCredentials): Promise<Readonly<Record<string, string>>> {
  return headersOf(await credentials.authenticate(signal));
}

function headerOf(count: number): Record<string, string> {
  return { 'X-Auth-Token': `token-${count}` };
}

const refusal = new CredentialsError('no', { code: 'CREDENTIALS_REJECTED', status: 401 });
const outage = new CredentialsError('down', { code: 'IAM_UNAVAILABLE', status: 503 });

test('makes no login before a token is needed, and one for many callers', async () => {
  const { credentials, logins } = credentialsWith();
  assert.is(logins.length, 0);
  const headers = await Promise.all(Array.from({ length: 20 }, () => headerFrom(credentials)));
  assert.is(logins.length, 1);
  for (const header of headers) assert.equal(header, headerOf(1));
});

for (const [livesMs, keptMs] of [
  [86_400_000, 86_400_000 - 300_000],
  [1_000, 750],
] as const) {
  test(`a token that lives ${livesMs} ms is kept for ${keptMs} ms`, async () => {
    const { credentials, clock, logins } = credentialsWith((count) => Promise.resolve(token(count, livesMs)));
    await headerFrom(credentials);
    clock.ms += keptMs - 1;
    await headerFrom(credentials);
    assert.is(logins.length, 1);
    clock.ms += 1;
    assert.equal(await headerFrom(credentials), headerOf(2));
    assert.is(logins.length, 2);
  });
}

test('a token that seems to be expired is kept until it is rejected', async () => {
  const { credentials, logins } = credentialsWith((count) => Promise.resolve(token(count, -5_000)));
  await headerFrom(credentials);
  await headerFrom(credentials);
  assert.is(logins.length, 1);
});

test('a rejected token is replaced once, however many callers had it rejected', async () => {
  const { credentials, logins } = credentialsWith();
  const used = await credentials.authenticate(signal);
  assert.ok(credentials.report(used, 'rejected'));
  assert.ok(credentials.report(used, 'rejected'));
  assert.equal(await headerFrom(credentials), headerOf(2));
  assert.ok(credentials.report(used, 'rejected'), 'there is another token by now');
  assert.equal(await headerFrom(credentials), headerOf(2));
  assert.is(logins.length, 2);
});

test('a new token that is rejected at once is neither replaced nor sent again for a minute', async () => {
  const { credentials, clock, logins } = credentialsWith();
  credentials.report(await credentials.authenticate(signal), 'rejected');
  assert.is(credentials.retryInMs(), 0);
  const second = await credentials.authenticate(signal);
  assert.not(credentials.report(second, 'rejected'));
  assert.is(credentials.retryInMs(), Number.POSITIVE_INFINITY);
  assert.is(((await headerFrom(credentials).catch((error: unknown) => error)) as CredentialsError).code, 'CREDENTIALS_REJECTED');
  clock.ms += 60_000;
  assert.is(credentials.retryInMs(), 0);
  assert.equal(await headerFrom(credentials), headerOf(3));
  assert.is(logins.length, 3);
});

test('a new token that was accepted once is replaced when it is rejected later', async () => {
  const { credentials } = credentialsWith();
  credentials.report(await credentials.authenticate(signal), 'rejected');
  const second = await credentials.authenticate(signal);
  credentials.report(second, 'accepted');
  assert.ok(credentials.report(second, 'rejected'));
  assert.equal(await headerFrom(credentials), headerOf(3));
});

test('a rejected login is repeated with another password, or when a person asks for it', async () => {
  let password = 'hunter2';
  const { credentials, logins } = credentialsWith(
    (count) => (count < 3 ? Promise.reject(refusal) : Promise.resolve(token(count))),
    () => password,
  );
  const failing = () => headerFrom(credentials).catch((error: unknown) => error);
  assert.is(await failing(), refusal);
  assert.is(credentials.retryInMs(), Number.POSITIVE_INFINITY);
  password = 'hunter3';
  assert.is(credentials.retryInMs(), 0);
  assert.is(await failing(), refusal);
  assert.is(await failing(), refusal);
  assert.is(logins.length, 2);
  credentials.reset();
  assert.equal(await headerFrom(credentials), headerOf(3));
});

test('every login waits for the rate limiter', async () => {
  let admitted = 0;
  const { credentials } = credentialsWith(undefined, undefined, async () => {
    admitted += 1;
    return () => {};
  });
  await headerFrom(credentials);
  assert.is(admitted, 1);
});

test('no login follows a rejected one', async () => {
  const { credentials, logins } = credentialsWith(() => Promise.reject(refusal));
  for (let call = 0; call < 10; call += 1) assert.is(await headerFrom(credentials).catch((error: unknown) => error), refusal);
  await Promise.all(Array.from({ length: 10 }, () => headerFrom(credentials).catch(() => {})));
  assert.is(logins.length, 1);
});

test('after an outage the next caller logs in again', async () => {
  const { credentials, logins } = credentialsWith((count) => (count < 3 ? Promise.reject(outage) : Promise.resolve(token(count))));
  assert.is(await headerFrom(credentials).catch((error: unknown) => error), outage);
  assert.is(await headerFrom(credentials).catch((error: unknown) => error), outage);
  assert.equal(await headerFrom(credentials), headerOf(3));
  assert.is(logins.length, 3);
});

test('an aborted caller returns at once, and the others get their token', async () => {
  const gate = Promise.withResolvers<IssuedAuth>();
  const { credentials, logins } = credentialsWith(() => gate.promise);
  const stop = new AbortController();
  const leaving = credentials.authenticate(stop.signal).catch((error: unknown) => error);
  const staying = headerFrom(credentials);
  stop.abort();
  assert.is(((await leaving) as ConnectionError).code, 'REQUEST_NOT_SENT');
  assert.not(logins[0]?.aborted);
  gate.resolve(token(1));
  assert.equal(await staying, headerOf(1));
});

test('a login that no caller waits for is aborted', async () => {
  const { credentials, logins } = credentialsWith((count) => (count === 1 ? new Promise(() => {}) : Promise.resolve(token(count))));
  const stop = new AbortController();
  const leaving = credentials.authenticate(stop.signal).catch(() => {});
  stop.abort();
  await leaving;
  assert.ok(logins[0]?.aborted);
  assert.equal(await headerFrom(credentials), headerOf(2));
});

test('an aborted caller causes no login', async () => {
  const { credentials, logins } = credentialsWith();
  const error: unknown = await credentials.authenticate(AbortSignal.abort()).catch((thrown: unknown) => thrown);
  assert.is((error as ConnectionError).code, 'REQUEST_NOT_SENT');
  assert.is(logins.length, 0);
});

test('shows neither password nor token', async () => {
  const { credentials } = credentialsWith();
  await headerFrom(credentials);
  assert.not.match(inspect(credentials, { depth: 9, showHidden: true }), /hunter2|token-1/);
});

test.run();
