import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { postgres, sqlite } from '../../generated/store-queries.js';
import { bindQuery } from '../../src/store/database.ts';

test('values are in the order of the query, and repeated where it uses one twice', () => {
  assert.equal(bindQuery(sqlite.historyOfApi, { limit: 3, beforeId: 9, environments: null, api: 'p', gateway: 7 }).values, [
    7,
    7,
    'p',
    7,
    'p',
    null,
    null,
    null,
    9,
    3,
  ]);
});

test('both engines take the same values', () => {
  assert.equal(Object.keys(sqlite), Object.keys(postgres));
  for (const name of Object.keys(sqlite) as (keyof typeof sqlite)[]) assert.equal(sqlite[name].parameters, postgres[name].parameters);
});

test.run();
