import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { importsOf, parseSource, sourceFiles, undocumentedFunctions, uvuMistake } from './support/source-files.ts';

const root = resolve(import.meta.dirname, '..');
const sources = sourceFiles('src');
const rooms = ['src/desired/', 'src/gateway/', 'src/store/', 'src/engine/', 'src/telemetry/', 'src/server/'];

/** Who stands where, and what of the repository it may import besides its own folder. */
const floors: readonly { readonly floor: string; readonly mayImport: readonly string[] }[] = [
  { floor: 'src/core/', mayImport: [] },
  { floor: 'src/desired/', mayImport: ['src/core/', 'generated/'] },
  { floor: 'src/gateway/', mayImport: ['src/core/', 'generated/'] },
  { floor: 'src/store/', mayImport: ['src/core/', 'generated/'] },
  { floor: 'src/engine/', mayImport: ['src/core/'] },
  { floor: 'src/telemetry/', mayImport: ['src/core/', 'generated/'] },
  { floor: 'src/page/', mayImport: ['generated/'] },
  { floor: 'src/server/', mayImport: ['src/core/', 'src/words/', 'generated/'] },
  { floor: 'src/emulator/', mayImport: ['generated/'] },
  { floor: 'src/config.ts', mayImport: ['src/core/'] },
  { floor: 'src/words/', mayImport: ['src/core/', 'generated/', 'src/config.ts'] },
  { floor: 'src/emulated.ts', mayImport: ['src/core/', 'src/emulator/'] },
  { floor: 'src/rooms.ts', mayImport: ['src/core/', 'src/config.ts', 'src/emulated.ts', 'src/emulator/', ...rooms] },
  { floor: 'src/reading.ts', mayImport: ['src/core/', 'src/config.ts', 'src/emulated.ts', 'src/rooms.ts', ...rooms] },
  {
    floor: 'src/reports.ts',
    mayImport: ['src/core/', 'src/config.ts', 'src/emulated.ts', 'src/rooms.ts', 'src/reading.ts', 'src/emulator/', ...rooms],
  },
  { floor: 'src/explanation.ts', mayImport: ['src/core/', 'src/config.ts', 'src/emulated.ts', 'src/rooms.ts', 'src/reading.ts', ...rooms] },
  { floor: 'src/face.ts', mayImport: ['src/core/', 'src/config.ts', 'src/words/', ...rooms] },
  { floor: 'src/listeners.ts', mayImport: ['src/core/', 'src/config.ts', 'src/words/', ...rooms] },
  { floor: 'src/part.ts', mayImport: ['src/core/', 'src/config.ts', 'src/rooms.ts', 'src/face.ts', 'src/listeners.ts', ...rooms] },
  { floor: 'src/daemon.ts', mayImport: ['src/core/', 'src/config.ts', 'src/rooms.ts', 'src/face.ts', 'src/part.ts', ...rooms] },
  { floor: 'src/undoing.ts', mayImport: ['src/core/', 'src/config.ts', 'src/rooms.ts', 'src/reading.ts', ...rooms] },
  {
    floor: 'src/app.ts',
    mayImport: [
      'src/core/',
      'src/config.ts',
      'src/face.ts',
      'src/listeners.ts',
      'src/rooms.ts',
      'src/reports.ts',
      'src/emulator/',
      ...rooms,
    ],
  },
  { floor: 'src/state.ts', mayImport: ['src/core/', 'src/config.ts', 'src/rooms.ts', 'src/reading.ts', ...rooms] },
  {
    floor: 'src/wait.ts',
    mayImport: ['src/core/', 'src/config.ts', 'src/rooms.ts', 'src/reading.ts', ...rooms],
  },
  {
    floor: 'src/cli/',
    mayImport: [
      'src/core/',
      'src/words/',
      'generated/',
      'src/config.ts',
      'src/app.ts',
      'src/wait.ts',
      'src/daemon.ts',
      'src/state.ts',
      'src/reports.ts',
      'src/explanation.ts',
      'src/undoing.ts',
      'src/emulator/',
    ],
  },
  { floor: 'src/main.ts', mayImport: ['src/cli/'] },
];

/** Files of types, where a compiler is test enough. */
const typesOnly = [
  'src/cli/command-options.ts',
  'src/words/shown-plan.ts',
  'src/core/commit.ts',
  'src/core/events.ts',
  'src/core/kept.ts',
  'src/core/log-options.ts',
  'src/core/ports.ts',
  'src/core/publication.ts',
  'src/core/wait.ts',
  'src/desired/finding.ts',
  'src/engine/p-queue-dom.d.ts',
];

