import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { collect, formatOption, parseWholeNumber, stateOption } from '../../src/cli/options.ts';

test('the store can be set in the environment, and the format is one of the given choices', () => {
  assert.is(stateOption().envVar, 'EDICT_STATE');
  assert.equal([formatOption('text', 'json').argChoices, formatOption('text', 'json').defaultValue], [['text', 'json'], 'text']);
});

test('a repeated option keeps all its values', () => {
  assert.equal(collect('b', collect('a')), ['a', 'b']);
});

test('a number consists of digits only', () => {
  assert.is(parseWholeNumber('042'), 42);
  for (const text of ['', '-1', '1.5', '1e3', '1234567890']) assert.throws(() => parseWholeNumber(text), /whole number/);
});

test.run();
