import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Commit } from '../../src/model/desired-state.ts';
import { commitJson } from '../../src/render/plan-json.ts';

const id = '3f9a1c0b7d'.repeat(4);
const commit: Commit = { kind: 'committed', id, author: 'Ada Lovelace', atMs: Date.UTC(2026, 10, 20, 9, 30) };

test('in JSON the author is as in the commit', () => {
  assert.equal(commitJson({ ...commit, author: '\u001b' }), { id, author: '\u001b', at: '2026-11-20T09:30:00Z' });
  assert.equal(commitJson({ kind: 'uncommitted' }), { id: null, author: null, at: null });
  assert.is(commitJson(null), null);
});

test.run();
