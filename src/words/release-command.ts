import type { Settings } from '../config.ts';
import { approvalDigest } from '../core/guards.ts';
import type { Plan } from '../core/plan.ts';
import { formatCommandLine } from './command-line.ts';

/** Returns the command with which a person agrees to all that a plan holds; `null` if it holds nothing. */
export function approveCommand(plan: Plan, settings: Settings): string | null {
  const digest = approvalDigest(plan);
  if (digest === null) return null;
  const { apis, environments } = settings.targets;
  const targets = [...apis.flatMap((pattern) => ['--api', pattern]), ...environments.flatMap((pattern) => ['--environment', pattern])];
  return `${formatCommandLine('approve', [digest, ...targets], settings)} --by YOU --why REASON`;
}
