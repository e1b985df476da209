import { Argument, type Command } from 'commander';
import type { CliContext } from '../context.ts';
import { writeExact } from '../output/terminal.ts';

/*
 * Shell completion. A short shell script runs `edict __complete -- WORDS` and offers the candidates that it prints, or files if there are
 * none. @bomb.sh/tab derives the candidates from the commander program. Its own scripts are not used: those for bash and zsh pass typed
 * words to `eval`, so the tab key would run a command substitution on the line, and they never offer files.
 */

/**
 * The script for each shell. It passes each typed word as one argument and never evaluates it. An output line is a value, a tab and a
 * description; the last line begins with a colon and is not a candidate.
 */
const scripts = {
  bash: `# edict completion for bash. Load it with: source <(edict completion bash)
_edict() {
  local value description
  COMPREPLY=()
  while IFS=$'\\t' read -r value description; do
    [[ $value == :* ]] || COMPREPLY+=("$value")
  done < <(edict __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _edict edict
`,
  zsh: `#compdef edict
# edict completion for zsh. Load it with: source <(edict completion zsh)
_edict() {
  local value description
  local -a candidates
  while IFS=$'\\t' read -r value description; do
    [[ $value == :* ]] || candidates+=("\${value//:/\\\\:}\${description:+:$description}")
  done < <(edict __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  if (( $#candidates )); then
    compset -P '--*='
    _describe -V candidate candidates
  else
    _files
  fi
}
compdef _edict edict
`,
  fish: `# edict completion for fish. Load it with: edict completion fish | source
function __edict_complete
  set -l previous (commandline -opc)
  set -l current (commandline -ct)
  set -l candidates (edict __complete -- $previous[2..-1] "$current" 2>/dev/null | string match -v ':*')
  if set -q candidates[1]
    set -l option (string match -r -- '^--[^=]*=' "$current")
    printf '%s\\n' "$option"$candidates
  else
    __fish_complete_path "$current"
  end
end
complete -c edict -f -a '(__edict_complete)'
`,
} as const;

/** Adds `edict completion`, and the hidden command that its scripts run. */
export function registerCompletion(program: Command, { stdout }: CliContext): void {
  program
    .command('completion')
    .description('Print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(scripts)))
    .action((shell: keyof typeof scripts) => {
      writeExact(stdout, completionScript(shell));
    });

  program
    .command('__complete', { hidden: true })
    .description('Print the candidates for the last word, for the completion scripts')
    .argument('[words...]', 'the words after the program up to the cursor')
    .action((words: readonly string[]) => complete(program, words));
}

/** Returns the completion script for a shell. */
export function completionScript(shell: keyof typeof scripts): string {
  return scripts[shell];
}

/** Prints the candidates for the last of `words`, the words after `edict` up to the cursor, to the process's stdout. */
async function complete(program: Command, words: readonly string[]): Promise<void> {
  const { default: tab } = await import('@bomb.sh/tab/commander');
  const candidates = tab(program);
  // Remove the command that the adapter adds to print its own scripts.
  candidates.commands.delete('complete');
  candidates.parse(rejoinWords(words));
}

/** Returns `words` without the `=` that bash splits off: `--format`, `=`, `js` is the same as `--format`, `js`. */
function rejoinWords(words: readonly string[]): string[] {
  const last = words.length - 1;
  return words.flatMap((word, index) => (word !== '=' ? word : index === last ? '' : []));
}
