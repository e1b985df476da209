import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collect, parseWholeNumber } from '../../src/cli/options.ts';

const test = suite('option values');

test('an option that is repeated keeps all its values', () => {
  assert.equal(collect('b', collect('a')), ['a', 'b']);
});

test('a number is a text of digits', () => {
  assert.is(parseWholeNumber('042'), 42);
  for (const text of ['', '-1', '1.5', '1e3', '1234567890']) assert.throws(() => parseWholeNumber(text), /whole number/);
});

test.run();
