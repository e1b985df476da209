import { type Command, Option } from 'commander';
import { createAppContext } from '../../app/context.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import {
  allowHostOption,
  allowIncludeOption,
  apiOption,
  emulateOption,
  environmentOption,
  type Finish,
  fileArgument,
  formatOption,
  noRefreshOption,
  refreshOption,
  stateOption,
} from '../options.ts';
import type { PlanFormat } from '../output/plan-renderers.ts';
import { writeFormatted, writeLine } from '../output/terminal.ts';
import { runReadCommand } from '../read-command.ts';
import { storeSettings } from '../store-settings.ts';

export interface PlanOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  readonly refresh?: boolean;
  readonly api?: readonly string[];
  readonly environment?: readonly string[];
  readonly format: PlanFormat;
  /** Whether the exit code distinguishes plans with changes and with held changes. */
  readonly detailedExitcode?: boolean;
  /** Whether to list all unmanaged publications. */
  readonly unmanaged?: boolean;
  /** Whether to show the commit of each change's line. Default: in every format but text. */
  readonly blame?: boolean;
  /** The file to save the plan in. */
  readonly out?: string;
  /** The file of a saved plan, from `apply --plan FILE --dry-run`; the command then shows what applying it would do. */
  readonly plan?: string;
}

/** Adds `edict plan`. */
export function registerPlan(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('plan')
    .description('Show the plan; make no calls and write nothing')
    .addArgument(fileArgument())
    .addOption(apiOption())
    .addOption(environmentOption())
    .addOption(allowIncludeOption())
    .addOption(allowHostOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json', 'markdown', 'github'))
    .addOption(emulateOption())
    .addOption(refreshOption())
    .addOption(noRefreshOption())
    .option('--unmanaged', 'list all publications that are online at the gateway and not in the file, not only the first 20')
    .option('--detailed-exitcode', 'exit with 2 if anything differs from the file, with 4 if anything is held for approval')
    .option('--out <file>', 'save the plan for apply --plan')
    .option('--blame', 'show the commit of the line that declares each change (default for json and markdown)')
    .addOption(new Option('--no-blame', 'do not show commits'))
    .action(async (file: string, options: PlanOptions) => finish(await runPlan(file, options, context)));
}

/** Shows the plan, and saves it if asked to. Returns 0, or with `detailedExitcode` 4 if something is held, else 2 if there are changes or drift. */
export async function runPlan(file: string, options: PlanOptions, context: CliContext): Promise<ExitCode> {
  const { previewSavedPlan, readCommits, readPlan, writeSavedPlan } = await import('../../app/reports.ts');
  const { approveCommand, formatCommandLine, planningCommandLine } = await import('../../render/command-line.ts');
  const { planRenderers } = await import('../output/plan-renderers.ts');
  const { format, out, plan: savedPlan } = options;
  const { stdout, stderr } = context;
  // With credentials the real gateway is asked: a plan from an emulated one would be taken for the plan of the next apply.
  const settings = await storeSettings(context, options, { paths: [file], isWriting: false, findsEmulated: 'without-credentials' });
  const report = await runReadCommand(context, settings, (appContext) => {
    if (out !== undefined) return writeSavedPlan(appContext, out);
    return savedPlan === undefined ? readPlan(appContext) : previewSavedPlan(appContext, savedPlan);
  });
  const { plan } = report;
  const blame = (options.blame ?? format !== 'text') ? { commits: await readCommits(createAppContext(settings, context.env), plan) } : {};
  const view = {
    ...report,
    ...blame,
    listsUnmanaged: options.unmanaged ?? false,
    file: settings.file,
    jsonCommand: planningCommandLine('plan', ['--format', 'json'], { ...settings, targets: plan.targets }),
    approveCommand: approveCommand(plan, { ...settings, targets: plan.targets }),
  };
  writeFormatted(stdout, format, planRenderers[format](view, colorizersFor(context).out));
  if (out !== undefined)
    writeLine(stderr, `Saved to ${out}. To make exactly these changes: ${formatCommandLine('apply', ['--plan', out], settings)}`);
  if (!options.detailedExitcode) return exitCodes.done;
  if (plan.fileHeld || plan.changes.some((change) => change.held)) return exitCodes.held;
  return plan.changes.length + plan.drifted.length > 0 ? exitCodes.changes : exitCodes.done;
}
