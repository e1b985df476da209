import type { Command } from 'commander';
import { defaultFile, settingsFrom } from '../config.ts';
import type { ExitCode } from '../core/errors.ts';
import type { Options } from './command-options.ts';
import type { Context } from './context.ts';
import { emulate, format, state, wait } from './options.ts';

/** Adds `edict state` with its own commands; `finish` is told the exit code of the one that ran. */
export function addStateCommands(program: Command, context: Context, finish: (code: ExitCode) => void): void {
  const group = program.command('state').description('shows and copies the store, and deletes records in it');

  group
    .command('show')
    .description('shows of which gateways there is a record, and who works on them')
    .addOption(state())
    .addOption(format('text', 'json'))
    .action(async (options: Options) => {
      const { show } = await import('./state.ts');
      finish(await show(settingsFrom(undefined, options), options, context));
    });

  group
    .command('copy')
    .description('copies the store, as it is now, into an empty one; also while a daemon uses it')
    .argument('<to>', 'the new store: a path, or an address as for --state')
    .addOption(state())
    .addOption(format('text', 'json'))
    .action(async (to: string, options: Options) => {
      const { copy } = await import('./state.ts');
      finish(await copy(to, settingsFrom(undefined, options), options, context));
    });

  group
    .command('rm')
    .description('deletes the recorded state of a publication; sends nothing and keeps its history')
    .argument('<api>', 'the API, by name or ID')
    .argument('<environment>', 'the environment, by name or ID')
    .argument('[file]', 'the edict file', defaultFile)
    .addOption(state())
    .addOption(format('text', 'json'))
    .addOption(emulate())
    .addOption(wait())
    .action(async (api: string, environment: string, file: string, options: Options) => {
      const { remove } = await import('./state.ts');
      finish(await remove({ api, environment }, settingsFrom(file, options), options, context));
    });
}
