import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { appendDigest, desiredDigest, isStaleSource } from '../../src/plan/digest.ts';
import { desiredState, wanted } from '../support/states.ts';

test('the digest covers the desired state of each publication, in the order of the file, and nothing else', () => {
  const [orders, carts] = [wanted('orders', 'test'), wanted('carts', 'test')];
  const digest = desiredDigest(desiredState([orders, carts]));
  assert.is(desiredDigest(desiredState([{ ...orders, remark: 'another', sourceFile: 'apis/x.yaml' }, carts])), digest);
  const others = [
    desiredState([orders]),
    desiredState([carts, orders]),
    desiredState([orders, { ...carts, state: 'offline' }]),
    desiredState([orders, { ...carts, revision: '2' }]),
    desiredState([orders, { ...carts, version: 'v' }]),
    { ...desiredState([orders, carts]), prune: true },
  ];
  for (const other of others) assert.is.not(desiredDigest(other), digest);
});

test('an older file is one that was acted on once and is not the last one acted on', () => {
  let acted = appendDigest(appendDigest([], 'a'), 'b');
  assert.equal(
    [isStaleSource([], 'a'), isStaleSource(acted, 'a'), isStaleSource(acted, 'b'), isStaleSource(acted, 'c')],
    [false, true, false, false],
  );
  acted = appendDigest(acted, 'a');
  assert.equal([acted, isStaleSource(acted, 'a'), isStaleSource(acted, 'b')], [['b', 'a'], false, true]);
  for (let number = 0; number < 60; number += 1) acted = appendDigest(acted, `n${number}`);
  assert.equal([acted.length, acted.at(-1), acted.includes('a')], [50, 'n59', false]);
});

test.run();
