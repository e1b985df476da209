import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addMarker, fitRemark, hasMarker } from '../../src/model/attempt.ts';
import { fc } from '../support/fast-check.ts';

test('the marker stands after the text, or alone', () => {
  assert.is(addMarker('retired, see CHG-1', '3f9a1c0b7d2e'), 'retired, see CHG-1 [edict 3f9a1c0b7d2e]');
  assert.is(addMarker(null, '3f9a1c0b7d2e'), '[edict 3f9a1c0b7d2e]');
  assert.is(addMarker('', '3f9a1c0b7d2e'), '[edict 3f9a1c0b7d2e]');
});

test('a long text is truncated, not the marker', () => {
  const remark = addMarker('x'.repeat(255), 'abc');
  assert.is([...remark].length, 255);
  assert.match(remark, /^x+… \[edict abc\]$/);
});

test('any remark is at most 255 UTF-16 units, splits no character, and holds its marker and no other', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 255 }), (text) => {
      const remark = addMarker(text, 'abc');
      for (const limited of [remark, fitRemark(text)]) {
        assert.ok(limited.length <= 255);
        if (text.isWellFormed()) assert.ok(limited.isWellFormed());
      }
      assert.ok(hasMarker(remark, 'abc'));
      assert.not.ok(hasMarker(remark, 'abcd'));
      assert.not.ok(hasMarker(remark, 'ab'));
      if (text.length <= 240) assert.ok(remark.startsWith(text));
    }),
  );
});

test.run();
