import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileOf, inheritedEnv, scratchFolder } from '../support/edict-process.ts';

/*
 * The packages and folders that each command loads: a command that loads more than it needs starts later.
 */
const test = suite('loaded modules');
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const noting = new URL('../support/note-modules.ts', import.meta.url).href;

interface Loaded {
  readonly packages: readonly string[];
  readonly folders: readonly string[];
  /** Modules in generated/. */
  readonly generated: readonly string[];
}

async function loadedBy(...args: readonly string[]): Promise<Loaded> {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf('https://roma.example.com', { orders: 'online' })}refresh: never\n`);
  const noted = join(folder, 'modules.json');
  const env = { ...inheritedEnv, NOTE_MODULES: noted };
  const child = spawn(process.execPath, ['--import', noting, main, ...args], { cwd: folder, env });
  const [code] = await once(child, 'close');
  assert.is(code, 0, args.join(' '));
  return JSON.parse(readFileSync(noted, 'utf8'));
}

const toRead = ['ajv', 'commander', 'croner', 'fastest-levenshtein', 'yaml'];
/** `status` and `history` go on below the errors of a file. */
const toShowErrors = ['fast-string-truncated-width', 'fast-string-width'];

test('edict itself and its help load the command line alone', async () => {
  for (const args of [['--version'], ['schema']]) {
    assert.equal(await loadedBy(...args), { packages: ['commander'], folders: ['cli', 'model', 'render'], generated: [] }, args.join(' '));
  }
  for (const args of [['--help'], ['plan', '--help']]) {
    assert.equal(
      await loadedBy(...args),
      { packages: ['commander'], folders: ['app', 'cli', 'model', 'render'], generated: [] },
      args.join(' '),
    );
  }
});

test('read-only commands load neither an HTTP client, nor a watcher, a server, a log or PostgreSQL', async () => {
  for (const command of ['validate', 'plan', 'status', 'history']) {
    const { packages, folders, generated } = await loadedBy(command);
    assert.equal(packages, command === 'status' || command === 'history' ? [...toRead, ...toShowErrors].sort() : toRead, command);
    assert.equal(generated, ['edict-file-validator', ...(command === 'validate' ? [] : ['store-queries'])], command);
    assert.equal(folders, ['app', 'cli', 'model', 'plan', 'render', 'source', 'store'], command);
  }
});

test('apply loads a client and a log, but no watcher, server, metrics or traces, and the emulator only on request', async () => {
  const { packages, folders, generated } = await loadedBy('apply', '--emulate', '--log-format', 'json');
  assert.not(generated.includes('saved-plan-validator'));
  for (const needed of ['openapi-fetch', 'undici', 'p-queue', 'pino', 'fastify']) assert.ok(packages.includes(needed), needed);
  for (const needless of ['@inquirer/confirm', 'chokidar', 'prom-client', 'pg', 'pino-pretty', '@opentelemetry/api'])
    assert.not(packages.includes(needless), needless);
  assert.equal(folders, ['app', 'cli', 'controller', 'emulator', 'gateway', 'model', 'plan', 'render', 'source', 'store', 'telemetry']);
});

test('the validator of saved plans is loaded only with a saved plan', async () => {
  assert.ok((await loadedBy('plan', '--out', 'release.plan')).generated.includes('saved-plan-validator'));
});

test.run();
