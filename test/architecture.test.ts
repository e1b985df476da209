import ts from 'typescript';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exportedNames, importsOf, nodesOf, parseSource, sourceFiles } from './support/source-files.ts';

const sources = sourceFiles('src');

/** The layers that every layer above `render` may import. */
const pure = ['src/render/', 'src/plan/', 'src/model/'];

/** The layers, from the bottom, each with the files that it may import besides its own. Folders beside each other do not import each other. */
const layers: readonly { readonly layer: string; readonly mayImport: readonly string[] }[] = [
  { layer: 'src/model/', mayImport: [] },
  { layer: 'src/plan/', mayImport: ['src/model/'] },
  { layer: 'src/render/', mayImport: ['src/plan/', 'src/model/', 'generated/'] },
  { layer: 'src/controller/', mayImport: [...pure, 'src/source/interface.ts', 'src/gateway/interface.ts', 'src/store/interface.ts'] },
  { layer: 'src/source/', mayImport: [...pure, 'generated/'] },
  { layer: 'src/gateway/', mayImport: [...pure, 'generated/'] },
  { layer: 'src/store/', mayImport: [...pure, 'generated/'] },
  { layer: 'src/server/', mayImport: [...pure, 'generated/'] },
  { layer: 'src/telemetry/', mayImport: [...pure, 'generated/'] },
  { layer: 'src/emulator/', mayImport: ['generated/'] },
  { layer: 'src/ui/', mayImport: ['generated/', 'src/model/visible.ts'] },
  { layer: 'src/app/', mayImport: ['src/', 'generated/'] },
  { layer: 'src/cli/', mayImport: ['src/app/', 'src/emulator/', ...pure, 'generated/'] },
  { layer: 'src/main.ts', mayImport: ['src/cli/'] },
];

/** The layers above `app`, which it must not import. */
const topLayers = ['src/cli/', 'src/main.ts'];

/** Packages that read no clock, file, socket or process. */
const purePackages = ['node:crypto', 'fastest-levenshtein'];

/**
 * Modules that load a file by a name which no import shows. `main.ts` takes the compile cache from one, and the worker folder starts a thread, with
 * the same cache, from the file beside it.
 */
const loaders = ['node:module', 'node:vm', 'node:worker_threads'];

/** Returns whether a file may import a module that loads files. */
function mayLoad(from: string, imported: string): boolean {
  return from === 'src/main.ts' || (imported !== 'node:vm' && from.startsWith('src/source/worker/'));
}

/** Returns a description of an import that breaks the rules; `null` if it does not. */
function breach(from: string, imported: string): string | null {
  const place = layers.find(({ layer }) => from.startsWith(layer));
  if (place === undefined) return `${from} is in no layer`;
  const isPure = place.layer === 'src/model/' || place.layer === 'src/plan/';
  const isUpward = place.layer === 'src/app/' && topLayers.some((layer) => imported.startsWith(`./${layer}`));
  const isAllowed = imported.startsWith('./')
    ? !isUpward && [place.layer, ...place.mayImport].some((prefix) => imported.startsWith(`./${prefix}`))
    : isPackage(imported) && (!loaders.includes(imported) || mayLoad(from, imported)) && (!isPure || purePackages.includes(imported));
  return isAllowed ? null : `${from} imports ${imported}`;
}

/** Returns whether an import names a package or a module of Node.js, not a URL, an absolute path or a name that is not known here. */
function isPackage(imported: string): boolean {
  return /^(?:node:[\w/]+|@?[a-z][\w.-]*(?:\/[\w.-]+)*)$/.test(imported);
}

/** Returns one cycle among `imports`, or `null`. */
function cycle(imports: ReadonlyMap<string, readonly string[]>): string | null {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path].join(' → ');
    if (done.has(path)) return null;
    for (const next of imports.get(path) ?? []) {
      const found = visit(next, [...trail, path]);
      if (found !== null) return found;
    }
    done.add(path);
    return null;
  };
  return [...imports.keys()].map((path) => visit(path, [])).find((found) => found !== null) ?? null;
}

test('every file imports only what its layer may', () => {
  const breaches = sources.flatMap((file) => importsOf(file).map((imported) => breach(file.path, imported)));
  assert.equal(breaches.filter(Boolean), []);
});

