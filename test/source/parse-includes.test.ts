import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseIncludes } from '../../src/source/include-reader.ts';
import { parseYaml } from '../../src/source/yaml/tree.ts';

const test = suite('include entries');
const entries = (text: string) => parseIncludes(parseYaml(text));

test('returns the entries with their positions in the list', () => {
  assert.equal(entries('include: [apis/*.yaml, other.yaml]'), [
    { index: 0, pattern: 'apis/*.yaml' },
    { index: 1, pattern: 'other.yaml' },
  ]);
});

test('a name that looks like a number is a name', () => {
  assert.equal(entries('include: [007]'), [{ index: 0, pattern: '007' }]);
});

test('entries that are not paths are left to the schema check', () => {
  assert.equal(entries(`include: ["", { a: 1 }, "\${HOME}/a.yaml", "a\\0b", ${'x'.repeat(1025)}, ok.yaml]`), [
    { index: 5, pattern: 'ok.yaml' },
  ]);
  for (const text of ['', '[]', 'include: a.yaml', 'apis: {}', 'include:\n']) assert.equal(entries(text), [], text);
});

test.run();
