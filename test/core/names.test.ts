import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { meaningOf, type Name, type Nameable, nameKey } from '../../src/core/names.ts';

const api = (id: string, name: string, group = 'shop'): Nameable => ({ id, name, groupId: `id-${group}`, group });
const called = (name: string, group: string | null = null): Name => ({ of: 'api', name, group });
const all = [api('1', 'orders'), api('2', 'Orders'), api('3', 'carts'), api('4', 'carts', 'back office')];

test('a name means what is called so to the letter', () => {
  assert.equal(meaningOf(called('orders'), all), { kind: 'one', id: '1' });
  assert.equal(meaningOf(called('order'), all), { kind: 'none', others: all });
});

test('a group, by name or ID, tells two of one name apart', () => {
  assert.equal(meaningOf(called('carts'), all), { kind: 'several', candidates: [all[2], all[3]] });
  assert.equal(meaningOf(called('carts', 'shop'), all), { kind: 'one', id: '3' });
  assert.equal(meaningOf(called('carts', 'id-back office'), all), { kind: 'one', id: '4' });
  assert.is(meaningOf(called('orders', 'back office'), all).kind, 'none');
});

test('different names have different keys', () => {
  const names = [called('a'), called('a', 'b'), called('a b'), { ...called('a'), of: 'environment' } as const];
  assert.is(new Set(names.map(nameKey)).size, names.length);
});

test.run();
