import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { all, wholeNumber } from '../../src/cli/option-values.ts';

const test = suite('option values');

test('an option that is repeated keeps all its values', () => {
  assert.equal(all('b', all('a')), ['a', 'b']);
});

test('a number is a text of digits', () => {
  assert.is(wholeNumber('042'), 42);
  for (const text of ['', '-1', '1.5', '1e3', '1234567890']) assert.throws(() => wholeNumber(text), /whole number/);
});

test.run();
