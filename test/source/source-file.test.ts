import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SourceFile } from '../../src/source/source-file.ts';
import { parseYaml } from '../../src/source/yaml/tree.ts';

const test = suite('source file');
const part = (text: string): SourceFile => new SourceFile({ file: 'apis/shop.yaml', relativePath: 'shop.yaml', text }, parseYaml(text));

test('returns the positions of its keys', () => {
  assert.equal(part('apis:\n  orders: { id: x }\n').sourceOf(['apis', 'orders', 'id']), { file: 'apis/shop.yaml', line: 2, column: 13 });
});

test('reports errors in the order of the file, each once', () => {
  const diagnostic = (...path: readonly string[]) => ({ path, target: 'key', message: 'wrong', hint: null }) as const;
  const diagnostics = part('a: 1\nb: 2\n').toDiagnostics([diagnostic('b'), diagnostic('a'), diagnostic('b')]);
  assert.equal(
    diagnostics.map(({ diagnostic: { file, line, column, excerpt } }) => [file, line, column, excerpt.text]),
    [
      ['apis/shop.yaml', 1, 1, 'a: 1'],
      ['apis/shop.yaml', 2, 1, 'b: 2'],
    ],
  );
});

test('invalid YAML has no value, and the errors say why', () => {
  const broken = part('a: [1\n');
  assert.is(broken.value, null);
  assert.is(broken.yamlDiagnostics()[0]?.diagnostic.file, 'apis/shop.yaml');
});

test.run();
