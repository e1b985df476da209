import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { newId } from '../../src/emulator/random.ts';

test('an ID is 32 hex digits, a different one each time', () => {
  assert.match(newId(), /^[0-9a-f]{32}$/);
  assert.is(new Set(Array.from({ length: 1_000 }, newId)).size, 1_000);
});

test.run();
