import { execFile } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cleanShell } from '../support/clean-shell.ts';
import { scratchFolder, until } from '../support/edict-process.ts';
import { isFullRun } from '../support/fast-check.ts';

/*
 * The package for a user without the checkout: packed as in the Containerfile of examples/, installed in an empty folder with
 * its dependencies, and run.
 */
const test = suite('package');
const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const image = scratchFolder();
const folder = isFullRun ? scratchFolder() : join(image, 'app');
let tarball: string;

const shell = (line: string): Promise<string> => cleanShell(line, folder);
const containerfile = readFileSync(join(root, 'examples/container/Containerfile'), 'utf8').split('\n');
const values = (name: string, of = containerfile): string[] =>
  of.flatMap((line) => (line.startsWith(`${name} `) ? line.slice(name.length + 1) : []));
/** Returns `text` with the paths of the image moved to `image`. */
const inImage = (text: string): string => text.replace(/(?<=^| )\/(?=source|package|app|config)/g, `${image}/`);

const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  /** Needed for development, and by a dependency only where it is installed anyway. */
  readonly devOptional?: boolean;
}

/** The packages that edict runs with, by their path. */
const production = Object.entries((JSON.parse(lockText) as { packages: Record<string, LockedPackage> }).packages).filter(
  ([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional,
);

/** Has `npm ci` check the lock file alone: only the full run installs the packages again. */
function withoutInstall(command: string): string {
  return isFullRun ? command : command.replace(/npm ci\b[^&]*/, (install) => `${install}--dry-run `);
}

/** Files of packages that never run: only the full run packs and installs them, since they are half of all files. */
const unused = /\.(?:d\.[cm]?ts|map|md)$|\/(?:tests?|docs|benchmarks?|esnext)$/;

/** Gives a folder the installed packages: those that a package of edict contains as copies, since npm packs no links, and the others as links. */
function linkPackages(source: string): void {
  const filter = (path: string): boolean => !unused.test(path);
  for (const [path] of production) cpSync(join(root, path), join(source, path), { recursive: true, filter });
  for (const parent of ['node_modules', ...globSync('node_modules/@*', { cwd: root })]) {
    for (const name of readdirSync(join(root, parent))) {
      const target = join(source, parent, name);
      if (name.startsWith('@')) continue;
      mkdirSync(join(source, parent), { recursive: true });
      if (!existsSync(target)) symlinkSync(join(root, parent, name), target);
    }
  }
}

test.before(async () => {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').trimEnd().split('\n');
  cpSync(root, join(image, 'source'), { recursive: true, filter: (path) => !ignored.includes(relative(root, path)) });
  if (!isFullRun) linkPackages(join(image, 'source'));
  const stage = containerfile.slice(
    0,
    containerfile.findLastIndex((line) => line.startsWith('FROM ')),
  );
  let workFolder = image;
  for (const line of stage) {
    workFolder = values('WORKDIR', [line]).map(inImage)[0] ?? workFolder;
    mkdirSync(workFolder, { recursive: true });
    for (const command of values('RUN', [line])) await cleanShell(inImage(withoutInstall(command)), workFolder);
  }
  assert.equal(
    readdirSync(join(image, 'source/src')).filter((name) => /\.(js|tsbuildinfo)$/.test(name)),
    [],
    'what was built is gone again',
  );
  tarball = readdirSync(join(image, 'package'))[0] ?? '';
  cpSync(join(image, 'package', tarball), join(folder, tarball));
});

test('container/Containerfile: the image runs, with a recent Node.js, as an unprivileged user', async () => {
  const { engines, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly engines: { readonly node: string };
    readonly bin: { readonly edict: string };
  };
  const version = engines.node.replace(/\D/g, '');
  const [build = '', final = ''] = values('FROM');
  // By digest: a tag may be another image tomorrow.
  assert.match(build, new RegExp(`^docker\\.io/library/node:${version}\\.\\d+\\.\\d+-slim@sha256:[0-9a-f]{64} AS build$`));
  assert.match(final, new RegExp(`^docker\\.io/library/node:${version}\\.\\d+\\.\\d+-alpine@sha256:[0-9a-f]{64}$`));
  assert.is(values('FROM').length, 2);
  assert.match(values('USER').at(-1) ?? '', /^[1-9]\d+:[1-9]\d+$/);
  const [entry] = values('ENTRYPOINT').map((value) => JSON.parse(value) as string[]);
  assert.equal(entry, ['node', `/app/node_modules/edict/${bin.edict}`]);
  const [args] = values('CMD').map((value) => JSON.parse(value) as string[]);
  mkdirSync(join(image, 'config'));
  cpSync(join(root, 'examples/quickstart/edict.yaml'), join(image, 'config/edict.yaml'));
  const words = [...(entry ?? []), ...(args ?? []), '--once', '--emulate'].map(inImage);
  assert.match(await cleanShell(words.join(' '), image), /Applied in .*: 5 online/);
});

test('installed in an empty folder, the package runs the commands of the README', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const block = /### Install it\n[\s\S]*?```\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  assert.match(block, tarball);
  const [install = '', ...commands] = block.trim().split('\n');
  assert.is(install, `npm install --omit=dev ./${tarball}`); // as in the Containerfile; the full run does it once more
  if (isFullRun) await shell(install);
  const said: string[] = [];
  for (const line of commands) said.push(await shell(line));
  const [validated, applied, status] = said;
  assert.match(validated ?? '', 'declares 6 publications');
  assert.match(applied ?? '', /Applied in .*: 5 online, 0 offline, 1 unchanged/);
  assert.match(status ?? '', /^In sync\. 6 publications match the file\./m);
});

test('the package holds plain JavaScript and the files that it reads', async () => {
  const inside = readdirSync(join(folder, 'node_modules/edict'), { recursive: true, encoding: 'utf8' });
  assert.equal(
    inside.filter((path) => !path.startsWith('node_modules') && /\.ts$|^test\b/.test(path)),
    [],
  );
  for (const schema of ['file', 'included', 'plan', 'apply', 'notification'])
    JSON.parse(await shell(`node node_modules/edict/src/main.js schema ${schema}`));
});

test('the package holds every file that its README links to', () => {
  const readme = readFileSync(join(folder, 'node_modules/edict/README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
  assert.ok(links.includes('generated/reference/gateway-errors.md'));
  assert.equal(
    links.filter((path) => !existsSync(join(folder, 'node_modules/edict', path))),
    [],
  );
});

test('the package holds the dependencies that were tested, exactly, and no other one', () => {
  assert.not.match(lockText, '"resolved"', 'an address of a registry would be in the package’s history');
  for (const [path, { integrity }] of production) assert.match(integrity ?? '', /^sha512-/, path);
  const bundled = globSync('**/node_modules/{*,@*/*}/package.json', { cwd: join(folder, 'node_modules/edict') })
    .map((path) => dirname(path))
    .filter((path) => !/node_modules\/@[^/]+$/.test(path));
  const versions = bundled.map((path) => {
    const { version } = JSON.parse(readFileSync(join(folder, 'node_modules/edict', path, 'package.json'), 'utf8')) as { version: string };
    return `${path} ${version}`;
  });
  assert.equal(versions.sort(), production.map(([path, { version }]) => `${path} ${version}`).sort());
  assert.ok(versions.length > 50);
  assert.equal(
    readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.')),
    ['edict'],
    'nothing else was installed',
  );
});

test('the daemon of the package serves its page', async () => {
  const daemon = execFile(process.execPath, [
    join(folder, 'node_modules/edict/src/main.js'),
    ...['run', join(folder, 'node_modules/edict/examples/quickstart/edict.yaml'), '--emulate', '--listen', '127.0.0.1:0'],
    ...['--state', `sqlite:${join(folder, 'daemon.db')}`, '--log-format', 'json'],
  ]);
  try {
    let log = '';
    daemon.stderr?.on('data', (chunk: string) => {
      log += chunk;
    });
    await until('the daemon logs the URL of its page', () => /"url":"/.test(log));
    const url = /"url":"([^"]+)"/.exec(log)?.[1] ?? '';
    const page = await (await fetch(url)).text();
    const wanted = [...page.matchAll(/(?:src|href)="(\/ui\/[^"]+)"/g)].map(([, path]) => path ?? '');
    assert.ok(wanted.length >= 3, page);
    for (const path of wanted) assert.is((await fetch(new URL(path, `${url}/`))).status, 200, path);
    assert.is((await fetch(new URL('api/v1/openapi.json', `${url}/`))).status, 200);
  } finally {
    daemon.kill();
  }
});

test('an older Node.js is reported in one line', async () => {
  const older = join(folder, 'older.cjs');
  writeFileSync(older, `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`);
  const refused = await run(process.execPath, ['--require', older, join(folder, 'node_modules/edict/src/main.js'), '--version']).catch(
    (error: { code: number; stderr: string }) => error,
  );
  assert.match(refused.stderr, /^edict: needs Node\.js 24 or newer, and this is 20\.20\.2: .*\n$/);
  assert.is('code' in refused && refused.code, 1);
});

test.run();
