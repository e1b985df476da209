import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Doubts } from '../../src/engine/doubts.ts';

test('an attempt is in doubt for the lag from when it was first seen', () => {
  let ms = 1000;
  const doubts = new Doubts(500, () => ms);
  assert.is(doubts.waitMs(7), 500);
  ms += 200;
  assert.equal([doubts.waitMs(7), doubts.waitMs(8)], [300, 500]);
  ms += 1000;
  assert.is(doubts.waitMs(7), 0);
  doubts.settle(7);
  assert.is(doubts.waitMs(7), 500, 'it is forgotten');
});

test.run();
