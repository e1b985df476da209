import type { Command } from 'commander';
import { parseSettings } from '../../app/settings.ts';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import type { Finish } from '../options.ts';
import { runReadCommand } from '../read-command.ts';

/** The gateway as given on the command line. */
export interface ImportOptions {
  readonly endpoint?: string;
  readonly project?: string;
  readonly instance?: string;
  readonly iam?: string;
}

/** Adds `edict import`. */
export function registerImport(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('import')
    .description('Print a file that declares the publications of a live gateway')
    .option('--endpoint <url>', 'the management endpoint (default: that of the region in HW_REGION_NAME)')
    .option('--project <id>', 'the project ID (default: HW_PROJECT_ID)')
    .option('--instance <id>', 'the instance ID (required)')
    .option('--iam <url>', 'the IAM endpoint (default: that of the endpoint’s region)')
    .action(async (options: ImportOptions) => finish(await runImport(options, context)));
}

/**
 * Writes a file that declares the publications of a live gateway to stdout, and warnings about what it cannot declare to stderr.
 * Returns 0. Throws an EdictError, with nothing written, if an option is missing or the gateway cannot be read.
 */
async function runImport(options: ImportOptions, context: CliContext): Promise<ExitCode> {
  const { HW_REGION_NAME: region, HW_PROJECT_ID: projectId } = context.env;
  const endpoint = options.endpoint ?? (region ? `https://roma.${region}.myhuaweicloud.com` : undefined);
  const project = options.project ?? (projectId || undefined);
  const { instance, iam } = options;
  if (endpoint === undefined || project === undefined || instance === undefined) throw missingOptionsError({ endpoint, project, instance });
  const { importGateway } = await import('../../app/reports.ts');
  const given = { endpoint, project, instance, ...(iam !== undefined && { iam }) };
  const { text, warnings } = await runReadCommand(context, parseSettings(undefined, {}), (appContext) => importGateway(appContext, given));
  context.stdout.write(text);
  const paint = colorizersFor(context).err;
  for (const warning of warnings) context.stderr.write(`${paint('yellow', 'edict:')} ${warning}\n`);
  return exitCodes.done;
}

function missingOptionsError(given: Readonly<Record<string, string | undefined>>): EdictError {
  const absent = Object.keys(given).filter((name) => given[name] === undefined);
  const list = new Intl.ListFormat('en-GB').format(absent.map((name) => `--${name}`));
  return new EdictError('OPTION_INVALID', `the gateway is not fully specified: ${list} ${absent.length === 1 ? 'is' : 'are'} missing`, {
    hint: 'expected --endpoint (or the region in HW_REGION_NAME), --project (or HW_PROJECT_ID) and --instance; the console shows the IDs',
  });
}
