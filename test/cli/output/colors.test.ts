import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { colorizerFor, noColor } from '../../../src/cli/output/colors.ts';
import { textStream } from '../../support/streams.ts';

test('a stream that is no terminal gets plain text', () => {
  assert.is(colorizerFor(textStream().stream)('red', 'text'), 'text');
});

test('a terminal gets colours', () => {
  const terminal = Object.assign(textStream().stream, { isTTY: true, getColorDepth: () => 4, hasColors: () => true });
  const before = process.env['NO_COLOR'];
  delete process.env['NO_COLOR'];
  const painted = colorizerFor(terminal)('red', 'text');
  if (before !== undefined) process.env['NO_COLOR'] = before;
  assert.match(painted, 'text');
});

test('plain leaves text as it is', () => {
  assert.is(noColor('red', 'text'), 'text');
});

test.run();
