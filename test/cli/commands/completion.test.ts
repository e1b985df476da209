import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { completionScript } from '../../../src/cli/commands/completion.ts';
import { scratchFolder } from '../../support/edict-process.ts';

/*
 * The scripts in their shells, with an `edict` on the PATH.
 */
type Shell = 'bash' | 'zsh' | 'fish';

const folder = scratchFolder();
const bin = join(folder, 'bin');
const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
mkdirSync(bin);
writeFileSync(join(bin, 'edict'), `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(main)} "$@"\n`);
chmodSync(join(bin, 'edict'), 0o755);
writeFileSync(join(folder, 'my copy.db'), '');

/** Runs a program in a shell, with the path of the script in `SCRIPT`, in a folder with one file; returns its lines, `null` if the shell is not installed. */
function ask(shell: Shell, program: string, args: readonly string[] = []): string[] | null {
  const script = join(folder, `completion.${shell}`);
  writeFileSync(script, completionScript(shell));
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}`, SCRIPT: script };
  const options = { encoding: 'utf8', cwd: folder, env, timeout: 300_000 } as const;
  const { error, stdout, stderr } = spawnSync(shell, [...args, '-c', program], options);
  if (error) {
    // EACCES if a folder on PATH may not be entered, such as that of root when root has become an ordinary user.
    assert.match(error.message, /ENOENT|EACCES/);
    process.stdout.write(`note: ${shell} is not installed, its completion was not tried\n`);
    return null;
  }
  assert.is(stderr, '');
  return stdout.split('\n').slice(0, -1);
}

/** Words of the command line, the last one incomplete, and the candidates for it. */
const asked: readonly (readonly [words: readonly string[], candidates: string])[] = [
  [['pl'], 'plan'],
  [['plan', '--f'], '--format'],
  [['plan', '--format', "''"], 'text json markdown github'],
  [['plan', '--format', 'm'], 'markdown'],
  [['plan', '--format', '=', 'm'], 'markdown'],
  [['plan', 'edict.yaml', '--refresh', '--deta'], '--detailed-exitcode'],
  [['plan', '--api', "'shop; *'", '--dry', '--format', 'json', '--sta'], '--state'],
  [['plan', 'exam'], ''],
  [['plan', '--out', "''"], ''],
  [['state', "''"], 'show copy rm help'],
  [['state', 'show', '--st'], '--state'],
  [['schema', 'n'], 'notification'],
  [['completion', "''"], 'bash zsh fish'],
  [['comple'], 'completion'],
  [['__'], ''],
  [['nonsense', "''"], ''],
];

test('bash completes commands, options and values, and falls back to files', () => {
  const tries = asked.map(
    ([words]) => `COMP_WORDS=(edict ${words.join(' ')}); COMP_CWORD=${words.length}; _edict; echo "\${COMPREPLY[*]}"`,
  );
  const lines = ask('bash', `source "$SCRIPT"; source "$SCRIPT"; complete -p edict; ${tries.join('; ')}`);
  if (lines === null) return;
  assert.equal(lines, ['complete -o default -F _edict edict', ...asked.map(([, candidates]) => candidates)]);
});

/** The result of pressing the tab key at the end of a command line. */
const typed: readonly (readonly [line: string, completed: string])[] = [
  ['edict pl', 'edict plan '],
  ['edict plan --fo', 'edict plan --format '],
  ['edict plan --format m', 'edict plan --format markdown '],
  ['edict plan --format=m', 'edict plan --format=markdown '],
  ['edict state sh', 'edict state show '],
  ['edict plan my', 'edict plan my\\ copy.db '],
  ['edict state show --state my', 'edict state show --state my\\ copy.db '],
];

test('zsh completes typed lines', () => {
  const presses = typed.map(
    ([line]) => `zpty -w -n shell ${quoted(line)}$'\\t\\C-x'; zpty -r shell said '*LINE<*>*'; print -r -- \${\${said##*LINE<}%>*}`,
  );
  const lines = ask(
    'zsh',
    `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; autoload -U compinit; compinit -u -D; source "$SCRIPT"; show() { print -r -- "LINE<$BUFFER>"; BUFFER= }; zle -N show; bindkey "^X" show; print REA''DY'
zpty -r shell said '*READY*'
${presses.join('\n')}`,
    ['-f'],
  );
  if (lines === null) return;
  assert.equal(
    lines,
    typed.map(([, completed]) => completed),
  );
});

test('fish completes the same lines', () => {
  for (const [line, completed] of typed) {
    const lines = ask('fish', `source "$SCRIPT"; complete -C ${quotedInFish(line)}`, ['--no-config']);
    if (lines === null) return;
    const word = completed
      .trimEnd()
      .split(/(?<!\\) /)
      .at(-1)
      ?.replaceAll('\\', '');
    assert.equal(
      lines.map((one) => one.split('\t')[0]),
      [word],
      line,
    );
  }
});

test('no shell evaluates the typed words', () => {
  writeFileSync(join(bin, 'edict'), '#!/bin/sh\necho plan\n');
  const words = ['$(touch ran)', '`touch ran`', '(touch ran)', "'; touch ran; '", '--x$(touch ran)=', '--format=$(touch ran)'];
  for (const word of words) {
    ask('bash', `source "$SCRIPT"; COMP_WORDS=(edict plan ${quoted(word)} x); COMP_CWORD=3; _edict; COMP_CWORD=2; _edict`);
    const stubs = 'compdef() { }; _describe() { }; _files() { }; compset() { }';
    ask('zsh', `${stubs}; source "$SCRIPT"; words=(edict plan ${quoted(word)} x); CURRENT=4; _edict; CURRENT=3; _edict`, ['-f']);
    const lines = [word, `${word} `, quotedInFish(word), `${quotedInFish(word)} `].map((typed) => quotedInFish(`edict plan ${typed}`));
    ask('fish', `source "$SCRIPT"; ${lines.map((line) => `complete -C ${line}`).join('; ')}`, ['--no-config']);
    assert.not(existsSync(join(folder, 'ran')), word);
  }
});

/** Quotes a word for the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function quotedInFish(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}

test.run();
