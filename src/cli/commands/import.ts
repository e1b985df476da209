import { Argument, type Command, Option } from 'commander';
import { parseSettings } from '../../app/settings.ts';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import { defaultFile } from '../../model/settings.ts';
import type { CliContext } from '../context.ts';
import { allowHostOption, allowIncludeOption, type Finish, stateOption } from '../options.ts';
import { writeExact, writeLine, writePatch } from '../output/terminal.ts';
import { runReadCommand } from '../read-command.ts';
import { storeSettings } from '../store-settings.ts';
import {
  addGatewayOptions,
  missingOptionsError,
  readTypedGateway,
  type TypedGateway,
  typedHosts,
  writeWarnings,
} from '../typed-gateway.ts';

/** The gateway as given on the command line, or the file that names it. */
export interface ImportOptions extends TypedGateway {
  /** The new file to write. */
  readonly out?: string;
  /** Whether to print a patch to an existing file. */
  readonly update?: boolean;
  readonly allowInclude?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly state?: string;
}

/** Adds `edict import`. */
export function registerImport(program: Command, context: CliContext, finish: Finish): void {
  const command = program
    .command('import')
    .description('Print a file that declares the publications of a live gateway, or a patch that adds what is missing to an existing file')
    .addArgument(new Argument('[file]', `with --update: the edict file (default: "${defaultFile}")`));
  addGatewayOptions(command)
    .option('--out <file>', 'write a new file instead of printing it, once it is complete')
    .addOption(
      new Option(
        '--update',
        'print a patch for git apply that adds what is online at the gateway of the file and not declared; nothing that is declared is changed',
      ).conflicts(['service', 'endpoint', 'project', 'instance', 'iam', 'out']),
    )
    .addOption(allowIncludeOption())
    .addOption(allowHostOption())
    .addOption(stateOption())
    .addHelpText('after', examples)
    .action(async (file: string | undefined, options: ImportOptions) => finish(await runImport(file, options, context)));
}

const examples = `
Examples:
  edict import --instance f0fa1789-3b76-433b-a787-9892951c620e --out edict.yaml
  edict import --update | git apply --allow-empty`;

async function runImport(file: string | undefined, options: ImportOptions, context: CliContext): Promise<ExitCode> {
  if (options.update) return runImportUpdate(file, options, context);
  if (file === undefined) return runImportFile(options, context);
  const { quoteForShell } = await import('../../render/command-line.ts');
  throw new EdictError('OPTION_INVALID', `${file} is not expected: a new file is printed, or written with --out`, {
    hint: `to add what ${file} lacks: edict import --update ${quoteForShell(file)}`,
  });
}

/**
 * Writes a file that declares the publications of a live gateway to stdout or into a new file, and warnings about what it cannot declare to
 * stderr. Returns 0. Throws an EdictError, with nothing written, if an option is missing, the new file exists, or the gateway cannot be read.
 */
async function runImportFile(options: ImportOptions, context: CliContext): Promise<ExitCode> {
  const typed = readTypedGateway(options, context.env);
  const { endpoint, project, instance } = typed;
  if (endpoint === undefined || project === undefined || instance === undefined) throw missingOptionsError({ endpoint, project, instance });
  const { importGateway, writeImportedFile } = await import('../../app/edits/import.ts');
  const { formatCommandLine } = await import('../../render/command-line.ts');
  const { out } = options;
  const given = { ...typed, endpoint, project, instance };
  const settings = parseSettings(out, { allowHost: [...(options.allowHost ?? []), ...typedHosts(options)] });
  const exported = await runReadCommand(context, settings, (appContext) =>
    out === undefined ? importGateway(appContext, given) : writeImportedFile(appContext, given, { path: out, command: 'import' }),
  );
  writeWarnings(context, exported.warnings);
  if (out === undefined) writeExact(context.stdout, exported.text);
  else
    writeLine(
      context.stderr,
      `Written to ${out}. To show how it differs from the gateway: ${formatCommandLine('plan', ['--refresh'], settings)}`,
    );
  return exitCodes.done;
}

/**
 * Prints the patch to stdout, and a summary and the publications that the patch leaves out to stderr. Returns 0. Throws as
 * `readImportUpdate` does.
 */
async function runImportUpdate(file: string | undefined, options: ImportOptions, context: CliContext): Promise<ExitCode> {
  const { readImportUpdate } = await import('../../app/edits/import.ts');
  const { describeImportUpdate } = await import('../output/edits.ts');
  const paths = file === undefined ? [] : [file];
  const settings = await storeSettings(context, options, { paths, isWriting: false, findsEmulated: 'never' });
  const update = await runReadCommand(context, settings, readImportUpdate);
  writePatch(context.stdout, update.diff);
  const { summary, warnings } = describeImportUpdate(update, settings);
  writeWarnings(context, warnings);
  writeLine(context.stderr, summary);
  return exitCodes.done;
}
