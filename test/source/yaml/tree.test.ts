import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { locate } from '../../../src/source/yaml/source-ranges.ts';
import { maxDepth, parseYaml } from '../../../src/source/yaml/tree.ts';
import { toPlainValue } from '../../../src/source/yaml/value.ts';
import { brokenTexts, edictTexts } from '../../support/edict-texts.ts';
import { fc, runs } from '../../support/fast-check.ts';

const problemsOf = (text: string) => parseYaml(text).problems.map(({ start, end, message }) => [text.slice(start, end), message] as const);

test('matches the yaml package', () => {
  fc.assert(
    fc.property(edictTexts, (text) => {
      const { root, problems } = parseYaml(text);
      fc.pre(problems.length === 0);
      const asText = (value: unknown): unknown =>
        JSON.parse(JSON.stringify(value, (_, inner) => (typeof inner === 'number' ? 'number' : inner)));
      const numbers = new Set(['12345', '1e5', '1.10', '1', '10']);
      const ours = JSON.stringify(toPlainValue(root), (_, inner) => (typeof inner === 'number' || numbers.has(inner) ? 'number' : inner));
      assert.equal(JSON.parse(ours), asText(parse(text)));
    }),
  );
});

test('never throws, and every problem has a range in the text', () => {
  fc.assert(
    fc.property(fc.oneof(brokenTexts, fc.string({ unit: 'binary' })), (text) => {
      for (const { start, end } of parseYaml(text).problems) assert.ok(start >= 0 && start <= text.length && end > start);
    }),
    { numRuns: runs(500) },
  );
});

test('an alias refers to the last anchor of its name before it', () => {
  const text = 'a: &x 1st\nb: &m [*x]\nc: &x 2nd\nd: [*x, *m]\n&k key: *k\n';
  assert.equal(toPlainValue(parseYaml(text).root), { a: '1st', b: ['1st'], c: '2nd', d: ['2nd', ['1st']], key: 'key' });
});

test('an anchor in a repeated value is not set again', () => {
  const text = 'a: &m { b: &x 1st }\nc: &x 2nd\nd: *m\ne: *x\n';
  assert.equal(toPlainValue(parseYaml(text).root), { a: { b: '1st' }, c: '2nd', d: { b: '1st' }, e: '2nd' });
});

test('an anchor must precede its aliases', () => {
  assert.equal(
    problemsOf('a: *x\nb: &x 1\n').map(([text]) => text),
    ['*x'],
  );
});

test('an alias that contains itself is reported once', () => {
  for (const text of ['a: &x [*x, &y 1, *y]\n', 'a: &x { b: { c: *x } }\n']) {
    assert.equal(problemsOf(text), [['*x', 'the alias *x contains itself']]);
  }
});

test('a duplicate key is reported at any depth, and the values below it are checked', () => {
  const text = 'a: 1\nb: { c: 1, c: 2 }\na: { d: 1, d: 2, e: &x 3 }\nf: *x\n';
  assert.equal(
    problemsOf(text).map(([key]) => key),
    ['c', 'd', 'a'],
  );
});

const plain = (text: string): unknown => {
  const { root, problems } = parseYaml(text);
  assert.equal(problems, []);
  return toPlainValue(root);
};

test('a merge key adds the keys of a map that the map does not have itself', () => {
  assert.equal(plain('a: &a { x: 1st, y: 1st }\nb: { <<: *a, x: own }\nc:\n  y: own\n  <<: *a\n'), {
    a: { x: '1st', y: '1st' },
    b: { x: 'own', y: '1st' },
    c: { y: 'own', x: '1st' },
  });
});

test('of several merged maps, the first that has a key counts', () => {
  const maps = 'a: &a { x: 1st }\nb: &b { x: 2nd, y: 2nd }\n';
  for (const merged of ['<<: [*a, *b]', '<<: *a\n  <<: *b'])
    assert.equal((plain(`${maps}c:\n  ${merged}\n`) as { c: unknown }).c, { x: '1st', y: '2nd' });
});

