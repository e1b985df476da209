import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { settingsFrom } from '../../src/config.ts';
import { heldDigest } from '../../src/core/guards.ts';
import { plan } from '../../src/core/plan.ts';
import { releaseCommand } from '../../src/words/release-command.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const test = suite('release command');
const desired = desiredState([wanted('orders', 'release', { state: 'offline' })], { protectedNames: ['release'] });
const held = plan(desired, recordedState([recorded('orders', 'release')]));
const digest = heldDigest(held);

test('names the digest, and what differs from the defaults', () => {
  assert.is(releaseCommand(held, settingsFrom('edict.yaml', {})), `edict approve ${digest} --by YOU --why REASON`);
  const settings = settingsFrom("shop's.yaml", { state: 'sqlite:/var/edict.db', api: ['shop-*'], environment: ['release'] });
  assert.is(
    releaseCommand(held, settings),
    `edict approve ${digest} --api 'shop-*' --environment release 'shop'\\''s.yaml' --state sqlite:/var/edict.db --by YOU --why REASON`,
  );
  assert.match(releaseCommand(held, settingsFrom('edict.yaml', { emulate: true })) ?? '', `${digest} --emulate --by`);
});

test('there is none where nothing is held', () => {
  assert.is(releaseCommand(plan(desired, new Map()), settingsFrom('edict.yaml', {})), null);
});

test.run();
