import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { logFormats, logLevels } from '../../src/model/settings.ts';

test('levels are ordered from least to most verbose', () => {
  assert.equal(logLevels, ['silent', 'error', 'warn', 'info', 'debug']);
});

test('a line is for people or for programs', () => {
  assert.equal(logFormats, ['pretty', 'json']);
});

test.run();
