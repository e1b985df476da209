import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { guard } from '../../src/core/guard.ts';
import { desiredState } from '../support/states.ts';

const desired = desiredState([], { protectedNames: ['release'] });

test('holds what would go offline in a protected environment, and says how to go on', () => {
  const hold = guard({ action: 'offline', environmentId: 'env-release' }, desired);
  assert.is(hold?.rule, 'protected');
  assert.match(hold?.message ?? '', 'release');
  assert.match(hold?.hint ?? '', 'protected: false');
});

test('lets an API go online in a protected environment', () => {
  assert.is(guard({ action: 'online', environmentId: 'env-release' }, desired), null);
});

test('lets an API go offline elsewhere', () => {
  assert.is(guard({ action: 'offline', environmentId: 'env-test' }, desired), null);
});

test.run();
