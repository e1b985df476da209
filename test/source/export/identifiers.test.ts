import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assignApiNames, assignEnvironmentNames, releaseEnvironmentId } from '../../../src/source/export/identifiers.ts';

const api = (apiId: string, name: string, group = '', groupId = '') => ({
  apiId,
  name,
  groupId,
  group,
  editedAtMs: null,
  publications: new Map(),
});
const keysOf = (...apis: ReturnType<typeof api>[]): Record<string, string> =>
  Object.fromEntries(assignApiNames(apis).named.map(({ key, api: { apiId } }) => [apiId, key]));

test('an API keeps its name if possible', () => {
  assert.equal(keysOf(api('a', 'orders'), api('b', 'v1/注文')), { a: 'orders', b: 'v1/注文' });
});

test('APIs of the same name all get their group as suffix', () => {
  assert.equal(keysOf(api('a', 'orders', 'shop'), api('b', 'orders', 'Team B')), { a: 'orders-shop', b: 'orders-Team-B' });
  assert.equal(keysOf(api('a', 'orders', '', 'g1'), api('b', 'orders', '', 'g2')), { a: 'orders-g1', b: 'orders-g2' });
});

test('APIs of the same name and group get part of the ID, or all of it, as suffix', () => {
  assert.equal(keysOf(api('5f918d104dc8', 'orders', 'shop'), api('9191cdb43072', 'orders', 'shop')), {
    '5f918d104dc8': 'orders-5f918d10',
    '9191cdb43072': 'orders-9191cdb4',
  });
  assert.equal(keysOf(api('5f918d104dc8', 'orders'), api('5f918d104dc9', 'orders')), {
    '5f918d104dc8': 'orders-5f918d104dc8',
    '5f918d104dc9': 'orders-5f918d104dc9',
  });
});

test('a name that must be adapted does not take the key of an exact name', () => {
  assert.equal(keysOf(api('a', 'orders (v2)', 'x'), api('b', 'orders-v2', 'x')), { a: 'orders-v2-x', b: 'orders-v2' });
});

test('an API without a usable name is named by its ID', () => {
  assert.equal(keysOf(api('5f918d104dc8', '!!!'), api('b', '')), { '5f918d104dc8': 'api-5f918d10', b: 'api-b' });
});

test('an API whose ID is not allowed in a file is skipped', () => {
  const { named, skipped } = assignApiNames([api('a b', 'orders'), api('c', 'orders')]);
  assert.equal(
    named.map(({ key }) => key),
    ['orders'],
  );
  assert.equal(
    skipped.map(({ apiId }) => apiId),
    ['a b'],
  );
});

test('environments have short lowercase names', () => {
  const { named } = assignEnvironmentNames(
    [
      { id: releaseEnvironmentId, name: 'RELEASE' },
      { id: 'e1', name: 'Test' },
      { id: 'e2', name: 'TEST' },
      { id: 'e3', name: 'Pre Prod' },
    ],
    [],
  );
  assert.equal(
    named.map(({ key, id }) => [key, id]),
    [
      ['TEST', 'e2'],
      ['Test', 'e1'],
      ['pre-prod', 'e3'],
      ['release', releaseEnvironmentId],
    ],
  );
});

test('an environment with a publication is exported even if the gateway does not list it', () => {
  const { named, skipped } = assignEnvironmentNames([{ id: 'e1', name: 'test' }], ['e1', '5f918d104dc8', 'no ID']);
  assert.equal(named, [
    { key: 'environment-5f918d10', id: '5f918d104dc8', name: '', isListed: false },
    { key: 'test', id: 'e1', name: 'test', isListed: true },
  ]);
  assert.equal(skipped, [{ id: 'no ID', name: '', isListed: false }]);
});

test('without any environment, the default one is exported', () => {
  for (const listed of [[], [{ id: 'no ID', name: 'test' }]]) {
    assert.equal(assignEnvironmentNames(listed, []).named, [
      { key: 'release', id: releaseEnvironmentId, name: 'RELEASE', isListed: false },
    ]);
  }
});

test('an environment that is listed twice is one', () => {
  const one = { id: 'e1', name: 'test' };
  assert.is(assignEnvironmentNames([one, one], ['e1']).named.length, 1);
});

test.run();
