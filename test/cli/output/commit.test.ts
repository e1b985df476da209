import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatChangeCommit, formatCommit } from '../../../src/cli/output/plan-phrases.ts';
import type { Commit } from '../../../src/model/desired-state.ts';
import { change } from '../../support/states.ts';

const id = '3f9a1c0b7d'.repeat(4);
const commit: Commit = { kind: 'committed', id, author: 'Ada Lovelace', atMs: Date.UTC(2026, 10, 20, 9, 30) };

test('a commit has its ID, author and day', () => {
  assert.is(formatCommit(commit), '3f9a1c0b7d Ada Lovelace 2026-11-20');
  assert.is(formatCommit({ kind: 'uncommitted' }), 'not committed yet');
  assert.is(formatCommit(null), '');
});

test('an author’s name is visible and has a limited length', () => {
  assert.is(formatCommit({ ...commit, author: ' \u001b[2J\u202eeve\n' }), '3f9a1c0b7d \\u{1b}[2J\\u{202e}eve\\n 2026-11-20');
  assert.is([...formatCommit({ ...commit, author: 'x'.repeat(5000) })].length, 10 + 1 + 59 + 1 + 10);
  assert.is(formatCommit({ ...commit, author: '' }), '3f9a1c0b7d 2026-11-20');
});

test('a change without a source or a lookup has no commit', () => {
  assert.is(
    formatChangeCommit(change('orders', 'test'), () => commit),
    '3f9a1c0b7d Ada Lovelace 2026-11-20',
  );
  assert.is(formatChangeCommit(change('orders', 'test'), undefined), '');
  assert.is(
    formatChangeCommit(change('orders', 'test', { source: null }), () => commit),
    '',
  );
});

test.run();
