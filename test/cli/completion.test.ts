import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { completionScript } from '../../src/cli/completion.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { scratchFolder } from '../support/edict-process.ts';
import { testContext } from '../support/streams.ts';

const program = buildProgram(testContext({}).context, () => undefined);
const folder = scratchFolder();

/** Writes the script of a shell, and one that asks it; returns what that one says, `null` where the shell is not installed. */
function ask(shell: 'bash' | 'zsh' | 'fish', asking: string, args: readonly string[] = []): string | null {
  const script = join(folder, `completion.${shell}`);
  writeFileSync(script, completionScript(shell, program));
  const { error, stdout, stderr } = spawnSync(shell, [...args, '-c', asking.replaceAll('SCRIPT', script)], { encoding: 'utf8' });
  if (error) {
    process.stdout.write(`note: ${shell} is not installed, its completion was not tried\n`);
    return null;
  }
  assert.is(stderr, '');
  return stdout;
}

const asked: readonly (readonly [words: readonly string[], replies: string])[] = [
  [['pl'], 'plan'],
  [['plan', '--f'], '--format'],
  [['plan', '--format', ''], 'text json markdown github'],
  [['plan', '--format', 'm'], 'markdown'],
  [['plan', '--refresh', '--deta'], '--detailed-exitcode'],
  [['plan', 'exam'], ''],
  [['plan', '--out', ''], ''],
  [['state', ''], 'show backup move forget'],
  [['state', 'show', '--st'], '--state'],
  [['schema', 'n'], 'notification'],
  [['nonsense', ''], ''],
];

test('bash completes commands, options, values and nothing else, which leaves files to it', () => {
  const tries = asked.map(([words]) => {
    const list = ['edict', ...words].map((word) => `'${word}'`).join(' ');
    return `COMP_WORDS=(${list}); COMP_CWORD=${words.length}; _edict; echo "\${COMPREPLY[*]}"`;
  });
  const said = ask('bash', `source SCRIPT; complete -p edict; ${tries.join('; ')}`);
  if (said === null) return;
  const lines = said.split('\n').slice(0, -1);
  assert.equal(lines, ['complete -o default -F _edict edict', ...asked.map(([, replies]) => replies)]);
});

test('fish completes them too', () => {
  for (const [words, replies] of asked.filter(([, replies]) => replies !== '')) {
    const said = ask('fish', `source SCRIPT; complete -C "edict ${words.join(' ')}"`, ['--no-config']);
    if (said === null) return;
    const offered = said
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]);
    for (const reply of replies.split(' ')) assert.ok(offered.includes(reply), `edict ${words.join(' ')}: ${offered}`);
  }
});

test('fish offers no second command of a group, but the files of this folder', () => {
  writeFileSync(join(folder, 'copy.db'), '');
  for (const line of ['state backup ', 'state show ', 'plan ']) {
    const said = ask('fish', `cd ${folder}; source SCRIPT; complete -C "edict ${line}"`, ['--no-config']);
    if (said === null) return;
    const offered = said.split('\n').map((one) => one.split('\t')[0] ?? '');
    assert.not(
      offered.some((one) => ['show', 'backup', 'move', 'forget', 'apply'].includes(one)),
      `${line}: ${offered}`,
    );
    assert.ok(offered.includes('copy.db'), `${line}: ${offered}`);
  }
});

test('zsh takes the script, and has a function for each command', () => {
  const said = ask('zsh', `autoload -U compinit; compinit -u -D; source SCRIPT; print \${(ok)functions[(I)_edict*]}`, ['-f']);
  if (said === null) return;
  const commands = program.commands.flatMap((one) => [one.name(), ...one.commands.map((below) => `${one.name()}_${below.name()}`)]);
  assert.equal(said.trim().split(' '), ['_edict', ...commands.map((name) => `_edict_${name}`)].sort());
});

test('every option of every command is in each script', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const script = completionScript(shell, program);
    for (const command of program.commands) {
      for (const { long } of command.options) assert.match(script, shell === 'fish' ? `-l ${long?.slice(2)}` : `${long}`);
    }
  }
});

test.run();
