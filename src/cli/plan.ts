import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import { readPlan } from '../reports.ts';
import { type Context, paintersOf } from './context.ts';
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
  context.stdout.write(planRenderers[format](planned, paintersOf(context).out));
  if (!detailedExitcode || plan.changes.length === 0) return exitCodes.done;
  return plan.changes.some((change) => change.held) ? exitCodes.held : exitCodes.changes;
}
