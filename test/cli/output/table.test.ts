import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatTable } from '../../../src/cli/output/terminal.ts';

test('columns are aligned and lines have no trailing spaces', () => {
  assert.equal(
    formatTable([
      ['a', 'bb', 'c'],
      ['aaa', 'b', ''],
    ]),
    ['a    bb  c', 'aaa  b'],
  );
});

test('color codes do not count towards the width', () => {
  assert.equal(
    formatTable([
      ['\u001B[31ma\u001B[39m', 'b'],
      ['aa', 'b'],
    ]),
    ['\u001B[31ma\u001B[39m   b', 'aa  b'],
  );
});

test('a table without rows has no lines', () => {
  assert.equal(formatTable([]), []);
});

test.run();
