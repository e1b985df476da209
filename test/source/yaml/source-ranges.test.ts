import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseYamlInSegments } from '../../../src/source/yaml/segments.ts';
import { type KeyPath, LineIndex, locate } from '../../../src/source/yaml/source-ranges.ts';
import { parseYaml } from '../../../src/source/yaml/tree.ts';
import { fc } from '../../support/fast-check.ts';

const text = 'a:\n  b: one\n  list: [two, { c: three }]\nd: {}\n';

for (const [path, key, value] of [
  [['a', 'b'], 'b', 'one'],
  [['a', 'list', '0'], null, 'two'],
  [['a', 'list', '1', 'c'], 'c', 'three'],
  [['d'], 'd', '{}'],
  [['a', 'b', 'further'], 'b', 'one'],
  [['d', 'none'], 'd', '{}'],
  [['a', 'list', '7'], 'list', '[two, { c: three }]'],
] as const satisfies readonly (readonly [KeyPath, string | null, string])[]) {
  test(`${path.join('.')} is the key ${key} and the value ${value}`, () => {
    for (const { root } of [parseYaml(text), parseYamlInSegments(text, new Map())]) {
      const place = locate(root, path);
      assert.is(place.key && text.slice(place.key.start, place.key.end), key);
      assert.is(text.slice(place.value.start, place.value.end), value);
    }
  });
}

test('the root has no key', () => {
  assert.is(locate(parseYaml(text).root, []).key, null);
});

test('line and column count from 1', () => {
  const lines = new LineIndex('ab\r\n\nc💥d');
  assert.equal(lines.positionAt(0), { line: 1, column: 1 });
  assert.equal(lines.positionAt(2), { line: 1, column: 3 });
  assert.equal(lines.positionAt(4), { line: 2, column: 1 });
  assert.equal(lines.positionAt(8), { line: 3, column: 4 });
  assert.equal(lines.positionAt(9), { line: 3, column: 5 });
  assert.equal(lines.positionAt(99), { line: 3, column: 5 }, 'beyond the end is the end');
  assert.equal(
    [1, 2, 3, 4].map((line) => lines.lineText(line)),
    ['ab', '', 'c💥d', ''],
  );
});

test('lines end as in editors: with LF, CRLF and CR, not with NEL, LS and PS', () => {
  const lines = new LineIndex('a\nb\r\nc\rd\u0085e\u2028f\u2029g');
  assert.equal(
    [1, 2, 3, 4, 5].map((line) => lines.lineText(line)),
    ['a', 'b', 'c', 'd\u0085e\u2028f\u2029g', ''],
  );
  assert.equal(lines.positionAt(13), { line: 4, column: 7 });
});

test('a byte order mark has no column', () => {
  const lines = new LineIndex('\uFEFFab\nc');
  assert.equal(
    [0, 1, 2, 4].map((offset) => lines.positionAt(offset)),
    [
      { line: 1, column: 1 },
      { line: 1, column: 1 },
      { line: 1, column: 2 },
      { line: 2, column: 1 },
    ],
  );
  assert.is(lines.lineText(1), 'ab');
});

test('an empty text has one line', () => {
  const lines = new LineIndex('');
  assert.equal(lines.positionAt(0), { line: 1, column: 1 });
  assert.is(lines.lineText(1), '');
});

test('the position of every offset matches a count of lines and columns', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '\r', '💥', ' ') }), (any) => {
      const lines = new LineIndex(any);
      for (let offset = 0; offset <= any.length; offset += 1) {
        const isInBreak = any.slice(offset - 1, offset + 1) === '\r\n';
        const before = (isInBreak ? any.slice(0, offset - 1) : any.slice(0, offset)).split(/\r\n|\r|\n/);
        assert.equal(lines.positionAt(offset), { line: before.length, column: (before.at(-1)?.length ?? 0) + (isInBreak ? 2 : 1) });
        assert.is(lines.lineText(before.length), any.split(/\r\n|\r|\n/)[before.length - 1]);
      }
    }),
  );
});

test.run();
