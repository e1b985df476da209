import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { flag, listOf, oneOf, orNull, record, type Shape, ShapeError, text, whole } from '../../src/core/document-shape.ts';

const point = record({ x: whole, name: orNull(text) });

const cases: readonly (readonly [string, Shape, unknown, string | null])[] = [
  ['a text', text, 'a', null],
  ['a number for a text', text, 5, 'here is 5; expected a text'],
  ['a flag', flag, false, null],
  ['a text for a flag', flag, 'true', 'here is "true"; expected true or false'],
  ['a whole number', whole, 0, null],
  ['half a number', whole, 0.5, 'here is 0.5; expected a whole number'],
  ['a number below zero', whole, -1, 'here is -1; expected a whole number'],
  ['a number that no number can hold', whole, 2 ** 60, 'here is 1152921504606847000; expected a whole number'],
  ['one of some', oneOf('a', 'b'), 'b', null],
  ['none of some', oneOf('a', 'b'), 'c', 'here is "c"; expected a or b'],
  ['a list for one of some', oneOf('a', 'b'), ['a'], 'here is a list; expected a or b'],
  ['null where it may be', orNull(text), null, null],
  ['null where it may not be', text, null, 'here is null; expected a text'],
  ['something else where null may be', orNull(text), 1, 'here is 1; expected a text'],
  ['a list', listOf(whole), [1, 2], null],
  ['a wrong item', listOf(whole), [1, 'b'], 'here[1] is "b"; expected a whole number'],
  ['an object for a list', listOf(whole), { length: 0 }, 'here is an object; expected a list'],
  ['an object', point, { x: 1, name: null }, null],
  ['a list for an object', point, [], 'here is a list; expected an object'],
  ['null for an object', point, null, 'here is null; expected an object'],
  ['a key too much', point, { x: 1, name: 'a', y: 2 }, 'here has an unknown key "y"'],
  ['a key that objects have anyway', point, JSON.parse('{"x":1,"name":"a","__proto__":{}}'), 'here has an unknown key "__proto__"'],
  ['a key too few', point, { x: 1 }, 'here has no "name"'],
  [
    'something wrong inside',
    record({ points: listOf(point) }),
    { points: [{ x: 'a', name: 'a' }] },
    'here.points[0].x is "a"; expected a whole number',
  ],
  ['a long text', whole, 'x'.repeat(99), `here is "${'x'.repeat(59)}…; expected a whole number`],
];
for (const [name, shape, value, expected] of cases) {
  test(`${name} is ${expected === null ? 'taken' : 'refused'}`, () => {
    let thrown: unknown = null;
    try {
      shape(value, 'here');
    } catch (error) {
      thrown = error;
    }
    if (thrown) assert.instance(thrown, ShapeError);
    assert.is(thrown instanceof ShapeError ? thrown.message : null, expected);
  });
}

test('at the top it is called it', () => {
  assert.throws(() => point([], ''), /^it is a list/);
  assert.throws(() => point({ z: 1 }, ''), /^it has an unknown key "z"/);
});

test.run();
