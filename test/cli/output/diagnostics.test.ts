import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderDiagnostics, renderDiagnosticsJson } from '../../../src/cli/output/errors.ts';
import { noColor } from '../../../src/cli/output/terminal.ts';
import { type Diagnostic, excerptAt, InvalidFileError } from '../../../src/model/errors.ts';

const diagnostic: Diagnostic = {
  rule: 'invalid-value',
  file: 'edict.yaml',
  line: 12,
  column: 5,
  length: 3,
  message: 'wrong',
  hint: 'do this',
  excerpt: { text: '    bad: x', column: 1 },
};

test('shows place, message, frame and hint', () => {
  const text = renderDiagnostics(new InvalidFileError('edict.yaml', [diagnostic]), noColor);
  assert.is(
    text,
    'edict.yaml:12:5  wrong\n  12 |     bad: x\n     |     ^^^\n     = do this\n\n1 error. No changes are made until the file is fixed.\n',
  );
});

test('a very long line is cut around the error', () => {
  const long = { ...diagnostic, column: 5001, length: 4, excerpt: excerptAt(`${'x'.repeat(5000)}oops${'y'.repeat(5000)}`, 5001) };
  const lines = renderDiagnostics(new InvalidFileError('edict.yaml', [long]), noColor).split('\n');
  assert.ok(lines.every((line) => line.length < 200));
  const column = lines[2]?.indexOf('^') ?? -1;
  assert.is(lines[1]?.slice(column, column + 4), 'oops');
  assert.is(lines[2]?.match(/\^/g)?.length, 4);
});

test('after fifty errors only one line is shown for each', () => {
  const text = renderDiagnostics(new InvalidFileError('edict.yaml', Array(60).fill(diagnostic)), noColor);
  assert.is(text.match(/\^\^\^/g)?.length, 50);
  assert.is(text.match(/edict\.yaml:12:5/g)?.length, 60);
  assert.match(text, '60 errors.');
});

test('in JSON every error has its place and no code frame', () => {
  const { valid, errors } = JSON.parse(renderDiagnosticsJson(new InvalidFileError('edict.yaml', [diagnostic]))) as {
    valid: boolean;
    errors: unknown[];
  };
  assert.is(valid, false);
  assert.equal(errors, [{ rule: 'invalid-value', file: 'edict.yaml', line: 12, column: 5, length: 3, message: 'wrong', hint: 'do this' }]);
});

test.run();