test('a merged map may be merged itself, or be written in place', () => {
  const text = 'a: &a { x: one }\nb: &b { <<: *a, y: two }\nc: { <<: *b, z: three }\nd: { <<: { x: here } }\n';
  const { c, d } = plain(text) as { c: unknown; d: unknown };
  assert.equal([c, d], [{ z: 'three', y: 'two', x: 'one' }, { x: 'here' }]);
});

test('a merged key has the place where it is written', () => {
  const text = 'a: &a { x: one }\nb: { <<: *a }\n';
  const { key } = locate(parseYaml(text).root, ['b', 'x']);
  assert.is(key?.start, text.indexOf('x'));
});

test('a merge key in quotes is an ordinary key, and one without a map is an error', () => {
  assert.equal(plain('a: { "<<": b }\n'), { a: { '<<': 'b' } });
  assert.equal(problemsOf('a: { <<: b }\n'), [['b', '`<<` needs an alias of a map']]);
  assert.equal(problemsOf('a: { <<: *none }\n'), [['*none', 'the alias *none has no anchor before it']]);
});

test('merged maps count as repeated', () => {
  const keys = Array.from({ length: 100 }, (_, index) => `k${index}: v`).join(', ');
  const merges = Array.from({ length: 2000 }, (_, index) => `m${index}: { <<: *a }\n`).join('');
  assert.match(problemsOf(`a: &a { ${keys} }\n${merges}`)[0]?.[1] ?? '', 'repeat more than 100000 values');
});

test('an unknown tag is an error, and the tags of the core schema are not', () => {
  assert.equal(problemsOf('a: !secret x\nb: !!binary aGk=\n'), [
    ['!secret', 'the tag `!secret` is not supported'],
    ['!!binary', 'the tag `!!binary` is not supported'],
  ]);
  assert.equal(plain('a: !!str 1\nb: !!bool true\nc: !!map { d: !!seq [] }\n'), { a: '1', b: true, c: { d: [] } });
});

test('a problem at several places is reported once, with their number', () => {
  const [problem, ...others] = parseYaml(Array.from({ length: 500 }, (_, index) => `a${index}: !x y\n`).join('')).problems;
  assert.equal([others, problem?.others?.count, problem?.others?.starts.length], [[], 499, 3]);
});

test('keys with the same text are duplicates', () => {
  assert.equal(problemsOf('"a": 1\na: 2\n').length, 1);
  assert.equal(problemsOf('1: 1\n1.0: 2\n').length, 0);
});

test('the maximum nesting depth is allowed, and one more level is not', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  assert.equal(problemsOf(nested(maxDepth)), []);
  assert.is(parseYaml(nested(maxDepth)).depth, maxDepth);
  assert.match(problemsOf(nested(maxDepth + 1))[0]?.[1] ?? '', 'nested too deeply');
});

test('counts aliases and nesting levels', () => {
  assert.equal(measured('a: b\n'), [1, 0]);
  assert.equal(measured('a: &x [{ b: c }]\nd: *x\ne: *x\nf: *none\n'), [3, 3]);

  function measured(text: string): number[] {
    const { depth, aliases } = parseYaml(text);
    return [depth, aliases];
  }
});

test('the number of repeated nodes is limited', () => {
  const list = `[${Array(100).fill('x').join(', ')}]`;
  const text = `a: &a ${list}\nb: &b [${Array(100).fill('*a').join(', ')}]\nc: [${Array(100).fill('*b').join(', ')}]\n`;
  const problems = problemsOf(text);
  assert.ok(problems.length > 0 && problems.length <= 200);
  assert.match(problems[0]?.[1] ?? '', 'repeat more than 100000 values');
});

test('scalars keep their text', () => {
  const { root } = parseYaml('a: 1.10\n');
  assert.ok(root.kind === 'map');
  const node = root.entries.get('a')?.node;
  assert.ok(node?.kind === 'scalar');
  assert.equal([node.value, node.text, node.start, node.end], [1.1, '1.10', 3, 7]);
});

test.run();
