import type { Command } from 'commander';
import { defaultFile, parseSettings } from '../config.ts';
import type { ExitCode } from '../core/errors.ts';
import type { ParsedOptions } from './command-options.ts';
import type { CliContext } from './context.ts';
import { emulateOption, formatOption, lockTimeoutOption, stateOption } from './options.ts';

/** Adds `edict state` with its own commands; `finish` is told the exit code of the one that ran. */
export function addStateCommands(program: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  const group = program.command('state').description('shows and copies the store, and deletes records in it');

  group
    .command('show')
    .description('shows of which gateways there is a record, and who works on them')
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .action(async (options: ParsedOptions) => {
      const { showState } = await import('./state.ts');
      finish(await showState(parseSettings(undefined, options), options, context));
    });

  group
    .command('copy')
    .description('copies the store, as it is now, into an empty one; also while a daemon uses it')
    .argument('<to>', 'the new store: a path, or an address as for --state')
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .action(async (to: string, options: ParsedOptions) => {
      const { copyState } = await import('./state.ts');
      finish(await copyState(to, parseSettings(undefined, options), options, context));
    });

  group
    .command('rm')
    .description('deletes the recorded state of a publication; sends nothing and keeps its history')
    .argument('<api>', 'the API, by name or ID')
    .argument('<environment>', 'the environment, by name or ID')
    .argument('[file]', 'the edict file', defaultFile)
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(lockTimeoutOption())
    .action(async (api: string, environment: string, file: string, options: ParsedOptions) => {
      const { remove } = await import('./state.ts');
      finish(await remove({ api, environment }, parseSettings(file, options), options, context));
    });
}
