import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assertNever, EdictError, errorMessage, exitCodes, InvalidFileError } from '../../src/model/errors.ts';

test('an error has a code, and optionally a hint and an exit code', () => {
  const error = new EdictError('CODE', 'what happened');
  assert.equal([error.code, error.message, error.hint, error.exitCode], ['CODE', 'what happened', null, exitCodes.error]);
  const cause = new Error('below');
  const full = new EdictError('CODE', 'what', { hint: 'do this', exitCode: exitCodes.held, cause });
  assert.equal([full.hint, full.exitCode, full.cause], ['do this', 4, cause]);
});

test('an invalid file counts its errors and exits with 3', () => {
  const diagnostic = {
    rule: 'invalid-value' as const,
    file: 'f',
    line: 1,
    column: 1,
    length: 1,
    message: '',
    hint: null,
    excerpt: { text: '', column: 1 },
  };
  assert.is(new InvalidFileError('f', [diagnostic]).message, 'f has 1 error');
  assert.is(new InvalidFileError('f', [diagnostic, diagnostic]).message, 'f has 2 errors');
  assert.is(new InvalidFileError('f', []).exitCode, 3);
});

test('anything thrown has a message', () => {
  assert.is(errorMessage(new Error('text')), 'text');
  assert.is(errorMessage('text'), 'text');
});

test('an unreachable branch throws when it is reached', () => {
  assert.throws(() => assertNever('x' as never), /unexpected "x"/);
});

test.run();
