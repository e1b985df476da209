import { createAppContext } from '../../app/context.ts';
import { type PlanReport, previewSavedPlan, readCommits, readPlan, writeSavedPlan } from '../../app/reports.ts';
import type { AppContext } from '../../model/app-context.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import type { Settings } from '../../model/settings.ts';
import { approveCommand, formatCommandLine } from '../../render/command-line.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { type PlanFormat, planRenderers } from '../output/plan-renderers.ts';

export interface PlanOptions {
  readonly format: PlanFormat;
  /** Whether the exit code distinguishes plans with changes and with held changes. */
  readonly detailedExitcode?: boolean;
  /** Whether to show the commit of each change's line. Default: in every format but text. */
  readonly blame?: boolean;
  /** The file to save the plan in. */
  readonly out?: string;
  /** The file of a saved plan; the command then shows what applying it would do. */
  readonly plan?: string;
}

/** Shows the plan, and saves it if asked to. Returns 0, or with `detailedExitcode` 4 if something is held, else 2 if there are changes. */
export async function showPlan(settings: Settings, options: PlanOptions, context: CliContext): Promise<ExitCode> {
  const { format, detailedExitcode, out } = options;
  const appContext = createAppContext(settings, context.env);
  const report = await readPlanFor(options, appContext);
  const { plan } = report;
  const blame = (options.blame ?? format !== 'text') ? { commits: await readCommits(appContext, plan) } : {};
  const view = { ...report, ...blame, approveCommand: approveCommand(plan, { ...settings, targets: plan.targets }) };
  context.stdout.write(planRenderers[format](view, colorizersFor(context).out));
  if (out !== undefined)
    context.stderr.write(`Saved to ${out}. To make exactly these changes: ${formatCommandLine('apply', ['--plan', out], settings)}\n`);
  if (!detailedExitcode) return exitCodes.done;
  if (plan.fileHeld || plan.changes.some((change) => change.held)) return exitCodes.held;
  return plan.changes.length > 0 ? exitCodes.changes : exitCodes.done;
}

function readPlanFor({ out, plan }: PlanOptions, context: AppContext): Promise<PlanReport> {
  if (out !== undefined) return writeSavedPlan(context, out);
  return plan === undefined ? readPlan(context) : previewSavedPlan(context, plan);
}
