import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { colorizerFor, noColor } from '../../../src/cli/output/terminal.ts';
import { textStream } from '../../support/streams.ts';

test('a stream that is not a terminal gets plain text', () => {
  assert.is(colorizerFor(textStream().stream)('red', 'text'), 'text');
});

test('a terminal gets colors', () => {
  const terminal = Object.assign(textStream().stream, { isTTY: true, getColorDepth: () => 4, hasColors: () => true });
  const before = process.env['NO_COLOR'];
  delete process.env['NO_COLOR'];
  const painted = colorizerFor(terminal)('red', 'text');
  if (before !== undefined) process.env['NO_COLOR'] = before;
  assert.match(painted, 'text');
});

test('noColor returns the text unchanged', () => {
  assert.is(noColor('red', 'text'), 'text');
});

test.run();
