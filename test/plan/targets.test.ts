import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allTargets, hasTargets, isTargeted, type Targets } from '../../src/plan/targets.ts';
import { wanted } from '../support/states.ts';

test('without patterns everything is targeted', () => {
  assert.ok(isTargeted(allTargets, wanted('orders', 'test')));
  assert.not(hasTargets(allTargets.patterns));
});

test('one pattern of either kind is enough to filter', () => {
  assert.ok(hasTargets({ apis: ['orders'], environments: [] }));
  assert.ok(hasTargets({ apis: [], environments: ['test'] }));
});

test('a publication is targeted by its API and its environment together', () => {
  const targets: Targets = {
    patterns: { apis: ['orders'], environments: ['test'] },
    matchesApi: ({ api }) => api === 'orders',
    matchesEnvironment: ({ environment }) => environment === 'test',
  };
  const pairs = ['orders test', 'orders release', 'carts test', 'carts release'].map((pair) => pair.split(' ') as [string, string]);
  assert.equal(
    pairs.map(([api, environment]) => isTargeted(targets, wanted(api, environment))),
    [true, false, false, false],
  );
});

test.run();
