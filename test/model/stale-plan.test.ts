import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StalePlanError } from '../../src/model/saved-plan-diff.ts';
import { change } from '../support/states.ts';

test('says how much of the plan is stale, and that nothing was sent', () => {
  const { api, apiId, environment, environmentId, action } = change('orders', 'test');
  const error = new StalePlanError(
    [{ api, apiId, environment, environmentId, action, divergences: [{ kind: 'notNeeded' }], attempt: null }],
    3,
  );
  assert.equal([error.code, error.exitCode, error.staleChanges.length], ['SAVED_PLAN_STALE', 1, 1]);
  assert.match(error.message, '1 of its 3 changes cannot be made as planned');
  assert.match(error.hint ?? '', 'nothing was sent');
});

test.run();
