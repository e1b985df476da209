import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Catalog } from '../../src/emulator/catalog.ts';

const now = new Date('2026-11-20T08:00:00Z');

function filled(): Catalog {
  const catalogue = new Catalog(() => now);
  catalogue.addApi({ id: 'a', name: 'orders', group: 'shop', editedAt: '2026-11-01T00:00:00Z' });
  catalogue.addApi({ id: 'b', name: 'carts', group: 'shop' });
  catalogue.addEnvironment({ id: 'e', name: 'RELEASE' });
  return catalogue;
}

const listed = (catalogue: Catalog): string[] => catalogue.listApis().map(({ name }) => name);

test('lists have the newest API first', () => {
  const catalogue = filled();
  catalogue.addApi({ id: 'c', name: 'new' });
  assert.equal(listed(catalogue), ['new', 'carts', 'orders']);
});

test('an API that exists is not added again', () => {
  const catalogue = filled();
  catalogue.addApi({ id: 'a', name: 'another' });
  catalogue.addEnvironment({ id: 'e', name: 'another' });
  assert.equal([catalogue.api('a')?.name, catalogue.environment('e')?.name], ['orders', 'RELEASE']);
});

test('a group has an ID derived from its name', () => {
  const catalogue = filled();
  const [orders, carts] = [catalogue.api('a'), catalogue.api('b')];
  assert.is(orders?.group.id, carts?.group.id);
  assert.match(orders?.group.id ?? '', /^[0-9a-f]{32}$/);
});

test('an edit has the current or the given time; without one it is before everything', () => {
  const catalogue = filled();
  assert.ok((catalogue.api('b')?.editedAt ?? now) < new Date('2021-01-01'));
  catalogue.updateApi('b', { edited: true });
  assert.equal(catalogue.api('b')?.editedAt, now);
  catalogue.updateApi('b', { editedAt: '2026-11-21T00:00:00Z' });
  assert.equal(catalogue.api('b')?.editedAt, new Date('2026-11-21T00:00:00Z'));
});

test('an API hidden from lists can be read by its ID; one that is fully hidden cannot', () => {
  const catalogue = filled();
  catalogue.updateApi('a', { hidden: 'list' });
  assert.equal([listed(catalogue), catalogue.api('a')?.name], [['carts'], 'orders']);
  catalogue.updateApi('a', { hidden: 'everywhere' });
  assert.equal([listed(catalogue), catalogue.api('a')], [['carts'], undefined]);
  catalogue.updateApi('a', { hidden: null });
  assert.equal(listed(catalogue), ['carts', 'orders']);
});

test('a deleted API is gone, and deleting one that does not exist changes nothing', () => {
  const catalogue = filled();
  assert.equal([catalogue.deleteApi('a'), catalogue.deleteApi('a'), catalogue.updateApi('a', { name: 'x' })], [true, false, false]);
  assert.equal(listed(catalogue), ['carts']);
});

test.run();
