import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { protectionHold } from '../../src/model/approval.ts';
import { desiredState, wanted } from '../support/states.ts';

const desired = desiredState([wanted('orders', 'test')], { protectedNames: ['release'] });

test('holds a change to offline in a protected environment, and says how to approve it', () => {
  const hold = protectionHold({ action: 'offline', environment: 'release', environmentId: 'env-release' }, desired);
  assert.is(hold?.rule, 'protected');
  assert.match(hold?.message ?? '', 'release');
  assert.match(hold?.hint ?? '', 'check that it is intended');
});

test('lets an API go online in a protected environment', () => {
  assert.is(protectionHold({ action: 'online', environment: 'release', environmentId: 'env-release' }, desired), null);
});

test('lets an API go offline elsewhere', () => {
  assert.is(protectionHold({ action: 'offline', environment: 'test', environmentId: 'env-test' }, desired), null);
});

test('holds a change to offline in an environment that left the file, since it may have been protected', () => {
  const hold = protectionHold({ action: 'offline', environment: 'staging', environmentId: 'env-staging' }, desired);
  assert.is(hold?.rule, 'undeclared');
  assert.match(hold?.hint ?? '', 'keep staging under `environments`');
});

test.run();
