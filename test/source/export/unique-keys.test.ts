import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { appendSuffix, assignUniqueNames, isValidName, sanitizeName } from '../../../src/source/export/identifiers.ts';
import { fc, runs } from '../../support/fast-check.ts';
import { names } from '../../support/gateway-listings.ts';

type Candidates = [...(string | null)[], string];
const keysOf = (...all: Candidates[]): string[] => {
  const items = all.map((candidates) => ({ candidates }));
  const keys = assignUniqueNames(items);
  return items.map((item) => keys.get(item) ?? 'none');
};

test('each item gets its best free key', () => {
  assert.equal(keysOf(['a', 'a-1'], ['b', 'b-1'], [null, 'c']), ['a', 'b', 'c']);
  assert.equal(keysOf(), []);
});

test('a key that two items want goes to neither, nor to a third', () => {
  assert.equal(keysOf(['a', 'a', 'a-1'], ['a', 'a', 'a-2'], [null, 'a', 'a-3']), ['a-1', 'a-2', 'a-3']);
});

test('an exact name is not taken by an adapted one', () => {
  assert.equal(keysOf([null, 'a', 'a-1'], ['a', 'a', 'a-2']), ['a-1', 'a']);
});

test('if no other key is free, a number is appended', () => {
  assert.equal(keysOf(['a'], ['a'], ['a-2']), ['a-3', 'a-4', 'a-2']);
});

test('keys are unique and, except for numbers, independent of the order', () => {
  const some = fc.constantFrom('a', 'b', 'a-2', 'c');
  const candidates = fc.tuple(fc.option(some), fc.option(some), some).map((three): Candidates => three);
  fc.assert(
    fc.property(fc.array(candidates, { maxLength: 8 }), (all) => {
      const keys = keysOf(...all);
      assert.is(new Set(keys).size, all.length);
      const backwards = keysOf(...all.toReversed()).reverse();
      for (const [index, key] of keys.entries()) if (all[index]?.includes(key)) assert.is(backwards[index], key);
    }),
  );
});

for (const [text, expected] of [
  ['orders', 'orders'],
  ['Orders (v2)', 'Orders-v2'],
  ['v1/orders.list_all-2', 'v1/orders.list_all-2'],
  ['../../etc', 'etc'],
  ['e\u0301', 'é'],
  ['注文 API', '注文-API'],
  ['__proto__', '__proto__'],
  ['a\nb', 'a-b'],
  ['\uD800', null],
  ['---', null],
  ['', null],
  ['x'.repeat(200), 'x'.repeat(128)],
] as const) {
  test(`the name from ${JSON.stringify(text.slice(0, 30))} is ${expected?.slice(0, 30)}`, () => {
    assert.is(sanitizeName(text), expected);
  });
}

test('the result of adapting a name is always valid, also with a suffix', () => {
  fc.assert(
    fc.property(names, names, (text, other) => {
      const [name, suffix] = [sanitizeName(text), sanitizeName(other)];
      if (name === null) return;
      assert.ok(isValidName(name));
      if (suffix !== null) assert.ok(isValidName(appendSuffix(name, suffix)));
    }),
    { numRuns: runs(1000) },
  );
});

test('a suffix is not shortened if it fits', () => {
  assert.is(appendSuffix('orders', 'shop'), 'orders-shop');
  assert.is(appendSuffix('x'.repeat(128), 'shop'), `${'x'.repeat(123)}-shop`);
  assert.is(appendSuffix('orders', 's'.repeat(128)), 's'.repeat(128));
});

test.run();
