import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ParseCache } from '../../../src/source/yaml/parse-cache.ts';

const test = suite('parse cache');

test('unchanged text returns the same tree, for each file separately', () => {
  const trees = new ParseCache();
  const first = trees.parse('a.yaml', 'x: 1\n');
  assert.is(trees.parse('a.yaml', 'x: 1\n'), first);
  assert.is.not(trees.parse('b.yaml', 'x: 1\n'), first);
  assert.is.not(trees.parse('a.yaml', 'x: 2\n'), first);
});

test('a file that was removed from the cache is parsed again', () => {
  const trees = new ParseCache();
  const [a, b] = [trees.parse('a.yaml', 'x: 1\n'), trees.parse('b.yaml', 'x: 1\n')];
  trees.retainOnly(new Set(['a.yaml']));
  assert.is(trees.parse('a.yaml', 'x: 1\n'), a);
  assert.is.not(trees.parse('b.yaml', 'x: 1\n'), b);
});

test.run();
