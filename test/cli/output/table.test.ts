import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatTable } from '../../../src/cli/output/table.ts';

test('columns begin at the same place and lines end without spaces', () => {
  assert.equal(
    formatTable([
      ['a', 'bb', 'c'],
      ['aaa', 'b', ''],
    ]),
    ['a    bb  c', 'aaa  b'],
  );
});

test('colour codes take no room', () => {
  assert.equal(
    formatTable([
      ['\u001B[31ma\u001B[39m', 'b'],
      ['aa', 'b'],
    ]),
    ['\u001B[31ma\u001B[39m   b', 'aa  b'],
  );
});

test('no rows are no lines', () => {
  assert.equal(formatTable([]), []);
});

test.run();
