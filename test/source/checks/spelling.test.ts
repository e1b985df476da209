import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { closestMatch } from '../../../src/source/checks/spelling.ts';

const known = ['edict', 'gateway', 'environments', 'prune', 'apis', 'id'];

for (const [word, expected] of [
  ['gatway', 'gateway'],
  ['Gateway', 'gateway'],
  ['enviroment', 'environments'],
  ['api', 'apis'],
  ['pruen', 'prune'],
  ['idd', 'id'],
  ['id', 'id'],
  ['colour', null],
  ['x', null],
  ['', null],
] as const) {
  test(`the word closest to "${word}" is ${expected ?? 'none'}`, () => assert.is(closestMatch(word, known), expected));
}

test('of two equally close words, the one with the longer common prefix wins, else the first', () => {
  assert.is(closestMatch('ofline', ['online', 'offline']), 'offline');
  assert.is(closestMatch('onlne', ['offline', 'online']), 'online');
  assert.is(closestMatch('cart', ['carts', 'cart1']), 'carts');
});

test('no word is close if none is known', () => {
  assert.is(closestMatch('word', []), null);
});

test.run();
