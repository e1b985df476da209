import { InvalidArgumentError, Option } from 'commander';
import type { logFormats, logLevels } from '../model/log-options.ts';

/** The options of all commands, as commander passes them. */
export type ParsedOptions = Record<string, never> & CommandOptions;

interface CommandOptions {
  readonly state?: string;
  readonly format: 'text' | 'json' | 'markdown' | 'github' | 'sarif';
  readonly emulate?: boolean;
  readonly dryRun?: boolean;
  readonly refresh?: boolean;
  readonly lockTimeout?: string;
  readonly once?: boolean;
  readonly detailedExitcode?: boolean;
  readonly blame?: boolean;
  readonly out?: string;
  readonly plan?: string;
  readonly timeout: string;
  readonly reconcile?: boolean;
  readonly logLevel: (typeof logLevels)[number];
  readonly logFormat?: (typeof logFormats)[number];
  readonly debounce: string;
  readonly resync: string;
  readonly historyRetention?: string;
  readonly listen: string;
  readonly api?: readonly string[];
  readonly environment?: readonly string[];
  readonly limit: number;
  readonly versions?: readonly string[];
  readonly seed?: string;
  readonly host: string;
  readonly port: number;
  readonly fault?: readonly string[];
  readonly latency?: string;
  readonly throttle?: string;
  readonly retryAfter?: boolean;
  readonly tokenLifetime?: string;
  readonly propagationDelay?: string;
  readonly randomSeed?: number;
  readonly endpoint?: string;
  readonly project?: string;
  readonly instance?: string;
  readonly iam?: string;
  readonly by: string;
  readonly reason: string;
  readonly expires: string;
  readonly watch?: boolean;
}

/*
 * The options that several commands share.
 */

/** Returns the option that names the store. */
export const stateOption = () =>
  new Option(
    '--state <url>',
    'the store: sqlite:PATH or postgres://USER@HOST/DATABASE (default: sqlite:.edict/state.db, with --emulate sqlite:.edict/emulated.db)',
  ).env('EDICT_STATE');
/** Returns the option that selects the output format; the default is text. */
export const formatOption = (...choices: string[]) =>
  new Option('--format <format>', 'how to show the result').choices(choices).default('text');
/** Returns the option for an emulated gateway. */
export const emulateOption = () =>
  new Option('--emulate', 'talk to an emulated gateway inside this process instead of the file’s endpoint');
/** Returns the option that sets how long to wait for another edict process. */
export const lockTimeoutOption = () => new Option('--lock-timeout <duration>', 'wait so long for another edict (default: not at all)');
/** Returns the option that observes the gateway before planning. */
export const refreshOption = () => new Option('--refresh', 'ask the gateway what is really published first');
/** Returns the option that shows the plan and does nothing else. */
export const dryRunOption = () => new Option('--dry-run', 'show the plan, make no call and write nothing');
/** Returns the option for exit codes that say whether the plan has changes. */
export const detailedExitCodeOption = () => new Option('--detailed-exitcode', 'exit with 2 if there are changes, with 4 if one is held');

/** Appends a value of a repeatable option. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Parses up to 9 digits. Throws an InvalidArgumentError for any other text. */
export function parseWholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}
