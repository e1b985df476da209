import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidFileError } from '../../src/model/errors.ts';
import { parseDesiredState } from '../../src/source/parser.ts';

const test = suite('source files');
const head =
  'edict: 1\ngateway: { endpoint: "https://roma.example.com", project: p, instance: i }\nenvironments: { test: env-test }\ninclude: [apis/*.yaml]\n';

function parsed(main: string, ...others: readonly string[]) {
  const included = others.map((text, index) => ({ file: `shop/apis/${index}.yaml`, relativePath: `apis/${index}.yaml`, text }));
  return parseDesiredState({ text: head + main, file: 'shop/edict.yaml', variables: { HOME: '/root' }, included });
}

function errorsOf(main: string, ...others: readonly string[]): string[] {
  try {
    parsed(main, ...others);
    return [];
  } catch (error) {
    if (error instanceof InvalidFileError) return error.diagnostics.map(({ file, line, message }) => `${file}:${line} ${message}`);
    throw error;
  }
}

const api = (name: string, id = `id-${name}`, environment = 'test'): string =>
  `apis:\n  ${name}: { id: ${id}, environments: { ${environment}: online } }\n`;

test('the APIs of all files are declared, each with its position and file', () => {
  const { publications, sourceFiles } = parsed(api('a'), api('b'), api('c'));
  assert.equal(
    [...publications.values()].map(({ api: name, sourceFile, source }) => [name, sourceFile, source.file, source.line]),
    [
      ['a', '', 'shop/edict.yaml', 6],
      ['b', 'apis/0.yaml', 'shop/apis/0.yaml', 2],
      ['c', 'apis/1.yaml', 'shop/apis/1.yaml', 2],
    ],
  );
  assert.equal(sourceFiles, new Set(['', 'apis/0.yaml', 'apis/1.yaml']));
});

test('an API may have any YAML key as its name, also that of an object property', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const { publications } = parsed(api(name), api('b'));
    assert.equal(
      [...publications.values()].map((publication) => publication.api),
      [name, 'b'],
    );
  }
});

test('a file that includes others needs no APIs of its own', () => {
  assert.is(parsed('', api('b')).publications.size, 1);
});

test('an API or ID that is declared in two files is an error', () => {
  assert.equal(errorsOf(api('a'), api('a', 'other')), ['shop/apis/0.yaml:2 the API `a` is also declared in shop/edict.yaml:6']);
  assert.equal(errorsOf('', api('a'), api('b', 'id-a')), [
    'shop/apis/1.yaml:2 b in test is the same publication as a in test at shop/apis/0.yaml:2: both have the same ID',
  ]);
});

test('all errors of all files are reported at once, each in its own file', () => {
  const variable = '"$' + '{HOME}"';
  assert.equal(errorsOf('', 'apis: { b: { id: id-b } }\n', 'apis: [\n', `gateway: {}\n${api('c')}`, api('d', variable)), [
    'shop/apis/0.yaml:1 missing key `environments` in `apis.b`',
    'shop/apis/1.yaml:1 the `[` that opens here is not closed',
    'shop/apis/2.yaml:1 unknown key `gateway` in the file',
    'shop/apis/3.yaml:2 $' + '{HOME} is used where variables are not replaced',
  ]);
});

test('`include` in an included file is an error', () => {
  assert.match(errorsOf('', `include: [x.yaml]\n${api('a')}`)[0] ?? '', 'shop/apis/0.yaml:1 unknown key `include`');
});

test('an undeclared environment is an error of the file that names it', () => {
  assert.match(errorsOf('', api('a'), api('b', 'id-b', 'tset'))[0] ?? '', 'shop/apis/1.yaml:2');
});

test.run();
