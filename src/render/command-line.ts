import type { PlanHolds } from '../model/change.ts';
import { defaultFile, defaultStoreUrl, type Settings } from '../model/settings.ts';
import { redactUrl } from '../model/store-url.ts';
import { visible } from '../model/visible.ts';
import { shortDigestLength } from '../plan/approvals.ts';
import { approvalDigest } from '../plan/policies.ts';

/** The commands that may call the gateway. */
const callingCommands: readonly string[] = ['plan', 'apply', 'run', 'status', 'explain', 'approve', 'undo', 'import', 'doctor'];

/** The commands that send probes. */
const probingCommands: readonly string[] = ['apply', 'run'];

/** The commands that use no store. */
const storelessCommands: readonly string[] = ['validate'];

/** The commands that never use an emulated gateway. */
const realCommands: readonly string[] = ['validate', 'import', 'doctor'];

/**
 * Returns a shell command line for the same file and store. A store's URL with a password is not shown: the command reads it from the variable
 * that edict reads too.
 */
export function formatCommandLine(command: string, args: readonly string[], settings: Settings): string {
  const { file, allowedFolders, allowedHosts, allowedProbeHosts, emulate, storeUrl } = settings;
  const words = [
    ...['edict', command, ...args],
    ...(file === defaultFile ? [] : [file.startsWith('-') ? `./${file}` : file]),
    ...allowedFolders.flatMap((folder) => ['--allow-include', folder]),
    ...(callingCommands.includes(command) ? allowedHosts.flatMap((host) => ['--allow-host', host]) : []),
    ...(probingCommands.includes(command) ? allowedProbeHosts.flatMap((host) => ['--allow-probe-host', host]) : []),
    ...(emulate && !realCommands.includes(command) ? ['--emulate'] : []),
  ];
  const isDefaultStore = storelessCommands.includes(command) || storeUrl === defaultStoreUrl(file, emulate);
  const store = redactUrl(storeUrl) === storeUrl ? quoteForShell(storeUrl) : '"$EDICT_STATE"';
  return `${words.map(quoteForShell).join(' ')}${isDefaultStore ? '' : ` --state ${store}`}`;
}

/** Returns `text` with every command in backticks, such as \`edict plan\`, completed for the same file and store. */
export function completeCommands(text: string, settings: Settings): string {
  return text.replaceAll(/`edict ([a-z]+)((?: [^`]*)?)`/g, (whole, command: string, rest: string) => {
    // It is about a gateway for which there is no file yet.
    if (command === 'import' || command === 'init') return whole;
    const args = rest.split(' ').filter((word) => word !== '');
    return `\`${formatCommandLine(command, args, settings)}\``;
  });
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
export type ApproveCommand = (holds: PlanHolds) => string | null;

/** Returns the command that approves everything held in a plan; `null` if nothing is held. */
export function approveCommand(holds: PlanHolds, settings: Settings): string | null {
  const digest = approvalDigest(holds);
  if (digest === null) return null;
  return `${planningCommandLine('approve', [shortDigest(digest)], settings)} --by NAME --reason TEXT`;
}

/** Returns the shell command line of a command that computes the same plan: with the same targets, and with no observation if there was none. */
export function planningCommandLine(command: 'plan' | 'apply' | 'approve', args: readonly string[], settings: Settings): string {
  const { apis, environments } = settings.targets;
  const targets = [...apis.flatMap((pattern) => ['--api', pattern]), ...environments.flatMap((pattern) => ['--environment', pattern])];
  // With an observation the plan, and its digest, may be another one.
  const refresh = settings.refresh === 'never' ? ['--no-refresh'] : [];
  return formatCommandLine(command, [...args, ...targets, ...refresh], settings);
}
