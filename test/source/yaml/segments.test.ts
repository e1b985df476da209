import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseYamlInSegments, type SegmentCache } from '../../../src/source/yaml/segments.ts';
import { locate } from '../../../src/source/yaml/source-ranges.ts';
import { parseYaml, type YamlNode } from '../../../src/source/yaml/tree.ts';
import { toPlainValue } from '../../../src/source/yaml/value.ts';
import { brokenTexts, edictTexts, yamlTexts } from '../../support/edict-texts.ts';
import { fc, runs } from '../../support/fast-check.ts';

/** Returns the path of every key and list item of a tree. */
function pathsOf(node: YamlNode, path: readonly string[] = []): string[][] {
  if (node.kind === 'map') return [...node.entries].flatMap(([name, entry]) => [[...path, name], ...pathsOf(entry.node, [...path, name])]);
  if (node.kind === 'seq')
    return node.items.flatMap((item, index) => [[...path, String(index)], ...pathsOf(item, [...path, String(index)])]);
  return [];
}

function assertSame(text: string, cache: SegmentCache): void {
  const whole = parseYaml(text);
  const pieces = parseYamlInSegments(text, cache);
  assert.equal(pieces.problems, whole.problems);
  if (whole.problems.length > 0) return;
  assert.equal(toPlainValue(pieces.root), toPlainValue(whole.root));
  for (const path of pathsOf(whole.root)) {
    const [expected, actual] = [locate(whole.root, path), locate(pieces.root, path)];
    assert.equal(actual.key, expected.key, `key of ${path.join('.')}`);
    assert.is(actual.value.start, expected.value.start, `value of ${path.join('.')}`);
    // Whether the yaml package counts blank lines after a block scalar to it depends on what follows.
    const [written, found] = [expected, actual].map(({ value }) => text.slice(value.start, value.end).trimEnd());
    if (expected.node.kind === 'scalar') assert.is(found, written, `value of ${path.join('.')}`);
  }
}

test('gives the same tree as the yaml package on every style of file', () => {
  fc.assert(
    fc.property(edictTexts, (text) => assertSame(text, new Map())),
    { numRuns: runs(400) },
  );
});

test('gives the same tree and the same problems on broken files', () => {
  fc.assert(
    fc.property(brokenTexts, (text) => assertSame(text, new Map())),
    { numRuns: runs(1000) },
  );
});

test('gives the same tree and the same problems on any YAML', () => {
  const cache: SegmentCache = new Map();
  fc.assert(
    fc.property(yamlTexts, (text) => {
      assertSame(text, new Map());
      assertSame(text, cache);
    }),
    { numRuns: runs(1000) },
  );
});

test('gives the same tree if segments of another text are cached', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(edictTexts, brokenTexts), { minLength: 2, maxLength: 4 }), (texts) => {
      const cache: SegmentCache = new Map();
      for (const text of texts) assertSame(text, cache);
    }),
    { numRuns: runs(300) },
  );
});

const awkward: readonly [string, string][] = [
  ['nothing', ''],
  ['a comment', '# nothing\n'],
  ['a scalar', 'text\n'],
  ['a list', '- a\n- b\n'],
  ['a list at the level of its key', 'a:\n- b\nc: d\n'],
  ['a value on the next line', 'a:\n  b\nc: d\n'],
  ['a text over lines that look like keys', 'a: "x\n  b: c\n  d: e"\nf: g\n'],
  ['a block scalar with lines that look like keys', 'a: |\n  b: c\n  d: e\nf: g\n'],
  ['a block scalar with a given indentation', 'a: |1\n  b: c\n d\nf: g\n'],
  ['a flow map over lines', 'a: {\n  b: c,\n  d: e }\nf: g\n'],
  ['a flow map that begins on the next line', 'a:\n  { b: c,\n    d: e }\nf: g\n'],
  ['anchors and aliases', 'a: &x\n  b: c\nd: *x\n'],
  ['an anchor on the next line', 'a:\n  &x\n  b: c\nd: *x\n'],
  ['an alias without an anchor', 'a: *x\n'],
  ['an anchor in another entry', 'a:\n  b: &x c\nd:\n  e: *x\n'],
  ['an alias that contains itself', 'a: &x\n  b: *x\n'],
  ['a duplicate key', 'a: 1\nb: 2\na: 3\n'],
  ['a nested duplicate key', 'a:\n  b: 1\n  b: 2\n'],
  ['explicit keys', '? a\n: b\n? c\n'],
  ['an entry without a colon', 'a: b\nc\nd: e\n'],
  ['indentation that goes back halfway', 'a:\n    b: c\n  d: e\n'],
  ['tabs', 'a:\n\tb: c\n'],
  ['two documents', 'a: b\n---\nc: d\n'],
  ['a directive', '%YAML 1.2\n---\na: b\n'],
  ['a byte order mark', '\uFEFFa: b\n'],
  ['no newline at the end', 'a:\n  b: c'],
  ['lone carriage returns', 'a: b\rc: d\n'],
  ['a key that is a number', '1: a\n2: b\n'],
  ['an empty key', ': a\nb: c\n'],
  ['a quoted key', '"a b": c\nd:\n  "e": f\n'],
  ['a tag', 'a: !!str 1\nb: !x y\n'],
  ['keys named like object properties', '__proto__:\n  a: b\nconstructor: c\n'],
  ['comments between the lines', 'a: # one\n  # two\n  b: c # three\n# four\n  d: e\n'],
];
for (const [name, text] of awkward) test(`gives the same tree for ${name}`, () => assertSame(text, new Map()));

test('caches nothing of texts before the last one', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const cache: SegmentCache = new Map();
  const id = 'an-id-so-long-that-it-is-cut-out-and-not-copied';
  const edited = (edits: number): string =>
    `apis:\n${Array.from({ length: 5000 }, (_, index) => `  an-api-with-a-name-so-long-that-it-is-cut-out-${index}:\n    id: ${index < edits ? 'new' : 'old'}-${id}-${index}\n`).join('')}`;
  const heldAfter = (edits: number): number => {
    parseYamlInSegments(edited(edits), cache);
    gc();
    return process.memoryUsage().heapUsed;
  };
  const before = heldAfter(0);
  for (let edits = 1; edits < 60; edits += 1) parseYamlInSegments(edited(edits), cache);
  assert.ok(heldAfter(60) - before < 5 * edited(0).length, 'sixty readings hold less than five texts');
});

test('long segments are cached under short keys', () => {
  const long = 'x'.repeat(100_000);
  const text = `a: ${long}\nb:\n${Array.from({ length: 1000 }, (_, index) => `  c${index}: d\n`).join('')}e: ${long}y\n`;
  const cache: SegmentCache = new Map();
  assertSame(text, cache);
  assert.ok(Math.max(...[...cache.keys()].map(({ length }) => length)) < 2000);
  const known = cache.size;
  assertSame(text.replace('c7: d', 'c7: f'), cache);
  assert.is(cache.size, known);
});

test('caches only the segments of the last text', () => {
  const cache: SegmentCache = new Map();
  parseYamlInSegments('a: 1\nb: 2\n', cache);
  parseYamlInSegments('c: 3\n', cache);
  assert.equal([...cache.keys()], ['c: 3\n']);
  parseYamlInSegments('c: [', cache);
  assert.is(cache.size, 0);
});

test.run();
