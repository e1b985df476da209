import { Option } from 'commander';

/*
 * The options that several commands have in common.
 */

/** Returns the option that names the store. */
export const stateOption = () =>
  new Option(
    '--state <url>',
    'the store: sqlite:PATH or postgres://USER@HOST/DATABASE (default: sqlite:.edict/state.db, with --emulate sqlite:.edict/emulated.db)',
  ).env('EDICT_STATE');
/** Returns the option that says how to show the result, as text unless told otherwise. */
export const formatOption = (...choices: string[]) =>
  new Option('--format <format>', 'how to show the result').choices(choices).default('text');
/** Returns the option for an emulated gateway. */
export const emulateOption = () =>
  new Option('--emulate', 'talk to an emulated gateway inside this process instead of the file’s endpoint');
/** Returns the option that says how long to wait. */
export const lockTimeoutOption = () => new Option('--wait <duration>', 'wait so long for another edict (default: not at all)');
/** Returns the option that asks the gateway first. */
export const refreshOption = () => new Option('--refresh', 'ask the gateway what is really published first');
/** Returns the option that only shows the plan. */
export const dryRunOption = () => new Option('--dry-run', 'show the plan, make no call and write nothing');
/** Returns the option for exit codes that tell changes apart. */
export const detailedExitCodeOption = () => new Option('--detailed-exitcode', 'exit with 2 if there are changes, with 4 if one is held');
