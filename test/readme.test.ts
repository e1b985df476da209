import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSeed } from '../src/emulator/seed.ts';
import { errorRules } from '../src/gateway/error-rules.ts';
import { exitCodes } from '../src/model/errors.ts';
import { diagnosticRules } from '../src/render/diagnostic.ts';
import { parseDesiredState } from '../src/source/parser.ts';
import { openMetrics } from '../src/telemetry/metrics.ts';
import { dangersInFiles } from './support/dangers-in-files.ts';
import { dangersOfPlans } from './support/dangers-of-plans.ts';
import { dangersOfTimes } from './support/dangers-of-times.ts';
import { inheritedEnv } from './support/edict-process.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'edict-readme-'));
test.after(() => rmSync(scratch, { recursive: true }));

function edict(...args: string[]): string {
  const state = `sqlite:${join(scratch, 'state.db')}`;
  const env = { ...inheritedEnv, EDICT_STATE: state, HW_PROJECT_ID: 'shown' };
  return execFileSync(process.execPath, ['src/main.ts', ...args], { cwd: root, env, encoding: 'utf8' });
}

/** Returns the code block whose text contains `part`. */
function blockWith(part: string): string {
  const block = [...readme.matchAll(/```\w*\n(.*?)```/gs)].map((match) => match[1] ?? '').find((text) => text.includes(part));
  assert.ok(block, `a code block with ${part}`);
  return block;
}

/** Returns the first cells of the rows of the table under the header that begins with `head`. */
function firstCells(head: string): string[] {
  const lines = readme
    .slice(readme.indexOf(`| ${head} |`))
    .split('\n')
    .slice(2);
  const rows = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('|')),
  );
  return rows.map((row) => row.split('|')[1]?.trim() ?? '');
}

test('the plan in the README is the output of the command', () => {
  const block = blockWith('$ npm run -s edict -- plan');
  assert.is(block.slice(block.indexOf('\n') + 1), edict('plan', 'examples/quickstart/edict.yaml', '--emulate'));
});

test('the explanation in the README is the output of the command', () => {
  const block = blockWith('$ npm run -s edict -- explain');
  const printed = edict('explain', 'orders', 'release', 'examples/quickstart/edict.yaml');
  assert.is(block.slice(block.indexOf('\n') + 1), printed.replaceAll(/ --state [^\s`]+/g, ''));
});

test('the file in the README is valid', () => {
  const desired = parseDesiredState({ text: blockWith('apis:\n  orders:'), file: 'README.md', variables: { HW_PROJECT_ID: 'p' } });
  assert.is(desired.publications.size, 4);
});

test('the error in the README is the output of the command', () => {
  const file = join(scratch, 'edict.yaml');
  const quickstart = readFileSync(join(root, 'examples/quickstart/edict.yaml'), 'utf8');
  writeFileSync(file, quickstart.replace('test: online', 'test: oflin'));
  let printed = '';
  try {
    edict('validate', file);
  } catch (error) {
    printed = (error as { stdout: string }).stdout;
  }
  const shown = blockWith('"oflin"').trimEnd().split('\n');
  assert.equal(printed.replace(file, 'edict.yaml').split('\n').slice(0, shown.length), shown);
});

test('the comment in the README is the output of the command', () => {
  assert.is(
    blockWith('<!-- edict plan'),
    edict('plan', '--format', 'markdown', '--no-blame', '--emulate', 'examples/quickstart/edict.yaml'),
  );
});

test('the annotation in the README is the output of the command', () => {
  const file = join(scratch, 'edict.yaml');
  const quickstart = readFileSync(join(root, 'examples/quickstart/edict.yaml'), 'utf8');
  writeFileSync(file, quickstart.replace('test: online', 'test: oflin'));
  let printed = '';
  try {
    edict('validate', '--format', 'github', file);
  } catch (error) {
    printed = (error as { stdout: string }).stdout;
  }
  assert.ok(printed.replace(file, 'edict.yaml').startsWith(blockWith('::error file')), printed);
});

test('the diagnostic rules in the README are those of the program', () => {
  const rows = Object.entries(diagnosticRules).map(([rule, means]) => `| \`${rule}\` | ${means} |`);
  const head = '| rule | means |\n|---|---|\n';
  assert.ok(readme.includes(`${head}${rows.join('\n')}\n\n`), `${head}${rows.join('\n')}\n`);
});

test('the README explains every reaction to a gateway error, and links to the page of them', () => {
  for (const { errorClass } of errorRules) assert.match(readme, new RegExp(`^- .*\\*\\*${errorClass}\\*\\*.*: `, 'm'));
  assert.ok(readme.includes('](generated/reference/gateway-errors.md)'));
});

test('every file that the README links to exists', () => {
  for (const [, path = ''] of readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) assert.ok(existsSync(join(root, path)), path);
});

test('the dangers in the README are those that are tested, at least forty', () => {
  const rows = [...dangersInFiles, ...dangersOfPlans, ...dangersOfTimes].map(({ name, does }) => `| ${name} | ${does} |`);
  const head = '| what happens | what edict does |\n|---|---|\n';
  assert.ok(readme.includes(`${head}${rows.join('\n')}\n\n`), `${head}${rows.join('\n')}\n`);
  assert.ok(rows.length >= 40);
  assert.is(new Set(rows).size, rows.length);
});

test('the metrics in the README are those of the daemon', async () => {
  const metrics = openMetrics('1');
  metrics.forFile('f');
  const rows = [...(await metrics.text()).matchAll(/^# HELP (edict_\S+) (.*)$/gm)].map(([, name, help]) => `| \`${name}\` | ${help} |`);
  assert.ok(readme.includes(`| metric | tells |\n|---|---|\n${rows.join('\n')}\n\n`), rows.join('\n'));
});

test('the seed in the README is valid', () => {
  assert.is(parseSeed(blockWith('users: [{'), 'README.md').apis.length, 1);
});

test('the commands in the README are those of the program', () => {
  const inHelp = [...edict('--help').matchAll(/^ {2}(\w+) .*\S/gm)].map((match) => match[1]).filter((name) => name !== 'help');
  assert.equal(
    firstCells('command'),
    inHelp.map((name) => `\`${name}\``),
  );
});

test('the options in the README belong to their commands', () => {
  const help = ['plan', 'apply', 'run', 'wait', 'status', 'history', 'undo', 'approve', 'suspend', 'import', 'emulate', 'schema']
    .map((command) => edict(command, '--help'))
    .join('\n');
  for (const [option] of readme.replaceAll(/^npm install .*$/gm, '').matchAll(/--[a-z][a-z-]+/g)) assert.ok(help.includes(option), option);
});

test('the exit codes in the README are those of the program', () => {
  assert.equal(firstCells('exit code').map(Number), Object.values(exitCodes));
});

test('the two commands in the README are scripts of the package', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  assert.ok(readme.includes('npm ci && npm start') && readme.includes('npm ci && npm test'));
  assert.is(scripts['start'], 'node src/main.ts run examples/quickstart/edict.yaml --emulate');
});

test.run();
