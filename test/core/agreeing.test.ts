import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { approvalOf } from '../../src/core/agreeing.ts';
import { planDigest } from '../../src/core/digest.ts';
import { EdictError } from '../../src/core/errors.ts';
import { heldDigest, heldWork } from '../../src/core/guards.ts';
import { plan } from '../../src/core/plan.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const desired = desiredState([wanted('orders', 'release', { state: 'offline' })], { protectedNames: ['release'] });
const held = plan(desired, recordedState([recorded('orders', 'release')]));
const word = { by: 'ada', why: 'CHG-7', expiresMs: 60_000 };

test('an approval is for exactly what is held, under the digest of that', () => {
  const digest = String(heldDigest(held));
  const expected = { digest, by: 'ada', why: 'CHG-7', atMs: 5, expiresAtMs: 60_005, work: heldWork(held) };
  assert.equal(approvalOf(held, { ...word, digest }, 5), expected);
  assert.equal(approvalOf(held, { ...word, digest: planDigest(held) }, 5), expected, 'the digest of the plan is taken too');
});

for (const [name, of, digest, message] of [
  ['nothing is held', plan(desired, recordedState([])), 'sha256:0', /^nothing is held$/],
  ['something else is held', held, 'sha256:0', /^sha256:0 is not what is held now: that is sha256:[0-9a-f]{64}$/],
  [
    'it is approved already',
    { ...plan(desired, recordedState([])), approval: { id: 1, by: 'bob', why: 'CHG-6', expiresAtMs: 9 } },
    'sha256:0',
    /^this is approved already, by bob: CHG-6$/,
  ],
] as const) {
  test(`nobody agrees where ${name}`, () => {
    assert.throws(
      () => approvalOf(of, { ...word, digest }, 5),
      (error: unknown) => error instanceof EdictError && error.code === 'APPROVAL' && message.test(error.message),
    );
  });
}

test.run();
