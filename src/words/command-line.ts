import { defaultFile, defaultState, type Settings } from '../config.ts';
import { shownAddress } from '../core/store-address.ts';

/** Returns the command line that does something with the same file and record as this one, ready for a shell; a password in it is left to the person. */
export function commandLine(command: string, args: readonly string[], { file, emulate, state }: Settings): string {
  const words = [
    ...['edict', command, ...args],
    ...(file === defaultFile ? [] : [file.startsWith('-') ? `./${file}` : file]),
    ...(emulate ? ['--emulate'] : []),
    ...(state === defaultState(emulate) ? [] : ['--state', shownAddress(state)]),
  ];
  return words.map(quoted).join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
