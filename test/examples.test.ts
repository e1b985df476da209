import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { diffStates } from '../src/plan/diff.ts';
import { FileSource } from '../src/source/file-source.ts';

const examples = globSync('examples/**/edict.yaml', { cwd: new URL('..', import.meta.url) });

test('there are examples', () => {
  assert.ok(examples.length >= 2);
});

for (const file of examples) {
  test(`${file} has a valid plan`, async () => {
    const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
    const desired = await new FileSource(path, {
      variables: { HW_PROJECT_ID: '73d69ae0cfcf460190522d06b60f05ad' },
      resolveNames: async () => new Map(),
    }).load();
    const made = diffStates(desired, new Map());
    assert.is(made.changes.length + made.unchanged, desired.publications.size);
    assert.ok(made.changes.length > 0);
  });
}

for (const file of globSync('examples/**/*.{yaml,yml}', { cwd: new URL('..', import.meta.url) })) {
  test(`${file} is YAML`, () => {
    const documents = parseAllDocuments(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));
    assert.ok(Array.isArray(documents) && documents.length > 0);
    assert.equal(
      documents.flatMap(({ errors }) => errors.map(({ message }) => message)),
      [],
    );
  });
}

test.run();
