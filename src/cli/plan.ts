import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import { readPlan } from '../reports.ts';
import { type Context, paintersOf } from './context.ts';
import { releaseCommand } from './release-command.ts';
import { type PlanFormat, planRenderers } from './render-plan.ts';

export interface PlanOptions {
  readonly format: PlanFormat;
  /** Whether the exit code says what the plan holds. */
  readonly detailedExitcode?: boolean;
}

/** Shows the plan. Returns 0, or with `detailedExitcode` 4 if something is held, else 2 if there are changes. */
export async function showPlan(settings: Settings, { format, detailedExitcode }: PlanOptions, context: Context): Promise<ExitCode> {
  const planned = await readPlan(settings, context.environment);
  const { plan } = planned;
  const shown = { ...planned, release: releaseCommand(plan, settings) };
  context.stdout.write(planRenderers[format](shown, paintersOf(context).out));
  if (!detailedExitcode) return exitCodes.done;
  if (plan.suspicion || plan.changes.some((change) => change.held)) return exitCodes.held;
  return plan.changes.length > 0 ? exitCodes.changes : exitCodes.done;
}
