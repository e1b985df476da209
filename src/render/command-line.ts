import type { Plan } from '../model/change.ts';
import { defaultFile, defaultStoreUrl, type Settings } from '../model/settings.ts';
import { redactUrl } from '../model/store-url.ts';
import { visible } from '../model/visible.ts';
import { shortDigestLength } from '../plan/approvals.ts';
import { approvalDigest } from '../plan/policies.ts';

/** The commands that may call the gateway. */
const callingCommands: readonly string[] = ['plan', 'apply', 'run', 'explain', 'approve', 'undo', 'import'];

/** The commands that send probes. */
const probingCommands: readonly string[] = ['apply', 'run'];

/**
 * Returns a shell command line for the same file and store. Passwords in the store's URL are redacted; the user must fill them
 * in.
 */
export function formatCommandLine(command: string, args: readonly string[], settings: Settings): string {
  const { file, allowedFolders, allowedHosts, allowedProbeHosts, emulate, storeUrl } = settings;
  const words = [
    ...['edict', command, ...args],
    ...(file === defaultFile ? [] : [file.startsWith('-') ? `./${file}` : file]),
    ...allowedFolders.flatMap((folder) => ['--allow-include', folder]),
    ...(callingCommands.includes(command) ? allowedHosts.flatMap((host) => ['--allow-host', host]) : []),
    ...(probingCommands.includes(command) ? allowedProbeHosts.flatMap((host) => ['--allow-probe-host', host]) : []),
    ...(emulate ? ['--emulate'] : []),
    ...(storeUrl === defaultStoreUrl(file, emulate) ? [] : ['--state', redactUrl(storeUrl)]),
  ];
  return words.map(quoteForShell).join(' ');
}

/** Returns a word for a POSIX shell, in quotes if it needs them; with invisible characters as bash and zsh write them. */
export function quoteForShell(word: string): string {
  if (visible(word) !== word) return `$'${[...word].map(escapeForShell).join('')}'`;
  return /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function escapeForShell(character: string): string {
  if (character === '\\' || character === "'") return `\\${character}`;
  if (visible(character) === character) return character;
  return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`;
}

/** Returns the form of a digest that is typed: its first twelve hex digits. */
export function shortDigest(digest: string): string {
  return digest.replace('sha256:', '').slice(0, shortDigestLength);
}

/** Returns the command that approves what is held in a plan of one file; `null` if nothing is held. */
export type ApproveCommand = (plan: Plan) => string | null;

/** Returns the command that approves everything held in a plan; `null` if nothing is held. */
export function approveCommand(plan: Plan, settings: Settings): string | null {
  const digest = approvalDigest(plan);
  if (digest === null) return null;
  return `${planningCommandLine('approve', [shortDigest(digest)], settings)} --by NAME --reason TEXT`;
}

/** Returns the shell command line of a command that computes the same plan: with the same targets, and with no observation if there was none. */
export function planningCommandLine(command: 'apply' | 'approve', args: readonly string[], settings: Settings): string {
  const { apis, environments } = settings.targets;
  const targets = [...apis.flatMap((pattern) => ['--api', pattern]), ...environments.flatMap((pattern) => ['--environment', pattern])];
  // With an observation the plan, and its digest, may be another one.
  const refresh = settings.refresh === 'never' ? ['--no-refresh'] : [];
  return formatCommandLine(command, [...args, ...targets, ...refresh], settings);
}
