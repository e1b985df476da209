import { defaultFile, defaultStoreUrl, type Settings } from '../config.ts';
import { redactUrl } from '../core/store-address.ts';

/** Returns the command line that does something with the same file and record as this one, ready for a shell; a password in it is left to the person. */
export function formatCommandLine(command: string, args: readonly string[], { file, emulate, storeUrl }: Settings): string {
  const words = [
    ...['edict', command, ...args],
    ...(file === defaultFile ? [] : [file.startsWith('-') ? `./${file}` : file]),
    ...(emulate ? ['--emulate'] : []),
    ...(storeUrl === defaultStoreUrl(emulate) ? [] : ['--state', redactUrl(storeUrl)]),
  ];
  return words.map(quoteForShell).join(' ');
}

function quoteForShell(word: string): string {
  return /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
