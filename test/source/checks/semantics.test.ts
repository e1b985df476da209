import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type NamedResource, type NameResolution, type NameResolutions, nameKey } from '../../../src/model/name-ref.ts';
import { checkSemantics } from '../../../src/source/checks/semantics.ts';

const found = (value: unknown): string[] =>
  checkSemantics(value, () => 'line 7').map(({ path, message }) => `${path.join('.')}: ${message}`);
const file = (environments: unknown, apis: unknown) => ({ environments, apis });

test('finds no errors in a valid file', () => {
  const apis = { a: { id: 'A', environments: { test: 'online', release: 'online' } }, b: { id: 'B', environments: { test: 'online' } } };
  assert.equal(found(file({ test: 'e1', release: { id: 'e2' } }, apis)), []);
});

test('finds a publication that is declared twice under different names', () => {
  const apis = { a: { id: 'A', environments: { test: 'online' } }, b: { id: 'A', environments: { test: 'offline' } } };
  assert.equal(found(file({ test: 'e1' }, apis)), [
    'apis.b.environments.test: b in test is the same publication as a in test at line 7: both have the same ID',
  ]);
  const environments = { test: 'e1', again: { id: 'e1' } };
  assert.equal(found(file(environments, { a: { id: 'A', environments: { test: 'online', again: 'online' } } })), [
    'environments.again: `again` is the same environment as `test` at line 7: both have the same ID',
  ]);
});

test('finds undeclared environments, also those named like object properties', () => {
  const apis = { a: { id: 'A', environments: { tset: 'online', constructor: 'online' } } };
  const diagnostics = checkSemantics(file({ test: 'e1' }, apis), () => 'line 7');
  assert.equal(
    diagnostics.map(({ path, hint }) => [path.at(-1), hint]),
    [
      ['tset', 'did you mean `test`?'],
      ['constructor', 'declared: test'],
    ],
  );
  assert.equal(
    checkSemantics(file({}, apis), () => 'line 7'),
    [],
    'nothing is undeclared while no environment is declared',
  );
});

test('a hint lists three environments and counts the others', () => {
  const environments = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`e${index}`, `id${index}`]));
  const [diagnostic] = checkSemantics(file(environments, { a: { id: 'A', environments: { zzzz: 'online' } } }), () => 'line 7');
  assert.is(diagnostic?.hint, `declared: ${Object.keys(environments).slice(0, 3).join(', ')}, and 9 more`);
});

test('finds an invalid URL', () => {
  assert.equal(found({ gateway: { endpoint: 'https://[', iam: 'http://ok' } }), [
    'gateway.endpoint: `gateway.endpoint` is not a valid URL',
  ]);
});

test('ignores values of the wrong type', () => {
  for (const odd of [null, 7, 'text', [], [1], true]) {
    const inner = { gateway: odd, environments: { e: odd, f: { id: odd } }, apis: { a: odd, b: { id: odd, environments: odd } } };
    for (const value of [odd, inner, { gateway: { endpoint: odd }, environments: odd, apis: odd }])
      assert.type(found(value).length, 'number');
  }
});

const meanings = (name: string, meaning: NameResolution): NameResolutions =>
  new Map([[nameKey({ kind: 'api', name, group: null }), meaning]]);
const nameable = (id: string, name: string): NamedResource => ({ id, name, groupId: 'g', group: 'shop' });

test('an unknown name is an error that suggests close names', () => {
  const apis = { ordres: { environments: {} } };
  const available = [nameable('A', 'orders'), nameable('B', 'carts')];
  const [diagnostic] = checkSemantics(file({ test: 'e1' }, apis), () => 'line 7', meanings('ordres', { kind: 'none', available }));
  assert.is(diagnostic?.message, 'the gateway has no API named `ordres`');
  assert.is(diagnostic?.hint, 'did you mean `id: A` (orders, group shop)?');
});

test('an ambiguous name is an error that lists all candidates', () => {
  const apis = { o: { name: 'orders', environments: {} } };
  const candidates = [nameable('A', 'orders'), nameable('B', 'orders')];
  const [diagnostic] = checkSemantics(file({ test: 'e1' }, apis), () => 'line 7', meanings('orders', { kind: 'several', candidates }));
  assert.equal([diagnostic?.path.join('.'), diagnostic?.message], ['apis.o.name', 'the gateway has more than one API named `orders`']);
  assert.match(String(diagnostic?.hint), /`id: A`.*`id: B`.*or add a `group`/);
});

test('two names of one API are a duplicate declaration', () => {
  const apis = { a: { id: 'A', environments: { test: 'online' } }, orders: { environments: { test: 'online' } } };
  const known = meanings('orders', { kind: 'one', id: 'A' });
  assert.match(String(checkSemantics(file({ test: 'e1' }, apis), () => 'line 7', known)[0]?.message), 'is the same publication as');
});

test('a name beside an ID is redundant', () => {
  assert.equal(found(file({ test: { id: 'e1', name: 'TEST' } }, { a: { id: 'A', group: 'g', environments: {} } })), [
    'environments.test.name: `name` has no effect beside `id`',
    'apis.a.group: `group` has no effect beside `id`',
  ]);
});

test.run();
