import ts from 'typescript';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nodesOf, parseSource, sourceFiles, undocumentedFunctions, uvuError } from './support/source-files.ts';

test('every exported function has a docstring', () => {
  const files = [...sourceFiles('src'), ...sourceFiles('test')];
  assert.equal(
    files.flatMap((file) => undocumentedFunctions(file).map((name) => `${file.path}: ${name}`)),
    [],
  );
});

test('strings reach stdout and stderr through terminal.ts alone, which makes them visible, and as JSON through visible.ts', () => {
  const isCall = (node: ts.Node): node is ts.CallExpression => ts.isCallExpression(node);
  const calls = sourceFiles('src/cli').flatMap((file) => nodesOf(file, isCall).map(({ expression }) => [file.path, expression.getText()]));
  const found = calls.filter(([, called = '']) => /\.write$|^console\.|^JSON\.stringify$/.test(called));
  assert.equal([...new Set(found.map(([path]) => path))], ['src/cli/output/terminal.ts']);
});

test('the page writes texts through element.ts alone, which makes them visible, and the server writes JSON through visible.ts alone', () => {
  const isWrite = (node: ts.Node): node is ts.BinaryExpression | ts.CallExpression =>
    ts.isBinaryExpression(node)
      ? node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
        /\.(?:textContent|innerText|innerHTML|outerHTML|nodeValue|title|ariaLabel)$/.test(node.left.getText())
      : ts.isCallExpression(node) && /\.(?:insertAdjacent\w+|createTextNode|write|writeln)$/.test(node.expression.getText());
  const writes = sourceFiles('src/ui').flatMap((file) => nodesOf(file, isWrite).map((node) => `${file.path}: ${node.getText()}`));
  assert.equal(
    writes.filter((write) => !write.startsWith('src/ui/element.ts: ')),
    [],
  );
  const isCall = (node: ts.Node): node is ts.CallExpression => ts.isCallExpression(node);
  const calls = sourceFiles('src/server').flatMap((file) => nodesOf(file, isCall).map((node) => `${file.path}: ${node.getText()}`));
  // The status cache compares settings.
  assert.equal(
    calls.filter((call) => call.includes(': JSON.stringify(') && !call.startsWith('src/server/status-cache.ts: ')),
    [],
  );
});

test('every test file runs all of its tests', () => {
  const errors = sourceFiles('test').map((file) => [file.path, uvuError(file)] as const);
  assert.equal(
    errors.filter(([, errorIn]) => errorIn !== null),
    [],
  );
});

test('finds exported functions without a docstring', () => {
  const text = `
    /** Yes. */ export function a(): void {}
    export function b(): void {}
    /** Yes. */ export const c = (): void => {};
    export const d = async (): Promise<void> => {};
    function e(): void {}
    function f(): void {}
    // No.
    export function g(): void {}
    export const h = 1;
    export { f };`;
  assert.equal(undocumentedFunctions(parseSource('x.ts', text)), ['b', 'd', 'f', 'g']);
});

test('finds tests that uvu would drop silently', () => {
  const errorIn = (text: string): string | null => uvuError(parseSource('x.test.ts', `import { suite, test } from 'uvu';\n${text}`));
  assert.is(errorIn("test('a', f); test.run();"), null);
  assert.is(errorIn("const s = suite('s'); s('a', f); s.run(); test('b', f); test.run();"), null);
  assert.is(errorIn("test('a', f);"), 'test.run() is never called');
  assert.is(errorIn("const s = suite('s'); s('a', f); test('b', f); test.run();"), 's.run() is never called');
  assert.is(errorIn("test('a', f); test.run(); test('b', f);"), 'a test comes after test.run()');
});

test.run();
