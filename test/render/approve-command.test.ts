import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from '../../src/app/settings.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { approvalDigest } from '../../src/plan/policies.ts';
import { approveCommand, shortDigest } from '../../src/render/command-line.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const test = suite('approve command');
const desired = desiredState([wanted('orders', 'release', { state: 'offline' })], { protectedNames: ['release'] });
const held = diffStates(desired, recordedState([recorded('orders', 'release')]));
const digest = approvalDigest(held) ?? '';

test('has the digest, and the options that differ from the defaults', () => {
  assert.is(approveCommand(held, parseSettings('edict.yaml', {})), `edict approve ${shortDigest(digest)} --by NAME --reason TEXT`);
  const settings = parseSettings("shop's.yaml", { state: 'sqlite:/var/edict.db', api: ['shop-*'], environment: ['release'] });
  assert.is(
    approveCommand(held, settings),
    `edict approve ${shortDigest(digest)} --api 'shop-*' --environment release 'shop'\\''s.yaml' --state sqlite:/var/edict.db --by NAME --reason TEXT`,
  );
  assert.match(approveCommand(held, parseSettings('edict.yaml', { emulate: true })) ?? '', `${shortDigest(digest)} --emulate --by`);
});

test('there is no command if nothing is held', () => {
  assert.is(approveCommand(diffStates(desired, new Map()), parseSettings('edict.yaml', {})), null);
});

test.run();
