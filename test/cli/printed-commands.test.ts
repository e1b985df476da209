import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from '../../src/app/settings.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { completeCommands, formatCommandLine } from '../../src/render/command-line.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder } from '../support/edict-process.ts';
import { testContext } from '../support/streams.ts';

/*
 * Every command that edict prints can be pasted: the command line of the same edict accepts it, also when it is completed for another file and
 * another store.
 */
const test = suite('printed commands');

/** Returns the texts of all source files, by path. */
function sources(folder: string): [string, string][] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith('.ts') ? [[path, readFileSync(path, 'utf8')] as [string, string]] : [];
  });
}

/** Returns the commands in backticks in the strings of a source, without its comments. */
function commandsIn(text: string): string[] {
  const code = text.replaceAll(/^ *(?:\/\/|\/?\*).*$/gm, '');
  return [...code.matchAll(/\\?`(edict [a-z][^`\\]*)\\?`/g)]
    .map(([, command = '']) => command)
    .filter((one) => !/ (?:cannot|is|shall|works|calls|makes|process) /.test(one));
}

/** Throws unless the command line of edict accepts `words`. */
async function parse(words: readonly string[]): Promise<void> {
  const { context } = testContext({});
  const program = await buildProgram(context, () => {});
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
  for (const command of all(program)) {
    command.exitOverride();
    if (command.commands.length === 0) command.action(() => {});
  }
  await program.parseAsync([...words], { from: 'user' });
}

/** Returns the words of a command, with values in place of what it leaves to the reader. */
function wordsOf(command: string): string[] {
  return command
    .replaceAll(/\$\{[^}]*\}/g, 'x')
    .replace('"$EDICT_STATE"', 'postgres://db/edict')
    .split(' ')
    .map((word) => word.replace(/^'(.*)'$/, '$1'))
    .slice(1);
}

const printed = sources('src').flatMap(([path, text]) => commandsIn(text).map((command) => ({ path, command })));

test('there are some', () => {
  const commands = new Set(printed.map(({ command }) => command));
  for (const one of ['edict plan', 'edict wait', 'edict run', 'edict status']) assert.ok(commands.has(one), one);
});

const settings = {
  file: parseSettings('shop.yaml', { state: 'sqlite:/data/state.db', allowInclude: ['/shared'], allowHost: ['roma.example.com'] }),
  password: parseSettings('edict.yaml', { state: 'postgres://ada:geheim@db/edict' }),
  emulated: parseSettings('shop.yaml', { emulate: true }),
};

for (const { path, command } of printed) {
  test(`${path}: \`${command}\``, async () => {
    await parse(wordsOf(command));
    for (const of of Object.values(settings)) {
      const completed = completeCommands(`\`${command}\``, of).slice(1, -1);
      assert.not.match(completed, /geheim|\*\*\*/);
      await parse(wordsOf(completed));
    }
  });
}

for (const name of ['validate', 'plan', 'apply', 'run', 'wait', 'status', 'history', 'undo', 'suspend', 'resume', 'import', 'doctor']) {
  test(`edict ${name} takes the file, the store and the options that are printed`, async () => {
    for (const of of Object.values(settings)) await parse(wordsOf(formatCommandLine(name, [], of)));
  });
}

test('a store with a password is named by the variable that a shell replaces', () => {
  const command = formatCommandLine('status', [], settings.password);
  assert.is(command, 'edict status --state "$EDICT_STATE"');
  const env = { EDICT_STATE: 'postgres://ada:g$h!@db/edict' };
  const shown = execFileSync('bash', ['-c', command.replace('edict', `printf '%s '`)], { encoding: 'utf8', env });
  assert.is(shown, `status --state ${env.EDICT_STATE} `);
});

test('the hint of an error names the file and the store of the command that failed', async () => {
  const folder = scratchFolder();
  writeFileSync(
    `${folder}/shop.yaml`,
    'edict: 1\ngateway: { endpoint: "https://roma.example.com", project: p, instance: i }\nenvironments: { test: t }\napis: { orders: { id: o, environments: { test: online } } }\n',
  );
  const { code, stderr } = await edict(['wait', 'shop.yaml', '--state', 'sqlite:other.db', '--timeout', '0s'], folder);
  assert.is(code, 1);
  assert.match(stderr, 'start `edict run shop.yaml --state sqlite:other.db`');
  const json = await edict(['explain', 'carts', 'test', 'shop.yaml', '--state', 'sqlite:other.db', '--format', 'json'], folder);
  assert.match(JSON.parse(json.stdout).error.hint, '`edict status shop.yaml --state sqlite:other.db`');
});

test.run();
