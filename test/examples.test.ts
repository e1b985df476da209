import { globSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plan } from '../src/core/plan.ts';
import { parseDesired } from '../src/desired/parse-desired.ts';

const examples = globSync('examples/**/edict.yaml', { cwd: new URL('..', import.meta.url) });

test('there are examples', () => {
  assert.ok(examples.length >= 2);
});

for (const file of examples) {
  test(`${file} plans`, () => {
    const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
    const desired = parseDesired({ text, file, variables: { HW_PROJECT_ID: '73d69ae0cfcf460190522d06b60f05ad' } });
    const made = plan(desired, new Map());
    assert.is(made.changes.length + made.unchanged, desired.publications.size);
    assert.ok(made.changes.length > 0);
  });
}

test.run();
