import { Argument, type Command } from 'commander';
import { parseSettings } from '../../app/settings.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import { defaultFile } from '../../model/settings.ts';
import type { CliContext } from '../context.ts';
import { allowHostOption, type Finish } from '../options.ts';
import { joinLines, writeText } from '../output/terminal.ts';
import { runReadCommand } from '../read-command.ts';
import { addGatewayOptions, readTypedGateway, type TypedGateway, typedHosts, writeWarnings } from '../typed-gateway.ts';

export interface InitOptions extends TypedGateway {
  readonly allowHost?: readonly string[];
}

/** Adds `edict init`. */
export function registerInit(program: Command, context: CliContext, finish: Finish): void {
  const command = program
    .command('init')
    .description('Write a first edict file: from a live gateway if it and credentials are given, else an example with comments')
    .addArgument(new Argument('[file]', 'the new file; it must not exist').default(defaultFile));
  addGatewayOptions(command)
    .addOption(allowHostOption())
    .action(async (file: string, options: InitOptions) => finish(await runInit(file, options, context)));
}

/**
 * Writes a new file, and the next commands to stderr. Returns 0. Throws an EdictError, with nothing written, if the file exists, an option is invalid,
 * or the gateway cannot be read.
 */
async function runInit(file: string, options: InitOptions, context: CliContext): Promise<ExitCode> {
  const { hasCredentials } = await import('../../app/store/store-location.ts');
  const { writeExampleFile, writeImportedFile } = await import('../../app/edits/import.ts');
  const { formatCommandLine } = await import('../../render/command-line.ts');
  const typed = readTypedGateway(options, context.env);
  const { endpoint, project, instance } = typed;
  const settings = parseSettings(file, { allowHost: [...(options.allowHost ?? []), ...typedHosts(options)] });
  const to = { path: file, command: 'init' } as const;
  const command = (name: string, ...args: string[]): string => `  ${formatCommandLine(name, args, settings)}`;
  const isLive = endpoint !== undefined && project !== undefined && instance !== undefined && hasCredentials(context.env);
  if (isLive) {
    const gateway = { ...typed, endpoint, project, instance };
    const { warnings } = await runReadCommand(context, settings, (appContext) => writeImportedFile(appContext, gateway, to));
    writeWarnings(context, warnings);
    const next = [command('doctor'), command('plan', '--refresh'), command('run')];
    writeText(context.stderr, `${joinLines([`Written to ${file}, from ${endpoint}. Next:`, ...next])}\n`);
    return exitCodes.done;
  }
  const { project: _, ...withoutProject } = typed;
  await writeExampleFile(options.project === undefined ? withoutProject : typed, to);
  const next = [command('validate'), command('doctor'), command('plan')];
  const head = `Written to ${file}, an example: replace what is in capital letters. Next:`;
  writeText(context.stderr, `${joinLines([head, ...next])}\n`);
  return exitCodes.done;
}