test('model and plan use no random numbers', () => {
  const isRandom = (node: ts.Node): node is ts.Identifier =>
    ts.isIdentifier(node) && /^random|^getRandomValues$|^Function$/.test(node.text);
  const uses = sources
    .filter(({ path }) => /^src\/(?:model|plan)\//.test(path))
    .flatMap((file) =>
      nodesOf(file, isRandom).map(({ text, parent }) => (ts.isPropertySignature(parent) ? [] : [`${file.path}: ${text}`])),
    );
  assert.equal(uses.flat(), []);
});

test('no import leads back to its file, types included', () => {
  const imports = sources.map((file) => [`./${file.path}`, importsOf(file)] as const);
  assert.is(cycle(new Map(imports)), null);
});

test('no exported name is declared twice', () => {
  const declared = sources.flatMap((file) => exportedNames(file).map((name) => ({ name, path: file.path })));
  const twice = [...Map.groupBy(declared, ({ name }) => name)].filter(([, places]) => places.length > 1);
  assert.equal(
    twice.map(([name, places]) => `${name}: ${places.map(({ path }) => path).join(', ')}`),
    [],
  );
});

test('sees every way to import', () => {
  const text = `
    import a from './a.ts';
    import type { B } from '../store/b.ts';
    import { type C } from '../controller/c.ts';
    import 'side-effect';
    export { d } from './d.ts';
    export * from '@scope/e/deep.js';
    type F = import('../gateway/f.ts').F;
    const g = await import('../server/g.ts');
    const h = require('node:fs');
    const i = await import(name);
    const again = await import('./a.ts');
    import j = require('../plan/j.ts');`;
  assert.equal(importsOf(parseSource('src/model/x.ts', text)), [
    './src/model/a.ts',
    './src/store/b.ts',
    './src/controller/c.ts',
    'side-effect',
    './src/model/d.ts',
    '@scope/e/deep.js',
    './src/gateway/f.ts',
    './src/server/g.ts',
    'node:fs',
    '?',
    './src/plan/j.ts',
  ]);
  const reference = '/// <reference path="../store/a.ts" />';
  assert.equal(importsOf(parseSource('src/model/x.ts', reference)), ['./src/store/a.ts']);
});

test('sees every exported declaration, once for all overloads', () => {
  const text = `
    export function a(one: string): void;
    export function a(one: number): void;
    export const b = 1, c = 2;
    export class D {}
    export interface E {}
    export type F = string;
    const g = 1;
    export { g, a as h };
    export { i } from './i.ts';`;
  assert.equal(exportedNames(parseSource('x.ts', text)), ['a', 'b', 'c', 'D', 'E', 'F', 'g', 'h']);
});

for (const [from, imported, allowed] of [
  ['src/model/x.ts', './src/model/y.ts', true],
  ['src/model/x.ts', 'node:crypto', true],
  ['src/model/x.ts', 'node:fs', false],
  ['src/model/x.ts', './src/plan/y.ts', false],
  ['src/plan/x.ts', './src/model/y.ts', true],
  ['src/plan/x.ts', 'yaml', false],
  ['src/plan/x.ts', './generated/y.ts', false],
  ['src/plan/x.ts', './src/render/y.ts', false],
  ['src/store/x.ts', './src/model/y.ts', true],
  ['src/store/sqlite/x.ts', 'node:sqlite', true],
  ['src/store/x.ts', './src/controller/y.ts', false],
  ['src/store/x.ts', './src/app/y.ts', false],
  ['src/controller/x.ts', './src/store/y.ts', false],
  ['src/controller/queue/x.ts', './src/controller/y.ts', true],
  ['src/controller/x.ts', './generated/y.ts', false],
  ['src/store/x.ts', './test/support/y.ts', false],
  ['src/store/x.ts', './spec/generate.ts', false],
  ['src/store/x.ts', './../elsewhere.ts', false],
  ['src/store/x.ts', '?', false],
  ['src/store/x.ts', 'pg', true],
  ['src/store/x.ts', '@scope/package/deep.js', true],
  ['src/store/x.ts', 'node:fs/promises', true],
  ['src/store/x.ts', 'node:module', false],
  ['src/source/worker/x.ts', 'node:worker_threads', true],
  ['src/source/worker/x.ts', 'node:module', true],
  ['src/source/worker/x.ts', 'node:vm', false],
  ['src/source/x.ts', 'node:worker_threads', false],
  ['src/store/x.ts', '/repository/src/controller/y.ts', false],
  ['src/store/x.ts', 'file:///repository/src/controller/y.ts', false],
  ['src/store/x.ts', 'data:text/javascript,0', false],
  ['src/store/x.ts', '#controller', false],
  ['src/store/sqlite/x.mts', './src/controller/y.ts', false],
  ['src/gateway/x.ts', './generated/y.ts', true],
  ['src/emulator/x.ts', './generated/y.ts', true],
  ['src/emulator/x.ts', './src/model/y.ts', false],
  ['src/app/x.ts', './src/store/y.ts', true],
  ['src/app/x.ts', './src/cli/y.ts', false],
  ['src/app/x.ts', './src/main.ts', false],
  ['src/cli/commands/x.ts', './src/app/y.ts', true],
  ['src/cli/commands/x.ts', './src/emulator/y.ts', true],
  ['src/cli/commands/x.ts', './src/controller/y.ts', false],
  ['src/main.ts', './src/cli/y.ts', true],
  ['src/main.ts', './src/app/y.ts', false],
  ['src/other/x.ts', './src/model/y.ts', false],
] as const) {
  test(`${from} ${allowed ? 'may' : 'may not'} import ${imported}`, () => {
    assert.is(breach(from, imported) === null, allowed);
  });
}

test('finds a cycle and shows it', () => {
  const imports = new Map([
    ['a', ['b', 'pino']],
    ['b', ['c']],
    ['c', ['b']],
  ]);
  assert.is(cycle(imports), 'b → c → b');
  assert.is(
    cycle(
      new Map([
        ['a', ['b']],
        ['c', ['b', 'a']],
        ['b', []],
      ]),
    ),
    null,
  );
});

test.run();
