import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type NamedResource, type NameRef, nameKey, nameResolver } from '../../src/model/name-ref.ts';

const api = (id: string, name: string, group = 'shop'): NamedResource => ({ id, name, groupId: `id-${group}`, group });
const called = (name: string, group: string | null = null): NameRef => ({ kind: 'api', name, group });
const all = [api('1', 'orders'), api('2', 'Orders'), api('3', 'carts'), api('4', 'carts', 'back office')];

test('a name matches exactly', () => {
  assert.equal(nameResolver(all)(called('orders')), { kind: 'one', id: '1' });
  assert.equal(nameResolver(all)(called('order')), { kind: 'none', available: all });
});

test('a group, by name or ID, distinguishes two APIs of one name', () => {
  assert.equal(nameResolver(all)(called('carts')), { kind: 'several', candidates: [all[2], all[3]] });
  assert.equal(nameResolver(all)(called('carts', 'shop')), { kind: 'one', id: '3' });
  assert.equal(nameResolver(all)(called('carts', 'id-back office')), { kind: 'one', id: '4' });
  assert.is(nameResolver(all)(called('orders', 'back office')).kind, 'none');
});

test('different names have different keys', () => {
  const names = [called('a'), called('a', 'b'), called('a b'), { ...called('a'), kind: 'environment' } as const];
  assert.is(new Set(names.map(nameKey)).size, names.length);
});

test.run();
