import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/model/errors.ts';
import { createApproval } from '../../src/plan/approvals.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { planDigest } from '../../src/plan/digest.ts';
import { approvalDigest, approvalScope } from '../../src/plan/policies.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const desired = desiredState([wanted('orders', 'release', { state: 'offline' })], { protectedNames: ['release'] });
const held = diffStates(desired, recordedState([recorded('orders', 'release')]));
const word = { by: 'ada', reason: 'CHG-7', expiresAfterMs: 60_000 };

test('an approval is for exactly what is held, under its digest', () => {
  const digest = String(approvalDigest(held));
  const expected = { digest, by: 'ada', reason: 'CHG-7', approvedAtMs: 5, expiresAtMs: 60_005, scope: approvalScope(held) };
  assert.equal(createApproval(held, { ...word, digest }, 5), expected);
  assert.equal(createApproval(held, { ...word, digest: planDigest(held) }, 5), expected, 'the digest of the whole plan works too');
});

for (const [name, of, digest, message] of [
  ['nothing is held', diffStates(desired, recordedState([])), 'sha256:0', /^nothing is held$/],
  ['something else is held', held, 'sha256:0', /^sha256:0 does not match what is held now: sha256:[0-9a-f]{64}$/],
  [
    'it is approved already',
    { ...diffStates(desired, recordedState([])), approval: { id: 1, by: 'bob', reason: 'CHG-6', expiresAtMs: 9 } },
    'sha256:0',
    /^this is already approved by bob: CHG-6$/,
  ],
] as const) {
  test(`there is no approval if ${name}`, () => {
    assert.throws(
      () => createApproval(of, { ...word, digest }, 5),
      (error: unknown) => error instanceof EdictError && error.code === 'APPROVAL_MISMATCH' && message.test(error.message),
    );
  });
}

test.run();
