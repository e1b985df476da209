import { Argument, InvalidArgumentError, Option } from 'commander';
import type { ExitCode } from '../model/errors.ts';
import { parseAllowedHost } from '../model/gateway.ts';
import { defaultFile, logFormats, logLevels } from '../model/settings.ts';

/*
 * The arguments and options that several commands share. `edict --help` loads all modules in commands/, so they and this one must not
 * import anything heavy: a command imports what it needs in its run function.
 */

/** Receives the exit code of the command that ran. */
export type Finish = (code: ExitCode) => void;

/** The arguments of a command about one publication: API and environment by name or ID, and the file. */
export interface PublicationArguments {
  readonly api: string;
  readonly environment: string;
  readonly file: string;
}

/** Returns the argument for the edict file. */
export const fileArgument = () => new Argument('[file]', 'the edict file').default(defaultFile);
/** Returns the argument for several edict files or folders. */
export const filesArgument = () =>
  new Argument('[files...]', 'edict files, one per gateway, or folders that contain them').default([defaultFile]);
/** Returns the argument for an API. */
export const apiArgument = () => new Argument('<api>', 'the name or ID of the API');
/** Returns the argument for an environment. */
export const environmentArgument = () => new Argument('<environment>', 'the name or ID of the environment');

/** Returns the option that names the store. */
export const stateOption = () =>
  new Option(
    '--state <url>',
    'the store: sqlite:PATH or postgres://USER@HOST/DATABASE (default: .edict/state.db beside the edict file, with --emulate .edict/emulated.db)',
  ).env('EDICT_STATE');
/** Returns the option that allows files outside the edict file's folder. */
export const allowIncludeOption = () =>
  new Option('--allow-include <folder>', "a folder besides the edict file's from which it may include files (repeatable)").argParser(
    collect,
  );
/** Returns the option that allows credentials to be sent to a host. */
export const allowHostOption = () =>
  new Option(
    '--allow-host <host>',
    "a host besides the vendor's and this machine to which credentials may be sent: HOST, HOST:PORT, or http://HOST:PORT without TLS (repeatable, env: EDICT_ALLOWED_HOSTS)",
  ).argParser(collectHost);
/** Returns the option that allows probes of internal hosts. */
export const allowProbeHostOption = () =>
  new Option(
    '--allow-probe-host <host>',
    'a host, as in the URL of a probe, that may be probed although it is this machine or in a private network (repeatable)',
  ).argParser(collectProbeHost);
/** Returns the option that says which gateway of the store an invalid file is about. */
export const gatewayOption = () =>
  new Option('--gateway <instance>', 'the instance ID of the gateway, if the file is invalid and the store has several');
/** Returns the option that selects the output format; the default is text. */
export const formatOption = (...choices: string[]) => new Option('--format <format>', 'the output format').choices(choices).default('text');
/** Returns the option for an emulated gateway. */
export const emulateOption = () => new Option('--emulate', 'use an emulated gateway in this process instead of the one in the file');
/** Returns the option that sets how long to wait for another edict process. */
export const lockTimeoutOption = () =>
  new Option(
    '--lock-timeout <duration>',
    'how long to wait for another edict process to release the store or the lease of the gateway (default: fail immediately)',
  );
/** Returns the option that observes the gateway before planning. */
export const refreshOption = () => new Option('--refresh', 'observe the gateway before planning');
/** Returns the option that keeps a command from observing the gateway. */
export const noRefreshOption = () =>
  new Option('--no-refresh', 'do not observe the gateway; what may be online there already is held for approval');
/** Returns the option that shows the plan and does nothing else. */
export const dryRunOption = () => new Option('--dry-run', 'show the plan; make no calls and write nothing');
/** Returns the option that applies without asking. */
export const yesOption = () => new Option('-y, --yes', 'apply without asking; only a terminal asks');
/** Returns the option that limits a command to some APIs. */
export const apiOption = () =>
  new Option('--api <pattern>', 'limit to APIs whose name or ID matches, such as "shop-*" (repeatable)').argParser(collect);
/** Returns the option that limits a command to some environments. */
export const environmentOption = () =>
  new Option('--environment <pattern>', 'limit to environments whose name or ID matches, such as "{test,stage}" (repeatable)').argParser(
    collect,
  );
/** Returns the option that sets the log level. */
export const logLevelOption = () =>
  new Option('--log-level <level>', 'the minimum level to log').choices(logLevels).default('info').env('EDICT_LOG_LEVEL');
/** Returns the option that selects the log format. */
export const logFormatOption = () =>
  new Option('--log-format <format>', 'the log format (default: pretty, or json for a daemon without a terminal)')
    .choices(logFormats)
    .env('EDICT_LOG_FORMAT');

/** Appends a value of a repeatable option. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Appends an allowed host. Throws an InvalidArgumentError for any other text. */
function collectHost(value: string, before?: readonly string[]): readonly string[] {
  if (parseAllowedHost(value) === null) throw new InvalidArgumentError('expected HOST, HOST:PORT or http://HOST:PORT.');
  return collect(value, before);
}

/** Appends the host of a URL, in its usual form. Throws an InvalidArgumentError for any other text, such as one with a port. */
function collectProbeHost(value: string, before?: readonly string[]): readonly string[] {
  const origin = parseAllowedHost(value);
  if (value.includes('://') || origin === null || new URL(origin).port !== '' || value.endsWith(':443'))
    throw new InvalidArgumentError('expected HOST, without a port.');
  return collect(new URL(origin).hostname, before);
}

/** Parses up to 9 digits. Throws an InvalidArgumentError for any other text. */
export function parseWholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}
