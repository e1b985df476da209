import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { placeholderIds, seedFromState } from '../../src/app/emulated-gateway.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

test('the seed of an emulated gateway holds the names in file and record, once each', () => {
  const desired = desiredState([wanted('orders', 'test', { version: 'pinned' }), wanted('orders', 'release')], {
    protectedNames: ['prod'],
  });
  const record = recordedState([recorded('orders', 'test', { versionId: null }), recorded('old', 'gone', { state: 'offline' })]);
  const seed = seedFromState(desired, record);
  assert.equal(
    seed.apis.map(({ id }) => id),
    ['api-orders', 'api-old'],
  );
  assert.equal(seed.environments.map(({ id }) => id).toSorted(), ['env-gone', 'env-prod', 'env-release', 'env-test']);
  assert.equal(seed.publications, [{ api: 'api-orders', environment: 'env-test' }]);
  assert.equal(seed.kept, [{ api: 'api-orders', environment: 'env-test', versionId: 'pinned' }]);
  assert.equal([seed.project, seed.instance, seed.anyToken], ['project', 'instance', true]);
});

test('placeholder IDs are derived from the names', () => {
  const names = ['a', 'b'].map((name) => ({ kind: 'environment', name, group: null }) as const);
  const ids = [...placeholderIds(names).values()].map((meaning) => (meaning.kind === 'one' ? meaning.id : ''));
  assert.is(new Set(ids).size, 2);
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
  assert.equal(placeholderIds(names), placeholderIds(names));
});

test.run();
