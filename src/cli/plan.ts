import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import { type Planned, readCommits, readPlan, readSavedPlan, savePlan } from '../reports.ts';
import { commandLine } from '../words/command-line.ts';
import { releaseCommand } from '../words/release-command.ts';
import { type Context, paintersOf } from './context.ts';
import { type PlanFormat, planRenderers } from './render-plan.ts';

export interface PlanOptions {
  readonly format: PlanFormat;
  /** Whether the exit code says what the plan holds. */
  readonly detailedExitcode?: boolean;
  /** Whether each change names the commit of its line; left out: where the plan is for others than the one who asks. */
  readonly blame?: boolean;
  /** The file in which the plan is saved. */
  readonly out?: string;
  /** The file of a saved plan: shown is what an apply of it would do. */
  readonly plan?: string;
}

/** Shows the plan, and saves it if asked to. Returns 0, or with `detailedExitcode` 4 if something is held, else 2 if there are changes. */
export async function showPlan(settings: Settings, options: PlanOptions, context: Context): Promise<ExitCode> {
  const { format, detailedExitcode, out } = options;
  const planned = await plannedAs(options, settings, context);
  const { plan } = planned;
  const blamed = (options.blame ?? format !== 'text') ? { commits: await readCommits(plan, context.environment) } : {};
  const shown = { ...planned, ...blamed, release: releaseCommand(plan, { ...settings, targets: plan.targets }) };
  context.stdout.write(planRenderers[format](shown, paintersOf(context).out));
  if (out !== undefined)
    context.stderr.write(`Saved to ${out}. To make exactly these changes: ${commandLine('apply', ['--plan', out], settings)}\n`);
  if (!detailedExitcode) return exitCodes.done;
  if (plan.suspicion || plan.changes.some((change) => change.held)) return exitCodes.held;
  return plan.changes.length > 0 ? exitCodes.changes : exitCodes.done;
}

function plannedAs({ out, plan }: PlanOptions, settings: Settings, { environment }: Context): Promise<Planned> {
  if (out !== undefined) return savePlan(settings, environment, out);
  return plan === undefined ? readPlan(settings, environment) : readSavedPlan(settings, environment, plan);
}
