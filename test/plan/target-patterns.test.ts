import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesiredState } from '../../src/model/desired-state.ts';
import type { EdictError } from '../../src/model/errors.ts';
import type { RecordedState } from '../../src/model/recorded-state.ts';
import type { TargetPatterns } from '../../src/model/settings.ts';
import { assertTargetsExist, compileTargets } from '../../src/plan/target-patterns.ts';
import { isTargeted } from '../../src/plan/targets.ts';
import { fc, runs } from '../support/fast-check.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const all = ['shop', 'shop-1', 'shop-10', 'shop-b', 'shop-cart', 'shop/cart', 'Shop', 'a1', 'a[1]', '.x', 'a.b', 'a+b', 'äpfel', '!a'];

const rows: readonly [pattern: string, names: readonly string[]][] = [
  ['*', all],
  ['**', all],
  ['shop', ['shop']],
  ['shop-*', ['shop-1', 'shop-10', 'shop-b', 'shop-cart']],
  ['shop*', ['shop', 'shop-1', 'shop-10', 'shop-b', 'shop-cart', 'shop/cart']],
  ['*cart', ['shop-cart', 'shop/cart']],
  ['shop/*', ['shop/cart']],
  ['shop?cart', ['shop-cart', 'shop/cart']],
  ['shop-?', ['shop-1', 'shop-b']],
  ['shop-[a-c]', ['shop-b']],
  ['shop-[!a-c]', []],
  ['shop-[^a-c]', []],
  ['{shop,a1}', ['shop', 'a1']],
  ['{shop-*,a1}', ['shop-1', 'shop-10', 'shop-b', 'shop-cart', 'a1']],
  ['shop{,-1}', ['shop', 'shop-1']],
  ['shop-{1..10}', ['shop-1', 'shop-10']],
  ['shop-{10..2}', ['shop-10']],
  ['shop-{01..12}', ['shop-10']],
  ['shop-{a..c}', ['shop-b']],
  ['shop-{aa..cc}', []],
  ['shop-{1..9..2}', []],
  ['shop-{1..99999999}', []],
  ['!(shop*)', []],
  ['!shop*', []],
  ['a.b', ['a.b']],
  ['a+b', ['a+b']],
  ['ä*', ['äpfel']],
  ['a[1]', ['a1', 'a[1]']],
  ['!a', ['!a']],
  ['shop/', []],
  ['{shop', []],
  ['[', []],
  ['(', []],
  ['', []],
];
for (const [pattern, names] of rows) {
  test(`${JSON.stringify(pattern)} matches ${names.join(' ') || 'nothing'}`, () => {
    const targets = compileTargets({ apis: [pattern], environments: [pattern] });
    assert.equal(
      all.filter((api) => targets.matchesApi({ api, apiId: '-' })),
      names,
    );
    assert.equal(
      all.filter((name) => targets.matchesEnvironment({ environment: '-', environmentId: name })),
      names,
    );
  });
}

test('several patterns of one option are "or", the two options are "and"', () => {
  const targets = compileTargets({ apis: ['shop-*', 'orders', 'api-users'], environments: ['{test,stage}'] });
  const meant = ['shop-a', 'orders', 'users', 'carts'].flatMap((api) =>
    ['test', 'stage', 'release'].filter((environment) => isTargeted(targets, wanted(api, environment))).map((name) => `${api} ${name}`),
  );
  assert.equal(meant, ['shop-a test', 'shop-a stage', 'orders test', 'orders stage', 'users test', 'users stage']);
});

test('an option without patterns excludes nothing', () => {
  const targets = compileTargets({ apis: [], environments: ['test'] });
  assert.ok(targets.matchesApi(wanted('orders', 'test')));
});

test('every text matches itself, and no pattern throws', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab-/.*?[]{}(),!|+@\\^$'), maxLength: 12 });
  fc.assert(
    fc.property(text, text, (pattern, other) => {
      const targets = compileTargets({ apis: [pattern], environments: [] });
      assert.ok(targets.matchesApi({ api: pattern, apiId: 'id' }));
      targets.matchesApi({ api: other, apiId: 'id' });
    }),
    { numRuns: runs(2000) },
  );
  const long = 'x'.repeat(70_000);
  assert.ok(compileTargets({ apis: [long], environments: [] }).matchesApi({ api: long, apiId: 'id' }));
});

test('a text without pattern characters matches only itself', () => {
  const name = fc.stringMatching(/^[a-c0-2_][a-c0-2._/-]{0,5}$/);
  fc.assert(
    fc.property(name, name, (pattern, other) => {
      assert.is(compileTargets({ apis: [pattern], environments: [] }).matchesApi({ api: other, apiId: '' }), pattern === other);
    }),
    { numRuns: runs(2000) },
  );
});

const desired = desiredState([wanted('shop-cart', 'test'), wanted('shop-orders', 'test'), wanted('users', 'release')]);
const before = recordedState([recorded('users', 'release', { api: 'accounts' }), recorded('legacy', 'old')]);

function refusal(patterns: Partial<TargetPatterns>, file: DesiredState = desired, record: RecordedState = before): EdictError | null {
  try {
    assertTargetsExist({ apis: [], environments: [], ...patterns }, file, record.values());
    return null;
  } catch (error) {
    return error as EdictError;
  }
}

test('a name in the file or the record is valid, even if nothing is published', () => {
  for (const apis of [['shop-*'], ['api-users'], ['legacy'], ['api-leg*']]) assert.is(refusal({ apis }), null);
  for (const environments of [['test'], ['old'], ['env-release'], ['r*']]) assert.is(refusal({ environments }), null);
  const empty = desiredState([]);
  assert.is(refusal({ environments: ['release'] }, empty, new Map()), null);
});

test('a pattern that matches nothing is named, with similar names', () => {
  const error = refusal({ apis: ['user', 'shop-*'] });
  assert.equal([error?.code, error?.exitCode], ['TARGET_NOT_FOUND', 1]);
  assert.is(error?.message, '--api "user" matches nothing in the file or the record');
  assert.match(error?.hint ?? '', /^nearest to "user": users, /);
});

test('all patterns that match nothing are named at once', () => {
  const error = refusal({ apis: ['shpo-*', 'users'], environments: ['tset'] });
  assert.is(error?.message, '--api "shpo-*" and --environment "tset" match nothing in the file or the record');
  assert.match(error?.hint ?? '', /^nearest to "shpo-\*": shop-cart, shop-orders, .*; nearest to "tset": test, /);
});

test('a name that the file has replaced is not a name any more', () => {
  assert.is(refusal({ apis: ['accounts'] })?.code, 'TARGET_NOT_FOUND');
});

test('an empty pattern, as from an unset variable, is rejected', () => {
  assert.match(refusal({ apis: [''] })?.message ?? '', '--api ""');
});

test('without names, none are suggested', () => {
  assert.is(refusal({ apis: ['orders'] }, desiredState([]), new Map())?.hint, 'nearest to "orders": there are no names');
});

test.run();
