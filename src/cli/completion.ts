import type { Command, Option } from 'commander';

/*
 * Scripts that complete commands, options and their values in a shell. They hold all that they need, so that no key press starts edict;
 * where it is neither of those, the shell completes files.
 */

/** A command with the words before it: `state show`. */
interface Completed {
  readonly words: readonly string[];
  readonly command: Command;
}

/** Returns the script that completes `program` in a shell. */
export function completionScript(shell: 'bash' | 'zsh' | 'fish', program: Command): string {
  const all = commandsIn(program, []);
  return { bash, zsh, fish }[shell](program.name(), all);
}

function commandsIn(parent: Command, words: readonly string[]): Completed[] {
  return parent.commands.flatMap((command) => {
    const own = [...words, command.name()];
    return [{ words: own, command }, ...commandsIn(command, own)];
  });
}

const optionsOf = ({ command }: Completed): readonly Option[] => command.createHelp().visibleOptions(command);
const longOf = ({ long }: Option): string => long ?? '';
const takesValue = ({ required, optional }: Option): boolean => required || optional;

/** Returns the words that may come next besides options and files: commands, or what an argument allows. */
function wordsAfter({ words, command }: Completed, all: readonly Completed[]): readonly string[] {
  const below = all.filter((one) => one.words.length === words.length + 1 && words.every((word, index) => one.words[index] === word));
  return [...below.map(({ command }) => command.name()), ...(command.registeredArguments[0]?.argChoices ?? [])];
}

function bash(name: string, all: readonly Completed[]): string {
  const values = all.flatMap((one) =>
    optionsOf(one).flatMap((option) =>
      takesValue(option)
        ? [`    '${one.words.join(' ')} ${longOf(option)}') ${option.argChoices ? reply(option.argChoices) : 'return'} ;;`]
        : [],
    ),
  );
  const words = all.map((one) => {
    const options = optionsOf(one).map(longOf);
    const next = wordsAfter(one, all);
    return `    '${one.words.join(' ')}') options='${options.join(' ')}' words='${next.join(' ')}' ;;`;
  });
  const top = all.filter(({ words }) => words.length === 1).map(({ command }) => command.name());
  const groups = top.filter((word) => all.some(({ words }) => words.length === 2 && words[0] === word));
  return `# Completes ${name} in bash: source <(${name} completion bash)
_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} options= words=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    ${reply(top)}
  fi
  case $command in
    ${groups.join('|')}) ((COMP_CWORD > 2)) && command="$command \${COMP_WORDS[2]}" ;;
  esac
  case "$command $prev" in
${values.join('\n')}
  esac
  case $command in
${words.join('\n')}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -o default -F _${name} ${name}
`;
}

function reply(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur")); return`;
}

function zsh(name: string, all: readonly Completed[]): string {
  const functions = all.map((one) => {
    const below = all.filter(({ words }) => words.length === 2 && words[0] === one.words[0]);
    return one.words.length === 1 && below.length > 0 ? zshGroup(name, one, below) : zshCommand(name, one, all);
  });
  const top = all.filter(({ words }) => words.length === 1);
  return `#compdef ${name}
# Completes ${name} in zsh: source <(${name} completion zsh)
${functions.join('')}
_${name}() {
  if ((CURRENT == 2)); then
    local -a commands=(${top.map(described).join(' ')})
    _describe command commands
  elif ((\${+functions[_${name}_$words[2]]})); then
    shift words
    ((CURRENT--))
    _${name}_$words[1]
  fi
}
compdef _${name} ${name}
`;
}

function zshGroup(name: string, { words }: Completed, below: readonly Completed[]): string {
  return `_${name}_${words.join('_')}() {
  if ((CURRENT == 2)); then
    local -a commands=(${below.map(described).join(' ')})
    _describe command commands
  elif ((\${+functions[_${name}_${words.join('_')}_$words[2]]})); then
    shift words
    ((CURRENT--))
    _${name}_${words.join('_')}_$words[1]
  fi
}
`;
}

function zshCommand(name: string, one: Completed, all: readonly Completed[]): string {
  const options = optionsOf(one).map((option) => {
    const value = option.argChoices ? `:value:(${option.argChoices.join(' ')})` : takesValue(option) ? ':value:_files' : '';
    return quoted(`*${longOf(option)}[${option.description.replace(/[[\]\\]/g, '\\$&')}]${value}`);
  });
  const next = wordsAfter(one, all);
  const rest = next.length > 0 ? `*:word:(${next.join(' ')})` : '*:file:_files';
  return `_${name}_${one.words.join('_')}() { _arguments -S ${[...options, quoted(rest)].join(' ')} }\n`;
}

function described({ command }: Completed): string {
  return quoted(`${command.name()}:${command.description()}`);
}

function fish(name: string, all: readonly Completed[]): string {
  const lines = all.flatMap((one) => {
    const [first = '', second] = one.words;
    const beside = all.flatMap(({ words }) => (words.length === 2 && words[0] === first ? (words[1] ?? '') : []));
    const before =
      second === undefined
        ? '__fish_use_subcommand'
        : `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${beside.join(' ')}`;
    const inside = one.words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const options = optionsOf(one).map((option) => {
      const value = option.argChoices ? ` -x -a ${quoted(option.argChoices.join(' '))}` : takesValue(option) ? ' -r' : '';
      return `complete -c ${name} -n '${inside}' -l ${longOf(option).slice(2)}${value} -d ${quoted(option.description)}`;
    });
    const choices = one.command.registeredArguments[0]?.argChoices;
    return [
      `complete -c ${name} -f -n '${before}' -a ${one.command.name()} -d ${quoted(one.command.description())}`,
      ...(choices ? [`complete -c ${name} -f -n '${inside}' -a ${quoted(choices.join(' '))}`] : []),
      ...options,
    ];
  });
  return `# Completes ${name} in fish: ${name} completion fish | source\n${lines.join('\n')}\n`;
}

/** One word of a shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
