import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/model/errors.ts';
import { findPublication } from '../../src/plan/publication-lookup.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const desired = desiredState([wanted('orders', 'test'), wanted('users', 'release')]);
const record = recordedState([recorded('carts', 'test'), recorded('orders', 'test', { api: 'older-name' })]);

for (const [api, environment, expected] of [
  ['orders', 'test', 'orders test'],
  ['api-orders', 'env-test', 'orders test'],
  ['carts', 'env-test', 'carts test'],
  ['older-name', 'test', 'older-name test'],
] as const) {
  test(`finds ${api} in ${environment}`, () => {
    const found = findPublication({ api, environment }, desired, record);
    assert.is(`${found.api} ${found.environment}`, expected);
  });
}

for (const [api, environment, hint] of [
  ['ordres', 'test', 'nearest to "ordres": orders, '],
  ['orders', 'tset', 'nearest to "tset": test, '],
  ['ordres', 'tset', 'nearest to "tset": test, '],
  ['orders', 'release', 'orders is known in test; `edict status`'],
] as const) {
  test(`${api} in ${environment} is not found, and the hint suggests similar names`, () => {
    assert.throws(
      () => findPublication({ api, environment }, desired, record),
      (error: unknown) => error instanceof EdictError && error.code === 'PUBLICATION_NOT_FOUND' && error.hint?.includes(hint),
    );
  });
}

test('if there is nothing at all, the hint says so', () => {
  assert.throws(
    () => findPublication({ api: 'a', environment: 'b' }, desiredState([]), new Map()),
    (error: unknown) => error instanceof EdictError && error.hint?.startsWith('there is no publication at all'),
  );
});

test.run();
