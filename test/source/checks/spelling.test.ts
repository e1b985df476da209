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
  test(`"${word}" means ${expected ?? 'nothing known'}`, () => assert.is(closestMatch(word, known), expected));
}

test('of two that are equally near the one is meant that begins alike, else the first', () => {
  assert.is(closestMatch('ofline', ['online', 'offline']), 'offline');
  assert.is(closestMatch('onlne', ['offline', 'online']), 'online');
  assert.is(closestMatch('cart', ['carts', 'cart1']), 'carts');
});

test('nothing is near when nothing is known', () => {
  assert.is(closestMatch('word', []), null);
});

test.run();
