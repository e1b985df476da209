import * as assert from 'uvu/assert';
import { runCli } from '../../src/cli/program.ts';
import type { Finished } from './edict-process.ts';
import { testContext } from './streams.ts';

/** Begins every line that only a foreign line break can have begun. */
const forgedLine = 'FORGED';

/** What a hostile string may have, by what it would do. */
const harmful = {
  'terminal colors': '\u001B[45;8mhidden',
  'cursor control': '\u001B[2K\u001B[1A\u001B[Hmoved',
  'C1 cursor control': '\u009B2J',
  'a link to another address': '\u001B]8;;http://evil.invalid\u001B\\link\u001B]8;;\u0007',
  'the clipboard': '\u001B]52;c;ZXZpbA==\u0007',
  'a bell, a backspace and a deletion': '\u0007\u0008\u007F',
  'a return to the start of the line': '\rrewritten',
  'a next line': `\u0085${forgedLine}`,
  'a line separator': `\u2028${forgedLine}`,
  'a paragraph separator': `\u2029${forgedLine}`,
  'another text direction': '\u202Atext\u202Btext\u202Ctext\u202Dtext\u202Etxet\u2066\u2067\u2068\u2069\u061C\u200E\u200F',
  'nothing to see': '\u200B\u2060\uFEFF\u00AD\u3164\u{E0041}',
  'half a character': '\uD800',
  'a command of GitHub': `\n::stop-commands::x\n  ::add-mask::x\n${forgedLine}`,
  'an old command of GitHub, and one of Azure': ' ##[add-mask]x ##vso[task.setvariable variable=x]y ',
  'Markdown and HTML': '\n\n# heading\n<img src=x onerror=alert(1)> ![x](http://evil.invalid) @everyone <!channel> | a | `b`',
} as const satisfies Readonly<Record<string, string>>;

/** All of it in one string, with `word` at its start and its end, by which a test sees that it was shown at all. */
export function hostileText(word: string): string {
  return `${word}${Object.values(harmful).join('')}${word}`;
}

/** The same as far as a name of a file can have it. */
export function hostileFileName(word: string): string {
  return hostileText(word).replaceAll('/', '').toWellFormed().slice(0, 90);
}

/** The colors that edict uses. */
const ownColors = new RegExp(String.raw`${'\u001B'}\[(?:0|1|2|22|39|3[0-7]|9[0-7])m`, 'g');
/** How edict clears the line of its progress on a terminal. */
const ownCursor = '\r\u001B[2K';
/** The annotations that edict makes. */
const ownAnnotation = /^::(?:error|warning|notice) [^\n]*$/;

interface OutputKind {
  /** Whether lines may be commands of GitHub. */
  readonly isGithub?: boolean;
  readonly isTerminal?: boolean;
}

/** Throws an AssertionError with the place if a text has a character or a line that only a foreign string can have brought. */
export function assertHarmless(text: string, what: string, { isGithub = false, isTerminal = false }: OutputKind = {}): void {
  const own = isTerminal ? text.replaceAll(ownCursor, '').replace(ownColors, '') : text;
  const found = /[[\p{Cc}--[\n\t]]\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u3164]/v.exec(own);
  const around = (at: number): string => JSON.stringify(own.slice(Math.max(0, at - 150), at + 30));
  assert.is(found, null, `${what} has ${found && escape(found[0])}: ${around(found?.index ?? 0)}`);
  for (const line of own.split('\n')) {
    const shown = line.trim();
    assert.not(shown.startsWith('::') && !(isGithub && ownAnnotation.test(line)), `${what} has a command: ${JSON.stringify(line)}`);
    assert.not(/##(?:vso)?\[/.test(line) && !(isGithub && ownAnnotation.test(line)), `${what} has a command: ${JSON.stringify(line)}`);
    assert.not(shown.startsWith(forgedLine) || shown.startsWith('# heading'), `${what} has a forged line: ${JSON.stringify(line)}`);
  }
}

/** Throws an AssertionError if a Markdown text mentions anyone, or has markup that only a foreign string can have brought. */
export function assertHarmlessMarkdown(text: string, what: string): void {
  for (const forbidden of [/<img/, /!\[x\]/, /(?<![\w`>])@everyone/, /<!channel>/]) {
    assert.not.match(text.replace(/`[^`\n]*`/g, ''), forbidden, what);
  }
}

/** Runs `edict ARGS` in `cwd`, on a terminal too, and checks everything that it prints. Returns what it printed without a terminal. */
export async function runHostile(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Finished> {
  const before = process.cwd();
  process.chdir(cwd);
  try {
    const results = [];
    for (const isTerminal of [true, false]) {
      const { context, stdout, stderr } = testContext({ PATH: process.env['PATH'] ?? '', EDICT_LISTEN: 'off', CI: '1', ...env });
      for (const stream of [context.stdout, context.stderr]) Object.assign(stream, { isTTY: isTerminal, columns: 120 });
      const writeLog = (bytes: Buffer): number => {
        context.stderr.write(bytes);
        return bytes.length;
      };
      const code = await runCli(args, { ...context, writeLog });
      const finished = { code, stdout: stdout(), stderr: stderr() };
      const what = `${args.join(' ')}${isTerminal ? ' on a terminal' : ''}`.slice(0, 120);
      const isGithub = args.includes('github');
      assertHarmless(finished.stdout, `stdout of ${what}`, { isTerminal, isGithub });
      assertHarmless(finished.stderr, `stderr of ${what}`, { isTerminal });
      if (args.includes('markdown')) assertHarmlessMarkdown(finished.stdout, what);
      results.push(finished);
    }
    return results[1] as Finished;
  } finally {
    process.chdir(before);
  }
}
