import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { reportError } from '../../../src/cli/output/errors.ts';
import { EdictError, exitCodes, InvalidFileError } from '../../../src/model/errors.ts';
import { StalePlanError } from '../../../src/model/saved-plan-diff.ts';
import { testContext } from '../../support/streams.ts';

test('an EdictError has a message and a hint, and no stack', () => {
  const { context, stderr, stdout } = testContext();
  assert.is(reportError(new EdictError('CODE', 'what', { hint: 'do this', exitCode: exitCodes.held }), context, 'text'), 4);
  assert.is(stderr(), 'edict: what\n  do this\n');
  assert.is(stdout(), '');
});

test('in JSON it is one document on stdout', () => {
  const { context, stdout } = testContext();
  reportError(new EdictError('CODE', 'what'), context, 'json');
  assert.equal(JSON.parse(stdout()), { format: 1, error: { code: 'CODE', message: 'what', hint: null } });
});

test('an invalid file shows its errors', () => {
  const { context, stderr, stdout } = testContext();
  const diagnostic = {
    rule: 'invalid-value' as const,
    file: 'f',
    line: 1,
    column: 1,
    length: 1,
    message: 'wrong',
    hint: null,
    excerpt: { text: 'x', column: 1 },
  };
  assert.is(reportError(new InvalidFileError('f', [diagnostic]), context, 'json'), 3);
  assert.match(stderr(), 'f:1:1  wrong');
  assert.is((JSON.parse(stdout()) as { valid: boolean }).valid, false);
});

test('a bug shows its stack trace and asks for a report', () => {
  const { context, stderr } = testContext();
  assert.is(reportError(new TypeError('oops'), context, 'text'), 1);
  assert.match(stderr(), /bug in edict[\s\S]*TypeError: oops\n\s+at /);
});

test('a stale plan lists what has changed, in JSON for each change', () => {
  const divergences = [{ kind: 'desiredRevision', was: '2', now: '3' }] as const;
  const of = { api: 'orders', apiId: 'api-orders', environment: 'release', environmentId: 'env-release', action: 'online' } as const;
  const { context, stdout, stderr } = testContext();
  assert.is(
    reportError(
      new StalePlanError(
        Array.from({ length: 51 }, () => ({ ...of, divergences, attempt: null })),
        60,
      ),
      context,
      'json',
    ),
    1,
  );
  assert.match(stderr(), /51 of its 60 changes .*\n {2}orders in release: the file has revision 3 now, and had revision 2 when planned\n/);
  assert.match(stderr(), '… and 1 more\n');
  const { error } = JSON.parse(stdout()) as { error: { code: string; staleChanges: { message: string }[] } };
  assert.equal([error.code, error.staleChanges.length], ['SAVED_PLAN_STALE', 51]);
});

test.run();
