import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isValidId, isValidName } from '../../../src/source/export/identifiers.ts';

for (const [text, asName, asId] of [
  ['orders', true, true],
  ['DEFAULT_ENVIRONMENT_RELEASE_ID', true, true],
  ['1e3', true, true],
  ['__proto__', true, true],
  ['v1/orders', true, false],
  ['注文', true, false],
  ['', false, false],
  ['a b', false, false],
  ['-a', false, false],
  ['a\n', false, false],
  ['x'.repeat(128), true, true],
  ['x'.repeat(129), false, false],
] as const) {
  test(`${JSON.stringify(text.slice(0, 20))} ${asName ? 'is' : 'is not'} a name and ${asId ? 'is' : 'is not'} an ID`, () => {
    assert.equal([isValidName(text), isValidId(text)], [asName, asId]);
  });
}

test.run();
