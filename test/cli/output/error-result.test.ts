import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { errorDocument, renderError } from '../../../src/cli/output/errors.ts';
import { EdictError, InvalidFileError } from '../../../src/model/errors.ts';
import { testContext } from '../../support/streams.ts';

const invalid = new InvalidFileError('f.yaml', [
  {
    rule: 'invalid-value',
    file: 'f.yaml',
    line: 2,
    column: 3,
    length: 1,
    message: 'wrong',
    hint: 'mend it',
    excerpt: { text: '  x', column: 1 },
  },
]);
const { context } = testContext();

test('an error is shown with its hint', () => {
  assert.is(
    renderError(new EdictError('X', 'the store is gone', { hint: 'bring it back' }), context),
    'the store is gone\n  bring it back\n',
  );
  assert.is(renderError(new EdictError('X', 'the store is gone'), context), 'the store is gone\n');
  assert.match(renderError(invalid, context), /f\.yaml:2:3 {2}wrong\n[\s\S]*mend it/);
});

test('in JSON it is the document that the command alone would write', () => {
  const error = { code: 'X', message: 'the store is gone', hint: null };
  assert.equal(errorDocument(new EdictError('X', 'the store is gone')), { format: 1, error });
  assert.equal(errorDocument(invalid), {
    format: 1,
    valid: false,
    errors: [{ rule: 'invalid-value', file: 'f.yaml', line: 2, column: 3, length: 1, message: 'wrong', hint: 'mend it' }],
  });
});

test('a bug is rethrown', () => {
  assert.throws(() => renderError(new TypeError('a bug'), context), 'a bug');
  assert.throws(() => errorDocument(new TypeError('a bug')), 'a bug');
});

test.run();
