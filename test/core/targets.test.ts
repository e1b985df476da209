import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { everything, isNarrowed, isTargeted, type Targets } from '../../src/core/targets.ts';
import { wanted } from '../support/states.ts';

test('without patterns everything is targeted', () => {
  assert.ok(isTargeted(everything, wanted('orders', 'test')));
  assert.not(isNarrowed(everything.patterns));
});

test('one pattern of either kind is enough to narrow', () => {
  assert.ok(isNarrowed({ apis: ['orders'], environments: [] }));
  assert.ok(isNarrowed({ apis: [], environments: ['test'] }));
});

test('a publication is targeted by its API and its environment, not by one of them', () => {
  const targets: Targets = {
    patterns: { apis: ['orders'], environments: ['test'] },
    hasApi: ({ api }) => api === 'orders',
    hasEnvironment: ({ environment }) => environment === 'test',
  };
  const pairs = ['orders test', 'orders release', 'carts test', 'carts release'].map((pair) => pair.split(' ') as [string, string]);
  assert.equal(
    pairs.map(([api, environment]) => isTargeted(targets, wanted(api, environment))),
    [true, false, false, false],
  );
});

test.run();
