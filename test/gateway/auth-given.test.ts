import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GivenCredentials } from '../../src/gateway/auth-given.ts';
import { type Proof, tokenProof } from '../../src/gateway/credentials.ts';
import { CredentialsError } from '../../src/gateway/gateway-error.ts';
import { headersOf } from '../support/credentials.ts';

const signal = AbortSignal.timeout(10_000);

function given(first = 'one') {
  const now = { token: first };
  const find = () => ({ proof: tokenProof(now.token), fingerprint: now.token });
  return { now, credentials: new GivenCredentials(find, 'HW_AUTH_TOKEN_FILE') };
}

const tokenOf = (proof: Proof): string | undefined => headersOf(proof)['X-Auth-Token'];

test('what has been taken is given to everyone at once', async () => {
  const { credentials } = given();
  credentials.tried(await credentials.proof(signal), 'taken');
  const proofs = await Promise.all([1, 2, 3].map(() => credentials.proof(signal)));
  assert.equal(proofs.map(tokenOf), ['one', 'one', 'one']);
});

for (const result of ['taken', 'refused', 'untold'] as const) {
  test(`until it has been taken only one request at a time carries it; the first is ${result}`, async () => {
    const { credentials } = given();
    const first = await credentials.proof(signal);
    let others = 0;
    let refusals = 0;
    for (let other = 0; other < 5; other += 1) {
      credentials.proof(signal).then(
        () => {
          others += 1;
        },
        (error: unknown) => {
          assert.instance(error, CredentialsError);
          refusals += 1;
        },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal([others, refusals], [0, 0]);
    credentials.tried(first, result);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal([others, refusals], { taken: [5, 0], refused: [0, 5], untold: [1, 0] }[result]);
  });
}

test('what was refused is not given again, until it is another', async () => {
  const { credentials, now } = given();
  assert.not(credentials.tried(await credentials.proof(signal), 'refused'));
  assert.not(credentials.changed());
  for (let call = 0; call < 3; call += 1) {
    const error = await credentials.proof(signal).catch((thrown: unknown) => thrown);
    assert.instance(error, CredentialsError);
    assert.match((error as CredentialsError).message, 'HW_AUTH_TOKEN_FILE');
  }
  now.token = 'two';
  assert.ok(credentials.changed());
  assert.is(tokenOf(await credentials.proof(signal)), 'two');
});

test('a refusal of what has been exchanged meanwhile is worth another try', async () => {
  const { credentials, now } = given();
  const proof = await credentials.proof(signal);
  now.token = 'two';
  assert.ok(credentials.tried(proof, 'refused'));
  assert.is(tokenOf(await credentials.proof(signal)), 'two');
});

test('a person may ask for one more try', async () => {
  const { credentials } = given();
  credentials.tried(await credentials.proof(signal), 'refused');
  credentials.forgive();
  assert.is(tokenOf(await credentials.proof(signal)), 'one');
});

test('what cannot be found is no change', () => {
  const credentials = new GivenCredentials(() => {
    throw new CredentialsError('gone', { code: 'CREDENTIALS_UNREADABLE' });
  }, 'HW_AUTH_TOKEN_FILE');
  assert.not(credentials.changed());
});

test('shows no token', async () => {
  const { credentials } = given('t0ken');
  credentials.tried(await credentials.proof(signal), 'taken');
  assert.not.match(inspect(credentials, { depth: 9, showHidden: false }), 't0ken');
});

test.run();
