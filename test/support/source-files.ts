import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../..');

/** A TypeScript file of the repository; `path` counts from its root. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

/** Returns every script below `folder`, by path, except the `.js` files that packing makes of the others. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:[cm]?tsx?|[cm]js)$/.test(path))
    .sort()
    .map((path) => parseSource(join(folder, path), readFileSync(join(root, folder, path), 'utf8')));
}

/** Returns `text` as a file at `path`. */
export function parseSource(path: string, text: string): SourceFile {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

/** Returns every node of a file that `test` accepts. */
export function nodesOf<T extends ts.Node>({ tree }: SourceFile, test: (node: ts.Node) => node is T): T[] {
  const found: T[] = [];
  const visit = (node: ts.Node): void => {
    if (test(node)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/**
 * Returns what a file imports, once each: packages by name, files as `./` and their path in the repository. Type imports count, whether
 * `import type` or `import('…').Name`, as do re-exports, `import()`, `require()`, `import … = require()` and `/// <reference path>`. An
 * `import()` of a computed name is `'?'`.
 */
export function importsOf(file: SourceFile): string[] {
  const names = nodesOf(file, isImport).map((node) => {
    if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : '?';
    if (ts.isExternalModuleReference(node)) return textOf(node.expression);
    return textOf(ts.isCallExpression(node) ? node.arguments[0] : node.moduleSpecifier);
  });
  const referenced = file.tree.referencedFiles.map(({ fileName }) => `./${fileName}`);
  return [...new Set([...names, ...referenced])].map((name) => (name.startsWith('.') ? `./${join(dirname(file.path), name)}` : name));
}

type Import =
  | ts.ImportDeclaration
  | (ts.ExportDeclaration & { moduleSpecifier: ts.Expression })
  | ts.ImportTypeNode
  | ts.ExternalModuleReference
  | ts.CallExpression;

function isImport(node: ts.Node): node is Import {
  if (ts.isExportDeclaration(node)) return node.moduleSpecifier !== undefined;
  if (ts.isImportDeclaration(node) || ts.isImportTypeNode(node) || ts.isExternalModuleReference(node)) return true;
  if (!ts.isCallExpression(node)) return false;
  const { expression } = node;
  return expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require');
}

function textOf(node: ts.Node | undefined): string {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : '?';
}

/** Returns the names that a file declares and exports, once each; a re-export from another file declares nothing. */
export function exportedNames({ tree }: SourceFile): string[] {
  const isExported = (node: ts.Statement): boolean =>
    ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
  const names = tree.statements.filter(isExported).flatMap((statement) => {
    if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name.getText());
    return 'name' in statement && statement.name ? [(statement.name as ts.Identifier).text] : [];
  });
  const listed = tree.statements
    .filter(ts.isExportDeclaration)
    .filter(({ moduleSpecifier }) => moduleSpecifier === undefined)
    .flatMap(({ exportClause }) => (exportClause && ts.isNamedExports(exportClause) ? [...exportClause.elements] : []))
    .map(({ name }) => name.text);
  return [...new Set([...names, ...listed])];
}

/** Returns the names of the exported functions of a file that have no docstring. */
export function undocumentedFunctions({ tree }: SourceFile): string[] {
  const listed = tree.statements
    .filter(ts.isExportDeclaration)
    .flatMap(({ exportClause }) => (exportClause && ts.isNamedExports(exportClause) ? [...exportClause.elements] : []))
    .map((element) => (element.propertyName ?? element.name).text);
  const isExported = (node: ts.Node, name: string): boolean =>
    listed.includes(name) ||
    (ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true);
  const documented = new Map<string, boolean>();
  for (const statement of tree.statements) {
    for (const name of functionNames(statement)) {
      // One docstring is enough for all overloads of a function.
      if (isExported(statement, name))
        documented.set(name, documented.get(name) === true || ts.getJSDocCommentsAndTags(statement).length > 0);
    }
  }
  return [...documented].filter(([, has]) => !has).map(([name]) => name);
}

function functionNames(statement: ts.Statement): string[] {
  if (ts.isFunctionDeclaration(statement)) return [statement.name?.text ?? 'default'];
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations
    .filter(({ initializer }) => initializer !== undefined && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer)))
    .map(({ name }) => name.getText());
}

/**
 * Returns what is wrong with the use of uvu in a file, or `null`: uvu does not report a suite whose `run()` is never called, or
 * tests that come after it.
 */
export function uvuError(file: SourceFile): string | null {
  const calls = nodesOf(file, ts.isCallExpression);
  const uvu = file.tree.statements.filter(ts.isImportDeclaration).find(({ moduleSpecifier }) => textOf(moduleSpecifier) === 'uvu');
  const bindings = uvu?.importClause?.namedBindings;
  const imported = bindings && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : [];
  const named = (name: string): ts.CallExpression[] =>
    calls.filter(({ expression }) => ts.isIdentifier(expression) && expression.text === name);
  const suites = nodesOf(file, ts.isVariableDeclaration)
    .filter(({ initializer }) => initializer && imported.includes('suite') && named('suite').some((call) => call === initializer))
    .map(({ name }) => name.getText());
  for (const name of [...suites, ...imported.filter((each) => each === 'test')]) {
    const run = calls.findLast(({ expression }) => expression.getText() === `${name}.run`);
    if (run === undefined) return `${name}.run() is never called`;
    if (named(name).some((call) => call.pos > run.pos)) return `a test comes after ${name}.run()`;
  }
  return null;
}
