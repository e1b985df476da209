import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type NamedResource, type NameRef, nameKey, resolveName } from '../../src/model/name-ref.ts';

const api = (id: string, name: string, group = 'shop'): NamedResource => ({ id, name, groupId: `id-${group}`, group });
const called = (name: string, group: string | null = null): NameRef => ({ kind: 'api', name, group });
const all = [api('1', 'orders'), api('2', 'Orders'), api('3', 'carts'), api('4', 'carts', 'back office')];

test('a name matches exactly', () => {
  assert.equal(resolveName(called('orders'), all), { kind: 'one', id: '1' });
  assert.equal(resolveName(called('order'), all), { kind: 'none', available: all });
});

test('a group, by name or ID, distinguishes two APIs of one name', () => {
  assert.equal(resolveName(called('carts'), all), { kind: 'several', candidates: [all[2], all[3]] });
  assert.equal(resolveName(called('carts', 'shop'), all), { kind: 'one', id: '3' });
  assert.equal(resolveName(called('carts', 'id-back office'), all), { kind: 'one', id: '4' });
  assert.is(resolveName(called('orders', 'back office'), all).kind, 'none');
});

test('different names have different keys', () => {
  const names = [called('a'), called('a', 'b'), called('a b'), { ...called('a'), kind: 'environment' } as const];
  assert.is(new Set(names.map(nameKey)).size, names.length);
});

test.run();