/** Says what is wrong with an import, or returns `null`. */
function breach(from: string, imported: string): string | null {
  const place = floors.find(({ floor }) => from.startsWith(floor));
  if (place === undefined) return `${from} stands on no floor`;
  const allowed = imported.startsWith('./')
    ? [place.floor, ...place.mayImport].some((prefix) => imported.startsWith(`./${prefix}`))
    : imported !== '?' && (place.floor !== 'src/core/' || imported === 'node:crypto');
  return allowed ? null : `${from} imports ${imported}`;
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

test('every file imports only what its floor may', () => {
  const breaches = sources.flatMap((file) => importsOf(file).map((imported) => breach(file.path, imported)));
  assert.equal(breaches.filter(Boolean), []);
});

test('no import comes back to its file, types included', () => {
  const imports = sources.map((file) => [`./${file.path}`, importsOf(file)] as const);
  assert.is(cycle(new Map(imports)), null);
});

test('rooms are flat', () => {
  assert.equal(
    sources.filter(({ path }) => path.split('/').length > 3),
    [],
  );
});

test('every source has its test', () => {
  const untested = sources
    .map(({ path }) => path)
    .filter((path) => path !== 'src/main.ts' && !typesOnly.includes(path))
    .filter((path) => !existsSync(join(root, path.replace(/^src/, 'test').replace(/\.ts$/, '.test.ts'))));
  assert.equal(untested, []);
});

test('no source is longer than 300 lines', () => {
  const long = sources.map(({ path, text }) => `${path}: ${text.trimEnd().split('\n').length}`);
  assert.equal(
    long.filter((line) => Number(line.split(': ')[1]) > 300),
    [],
  );
});

test('file names say what is in them', () => {
  const vague = /^(manager|helper|util|handler|processor|service|data|info|index)s?$/;
  const paths = [...sources, ...sourceFiles('test')].map(({ path }) => path);
  assert.equal(
    paths.filter((path) =>
      basename(path, '.ts')
        .split(/[-.]/)
        .some((word) => vague.test(word)),
    ),
    [],
  );
});

test('every exported function says what it promises', () => {
  const silent = [...sources, ...sourceFiles('test')].flatMap((file) => undocumentedFunctions(file).map((name) => `${file.path}: ${name}`));
  assert.equal(silent, []);
});

test('every test file runs every test it has', () => {
  const mistakes = sourceFiles('test').map((file) => [file.path, uvuMistake(file)] as const);
  assert.equal(
    mistakes.filter(([, mistake]) => mistake !== null),
    [],
  );
});

test('sees every way to import', () => {
  const text = `
    import a from './a.ts';
    import type { B } from '../store/b.ts';
    import { type C } from '../engine/c.ts';
    import 'side-effect';
    export { d } from './d.ts';
    export * from '@scope/e/deep.js';
    type F = import('../gateway/f.ts').F;
    const g = await import('../server/g.ts');
    const h = require('node:fs');
    const i = await import(name);
    const again = await import('./a.ts');`;
  assert.equal(importsOf(parseSource('src/core/x.ts', text)), [
    './src/core/a.ts',
    './src/store/b.ts',
    './src/engine/c.ts',
    'side-effect',
    './src/core/d.ts',
    '@scope/e/deep.js',
    './src/gateway/f.ts',
    './src/server/g.ts',
    'node:fs',
    '?',
  ]);
});

for (const [from, imported, allowed] of [
  ['src/core/x.ts', './src/core/y.ts', true],
  ['src/core/x.ts', 'node:crypto', true],
  ['src/core/x.ts', 'node:fs', false],
  ['src/core/x.ts', 'yaml', false],
  ['src/core/x.ts', './generated/y.ts', false],
  ['src/store/x.ts', './src/core/y.ts', true],
  ['src/store/x.ts', 'node:sqlite', true],
  ['src/store/x.ts', 'pino', true],
  ['src/store/x.ts', './src/engine/y.ts', false],
  ['src/store/x.ts', './src/app.ts', false],
  ['src/engine/x.ts', './generated/y.ts', false],
  ['src/store/x.ts', './test/support/y.ts', false],
  ['src/store/x.ts', './spec/generate.ts', false],
  ['src/store/x.ts', './../elsewhere.ts', false],
  ['src/store/x.ts', '?', false],
  ['src/gateway/x.ts', './generated/y.ts', true],
  ['src/emulator/x.ts', './generated/y.ts', true],
  ['src/emulator/x.ts', './src/core/y.ts', false],
  ['src/emulator/x.ts', './src/gateway/y.ts', false],
  ['src/app.ts', './src/store/y.ts', true],
  ['src/app.ts', './src/cli/y.ts', false],
  ['src/config.ts', './src/store/y.ts', false],
  ['src/cli/x.ts', './src/app.ts', true],
  ['src/cli/x.ts', './src/emulator/y.ts', true],
  ['src/cli/x.ts', './src/engine/y.ts', false],
  ['src/cli/x.ts', './generated/y.ts', true],
  ['src/main.ts', './src/cli/y.ts', true],
  ['src/main.ts', './src/app.ts', false],
  ['src/other/x.ts', './src/core/y.ts', false],
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

test('finds tests that uvu would drop in silence', () => {
  const mistake = (text: string): string | null => uvuMistake(parseSource('x.test.ts', `import { suite, test } from 'uvu';\n${text}`));
  assert.is(mistake("test('a', f); test.run();"), null);
  assert.is(mistake("const s = suite('s'); s('a', f); s.run(); test('b', f); test.run();"), null);
  assert.is(mistake("test('a', f);"), 'test.run() is never called');
  assert.is(mistake("const s = suite('s'); s('a', f); test('b', f); test.run();"), 's.run() is never called');
  assert.is(mistake("test('a', f); test.run(); test('b', f);"), 'a test comes after test.run()');
});

test.run();
