import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plain } from '../../src/cli/paint.ts';
import { matrixLines, openLines } from '../../src/cli/status-table.ts';
import { type Cell, type Standing, standings } from '../../src/core/matrix.ts';
import { change, recorded, wanted } from '../support/states.ts';

const cell = (api: string, environment: string, standing: Standing = 'in sync'): Cell => {
  const isLeft = standing === 'kept' || standing === 'in sync' || standing === 'drifted' || standing === 'stale';
  return {
    ...wanted(api, environment),
    desired: standing === 'kept' ? null : wanted(api, environment),
    ...{ recorded: recorded(api, environment), change: isLeft ? null : change(api, environment), last: null, standing },
  };
};

test('an API is a line, an environment a column', () => {
  const cells = [cell('orders', 'test'), cell('orders', 'release', 'changing'), cell('carts', 'release', 'held')];
  assert.equal(matrixLines(cells, 80, plain), [
    'API     test      release',
    'orders  ✓ online  ▲ going online',
    'carts   -         ■ held',
  ]);
});

test('each standing has a sign and a word of its own', () => {
  const shown = standings.map((standing) => matrixLines([cell('orders', 'test', standing)], 80, plain)[1]);
  assert.is(new Set(shown).size, standings.length);
});

test('a matrix that is wider than the terminal comes in parts', () => {
  const cells = ['one', 'two', 'three'].map((environment) => cell('orders', environment));
  assert.equal(matrixLines(cells, 28, plain), [
    ...['API     one       two', 'orders  ✓ online  ✓ online', ''],
    ...['API     three', 'orders  ✓ online'],
  ]);
  assert.is(matrixLines(cells, 5, plain).length, 8);
  assert.equal(matrixLines([], 80, plain), []);
});

test('what is not simply in sync is listed with what comes next', () => {
  assert.equal(openLines([cell('orders', 'test')], plain), []);
  const lines = openLines([cell('orders', 'test'), cell('carts', 'test', 'changing'), cell('users', 'test', 'kept')], plain);
  assert.equal(lines, [
    'API    environment  file         record  since                 next',
    'carts  test         online       online  1970-01-01T00:00:00Z  online: new: edict has not published it yet',
    'users  test         not in file  online  1970-01-01T00:00:00Z  not in the file, left as it is',
  ]);
});

test.run();
